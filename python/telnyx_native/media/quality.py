"""How good a call sounds: its statistics (W3C `getStats`), and the mean opinion score that follows from them."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

__all__ = ["AudioStats", "CallQuality", "CallQualityMetrics", "StatsEntry", "StatsReport", "mean_opinion_score"]

StatsEntry = Mapping[str, Any]
"""One object of a report, under its W3C names (https://www.w3.org/TR/webrtc-stats/)."""

StatsReport = Mapping[str, StatsEntry]
"""The objects of a report by their ids, as `Call.stats` returns them."""


@dataclass(frozen=True)
class AudioStats:
    """The objects of a report that a call with one audio track each way has; empty where there is none.

    Attributes:
        inbound: What is received (`inbound-rtp`).
        outbound: What is sent (`outbound-rtp`).
        remote_inbound: What the remote says that it received (`remote-inbound-rtp`).
        remote_outbound: What the remote says that it sent (`remote-outbound-rtp`).
        source: The audio before it is encoded (`media-source`).
        playout: The audio after it was decoded (`media-playout`).
        transport: The transport.
        pair: The network path in use (`candidate-pair`).
        local: Its end here (`local-candidate`).
        remote: Its end there (`remote-candidate`).
        inbound_codec: The codec of what is received.
        outbound_codec: The codec of what is sent.
    """

    inbound: StatsEntry = field(default_factory=dict)
    outbound: StatsEntry = field(default_factory=dict)
    remote_inbound: StatsEntry = field(default_factory=dict)
    remote_outbound: StatsEntry = field(default_factory=dict)
    source: StatsEntry = field(default_factory=dict)
    playout: StatsEntry = field(default_factory=dict)
    transport: StatsEntry = field(default_factory=dict)
    pair: StatsEntry = field(default_factory=dict)
    local: StatsEntry = field(default_factory=dict)
    remote: StatsEntry = field(default_factory=dict)
    inbound_codec: StatsEntry = field(default_factory=dict)
    outbound_codec: StatsEntry = field(default_factory=dict)

    @classmethod
    def of(cls, report: StatsReport) -> Self:
        """Pick them out of a report."""
        by_type: dict[str, StatsEntry] = {}
        for entry in report.values():
            if entry.get("kind", "audio") == "audio":
                by_type.setdefault(str(entry.get("type")), entry)
        inbound, outbound = by_type.get("inbound-rtp", {}), by_type.get("outbound-rtp", {})
        transport = by_type.get("transport", {})

        def referred(entry: StatsEntry, key: str) -> StatsEntry:
            return report.get(str(entry.get(key)), {})

        pair = referred(transport, "selectedCandidatePairId")
        return cls(
            inbound,
            outbound,
            by_type.get("remote-inbound-rtp", {}),
            by_type.get("remote-outbound-rtp", {}),
            by_type.get("media-source", {}),
            by_type.get("media-playout", {}),
            transport,
            pair,
            referred(pair, "localCandidateId"),
            referred(pair, "remoteCandidateId"),
            referred(inbound, "codecId"),
            referred(outbound, "codecId"),
        )

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """The objects by the names of the attributes; `AudioStats(**d)` is the way back."""
        return asdict(self)


MAXIMUM_RATING = 93.2
"""Transmission rating R of a perfect line with default parameters (ITU-T G.107)."""

NOTICEABLE_DELAY_MS = 177.3
"""One-way delay above which conversation suffers more steeply (ITU-T G.107, simplified)."""


class CallQuality(enum.Enum):
    """Bands of the mean opinion score, as in Telnyx's SDKs but without gaps between them."""

    EXCELLENT = "excellent"
    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"
    BAD = "bad"
    UNKNOWN = "unknown"

    @classmethod
    def from_mos(cls, mos: float | None) -> CallQuality:
        """Return the band of a score; `UNKNOWN` for `None` and NaN."""
        if mos is None or math.isnan(mos):
            return cls.UNKNOWN
        if mos > 4.2:
            return cls.EXCELLENT
        if mos >= 4.1:
            return cls.GOOD
        if mos >= 3.7:
            return cls.FAIR
        if mos >= 3.1:
            return cls.POOR
        return cls.BAD


def mean_opinion_score(*, jitter: float, rtt: float, loss: float) -> float:
    """Estimate the mean opinion score, 1 (bad) to 5 (perfect; about 4.4 is the best a line can reach).

    The simplified E-model of ITU-T G.107 with the constants of the Telnyx JS SDK (`mos.ts`).

    Args:
        jitter: Interarrival jitter in seconds.
        rtt: Round-trip time in seconds.
        loss: Share of lost packets, 0 to 1.

    Returns:
        The score, or NaN when an input is not finite.
    """
    if not (math.isfinite(jitter) and math.isfinite(rtt) and math.isfinite(loss)):
        return math.nan
    latency_ms = jitter * 1000 + rtt * 1000 / 2
    delay_impairment = 0.024 * latency_ms + 0.11 * max(0.0, latency_ms - NOTICEABLE_DELAY_MS)
    loss_impairment = 20 * math.log1p(100 * max(0.0, loss))
    rating = MAXIMUM_RATING - delay_impairment - loss_impairment
    score = 1 + 0.035 * rating + 7e-6 * rating * (rating - 60) * (100 - rating)
    return min(5.0, max(1.0, score))


@dataclass(frozen=True)
class CallQualityMetrics:
    """What the statistics of a call say about its quality.

    Attributes:
        jitter: Jitter of our audio as the remote sees it, in seconds; NaN until it has reported.
        rtt: Round-trip time in seconds; NaN until the remote has reported.
        packets_sent: Audio packets sent.
        packets_received: Audio packets received.
        packets_lost: Audio packets that should have come and did not.
        mos: Mean opinion score, 1 to 5; NaN while jitter or rtt is unknown.
        quality: The band of `mos`.
        inbound_level: Loudness of what is heard, 0 to 1; NaN when it is not known.
        outbound_level: Loudness of what is said, 0 to 1; NaN when it is not known.
        codec: What is sent, such as `"audio/opus"`; `None` until something is.
    """

    jitter: float
    rtt: float
    packets_sent: int
    packets_received: int
    packets_lost: int
    mos: float
    quality: CallQuality
    inbound_level: float = math.nan
    outbound_level: float = math.nan
    codec: str | None = None

    @property
    def loss(self) -> float:
        """Share of the incoming packets that were lost, 0 to 1."""
        return _share(self.packets_lost, self.packets_received)

    @classmethod
    def from_stats(cls, stats: StatsReport) -> CallQualityMetrics:
        """Read the metrics from a W3C statistics report (objects by id, as `Peer.stats` returns).

        As in the Telnyx JS SDK, jitter and round-trip time come from `remote-inbound-rtp`, packets from
        `inbound-rtp`. Levels come from `inbound-rtp` and `media-source`.
        """
        audio = AudioStats.of(stats)
        inbound, outbound, remote = audio.inbound, audio.outbound, audio.remote_inbound
        received = int(inbound.get("packetsReceived", 0))
        lost = max(0, int(inbound.get("packetsLost", 0)))
        jitter = float(remote.get("jitter", math.nan))
        rtt = float(remote.get("roundTripTime", math.nan))
        mos = mean_opinion_score(jitter=jitter, rtt=rtt, loss=_share(lost, received))
        return cls(
            jitter=jitter,
            rtt=rtt,
            packets_sent=int(outbound.get("packetsSent", 0)),
            packets_received=received,
            packets_lost=lost,
            mos=mos,
            quality=CallQuality.from_mos(mos),
            inbound_level=float(inbound.get("audioLevel", math.nan)),
            outbound_level=float(audio.source.get("audioLevel", math.nan)),
            codec=audio.outbound_codec.get("mimeType"),
        )


def _share(lost: int, received: int) -> float:
    return lost / (lost + received) if lost else 0.0
