"""Writes the lock file anew, with the newest package of each release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheels.apt import Archive
from wheels.selection import SELECTIONS

if TYPE_CHECKING:
    from pathlib import Path

    from wheels.lock import Package


def newest_packages(folder: Path) -> list[Package]:
    """The newest version of each selected package for each architecture; apt keeps its lists below `folder`.

    Raises:
        AptError: An archive does not have one of them.
    """
    archives: dict[tuple[str, str], Archive] = {}
    packages = []
    for selection in SELECTIONS:
        for architecture in selection.architectures:
            where = selection.suite, architecture
            archive = archives.setdefault(where, Archive(*where, folder / "apt"))
            packages += archive.newest(selection.names, selection.root)
    return packages
