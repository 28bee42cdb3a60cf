"""Fetches packages with apt, from the mirrors that this machine's own apt uses.

``DEBIAN_MIRROR`` and ``DEBIAN_SECURITY_MIRROR`` name others. Releases and architectures other than the machine's
get a configuration of their own in a folder of the build; that of the machine is only read. No root is needed.
"""

from __future__ import annotations

import os
import re
import subprocess
from functools import cached_property
from typing import TYPE_CHECKING

from wheels.lock import Package

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SECURITY = "-security"
"""How the suites of the security archive end, which is on mirrors of its own."""

HELPER = "/usr/lib/apt/apt-helper"
"""Apt's program that fetches one file and compares its digest."""


class AptError(Exception):
    """Apt did not do what it was asked to."""


def mirror() -> str:
    """The Debian mirror that ``DEBIAN_MIRROR`` names, or else that of this machine's apt.

    Raises:
        AptError: None is named, and its apt has no Debian release.
    """
    if named := os.environ.get("DEBIAN_MIRROR") or _site("Debian"):
        return named
    raise AptError("this machine's apt has no Debian mirror: name one in DEBIAN_MIRROR")


def security_mirror() -> str:
    """The mirror of Debian's security archive: as named, as of this machine's apt, or else beside `mirror`.

    Raises:
        AptError: There is no `mirror` either.
    """
    if named := os.environ.get("DEBIAN_SECURITY_MIRROR"):
        return named
    if "DEBIAN_MIRROR" not in os.environ and (site := _site("Debian-Security")):
        return site
    return f"{mirror().rstrip('/')}{SECURITY}"


def _site(label: str) -> str | None:
    """Where this machine's apt has the Debian archive with that label."""
    listing = run(["apt-get", "indextargets", "--format", "$(SITE) $(ORIGIN) $(LABEL)", "Created-By: Packages"])
    found = re.search(rf"^(\S+) Debian {label}$", listing, re.MULTILINE)
    return found[1] if found else None


class Archive:
    """One Debian release for one architecture."""

    def __init__(self, suite: str, architecture: str, folder: Path, source: str | None = None) -> None:
        """Make one whose configuration and package lists are kept below `folder`.

        Args:
            suite: The release or its security archive, like ``bookworm`` or ``bookworm-security``.
            architecture: Debian's name of the architecture.
            folder: A folder of the build.
            source: Where it is, as a line of sources.list; by default on `mirror` or `security_mirror`.
        """
        self.suite = suite
        self.architecture = architecture
        self._home = folder / f"{suite}-{architecture}"
        self._source = source
        self._updated = False

    @cached_property
    def source(self) -> str:
        """Where it is, as a line of sources.list.

        Raises:
            AptError: There is no mirror of it.
        """
        if self._source:
            return self._source
        site = security_mirror() if self.suite.endswith(SECURITY) else mirror()
        return f"deb [arch={self.architecture} signed-by={KEYRING}] {site} {self.suite} main"

    @property
    def site(self) -> str:
        """Its mirror."""
        return re.sub(r"^deb(-src)? (\[[^]]*\] )?(\S+) .*$", r"\3", self.source)

    def newest(self, names: Iterable[str], root: str) -> list[Package]:
        """The newest versions of the packages `names`, to be unpacked into `root`.

        Raises:
            AptError: There is none of one of them.
        """
        packages = self.offered(names, root)
        if missing := sorted(set(names) - {package.name for package in packages}):
            raise AptError(f"{self.suite} has no {' '.join(missing)} for {self.architecture}")
        return packages

    def offered(self, names: Iterable[str], root: str) -> list[Package]:
        """The newest versions of those of the packages `names` that there are, to be unpacked into `root`.

        Raises:
            AptError: What there is cannot be read, or nobody has signed it.
        """
        self._update()
        wanted = [f"{name}:{self.architecture}" for name in names]
        policy = self._apt("apt-cache", "policy", *wanted)
        there = re.findall(r"^(\S+):\n.*\n +Candidate: [^(]", policy, re.MULTILINE)
        if not there:
            return []
        records = self._apt("apt-cache", "show", "--no-all-versions", *there).strip().split("\n\n")
        packages = []
        for record in records:
            fields = dict(re.findall(r"^(Package|Version|Filename|SHA256): (\S+)$", record, re.MULTILINE))
            identity = fields["Package"], fields["Version"], fields["Filename"], fields["SHA256"]
            packages.append(Package(self.architecture, root, self.suite, *identity))
        return packages

    def fetch(self, packages: Iterable[Package], folder: Path) -> list[Path]:
        """The .deb files of the packages, in `folder`; those that are there already are not fetched again.

        Raises:
            AptError: One is no longer in the archive, or not the one that the lock file names.
        """
        folder = folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        for package in packages:
            file = folder / f"{package.sha256}.deb"
            if not file.exists():
                self._download(package, file)
            files.append(file)
        return files

    def fetch_source(self, name: str, folder: Path) -> Path:
        """What a source package was made of, as its authors published it: a tarball in `folder`.

        Raises:
            AptError: It is not in the archive, which has to be one of sources.
        """
        self._update()
        self._apt("apt-get", "source", "--download-only", "--only-source", name, cwd=folder)
        (tarball,) = folder.glob(f"{name}_*.orig.tar.?z")
        return tarball

    def _download(self, package: Package, file: Path) -> None:
        # The digest in the lock file is what vouches for the package; no lists of this archive are needed.
        helper = [HELPER, "-o", "APT::Sandbox::User=root", "download-file", f"{self.site}/{package.file}"]
        incoming = file.with_suffix("")
        try:
            run([*helper, str(incoming), f"SHA256:{package.sha256}"])
        except AptError as error:
            raise AptError(
                f"{package.name} {package.version} for {package.architecture} cannot be had as the lock file has it: "
                f"{error}\nIf the archive has a newer version now: make refresh-lock"
            ) from error
        incoming.rename(file)

    def _update(self) -> None:
        if self._updated:
            return
        for part in ("parts", "preferences", "state/lists/partial", "cache/archives/partial"):
            (self._home / part).mkdir(parents=True, exist_ok=True)
        (self._home / "status").touch()
        (self._home / "parts/debian.list").write_text(f"{self.source}\n")
        self._apt("apt-get", "update")
        self._updated = True

    def _apt(self, command: str, *arguments: str, cwd: Path | None = None) -> str:
        home = self._home.resolve()
        options = {
            "APT::Architecture": self.architecture,
            "APT::Architectures::": self.architecture,
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
            "Dir::Cache": home / "cache",
            "Dir::Cache::pkgcache": "",
            "Dir::Cache::srcpkgcache": "",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": home / "preferences",
            "Dir::Etc::sourcelist": "/dev/null",
            "Dir::Etc::sourceparts": home / "parts",
            "Dir::State": home / "state",
            "Dir::State::status": home / "status",
        }
        settings = [argument for name, value in options.items() for argument in ("-o", f"{name}={value}")]
        return run([command, "-qq", *settings, *arguments], cwd)


def run(command: list[str], cwd: Path | None = None) -> str:
    """What a command writes.

    Raises:
        AptError: It failed or is not there, with what it had to say.
    """
    try:
        result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise AptError(f"{command[0]} not found: install the package that has it (apt, dpkg)") from error
    if result.returncode:
        raise AptError(f"{command[0]} failed: {result.stderr.strip()}")
    return result.stdout
