"""The statistics of one call's audio, picked out of a W3C `getStats` report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

__all__ = ["AudioStats", "StatsEntry", "StatsReport"]

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
        remote_inbound: What the far end says that it received (`remote-inbound-rtp`).
        remote_outbound: What the far end says that it sent (`remote-outbound-rtp`).
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
