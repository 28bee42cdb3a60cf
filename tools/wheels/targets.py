"""The architectures and Pythons that wheels are built for, and the names each of them has."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


QUESTION = "import sys, sysconfig; print(*sys.version_info[:2], sysconfig.get_config_var('Py_GIL_DISABLED') or 0)"


@dataclass(frozen=True)
class Version:
    """A minor version of CPython, written like ``3.13``, or ``3.13t`` without a GIL."""

    major: int
    minor: int
    free_threaded: bool = False

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}{self.suffix}"

    @property
    def suffix(self) -> str:
        """What tells it from the ordinary build of the same version."""
        return "t" if self.free_threaded else ""

    @property
    def tag(self) -> str:
        """Its name in the names of extension modules: ``313t``."""
        return f"{self.major}{self.minor}{self.suffix}"

    @classmethod
    def of(cls, interpreter: Path) -> Self:
        """The version of an interpreter.

        Raises:
            OSError: It cannot be started.
            subprocess.CalledProcessError: It is none.
        """
        answer = subprocess.run([interpreter, "-c", QUESTION], capture_output=True, text=True, check=True).stdout
        major, minor, gil_disabled = map(int, answer.split())
        return cls(major, minor, bool(gil_disabled))


GLIBC_FLOOR = (2, 28)
"""The oldest glibc that the wheels promise to run with (PEP 600)."""


@dataclass(frozen=True)
class Target:
    """One architecture.

    Attributes:
        machine: Its name in wheel tags and in ``uname -m``.
        debian: Its name in Debian.
        triplet: Its GNU triplet, which names folders and compilers.
        emulator: Its name in qemu.
        debian_pythons: Python packages that have no wheel for it on PyPI, and Debian's packages of them.
    """

    machine: str
    debian: str
    triplet: str
    emulator: str
    debian_pythons: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_here(self) -> bool:
        """Whether this machine is one."""
        return self.machine == os.uname().machine

    @property
    def platform(self) -> str:
        """The platform tag of its wheels."""
        major, minor = GLIBC_FLOOR
        return f"manylinux_{major}_{minor}_{self.machine}"

    def compiler(self, name: str) -> str:
        """The command of Debian's compiler for it, on any machine; `name` is ``gcc`` or ``g++``."""
        return f"{self.triplet}-{name}"

    def extension_suffix(self, python: Version) -> str:
        """How CPython's extension modules for it end."""
        return f".cpython-{python.tag}-{self.triplet}.so"


# cffi needs ply, and debootstrap does not follow dependencies on virtual packages.
ARMHF_PYTHONS = {"numpy": "python3-numpy", "cffi": "python3-cffi", "ply": "python3-ply"}

TARGETS = {
    target.machine: target
    for target in (
        Target("x86_64", "amd64", "x86_64-linux-gnu", "x86_64"),
        Target("aarch64", "arm64", "aarch64-linux-gnu", "aarch64"),
        Target("armv7l", "armhf", "arm-linux-gnueabihf", "arm", ARMHF_PYTHONS),
    )
}
