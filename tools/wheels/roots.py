"""Unpacks the locked packages of one architecture, without installing them.

``libraries`` holds what is linked in and its headers, ``sysroot`` the C library that is linked against.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheels.apt import Archive

if TYPE_CHECKING:
    from pathlib import Path

    from wheels.lock import Package
    from wheels.targets import Target, Version


@dataclass(frozen=True)
class Roots:
    """Where the packages of one architecture were unpacked."""

    libraries: Path
    sysroot: Path

    def python_headers(self, version: Version) -> Path:
        """Where the headers of a Python of that architecture are, if they are."""
        return self.libraries / f"usr/include/python{version}"


def assemble(target: Target, packages: list[Package], folder: Path) -> Roots:
    """Fetch and unpack what `packages` has for `target`, below `folder`; nothing if it is there already.

    Raises:
        AptError: A package cannot be had as the lock file has it.
    """
    mine = [package for package in packages if package.architecture == target.debian]
    home = folder / target.machine
    recipe = home / "packages"
    wanted = "".join(f"{package}\n" for package in mine)
    roots = Roots(home / "libraries", home / "sysroot")
    if recipe.exists() and recipe.read_text() == wanted:
        return roots
    recipe.unlink(missing_ok=True)
    for root in (roots.libraries, roots.sysroot):
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
    for suite in sorted({package.suite for package in mine}):
        of_suite = [package for package in mine if package.suite == suite]
        files = Archive(suite, target.debian, folder / "apt").fetch(of_suite, folder / "debs")
        for package, file in zip(of_suite, files, strict=True):
            unpack(file, home / package.root)
    recipe.write_text(wanted)
    return roots


def unpack(package: Path, root: Path) -> None:
    """Unpack a .deb below `root`, and turn its absolute links to where they point inside of it."""
    subprocess.run(["dpkg-deb", "--extract", package, root], check=True)
    for path in root.rglob("*"):
        if path.is_symlink() and (aim := path.readlink()).is_absolute():
            path.unlink()
            path.symlink_to(os.path.relpath(root / aim.relative_to("/"), path.parent))
