"""Warnings of a call that sounds bad, or not at all.

Thresholds and patience are those of the Telnyx JS SDK.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from telnyx_native.codes import WarningCode
from telnyx_native.media.quality import CallQualityMetrics, mean_opinion_score
from telnyx_native.media.stats import AudioStats

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from telnyx_native.call.stats_sampler import StatsSample
    from telnyx_native.codes import TelnyxWarning
    from telnyx_native.flow import SharedFlow

__all__ = ["QualityWarnings"]

PATIENCE = 3
"""Bad samples in a row before it is worth a warning."""

SILENCE_PATIENCE = 30
"""The same for silence, once there was sound: people listen, too."""

PAUSE = 15.0
"""Seconds between two warnings of a kind."""

LONGEST_RTT = 0.4
LARGEST_JITTER = 0.03
LARGEST_LOSS = 0.01
LOWEST_MOS = 3.5
SILENT = 0.001
"""Seconds, seconds, share of packets, score, level."""


@dataclass(frozen=True)
class _Second:
    """What happened between two samples."""

    metrics: CallQualityMetrics
    received: int
    lost: int
    bytes_received: int
    bytes_sent: int
    written: int

    @classmethod
    def between(cls, older: StatsSample, newer: StatsSample) -> _Second:
        before, after = AudioStats.of(older.stats), AudioStats.of(newer.stats)

        def grown(kind: str, name: str) -> int:
            return int(getattr(after, kind).get(name, 0)) - int(getattr(before, kind).get(name, 0))

        return cls(
            CallQualityMetrics.from_stats(newer.stats),
            received=grown("inbound", "packetsReceived"),
            lost=max(0, grown("inbound", "packetsLost")),
            bytes_received=grown("inbound", "bytesReceived"),
            bytes_sent=grown("outbound", "bytesSent"),
            written=newer.written - older.written,
        )

    @property
    def loss(self) -> float:
        """Share of the packets of this second that were lost."""
        return self.lost / (self.lost + self.received) if self.lost else 0.0

    def faults(self) -> Iterator[tuple[WarningCode, str]]:
        """What is wrong with this second."""
        metrics = self.metrics
        mos = mean_opinion_score(jitter=metrics.jitter, rtt=metrics.rtt, loss=self.loss)
        if metrics.rtt > LONGEST_RTT:
            yield WarningCode.HIGH_RTT, f"{1000 * metrics.rtt:.0f} ms there and back"
        if metrics.jitter > LARGEST_JITTER:
            yield WarningCode.HIGH_JITTER, f"{1000 * metrics.jitter:.0f} ms"
        if self.loss > LARGEST_LOSS:
            yield WarningCode.HIGH_PACKET_LOSS, f"{self.loss:.0%} of the packets"
        if mos < LOWEST_MOS:
            yield WarningCode.LOW_MOS, f"a score of {mos:.1f} of 5"
        if metrics.outbound_level <= SILENT and self.written:  # who writes nothing has nothing to say, that is all
            yield WarningCode.LOW_LOCAL_AUDIO, "what is written is silence"
        if metrics.inbound_level <= SILENT and self.received:
            yield WarningCode.LOW_INBOUND_AUDIO, "what arrives is silence"
        if self.bytes_received <= 0:
            yield WarningCode.LOW_BYTES_RECEIVED, "check that UDP may pass"
        if self.bytes_sent <= 0:
            yield WarningCode.LOW_BYTES_SENT, "check that UDP may pass"


_OF_SILENCE = {WarningCode.LOW_LOCAL_AUDIO, WarningCode.LOW_INBOUND_AUDIO}


class QualityWarnings:
    """Watches one call, except on hold.

    Args:
        warn: Takes the warnings.
    """

    def __init__(self, warn: Callable[[WarningCode, str], None]) -> None:
        self._warn = warn
        self._last: StatsSample | None = None
        self._bad: dict[WarningCode, int] = {}
        self._warned: dict[WarningCode, float] = {}
        self._heard: set[WarningCode] = set()
        self._unanswered = False  # something was said since the far end was heard last

    async def watch(self, warnings: SharedFlow[TelnyxWarning], samples: SharedFlow[StatsSample]) -> None:
        """Watch while somebody collects `warnings`, until the call is over."""
        while not samples.closed:
            await warnings.wait_collected()
            with samples.collect() as collector:
                async for sample in collector:
                    if not warnings.collected:
                        break
                    self.take(sample)

    def take(self, sample: StatsSample) -> None:
        """Look at the second that ends with `sample`."""
        last, self._last = self._last, sample
        if last is not None and _path(last) and _path(last) != _path(sample):
            self._warn(WarningCode.ICE_CANDIDATE_PAIR_CHANGED, f"from {_path(last)} to {_path(sample)}")
        if last is None or last.held or sample.held:
            self._bad.clear()
            return
        second = _Second.between(last, sample)
        faults = dict(second.faults())
        self._heard |= _OF_SILENCE - faults.keys()
        self._unanswered |= second.metrics.outbound_level > SILENT
        if WarningCode.LOW_INBOUND_AUDIO not in faults:
            self._unanswered = False
        elif not self._unanswered:  # nobody was asked anything: listening is what a far end may do, too
            del faults[WarningCode.LOW_INBOUND_AUDIO]
        self._bad = {code: self._bad.get(code, 0) + 1 for code in faults}
        for code, detail in faults.items():
            patience = SILENCE_PATIENCE if code in self._heard else PATIENCE
            if code in _OF_SILENCE and self._bad[code] > patience:
                continue  # one warning for one silence
            if self._bad[code] >= patience and monotonic() - self._warned.get(code, -PAUSE) >= PAUSE:
                self._warned[code] = monotonic()
                self._warn(code, detail)


def _path(sample: StatsSample) -> str:
    """Both ends of the network path in use; empty while there is none."""
    audio = AudioStats.of(sample.stats)
    ends = [f"{end.get('address')}:{end.get('port')}" for end in (audio.local, audio.remote) if end]
    return " — ".join(ends)
