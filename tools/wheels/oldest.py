"""Tries a wheel with the oldest glibc that Debian still carries: Debian 11's, 2.31.

That release's own Python is too old for the project, so Debian 12's is built there from its source. Needs root.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from wheels.debian import make_debian, run_in
from wheels.dependencies import download, requirements_of
from wheels.pythons import fetch_cpython
from wheels.trial import install_and_call
from wheels.version import Version

if TYPE_CHECKING:
    from pathlib import Path

    from wheels.targets import Target

OLDEST_VERSION = Version(3, 11)
"""The oldest Python that the project runs with."""

SUITE = "bullseye"
PACKAGES = ("gcc", "libc6-dev", "make", "libssl-dev", "zlib1g-dev", "libffi-dev")
PREFIX = "/opt/python"


def try_oldest(wheel: Path, target: Target, python: Path, folder: Path) -> None:
    """Install a wheel for Python 3.11 in a Debian 11 of this machine's architecture, and make a call with it.

    Args:
        wheel: The file.
        target: The architecture of this machine.
        python: A Python 3.11, whose pip fetches what the wheel depends on.
        folder: A folder of the build, below which the Debian is made, once.

    Raises:
        AptError: The source of Python cannot be fetched.
        BuildError: The Debian cannot be made, the wheel not be installed, or the call does not work.
    """
    root = folder / f"{SUITE}-{target.debian}"
    make_debian(root, SUITE, target, PACKAGES, build_python)
    wheels = root / "root/wheels"
    download(python, requirements_of(wheel), target, wheels)
    shutil.copy(wheel, wheels)
    install_and_call(root, f"{PREFIX}/bin/python{OLDEST_VERSION}", wheel.name)


def build_python(root: Path) -> None:
    """Build a Python 3.11 in a Debian.

    Raises:
        AptError: Its source cannot be fetched.
        BuildError: It cannot be built.
    """
    source = root / "root/source"
    fetch_cpython(f"python{OLDEST_VERSION}", "bookworm", source, root.parent / "apt")
    make = f"make -j{os.cpu_count() or 1}"
    steps = f"cd /root/source && ./configure --prefix={PREFIX} --with-ensurepip=install && {make} && make install"
    run_in(root, ["sh", "-c", f"({steps}) >/root/log 2>&1"])
    shutil.rmtree(source)
