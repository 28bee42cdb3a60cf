"""Builds one wheel from an sdist, natively or across."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from typing import TYPE_CHECKING

from wheels.targets import Version

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wheels.roots import Roots
    from wheels.targets import Target


class BuildError(Exception):
    """A step of the build failed; what it had to say is on the terminal."""


class Builder:
    """Builds with one Python.

    Attributes:
        interpreter: The Python.
        version: Its version.
        python: The same Python in an environment of its own, with pip and what builds the wheels.
    """

    def __init__(self, python: Path, requirements: Path, folder: Path) -> None:
        """Prepare an environment for `python` below `folder`, with the pinned `requirements`.

        Raises:
            BuildError: They cannot be installed.
        """
        self.version = Version.of(python)
        self.interpreter = python
        home = folder / f"python{self.version}"
        self.python = home / "bin/python"
        self._pip: list[str | Path] = [self.python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        recipe = home / "requirements"
        if not recipe.exists() or recipe.read_text() != requirements.read_text():
            run([python, "-m", "venv", "--clear", home])
            run([*self._pip, "install", "--requirement", requirements])
            shutil.copy(requirements, recipe)

    def sdist(self, project: Path, folder: Path) -> Path:
        """Make the sdist of a project, in `folder`."""
        shutil.rmtree(folder, ignore_errors=True)
        run([self.python, "setup.py", "--quiet", "sdist", "--dist-dir", folder], cwd=project)
        (sdist,) = folder.glob("*.tar.gz")
        return sdist

    def wheel(self, source: Path, target: Target, roots: Roots, folder: Path, epoch: int) -> Path:
        """Build a wheel from an unpacked sdist into `folder`, with all file times at `epoch`.

        Raises:
            BuildError: It cannot be built.
        """
        shutil.rmtree(folder, ignore_errors=True)
        environment = {**os.environ, **cross_settings(self.version, target, roots), "SOURCE_DATE_EPOCH": str(epoch)}
        run([*self._pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source], environment)
        (wheel,) = folder.glob("*.whl")
        return wheel


def cross_settings(python: Version, target: Target, roots: Roots) -> dict[str, str]:
    """The environment in which setup.py builds for `target`, whatever the machine it runs on."""
    libraries, sysroot = roots.libraries.resolve(), roots.sysroot.resolve()
    settings = {
        "CC": target.compiler("gcc"),
        "CXX": target.compiler("g++"),
        "CXXFLAGS": "",
        "LDFLAGS": f"--sysroot={sysroot} -L{sysroot}/usr/lib/{target.triplet} -L{sysroot}/lib/{target.triplet}",
        "LIBWEBRTC_ROOT": str(libraries),
        "SETUPTOOLS_EXT_SUFFIX": target.extension_suffix(python),
        "TELNYX_NATIVE_BUILD": "release",
        "_PYTHON_HOST_PLATFORM": target.platform,
    }
    if not target.is_here:
        settings["TELNYX_NATIVE_PYTHON_INCLUDE"] = str(roots.python_headers(python).resolve())
    return settings


def unpack(sdist: Path, source: Path) -> None:
    """Unpack an sdist as `source`; of an earlier build, only the objects stay."""
    source.mkdir(parents=True, exist_ok=True)
    for entry in [*source.iterdir(), *source.glob("build/lib*"), *source.glob("build/bdist*")]:
        if entry.name == "build":
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    run(["tar", "--extract", "--strip-components=1", "--directory", source, "--file", sdist])


def run(command: Sequence[str | Path], environment: dict[str, str] | None = None, cwd: Path | None = None) -> None:
    """Run one step.

    Raises:
        BuildError: It failed.
    """
    if subprocess.run(command, env=environment, cwd=cwd, check=False).returncode:
        raise BuildError(f"This failed: {' '.join(map(str, command))}")


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
