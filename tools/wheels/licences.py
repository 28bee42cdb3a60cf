"""The licences of the Debian packages whose code is linked in, as every wheel carries them.

Debian states them in one file a package. They are kept in ``licenses/``, so that an sdist has them too, and a change of
one is seen when the lock file is refreshed. THIRD_PARTY_NOTICES.md beside them tells what is really linked of each, and
has the licences of what comes with the compiler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheels.build import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from wheels.lock import Package


def linked(packages: Iterable[Package]) -> list[str]:
    """The names of those packages whose code ends up in a wheel: not the headers of Python, nor the sysroot."""
    names = {package.name for package in packages if package.root == "libraries"}
    return sorted(name for name in names if not name.startswith("libpython"))


def stated(names: Iterable[str], libraries: Path) -> dict[str, str]:
    """The licences of packages that were unpacked to `libraries`, by the name of the file that is to hold each.

    Raises:
        BuildError: A package states none.
    """
    texts = {}
    for name in names:
        statement = libraries / "usr/share/doc" / name / "copyright"
        if not statement.is_file():
            raise BuildError(f"{name} does not state its licence: no {statement}")
        texts[f"{name}.txt"] = statement.read_text()
    return texts


def collected(folder: Path) -> dict[str, str]:
    """The licences that a folder holds, by the names of their files."""
    return {path.name: path.read_text() for path in sorted(folder.iterdir())}


def collect(texts: dict[str, str], folder: Path) -> None:
    """Have `folder` hold these licences and nothing else."""
    folder.mkdir(exist_ok=True)
    for name in collected(folder).keys() - texts.keys():
        (folder / name).unlink()
    for name, text in texts.items():
        (folder / name).write_text(text)


def compare(texts: dict[str, str], folder: Path) -> None:
    """Make sure that `folder` holds what the packages state.

    Raises:
        BuildError: It does not.
    """
    held = collected(folder)
    differing = sorted(name for name in texts.keys() | held.keys() if texts.get(name) != held.get(name))
    if differing:
        raise BuildError(f"{folder.name}/ is not what the packages state ({' '.join(differing)}): make refresh-lock")
