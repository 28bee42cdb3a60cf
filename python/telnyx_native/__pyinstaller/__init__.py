"""What PyInstaller has to know to put this package into a program of one file or folder."""

from __future__ import annotations

from pathlib import Path

__all__ = ["get_hook_dirs"]


def get_hook_dirs() -> list[str]:
    """Return the folders with hooks; PyInstaller finds this function by the entry point `pyinstaller40`."""
    return [str(Path(__file__).parent)]
