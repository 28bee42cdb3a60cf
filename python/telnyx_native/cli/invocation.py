"""How this program was called: for commands to copy that work where they are read."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

__all__ = ["own_command"]


def own_command() -> str:
    """Return what to type for this program: its name, its path if it is not on the PATH, or `python -m`."""
    called = Path(sys.argv[0])
    if called.name != "telnyx-native":
        return f"{_shortest(sys.executable)} -m telnyx_native"
    found = shutil.which(called.name)
    return called.name if found and called.resolve() == Path(found).resolve() else _shortest(sys.argv[0])


def _shortest(path: str) -> str:
    """Return a path relative to where we are, if it is below; absolute otherwise."""
    relative = os.path.relpath(path)
    return os.path.abspath(path) if relative.startswith("..") else relative  # noqa: PTH100 - keeps links of a venv
