"""The result file of a campaign: a JSON object on each line, written as things happen, and read after a kill.

A line is with the operating system before the next thing is done, so a killed process loses nothing. The line that it
was writing may be torn: it is left as it is, and does not count.
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from telnyx_native.errors import ConfigurationError
from telnyx_native.fleet.campaign_terms import JobState, Record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

__all__ = ["ResultFile"]


class ResultFile:
    """Writes records to the end of a file, which no other campaign can use meanwhile.

    Its methods block as long as the disk does: some microseconds, as a rule.

    Attributes:
        torn: Lines that could not be read so far.
    """

    def __init__(self, file: str | Path) -> None:
        """Open the file, or make it. Only its owner can read one that is made.

        Raises:
            ConfigurationError: It cannot be opened, or another process writes it.
        """
        self._path = Path(file)
        self.torn = 0
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(f"cannot write {self._path}: {error.strerror or error}") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            size = os.fstat(self._file).st_size
            if size and os.pread(self._file, 1, size - 1) != b"\n":
                os.write(self._file, b"\n")  # what was torn ends here
        except OSError as error:
            os.close(self._file)
            if isinstance(error, BlockingIOError):
                raise ConfigurationError(f"{self._path} is in use by another campaign") from None
            raise ConfigurationError(f"cannot write {self._path}: {error.strerror or error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def write(self, *records: Record) -> None:
        """Add records.

        Raises:
            ConfigurationError: The disk is full, or a result is no JSON value. Nothing was written of these records,
                or, on a full disk, a part of them.
        """
        try:
            text = "".join(f"{json.dumps(_fields(record), ensure_ascii=False)}\n" for record in records)
        except (TypeError, ValueError) as error:
            raise ConfigurationError(f"the result of a job must be a JSON value: {error}") from None
        left = memoryview(text.encode("utf-8", "backslashreplace"))
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except OSError as error:
            raise ConfigurationError(f"cannot write {self._path}: {error.strerror or error}") from None

    def read(self) -> Iterator[Record]:
        """All records of the file, from its beginning. Lines that are none are counted."""
        with self._path.open("rb") as opened:
            for line in opened:
                record = _record(line)
                if record is not None:
                    yield record
                elif line.strip():
                    self.torn += 1

    def close(self) -> None:
        """Close the file; may be done twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _fields(record: Record) -> dict[str, Any]:
    """What is written of a record: all that it has."""
    fields = {name: value for name, value in asdict(record).items() if value is not None}
    return fields | {"state": record.state.value}


def _record(line: bytes) -> Record | None:
    try:
        fields = json.loads(line)
        record = Record(**fields | {"state": JobState(fields["state"])})
        valid = (
            isinstance(record.job_id, str)
            and isinstance(record.attempt, int)
            and isinstance(record.time, int | float)
            and isinstance(record.due, int | float | None)
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return record if valid else None
