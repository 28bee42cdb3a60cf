"""Jobs from files and iterators: what cannot be read is told with its line, and the rest goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from telnyx_native.errors import ConfigurationError
from telnyx_native.fleet.campaign_terms import CampaignJob
from telnyx_native.fleet.jobs import MAX_LINE, BadLine, job_of, jobs_of, read_do_not_call, read_jobs


def read(path: Path, content: str | bytes) -> list[CampaignJob | BadLine]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_jobs(path))


def test_csv(tmp_path: Path) -> None:
    content = (
        "\ufeffid,number, name ,time_zone,pool\n"
        '7,+1 (555) 010-0199,"Smith, Ann",America/New_York,sales\n'
        ",+15550102,,,\n"
    )
    assert read(tmp_path / "jobs.csv", content) == [
        CampaignJob("7", "+15550100199", {"name": "Smith, Ann"}, "America/New_York", "sales"),
        CampaignJob("+15550102", "+15550102", {"name": ""}),
    ]


def test_csv_with_lines_that_are_none(tmp_path: Path) -> None:
    content = (
        b"number,name\n"
        b"+15550101,Ann\n"
        b"\n"
        b"bob,Bob\n"
        b"+15550102\n"
        b'+15550103,"open\n'
        b"+15550104,\xff\n"
        b"+15550105," + b"x" * MAX_LINE + b"\n"
        b",nobody\n"
        b"+15550106,Eve\n"
    )
    jobs = read(tmp_path / "jobs.csv", content)
    assert [job.number for job in jobs if isinstance(job, CampaignJob)] == ["+15550101", "+15550106"]
    assert [job.line for job in jobs] == [2, 4, 5, 6, 7, 8, 9, 10]
    assert [str(line) for line in jobs if isinstance(line, BadLine)] == [
        "line 4: 'bob' is no number; write it as +15550100, with 7 to 15 digits, or sip:a@b",
        "line 5: 1 values for 2 columns",
        "line 6: this is no CSV: unexpected end of data",
        "line 7: this is no UTF-8",
        "line 8: it is longer than 65,536 bytes",
        "line 9: there is no number",
    ]


def test_json_lines(tmp_path: Path) -> None:
    content = (
        '{"id": "a", "number": "+15550101", "language": "es", "order": {"items": [1, 2]}}\r\n'
        "{broken\n"
        "[1]\n"
        '{"number": 15550102}\n'
        '{"number": "+15550103", "time_zone": "Mars/Olympus"}\n'
        '{"number": "sip:bob@example.com"}'
    )
    jobs = read(tmp_path / "jobs.jsonl", content)
    assert jobs[0] == CampaignJob("a", "+15550101", {"language": "es", "order": {"items": [1, 2]}})
    assert jobs[-1] == CampaignJob("sip:bob@example.com", "sip:bob@example.com")
    problems = [str(line) for line in jobs if isinstance(line, BadLine)]
    assert problems[0].startswith("line 2: this is no JSON: Expecting property name")
    assert problems[1:] == [
        'line 3: this is [1]; a job is an object such as {"number": "+15550100"}',
        "line 4: number is 15550102; it must be a text in quotes",
        "line 5: 'Mars/Olympus' is no time zone; write it as America/New_York",
    ]


def test_json_line_that_is_no_text(tmp_path: Path) -> None:
    jobs = read(tmp_path / "jobs.jsonl", b'{"number": "\xff"}\n{"number": "+15550101"}\n')
    assert jobs == [BadLine(1, "this is no UTF-8"), CampaignJob("+15550101", "+15550101")]


def test_deeply_nested_line(tmp_path: Path) -> None:
    jobs = read(tmp_path / "jobs.ndjson", "[" * 60_000 + '\n{"number": "+15550101"}\n')
    assert isinstance(jobs[0], BadLine)
    assert jobs[1:] == [CampaignJob("+15550101", "+15550101")]


async def test_iterator_of_an_application() -> None:
    async def items() -> AsyncIterator[object]:
        yield {"number": "+15550101"}
        yield CampaignJob("x", "+15550102")
        yield "nonsense"
        yield {"number": "+15550103", "id": "x" * 300}

    jobs = [job async for job in jobs_of(items())]  # type: ignore[arg-type]  # nonsense is wanted here
    assert jobs[:2] == [CampaignJob("+15550101", "+15550101"), CampaignJob("x", "+15550102")]
    assert [str(job) for job in jobs[2:]] == [
        'line 3: this is \'nonsense\'; a job is an object such as {"number": "+15550100"}',
        "line 4: a job's id must have 1 to 256 characters",
    ]


def test_payload_is_no_part_of_a_repr() -> None:
    assert "secret" not in repr(job_of({"number": "+15550101", "pin": "secret"}))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("jobs.txt", "", "ends with .csv, .jsonl or .ndjson"),
        ("jobs.csv", "name,phone\n", "line 1 must name the columns, and one of them must be number"),
    ],
)
def test_files_that_are_none(tmp_path: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read(tmp_path / name, content)


def test_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read .*jobs\.csv: No such file"):
        list(read_jobs(tmp_path / "jobs.csv"))


def test_do_not_call_list(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"# those who asked\n+1 555 010 1234  # Ann\nbob\n\xff\n\n+15550102\n")
    numbers = list(read_do_not_call(path))
    assert numbers[0] == "+15550101234"
    assert [line.line for line in numbers[1:3] if isinstance(line, BadLine)] == [3, 4]
    assert numbers[3:] == ["+15550102"]
