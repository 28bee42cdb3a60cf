from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from telnyx_native.errors import ConfigurationError
from telnyx_native.report.reading import QUIETEST, read_report

if TYPE_CHECKING:
    from pathlib import Path


def interval(second: int, received: int, lost: int, **more: Any) -> dict[str, Any]:
    return {
        "intervalStartUtc": f"2026-08-21T10:00:{second - 1:02}.000Z",
        "intervalEndUtc": f"2026-08-21T10:00:{second:02}.000Z",
        "audio": {
            "outbound": {"audioLevelAvg": 0.1, "bitrateAvg": 32_000},
            "inbound": {"packetsReceived": received, "packetsLost": lost, "jitterAvg": 3.0, "audioLevelAvg": 0.0},
        },
        "connection": {"roundTripTimeAvg": 0.05},
        **more,
    }


def report(**more: Any) -> dict[str, Any]:
    return {
        "summary": {
            "startTimestamp": "2026-08-21T10:00:00.000Z",
            "durationSeconds": 3.0,
            "timingsSeconds": {"active": 0.2, "ended": 3.0},
        },
        "stats": [interval(1, 50, 0), interval(2, 95, 5, remoteRtcp={"inbound": {"roundTripTime": 0.2, "jitter": 9}})],
        "logs": [
            {"timestamp": "2026-08-21T10:00:01.500Z", "level": "info", "message": "RECONNECTING(NETWORK_LOST)"},
            {"timestamp": "2026-08-21T10:00:00.200Z", "level": "info", "message": "ACTIVE"},
            {"timestamp": "2026-08-21T10:00:02.000Z", "level": "warn", "message": "something else"},
        ],
        **more,
    }


def read(path: Path, content: Any) -> Any:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_report(path)


def test_measurements(tmp_path: Path) -> None:
    reading = read(tmp_path / "call.json", report())
    first, second = reading.moments
    assert (first.time, first.loss_in, first.rtt) == (1.0, 0.0, 50.0)
    assert (second.loss_in, second.rtt, second.jitter_in, second.jitter_out) == (10.0, 200.0, 3.0, 9.0)
    assert (second.level_in, second.level_out) == (QUIETEST, pytest.approx(-20))
    assert second.rate_out == 32
    assert first.mos > 4.2 > second.mos
    assert math.isnan(first.jitter_out)
    assert reading.milestones == {"active": 0.2}
    assert reading.states == ((0.2, "ACTIVE"), (1.5, "RECONNECTING"))


def test_call_that_was_never_measured(tmp_path: Path) -> None:
    reading = read(tmp_path / "call.json", report(stats=[], logs=[]))
    assert (reading.moments, reading.states, reading.codec) == ((), (), "")


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"summary": {}, "stats": []}', "[" * 100_000, "\x00"])
def test_something_else(tmp_path: Path, content: str) -> None:
    with pytest.raises(ConfigurationError, match="no report of a call"):
        read(tmp_path / "call.json", content)


def test_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_report(tmp_path / "call.json")
