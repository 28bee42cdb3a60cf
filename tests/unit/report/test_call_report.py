from __future__ import annotations

import json
from datetime import UTC, datetime, tzinfo
from typing import Any

import pytest

from telnyx_native.report.call_report import MOST_EVENTS, MOST_SAMPLES, CallReport

BEGIN = datetime(2026, 8, 21, 10, tzinfo=UTC)


def stats(received: int) -> dict[str, dict[str, Any]]:
    return {"I": {"type": "inbound-rtp", "kind": "audio", "packetsReceived": received, "bytesReceived": 100 * received}}


def filled(seconds: int) -> CallReport:
    report = CallReport()
    report._begin = BEGIN
    for second in range(seconds):
        report.add_sample(report._began + second, stats(50 * second))
    return report


def test_each_interval_ends_where_the_next_begins() -> None:
    entries = filled(4).as_dict({"callId": "C"})["stats"]
    assert [entry["audio"]["inbound"]["packetsReceived"] for entry in entries] == [50, 100, 150]
    assert [entry["intervalStartUtc"] for entry in entries[1:]] == [entry["intervalEndUtc"] for entry in entries[:-1]]


def test_long_call_is_covered_from_beginning_to_end_by_few_samples() -> None:
    report = filled(10_000)
    entries = report.as_dict({})["stats"]
    assert len(report._samples) <= MOST_SAMPLES
    assert entries[0]["intervalStartUtc"] == "2026-08-21T10:00:00.000Z"
    assert entries[-1]["intervalEndUtc"] >= "2026-08-21T12:45:00"
    lengths = {
        (datetime.fromisoformat(e["intervalEndUtc"]) - datetime.fromisoformat(e["intervalStartUtc"])).seconds
        for e in entries
    }
    assert len(lengths) == 1


def test_a_clock_that_is_set_meanwhile_changes_no_length(monkeypatch: pytest.MonkeyPatch) -> None:
    report = filled(4)

    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Later:
            return cls.fromtimestamp(2_000_000_000, tz)

    monkeypatch.setattr("telnyx_native.report.call_report.datetime", Later)
    report.add_event("info", "over")
    body = report.as_dict({})
    assert body["summary"]["durationSeconds"] < 60
    assert body["summary"]["endTimestamp"].startswith("2026-08-21T10:00")
    assert body["logs"][0]["timestamp"].startswith("2026-08-21T10:00")


def test_sample_is_small() -> None:
    assert all(len(picked) < 400 for _, picked in filled(10)._samples)


def test_events_are_bounded_and_counted() -> None:
    report = CallReport()
    for number in range(MOST_EVENTS + 5):
        report.add_event("info", f"event {number}")
    assert len(report.as_dict({})["logs"]) == MOST_EVENTS
    assert report.left_out == 5


def test_report_of_a_call_that_never_was_is_json() -> None:
    body = CallReport().as_dict({"callId": "C"})
    assert json.loads(json.dumps(body, allow_nan=False))["summary"]["callId"] == "C"
    assert body["stats"] == []
