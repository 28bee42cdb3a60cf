"""Whether the same inputs make the same bytes: one wheel built twice from nothing, in two folders."""

from __future__ import annotations

import shutil
import zipfile
from typing import TYPE_CHECKING

from wheels.build import Builder, BuildError, unpack

if TYPE_CHECKING:
    from pathlib import Path

    from wheels.roots import Roots
    from wheels.targets import Target

ATTEMPTS = ("once", "and-once-more")
"""Folders whose names differ in length, too: a path that leaked into a module would move what follows it."""


def reproduce(builder: Builder, sdist: Path, target: Target, roots: Roots, folder: Path, epoch: int) -> Path:
    """Build a wheel twice, each time in a new folder below `folder`: the wheel.

    Raises:
        BuildError: It cannot be built, or the two are not the same; it names what differs.
    """
    wheels = []
    for attempt in ATTEMPTS:
        home = folder / attempt
        shutil.rmtree(home, ignore_errors=True)
        unpack(sdist, home / "source")
        wheels.append(builder.wheel(home / "source", target, roots, home / "wheel", epoch))
    first, second = wheels
    if found := differences(first, second):
        raise BuildError(f"{first.name} is not reproducible: built again, it differs in {', '.join(found)}")
    return first


def differences(first: Path, second: Path) -> list[str]:
    """The names of what is not the same in two wheels; empty if they are the same to the byte."""
    if first.read_bytes() == second.read_bytes():
        return []
    with zipfile.ZipFile(first) as one, zipfile.ZipFile(second) as other:
        entries = {info.filename: described(one, info) for info in one.infolist()}
        others = {info.filename: described(other, info) for info in other.infolist()}
    names = sorted(name for name in entries.keys() | others.keys() if entries.get(name) != others.get(name))
    return names or ["the order of its files"]


def described(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> tuple[object, ...]:
    """All of a file in a wheel that is part of the wheel's bytes."""
    return info.date_time, info.external_attr, info.compress_type, archive.read(info)
