from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import pytest

from telnyx_native.media.quality import AudioStats
from telnyx_native.report.call_report import MOST_EVENTS, MOST_SAMPLES, CallReport, interval, utc

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


OLDER = AudioStats(
    inbound={"bytesReceived": 1_000, "packetsReceived": 10, "totalAudioEnergy": 1.0, "totalSamplesDuration": 10.0},
    outbound={"bytesSent": 500},
    source={"totalAudioEnergy": 0.0, "totalSamplesDuration": 10.0},
    pair={"totalRoundTripTime": 1.0, "responsesReceived": 10},
)
NEWER = AudioStats(
    inbound={
        "bytesReceived": 5_000,
        "packetsReceived": 110,
        "jitter": 0.005,
        "totalAudioEnergy": 1.08,
        "totalSamplesDuration": 12.0,
        "audioLevel": 0.3,
    },
    outbound={"bytesSent": 2_500, "packetsSent": 100},
    source={"totalAudioEnergy": 0.02, "totalSamplesDuration": 12.0},
    pair={"totalRoundTripTime": 1.4, "responsesReceived": 12, "currentRoundTripTime": 0.3},
    remote_inbound={"jitter": 0.002, "packetsLost": 3},
    outbound_codec={"mimeType": "audio/opus", "id": "C1"},
    local={"candidateType": "host", "address": "192.0.2.1"},
)


def test_averages_are_those_of_the_interval() -> None:
    entry = interval(BEGIN, OLDER, BEGIN + timedelta(seconds=2), NEWER)
    inbound, outbound = entry["audio"]["inbound"], entry["audio"]["outbound"]
    assert inbound["bitrateAvg"] == 16_000
    assert outbound["bitrateAvg"] == 8_000
    assert inbound["audioLevelAvg"] == pytest.approx(0.2)
    assert outbound["audioLevelAvg"] == pytest.approx(0.1)
    assert inbound["jitterAvg"] == 5
    assert entry["connection"]["roundTripTimeAvg"] == pytest.approx(0.2)
    assert entry["remoteRtcp"]["inbound"] == {"packetsLost": 3, "jitter": 2}
    assert entry["ice"]["local"] == {"candidateType": "host", "address": "192.0.2.1"}
    assert outbound["codec"] == {"mimeType": "audio/opus"}


def test_counters_are_those_of_the_end() -> None:
    entry = interval(BEGIN, OLDER, BEGIN + timedelta(seconds=2), NEWER)
    assert entry["audio"]["inbound"]["packetsReceived"] == 110
    assert (entry["intervalStartUtc"], entry["intervalEndUtc"]) == (
        "2026-08-21T10:00:00.000Z",
        "2026-08-21T10:00:02.000Z",
    )


def test_nothing_known_is_no_number() -> None:
    entry = interval(BEGIN, AudioStats(), BEGIN, AudioStats())
    assert entry["audio"]["inbound"]["bitrateAvg"] is None
    assert entry["audio"]["inbound"]["audioLevelAvg"] is None
    assert entry["connection"]["roundTripTimeAvg"] is None


def test_moments_are_written_in_utc() -> None:
    assert utc(BEGIN + timedelta(milliseconds=1.5)) == "2026-08-21T10:00:00.001Z"
