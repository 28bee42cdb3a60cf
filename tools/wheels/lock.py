"""The lock file: which Debian packages go into a build, to the byte."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

HEADER = "# Debian packages of the wheels. Written by `make refresh-lock`; do not edit.\n"


@dataclass(frozen=True, order=True)
class Package:
    """One version of one package for one architecture.

    Attributes:
        architecture: Debian's name of the architecture.
        root: The folder it is unpacked into: ``libraries`` or ``sysroot``.
        suite: The suite it is taken from: a Debian release, or the security archive of one.
        name: Its name.
        version: Its version.
        file: Where its .deb file is on a mirror of that suite.
        sha256: The digest of that file, in hexadecimal.
    """

    architecture: str
    root: str
    suite: str
    name: str
    version: str
    file: str
    sha256: str


def read_lock(path: Path) -> list[Package]:
    """All packages of a lock file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no lock file.
    """
    try:
        return [Package(**entry) for entry in tomllib.loads(path.read_text())["package"]]
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} is not a lock file: {error}") from error


def write_lock(path: Path, packages: Iterable[Package]) -> None:
    """Write a lock file, sorted, so that a change of it is easy to read."""
    entries = [
        "\n[[package]]\n" + "".join(f'{field} = "{value}"\n' for field, value in vars(package).items())
        for package in sorted(packages)
    ]
    path.write_text(HEADER + "".join(entries))
