"""The jobs of a campaign, from CSV, JSON lines, or whatever an application reads them from.

A line has one job. One that cannot be read becomes a `BadLine` with its number, and the rest goes on.

- **CSV** has a header. `number` must be there; `id`, `time_zone` and `pool` may; all other columns are the data.
- **JSON lines** are objects with the same names; all other members are the data.
- **Applications** hand in mappings of that kind, or `CampaignJob`s.

Without an `id` the number is the id.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telnyx_native.errors import ConfigurationError
from telnyx_native.fleet.campaign_terms import CampaignJob, plain_number
from telnyx_native.untrusted_text import one_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator

__all__ = ["MAX_LINE", "BadLine", "job_of", "jobs_of", "read_do_not_call", "read_jobs"]

MAX_LINE = 65_536
"""The longest line, in bytes."""


@dataclass(frozen=True)
class BadLine:
    """A line that is no job.

    Attributes:
        line: Its number; the first is 1.
        problem: What is wrong with it, and what to write.
    """

    line: int
    problem: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.problem}"


def job_of(fields: Mapping[str, Any]) -> CampaignJob:
    """Make a job of a mapping.

    Raises:
        ConfigurationError: A field is missing or makes no sense.
    """
    known = {}
    for name in ("number", "id", "time_zone", "pool"):
        value = fields.get(name) or ""
        if not isinstance(value, str):
            raise ConfigurationError(f"{name} is {_shortened(value)}; it must be a text in quotes")
        known[name] = one_line(value).strip()
    if not known["number"]:
        raise ConfigurationError("there is no number")
    data = {name: value for name, value in fields.items() if name not in known}
    number = plain_number(known["number"])
    return CampaignJob(known["id"] or number, number, data, known["time_zone"], known["pool"])


def read_jobs(file: str | Path) -> Iterator[CampaignJob | BadLine]:
    """Read jobs from a file, line by line: CSV if its name ends with `.csv`, JSON lines if with `.jsonl` or `.ndjson`.

    Raises:
        ConfigurationError: Its name does not say what it is; or, while it is read: it cannot be, or a CSV file has no
            column `number`.
    """
    path = Path(file)
    match path.suffix.lower():
        case ".csv":
            return _jobs(_read_csv(path))
        case ".jsonl" | ".ndjson":
            return _jobs(_read_json_lines(path))
    raise ConfigurationError(f"{path.name}: the name of a file with jobs ends with .csv, .jsonl or .ndjson")


async def jobs_of(items: AsyncIterable[CampaignJob | Mapping[str, Any]]) -> AsyncIterator[CampaignJob | BadLine]:
    """Make jobs of what an application hands in; numbers of items stand for those of lines."""
    number = 0
    async for item in items:
        number += 1
        yield item if isinstance(item, CampaignJob) else _job(number, item)


def read_do_not_call(file: str | Path) -> Iterator[str | BadLine]:
    """Read numbers that must not be called, one a line. Empty lines and what follows a `#` do not count.

    Raises:
        ConfigurationError: The file cannot be read.
    """
    for number, line in _lines(Path(file)):
        if isinstance(line, BadLine):
            yield line
        elif text := line.partition("#")[0].strip():
            try:
                yield plain_number(text)
            except ConfigurationError as error:
                yield BadLine(number, str(error))


def _jobs(rows: Iterable[tuple[int, Mapping[str, Any] | BadLine]]) -> Iterator[CampaignJob | BadLine]:
    for number, row in rows:
        yield row if isinstance(row, BadLine) else _job(number, row)


def _job(number: int, fields: object) -> CampaignJob | BadLine:
    try:
        if not isinstance(fields, Mapping):
            raise ConfigurationError(
                f'this is {_shortened(fields)}; a job is an object such as {{"number": "+15550100"}}'
            )
        return replace(job_of(fields), line=number)
    except ConfigurationError as error:
        return BadLine(number, str(error))


def _read_csv(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | BadLine]]:
    names: list[str] | None = None
    for number, line in _lines(path):
        if isinstance(line, BadLine):
            yield number, line
            continue
        try:
            values = next(csv.reader([line], strict=True), [])  # each line by itself: a quote ends with it
        except csv.Error as error:
            yield number, BadLine(number, f"this is no CSV: {error}")
            continue
        if names is None:
            names = [value.strip() for value in values]
            if "number" not in names:
                raise ConfigurationError(f"{path}: line {number} must name the columns, and one of them must be number")
        elif len(values) != len(names):
            yield number, BadLine(number, f"{len(values)} values for {len(names)} columns")
        else:
            yield number, dict(zip(names, values, strict=True))


def _read_json_lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | BadLine]]:
    for number, line in _lines(path):
        if isinstance(line, BadLine):
            yield number, line
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, BadLine(number, f"this is no JSON: {error}")


def _lines(path: Path) -> Iterator[tuple[int, str | BadLine]]:
    """The lines of a file that are not empty, with their numbers."""
    try:
        with path.open("rb") as opened:
            number = 0
            while line := opened.readline(MAX_LINE + 1):
                number += 1
                if len(line) > MAX_LINE:
                    while line and not line.endswith(b"\n"):
                        line = opened.readline(MAX_LINE)
                    yield number, BadLine(number, f"it is longer than {MAX_LINE:,} bytes")
                    continue
                try:
                    text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
                except UnicodeDecodeError:
                    yield number, BadLine(number, "this is no UTF-8")
                    continue
                if text:
                    yield number, text
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror or error}") from None


def _shortened(value: object) -> str:
    text = one_line(repr(value))
    return text if len(text) <= 40 else f"{text[:40]}…"
