"""Versions of CPython, and the names they have in files and tags."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
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
