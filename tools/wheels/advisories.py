"""Compares what is locked, and what built modules say that they were linked with, with what Debian offers.

Debian's security tracker is no package, so it is not asked: what its security archive offers is what it has fixed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linked import versions_in
from wheels.refresh import is_newer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from wheels.lock import Package
    from wheels.refresh import Offer


def complaints_about_lock(locked: Iterable[Package], offer: Offer) -> Iterator[str]:
    """What is locked and older than what is offered, or has the same version and another content: a line each.

    Where the security archive of an architecture was not read, what is linked in is compared with what the others have:
    Debian fixes a release on all architectures with the same version.
    """
    for package in locked:
        same = [other for other in offer.packages if other.name == package.name and other.root == package.root]
        mine = [other for other in same if other.architecture == package.architecture]
        if package.root == "libraries" and offer.could_not_be_read(package):
            mine = same
        for other in mine:
            if is_newer(other.version, package.version):
                yield (
                    f"{package.name} for {package.architecture}: {package.version} is locked, {other.suite} has "
                    f"{other.version}: make refresh-lock, and build the wheels anew"
                )
                break
            same_file = other.architecture == package.architecture and other.version == package.version
            if same_file and other.sha256 != package.sha256:
                yield (
                    f"{package.name} for {package.architecture}: {package.version} is locked with SHA-256 "
                    f"{package.sha256}, {other.suite} has {other.sha256}: find out why before anything is built"
                )
                break


def complaints_about_module(module: Path, offer: Offer) -> Iterator[str]:
    """What a module was linked with and is older than what Debian 12 offers: a line each.

    Ubuntu's versions cannot be compared with Debian's, and are left out.
    """
    versions = versions_in(module.read_bytes())
    if not versions:
        yield f"{module.name} does not say what it was linked with: make build"
    for name, version in versions.items():
        for other in offer.packages:
            if other.name == name and "ubuntu" not in version and is_newer(other.version, version):
                yield (
                    f"{module.name} was linked with {name} {version}, {other.suite} has {other.version}: "
                    f"sudo apt-get update && sudo apt-get install {name}, and make build"
                )
                break
