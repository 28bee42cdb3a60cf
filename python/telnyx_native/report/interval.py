"""What happened to a call's audio between two moments, in the words of Telnyx's call reports.

The members are those of the Telnyx JS SDK (`CallReportCollector`): seconds and W3C names, but jitter in milliseconds
and bit rates in bits a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from telnyx_native.media.stats import AudioStats, StatsEntry

__all__ = ["interval", "utc"]

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
