from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from telnyx_native.media.stats import AudioStats
from telnyx_native.report.interval import interval, utc

BEGIN = datetime(2026, 8, 21, 10, tzinfo=UTC)
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
