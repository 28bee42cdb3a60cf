"""The result file: written as things happen, read after a kill."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.limit import LIMIT
from telnyx_native.errors import ConfigurationError
from telnyx_native.fleet.campaign_terms import JobState, Record
from telnyx_native.fleet.results import ResultFile

LEASED = Record("a", "+15550101", JobState.LEASED, 1, 1.5)
BUSY = Record("a", "+15550101", JobState.WAITING, 1, 2.0, "USER_BUSY", 302.0)
DONE = Record("a", "+15550101", JobState.DONE, 2, 303.0, output={"said": "ja, naïve ✓\n"})


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with ResultFile(path) as results:
        assert list(results.read()) == []
        results.write(LEASED, BUSY)
        results.write(DONE)
        assert list(results.read()) == [LEASED, BUSY, DONE]  # at once, with the operating system
    lines = path.read_text().splitlines()
    assert json.loads(lines[1]) == {
        "job_id": "a",
        "number": "+15550101",
        "state": "waiting",
        "attempt": 1,
        "time": 2.0,
        "cause": "USER_BUSY",
        "due": 302.0,
    }
    assert path.stat().st_mode & 0o777 == 0o600
    with ResultFile(path) as results:
        results.write(LEASED)
        assert list(results.read()) == [LEASED, BUSY, DONE, LEASED]


@given(st.integers(0, 400))
def test_torn_line_does_not_count_and_what_follows_does(tmp_path_factory: pytest.TempPathFactory, kept: int) -> None:
    path = tmp_path_factory.mktemp("torn") / "results.jsonl"
    with ResultFile(path) as results:
        results.write(LEASED, BUSY, DONE)
    whole = path.read_bytes()
    path.write_bytes(whole[:kept])
    with ResultFile(path) as results:
        results.write(DONE)
        *before, last = results.read()
        assert last == DONE
        complete = [record for record, end in zip((LEASED, BUSY, DONE), ends(whole), strict=True) if end - 1 <= kept]
        assert before == complete
        assert results.torn == (
            0 < kept < len(whole) and kept not in {e for end in ends(whole) for e in (end, end - 1)}
        )


def ends(content: bytes) -> list[int]:
    """Where the lines end."""
    return [index + 1 for index, byte in enumerate(content) if byte == ord("\n")]


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"job_id": 1, "number": "", "state": "done", "attempt": 1, "time": 1}',
        b'{"job_id": "a", "number": "", "state": "lost", "attempt": 1, "time": 1}',
        b'{"job_id": "a", "number": "", "state": "done", "attempt": 1, "time": "now"}',
        b'{"job_id": "a", "number": "", "state": "done", "attempt": 1, "time": 1, "colour": "red"}',
        b"[" * 100_000,
    ],
)
def test_lines_of_others_are_counted(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "results.jsonl"
    path.write_bytes(line + b"\n\n")
    with ResultFile(path) as results:
        results.write(DONE)
        assert list(results.read()) == [DONE]
        assert results.torn == 1


def test_result_that_is_no_json(tmp_path: Path) -> None:
    with ResultFile(tmp_path / "results.jsonl") as results:
        with pytest.raises(ConfigurationError, match="must be a JSON value"):
            results.write(LEASED, Record("b", "+15550102", JobState.DONE, 1, 1.0, output=object()))
        assert list(results.read()) == []


def test_one_campaign_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with ResultFile(path), pytest.raises(ConfigurationError, match="is in use by another campaign"):
        ResultFile(path)
    ResultFile(path).close()


def test_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot write .*: No such file"):
        ResultFile(tmp_path / "none" / "results.jsonl")


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with ResultFile(tmp_path / "results.jsonl") as results:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(ConfigurationError, match=r"cannot write .*: No space left"):
            results.write(DONE)


def test_killed_process_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    program = (
        "import itertools, sys\n"
        "from telnyx_native.fleet.campaign_terms import JobState, Record\n"
        "from telnyx_native.fleet.results import ResultFile\n"
        "results = ResultFile(sys.argv[1])\n"
        "for number in itertools.count():\n"
        "    results.write(Record(str(number), '+15550100', JobState.LEASED, 1, 1.0))\n"
        "    print(number, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(100)]
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read().split()
    process.stdout.close()
    process.wait(LIMIT)
    last = int(rest[-1]) if rest else int(told[-1])
    with ResultFile(path) as results:  # the lock is gone with its process
        assert [record.job_id for record in results.read()][: last + 1] == [str(number) for number in range(last + 1)]
