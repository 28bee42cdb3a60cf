"""Fetches packages with apt, from the mirror that this machine's own apt uses, or the one that ``DEBIAN_MIRROR`` names.

Releases and architectures other than the machine's get a configuration of their own in a folder of the build;
that of the machine is only read. No root is needed.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from typing import TYPE_CHECKING

from wheels.lock import Package

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class AptError(Exception):
    """Apt did not do what it was asked to."""


def mirror() -> str:
    """The Debian mirror that ``DEBIAN_MIRROR`` names, or else that of this machine's apt.

    Raises:
        AptError: None is named, and its apt has no Debian release.
    """
    if named := os.environ.get("DEBIAN_MIRROR"):
        return named
    listing = run(["apt-get", "indextargets", "--format", "$(SITE) $(ORIGIN) $(LABEL)", "Created-By: Packages"])
    sites: list[str] = re.findall(r"^(\S+) Debian Debian$", listing, re.MULTILINE)
    if not sites:
        raise AptError("this machine's apt has no Debian mirror: name one in DEBIAN_MIRROR")
    return sites[0]


class Archive:
    """One Debian release for one architecture."""

    def __init__(self, suite: str, architecture: str, folder: Path, source: str | None = None) -> None:
        """Make one whose configuration and package lists are kept below `folder`.

        Args:
            suite: The release, like ``bookworm``.
            architecture: Debian's name of the architecture.
            folder: A folder of the build.
            source: Where it is, as a line of sources.list; by default on the mirror of this machine's apt.
        """
        self.suite = suite
        self.architecture = architecture
        self._home = folder / f"{suite}-{architecture}"
        self._source = source
        self._updated = False

    def newest(self, names: Iterable[str], root: str) -> list[Package]:
        """The newest versions of the packages `names`, to be unpacked into `root`.

        Raises:
            AptError: There is none of one of them.
        """
        self._update()
        wanted = [f"{name}:{self.architecture}" for name in names]
        records = self._apt("apt-cache", "show", "--no-all-versions", *wanted).strip().split("\n\n")
        packages = []
        for record in records:
            fields = dict(re.findall(r"^(Package|Version|SHA256): (\S+)$", record, re.MULTILINE))
            identity = fields["Package"], fields["Version"], fields["SHA256"]
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
                self._update()
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
        incoming = file.with_suffix("")
        incoming.mkdir(exist_ok=True)
        try:
            self._apt("apt-get", "download", f"{package.name}:{self.architecture}={package.version}", cwd=incoming)
        except AptError as error:
            raise AptError(f"{error}\nIf the archive has a newer version now: make refresh-lock") from error
        (downloaded,) = incoming.glob("*.deb")
        digest = hashlib.sha256(downloaded.read_bytes()).hexdigest()
        if digest != package.sha256:
            raise AptError(f"{package.name} {package.version} has SHA-256 {digest}, the lock file {package.sha256}")
        downloaded.rename(file)
        incoming.rmdir()

    def _update(self) -> None:
        if self._updated:
            return
        for part in ("parts", "preferences", "state/lists/partial", "cache/archives/partial"):
            (self._home / part).mkdir(parents=True, exist_ok=True)
        (self._home / "status").touch()
        source = self._source or f"deb [arch={self.architecture} signed-by={KEYRING}] {mirror()} {self.suite} main"
        (self._home / "parts/debian.list").write_text(f"{source}\n")
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
