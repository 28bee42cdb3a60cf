"""The report of one call: how it went, second by second.

Its members are those of the Telnyx JS SDK (`CallReportCollector`): seconds and W3C names, but jitter in milliseconds
and bit rates in bits a second.
"""

from __future__ import annotations

import json
import math
import zlib
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from time import monotonic
from typing import TYPE_CHECKING, Any

from telnyx_native.media.quality import AudioStats

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from telnyx_native.media.quality import StatsEntry, StatsReport
    from telnyx_native.media.turns import Turn

__all__ = ["CallReport", "interval", "utc"]

MOST_SAMPLES = 240
"""Samples that a report holds; beyond that every second one goes, so that it spans the call whatever its length."""

MOST_TURNS = 5_000
"""Turns that a report holds; the later ones are left out and counted."""

MOST_EVENTS = 200
"""Events that a report holds; the later ones are left out and counted."""


class CallReport:
    """Collects what happens to a call.

    Samples are kept small: picked, and compressed to about a kilobyte each.

    Attributes:
        left_out: Events that there was no room for.
        segments: Parts of the report that were delivered while the call went on.
    """

    def __init__(self) -> None:
        self.left_out = 0
        self.segments = 0
        self._delivered_until: datetime | None = None
        self._delivered_events = 0
        self._begin = datetime.now(UTC)
        self._began = monotonic()
        self._samples: list[tuple[datetime, bytes]] = []
        self._taken = 0
        self._stride = 1
        self._events: list[dict[str, Any]] = []
        self._turns: list[Turn] = []
        self._audio_began = math.inf

    @property
    def samples(self) -> int:
        """Samples taken so far."""
        return self._taken

    def add_sample(self, at: float, stats: StatsReport) -> None:
        """Take the statistics of the call at a moment, in seconds of `time.monotonic`."""
        if self._taken % self._stride == 0:
            picked = json.dumps(AudioStats.of(stats).as_dict()).encode()
            self._samples.append((self._moment(at), zlib.compress(picked, 1)))
        self._taken += 1
        if len(self._samples) > MOST_SAMPLES:
            del self._samples[1::2]
            self._stride *= 2

    def add_event(self, level: str, message: str) -> None:
        """Note something that happened; `level` is `debug`, `info`, `warn` or `error`."""
        if len(self._events) == MOST_EVENTS:
            self.left_out += 1
            return
        self._events.append({"timestamp": utc(self._moment(monotonic())), "level": level, "message": message})

    def add_turn(self, turn: Turn, now: float) -> None:
        """Take a turn that has just ended, at a moment in seconds of `time.monotonic`.

        Turns count in audio that was sent; where that began, the turn that was told of the soonest after its end shows.
        """
        if len(self._turns) == MOST_TURNS:
            self.left_out += 1
            return
        self._turns.append(turn)
        self._audio_began = min(self._audio_began, now - self._began - turn.ended)

    @property
    def _turn_list(self) -> list[dict[str, Any]]:
        """The turns, in seconds since the call began."""
        began = self._audio_began
        return [
            {
                "speaker": turn.speaker.value,
                "began": round(began + turn.began, 3),
                "ended": round(began + turn.ended, 3),
            }
            for turn in self._turns
        ]

    def _moment(self, at: float) -> datetime:
        """The time of day at a moment, as if the clock on the wall had not been set since the beginning."""
        return self._begin + timedelta(seconds=at - self._began)

    def note_delivered(self, segment: Mapping[str, Any]) -> None:
        """A segment is where it is wanted: the next one begins at its end."""
        self.segments += 1
        self._delivered_until = datetime.fromisoformat(segment["summary"]["endTimestamp"])
        self._delivered_events += len(segment["logs"])

    def as_dict(self, summary: Mapping[str, Any]) -> dict[str, Any]:
        """Return the whole report as Telnyx takes it.

        Args:
            summary: What is known about the call as a whole; its times are added.
        """
        turns = {"turns": self._turn_list} if self._turns else {}
        return self._body(summary, since=None, events=self._events) | turns

    def next_segment(self, summary: Mapping[str, Any], flush_reason: str | None = None) -> dict[str, Any]:
        """Return what was not delivered yet, as Telnyx takes it.

        Args:
            summary: What is known about the call as a whole; its times are added.
            flush_reason: Why the report does not wait for the end of the call; `None` at the end.
        """
        events = self._events[self._delivered_events :]
        segment = self._body(summary, since=self._delivered_until, events=events)
        if flush_reason or self.segments:
            segment["segment"] = self.segments
        if flush_reason:
            segment["flushReason"] = {"type": flush_reason}
        return segment

    def _body(
        self, summary: Mapping[str, Any], *, since: datetime | None, events: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        end = self._moment(monotonic())
        times = {
            "startTimestamp": utc(self._begin),
            "endTimestamp": utc(end),
            "durationSeconds": round((end - self._begin).total_seconds(), 3),
        }
        samples = [(at, AudioStats(**json.loads(zlib.decompress(picked)))) for at, picked in list(self._samples)]
        spans = [(older, newer) for older, newer in pairwise(samples) if since is None or newer[0] > since]
        return {
            "summary": {**summary, **times},
            "stats": [interval(*older, *newer) for older, newer in spans],
            "logs": list(events),
        }


_OUTBOUND = (
    "packetsSent",
    "bytesSent",
    "headerBytesSent",
    "retransmittedPacketsSent",
    "retransmittedBytesSent",
    "nackCount",
    "targetBitrate",
    "totalPacketSendDelay",
    "active",
)
_INBOUND = (
    "packetsReceived",
    "bytesReceived",
    "headerBytesReceived",
    "packetsLost",
    "packetsDiscarded",
    "fecPacketsReceived",
    "fecPacketsDiscarded",
    "nackCount",
    "jitterBufferDelay",
    "jitterBufferTargetDelay",
    "jitterBufferMinimumDelay",
    "jitterBufferEmittedCount",
    "totalSamplesReceived",
    "concealedSamples",
    "concealmentEvents",
    "totalAudioEnergy",
    "totalSamplesDuration",
)
_PAIR = (
    "id",
    "localCandidateId",
    "remoteCandidateId",
    "state",
    "nominated",
    "writable",
    "currentRoundTripTime",
    "requestsSent",
    "responsesReceived",
)
_CANDIDATE = ("address", "port", "candidateType", "protocol", "networkType", "url", "relayProtocol")
_TRANSPORT = (
    "iceState",
    "dtlsState",
    "srtpCipher",
    "tlsVersion",
    "selectedCandidatePairChanges",
    "selectedCandidatePairId",
)
_TRAFFIC = ("packetsSent", "packetsReceived", "bytesSent", "bytesReceived")
_CODEC = ("mimeType", "clockRate", "channels", "payloadType", "sdpFmtpLine")
_PLAYOUT = (
    "synthesizedSamplesEvents",
    "synthesizedSamplesDuration",
    "totalPlayoutDelay",
    "totalSamplesCount",
    "totalSamplesDuration",
)
_REMOTE_INBOUND = ("packetsLost", "fractionLost", "roundTripTime", "totalRoundTripTime", "roundTripTimeMeasurements")
_REMOTE_OUTBOUND = ("packetsSent", "bytesSent", "reportsSent", "roundTripTime")


def interval(begin: datetime, older: AudioStats, end: datetime, newer: AudioStats) -> dict[str, Any]:
    """Return one entry of a report's `stats`: counters as they stand in the end, averages over the interval."""
    seconds = (end - begin).total_seconds()
    outbound, inbound = newer.outbound, newer.inbound
    return {
        "intervalStartUtc": utc(begin),
        "intervalEndUtc": utc(end),
        "audio": {
            "outbound": _picked(outbound, _OUTBOUND)
            | {
                "audioLevelAvg": _level(older.source, newer.source),
                "bitrateAvg": _bitrate(older.outbound, outbound, "bytesSent", seconds),
                "codec": _picked(newer.outbound_codec, _CODEC),
            },
            "inbound": _picked(inbound, _INBOUND)
            | {
                "audioLevelAvg": _level(older.inbound, inbound),
                "jitterAvg": _milliseconds(inbound, "jitter"),
                "bitrateAvg": _bitrate(older.inbound, inbound, "bytesReceived", seconds),
                "codec": _picked(newer.inbound_codec, _CODEC),
            },
        },
        "connection": _picked(newer.transport, _TRAFFIC)
        | {
            "roundTripTimeAvg": _round_trip(older.pair, newer.pair),
            "currentRoundTripTime": newer.pair.get("currentRoundTripTime"),
        },
        "ice": _picked(newer.pair, _PAIR)
        | {"local": _picked(newer.local, _CANDIDATE), "remote": _picked(newer.remote, _CANDIDATE)},
        "transport": _picked(newer.transport, _TRANSPORT),
        "mediaPlayout": _picked(newer.playout, _PLAYOUT),
        "remoteRtcp": {
            "inbound": _picked(newer.remote_inbound, _REMOTE_INBOUND)
            | {"jitter": _milliseconds(newer.remote_inbound, "jitter")},
            "outbound": _picked(newer.remote_outbound, _REMOTE_OUTBOUND),
        },
    }


def utc(moment: datetime) -> str:
    """Return a moment as reports write it, such as `2026-08-21T10:00:00.000Z`."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _picked(entry: StatsEntry, names: Iterable[str]) -> dict[str, Any]:
    return {name: entry[name] for name in names if name in entry}


def _growth(older: StatsEntry, newer: StatsEntry, name: str) -> float:
    return float(newer.get(name, 0)) - float(older.get(name, 0))


def _level(older: StatsEntry, newer: StatsEntry) -> float | None:
    """The average loudness, 0 to 1: the root of energy by time (W3C webrtc-stats, `totalAudioEnergy`)."""
    duration = _growth(older, newer, "totalSamplesDuration")
    energy = _growth(older, newer, "totalAudioEnergy")
    return (max(0.0, energy) / duration) ** 0.5 if duration > 0 else None


def _bitrate(older: StatsEntry, newer: StatsEntry, name: str, seconds: float) -> float | None:
    return max(0.0, 8 * _growth(older, newer, name) / seconds) if seconds > 0 else None


def _round_trip(older: StatsEntry, newer: StatsEntry) -> float | None:
    answers = _growth(older, newer, "responsesReceived")
    return _growth(older, newer, "totalRoundTripTime") / answers if answers > 0 else newer.get("currentRoundTripTime")


def _milliseconds(entry: StatsEntry, name: str) -> float | None:
    return 1000 * float(entry[name]) if name in entry else None
