"""Reading the report of a call: what happened when, as numbers to plot."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from telnyx_native.errors import ConfigurationError
from telnyx_native.media.quality import mean_opinion_score
from telnyx_native.media.turns import Edge, Response, Speaker, Turn, TurnEvent, Turns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["Moment", "Reading", "read_report"]

QUIETEST = -100.0
"""dBFS that stand for digital silence in a plot; the least that 16-bit samples can say is -90."""

_EDGES = {
    (Speaker.REMOTE, True): Edge.REMOTE_BEGINS,
    (Speaker.REMOTE, False): Edge.REMOTE_ENDS,
    (Speaker.LOCAL, True): Edge.LOCAL_BEGINS,
    (Speaker.LOCAL, False): Edge.LOCAL_ENDS,
}

MILESTONES = ("invite_sent", "gathered", "ringing", "answered", "media_connected", "first_audio", "active")


@dataclass(frozen=True)
class Moment:
    """What was measured in one interval; NaN for what was not.

    Attributes:
        time: Its end, in seconds since the call began.
        mos: Mean opinion score, 1 to 5.
        rtt: Round-trip time in milliseconds.
        jitter_in: Jitter of what was received, in milliseconds.
        jitter_out: Jitter of what was sent, as the remote saw it, in milliseconds.
        loss_in: Share of the incoming packets that were lost, in percent.
        loss_out: The same of the outgoing packets, as the remote saw it.
        level_in: Loudness of what was received, in dBFS.
        level_out: Loudness of what was sent, in dBFS.
        rate_in: Received, in kbit/s.
        rate_out: Sent, in kbit/s.
    """

    time: float
    mos: float
    rtt: float
    jitter_in: float
    jitter_out: float
    loss_in: float
    loss_out: float
    level_in: float
    level_out: float
    rate_in: float
    rate_out: float


@dataclass(frozen=True)
class Reading:
    """A report as it was read.

    Attributes:
        summary: What is known about the call as a whole.
        moments: The measurements, in order.
        states: The states of the call, and from which second on.
        milestones: When the call reached which step, in seconds since it began.
        duration: Its length in seconds.
        path: The end of the network path, such as `{"local": {...}, "remote": {...}}`.
        codec: What was received last, such as `"audio/opus"`.
        turns: Who spoke from when to when, in seconds since the call began, in the order of their ends.
    """

    summary: Mapping[str, Any]
    moments: tuple[Moment, ...]
    states: tuple[tuple[float, str], ...]
    milestones: Mapping[str, float]
    duration: float
    path: Mapping[str, Any] = field(default_factory=dict)
    codec: str = ""
    turns: tuple[Turn, ...] = ()

    @property
    def responses(self) -> tuple[Response, ...]:
        """How long the remote party was waiting for each answer."""
        edges = [(each.began, True, each) for each in self.turns] + [(each.ended, False, each) for each in self.turns]
        turns, events = Turns(), list[TurnEvent]()
        for at, begins, turn in sorted(edges, key=lambda edge: edge[:2]):
            events += turns.take(_EDGES[turn.speaker, begins], at)
        return tuple(event for event in events if isinstance(event, Response))


def read_report(path: Path) -> Reading:
    """Read a report that `call_report_directory` wrote, or that was posted to Telnyx.

    Raises:
        ConfigurationError: The file cannot be read, or is no report of a call.
    """
    try:
        content = json.loads(path.read_text())
        return _reading(content)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        message = f"{path} is no report of a call: give a file that call_report_directory has written"
        raise ConfigurationError(message) from None


def _reading(content: Mapping[str, Any]) -> Reading:
    summary, intervals = content["summary"], content["stats"]
    begin = _moment(summary["startTimestamp"])
    blank: dict[str, Any] = {}
    last = intervals[-1] if intervals else blank
    return Reading(
        summary=summary,
        moments=tuple(_measured(older, newer, begin) for older, newer in pairwise([blank, *intervals])),
        states=tuple(sorted(_states(content.get("logs") or (), begin))),
        milestones={
            name: float(summary.get("timingsSeconds", {})[name])
            for name in MILESTONES
            if name in summary.get("timingsSeconds", {})
        },
        duration=float(summary["durationSeconds"]),
        path=last.get("ice", {}),
        turns=tuple(
            Turn(Speaker(turn["speaker"]), float(turn["began"]), float(turn["ended"]))
            for turn in content.get("turns") or ()
        ),
        codec=str(last.get("audio", {}).get("inbound", {}).get("codec", {}).get("mimeType", "")),
    )


def _measured(older: Mapping[str, Any], newer: Mapping[str, Any], begin: datetime) -> Moment:
    inbound, outbound = newer["audio"]["inbound"], newer["audio"]["outbound"]
    before = older["audio"]["inbound"] if older else {}
    there = newer.get("remoteRtcp", {}).get("inbound", {})
    lost = max(0.0, _number(inbound, "packetsLost", 0) - _number(before, "packetsLost", 0))
    received = _number(inbound, "packetsReceived", 0) - _number(before, "packetsReceived", 0)
    share = lost / (lost + received) if lost + received > 0 else math.nan
    rtt = _number(there, "roundTripTime", _number(newer.get("connection", {}), "roundTripTimeAvg"))
    jitter_out = _number(there, "jitter")
    jitter_in = _number(inbound, "jitterAvg")
    worse = max(filter(math.isfinite, (jitter_in, jitter_out)), default=math.nan)
    return Moment(
        time=(_moment(newer["intervalEndUtc"]) - begin).total_seconds(),
        mos=mean_opinion_score(jitter=worse / 1000, rtt=rtt, loss=0.0 if math.isnan(share) else share),
        rtt=1000 * rtt,
        jitter_in=jitter_in,
        jitter_out=jitter_out,
        loss_in=100 * share,
        loss_out=100 * _number(there, "fractionLost"),
        level_in=_decibels(_number(inbound, "audioLevelAvg")),
        level_out=_decibels(_number(outbound, "audioLevelAvg")),
        rate_in=_number(inbound, "bitrateAvg") / 1000,
        rate_out=_number(outbound, "bitrateAvg") / 1000,
    )


def _states(logs: Any, begin: datetime) -> Iterator[tuple[float, str]]:
    for entry in logs:
        name = str(entry["message"]).partition("(")[0]
        if name.isupper() and name.isalpha():
            yield max(0.0, (_moment(entry["timestamp"]) - begin).total_seconds()), name


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _number(entry: Mapping[str, Any], name: str, otherwise: float = math.nan) -> float:
    value = entry.get(name)
    return otherwise if value is None else float(value)


def _decibels(level: float) -> float:
    if math.isnan(level):
        return level
    return max(QUIETEST, 20 * math.log10(level)) if level > 0 else QUIETEST
