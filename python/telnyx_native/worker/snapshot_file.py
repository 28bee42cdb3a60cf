"""Snapshots of a worker's session in a file, for the process that follows on the same machine."""

from __future__ import annotations

import os
from pathlib import Path

from telnyx_native.errors import ConfigurationError
from telnyx_native.event_loop import run_blocking
from telnyx_native.snapshot import SessionSnapshot

__all__ = ["SnapshotFile"]

LARGEST = 256 << 20
"""Bytes of a file that is read: all that a snapshot can have is far less."""


class SnapshotFile:
    """A file with the latest snapshot; only its owner may read it.

    Args:
        path: The file. It is replaced as a whole, so that a crash never leaves half of one.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    async def load(self) -> SessionSnapshot | None:
        """Return the snapshot that is there; `None` without one.

        Raises:
            ConfigurationError: The file cannot be read, or is no snapshot.
        """
        text = await run_blocking(self._read)
        return None if text is None else SessionSnapshot.from_json(text)

    async def save(self, snapshot: SessionSnapshot) -> None:
        """Replace the snapshot.

        Raises:
            ConfigurationError: The file cannot be written.
        """
        await run_blocking(self._write, snapshot.to_json().encode())

    async def clear(self) -> None:
        """Have no snapshot any more: the session ended in order."""
        await run_blocking(self._path.unlink, missing_ok=True)

    def _read(self) -> bytes | None:
        try:
            with self._path.open("rb") as file:
                return file.read(LARGEST)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigurationError(f"cannot read the snapshot {self._path}: {error.strerror}") from None

    def _write(self, text: bytes) -> None:
        beside = self._path.with_name(f"{self._path.name}.new")
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(text)
            beside.replace(self._path)
        except OSError as error:
            raise ConfigurationError(f"cannot write the snapshot {self._path}: {error.strerror}") from None
