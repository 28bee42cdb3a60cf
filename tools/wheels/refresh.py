"""Which Debian packages a build takes, and the newest of each, the security archives included."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheels.apt import SECURITY, AptError, Archive

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from wheels.lock import Package


@dataclass(frozen=True)
class Selection:
    """Packages that are taken from one release.

    Attributes:
        root: The folder they are unpacked into: ``libraries`` or ``sysroot``.
        suite: The release.
        names: The packages.
        architectures: Debian's names of the architectures they are needed for.
    """

    root: str
    suite: str
    names: tuple[str, ...]
    architectures: tuple[str, ...] = ("amd64", "arm64", "armhf")


SELECTIONS = (
    # What is linked in. Debian 12's: later ones ask for a newer glibc.
    Selection("libraries", "bookworm", ("libtgowt-dev", "libabsl-dev", "libopus-dev", "libsrtp2-dev", "libssl-dev")),
    # Python's headers, for cross builds.
    Selection("libraries", "bookworm", ("libpython3.11-dev",), ("arm64", "armhf")),
    Selection("libraries", "trixie", ("libpython3.13-dev",), ("arm64", "armhf")),
    # What is linked against. Debian 11's is the oldest glibc that Debian still carries (2.31).
    Selection("sysroot", "bullseye", ("libc6", "libc6-dev", "libcrypt1", "libgcc-s1", "linux-libc-dev")),
)


@dataclass(frozen=True)
class Offer:
    """What Debian offers of what is selected.

    Attributes:
        packages: The newest version of each package for each architecture.
        unread: Security archives whose lists or packages could not be had, by suite and architecture, with the reason.
    """

    packages: list[Package]
    unread: dict[tuple[str, str], str]

    def could_not_be_read(self, package: Package) -> bool:
        """Whether there may be newer ones of a package, because the security archive of its release was not read."""
        return (f"{package.suite.removesuffix(SECURITY)}{SECURITY}", package.architecture) in self.unread


def newest_packages(folder: Path) -> Offer:
    """What Debian offers; apt keeps its lists below `folder`.

    A mirror may lack the security archive of an architecture, or packages of it, or have lists of it that are not those
    which Debian signed. Then the release itself is what is left.

    Raises:
        AptError: A release does not have one of the packages.
    """
    archives: dict[tuple[str, str], Archive] = {}
    packages: list[Package] = []
    unread: dict[tuple[str, str], str] = {}
    for selection in SELECTIONS:
        for architecture in selection.architectures:
            where = selection.suite, architecture
            found = archives.setdefault(where, Archive(*where, folder / "apt")).newest(selection.names, selection.root)
            where = f"{selection.suite}{SECURITY}", architecture
            if where not in unread:
                archive = archives.setdefault(where, Archive(*where, folder / "apt"))
                try:
                    fixes = archive.offered(selection.names, selection.root)
                    archive.fetch(fixes, folder / "debs")
                    found += fixes
                except AptError as error:
                    unread[where] = str(error).partition("\n")[0]
            packages += newest_of_each(found)
    return Offer(packages, unread)


def newest_of_each(packages: Iterable[Package]) -> list[Package]:
    """Of several versions of a package for one architecture, the newest."""
    newest: dict[tuple[str, str], Package] = {}
    for package in packages:
        held = newest.get((package.name, package.architecture))
        if held is None or is_newer(package.version, held.version):
            newest[package.name, package.architecture] = package
    return list(newest.values())


def keep_unread(offer: Offer, locked: Iterable[Package]) -> list[Package]:
    """What to lock: what is offered, but what is locked already and newer, where a security archive was not read."""
    held = {(package.architecture, package.name): package for package in locked}
    packages = []
    for package in offer.packages:
        mine = held.get((package.architecture, package.name))
        keep = mine is not None and offer.could_not_be_read(package) and is_newer(mine.version, package.version)
        packages.append(mine if mine is not None and keep else package)
    return packages


def is_newer(version: str, other: str) -> bool:
    """Whether one Debian version is newer than another."""
    return not subprocess.run(["dpkg", "--compare-versions", version, "gt", other], check=False).returncode
