"""How good a call sounds while it lasts: statistics once a second, measurements for the application, and warnings.

Thresholds and patience of the warnings are those of the Telnyx JS SDK.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from telnyx_native.call.machine import STANDING
from telnyx_native.errors import MediaError, WarningCode
from telnyx_native.flow import SharedFlow
from telnyx_native.media.quality import AudioStats, CallQualityMetrics, mean_opinion_score

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from telnyx_native.call.lifecycle import Lifecycle
    from telnyx_native.errors import TelnyxWarning
    from telnyx_native.logs import Log
    from telnyx_native.media.peer import Peer
    from telnyx_native.media.quality import StatsReport

__all__ = ["QualityMonitor", "QualityWarnings", "StatsSample", "StatsSampler"]

INTERVAL = 1.0
"""Seconds between two samples (Telnyx JS SDK: 1 s)."""


@dataclass(frozen=True)
class StatsSample:
    """The statistics at one moment.

    Attributes:
        stats: The objects of W3C `getStats`, by id.
        held: Whether the call was on hold.
        written: Samples of audio that was written, and sent by then.
        at: When that was, in seconds of `time.monotonic`: the clock on the wall may be set meanwhile.
    """

    stats: StatsReport = field(repr=False)
    held: bool = False
    written: int = 0
    at: float = field(default_factory=monotonic)


class StatsSampler:
    """Samples a call while it stands and somebody collects.

    Args:
        life: The life of the call.
        log: Where failures are noted.

    Attributes:
        samples: The samples; it ends with the call.
    """

    def __init__(self, life: Lifecycle, log: Log) -> None:
        self.samples: SharedFlow[StatsSample] = SharedFlow()
        self._life = life
        self._log = log

    async def run(self, peer: Peer) -> None:
        """Sample for ever."""
        while True:
            await self.samples.wait_collected()
            await self._life.states.wait_for(STANDING.__contains__)
            held = self._life.machine.held
            try:
                stats = await peer.stats()
                self.samples.emit(StatsSample(stats, held, peer.audio.counters.played))
            except MediaError as error:
                self._log.debug(f"no statistics: {error}")
            await asyncio.sleep(INTERVAL)

    def close(self) -> None:
        """End the samples."""
        self.samples.close()


class QualityMonitor:
    """Measures a call while it is active and somebody collects the measurements.

    Args:
        life: The life of the call.
        samples: Its statistics.
        log: Where failures are noted.

    Attributes:
        metrics: The measurements; it ends with the call.
    """

    def __init__(self, life: Lifecycle, samples: SharedFlow[StatsSample], log: Log) -> None:
        self.metrics: SharedFlow[CallQualityMetrics] = SharedFlow(replay=1)
        self._life = life
        self._samples = samples
        self._log = log
        self._listener: Callable[[CallQualityMetrics], None] | None = None
        self._listening: asyncio.Task[None] | None = None

    @property
    def listener(self) -> Callable[[CallQualityMetrics], None] | None:
        """What is called with each measurement; an error that it raises is logged."""
        return self._listener

    @listener.setter
    def listener(self, listener: Callable[[CallQualityMetrics], None] | None) -> None:
        if self._listening is not None:
            self._listening.cancel()
        self._listener = listener
        self._listening = self._life.spawn(self._tell(listener)) if listener else None

    async def run(self) -> None:
        """Measure until the call is over; on hold there is nothing to measure."""
        while not self._samples.closed:
            await self.metrics.wait_collected()
            with self._samples.collect() as samples:
                async for sample in samples:
                    if not self.metrics.collected:
                        break
                    if not sample.held:
                        self.metrics.emit(CallQualityMetrics.from_stats(sample.stats))

    def close(self) -> None:
        """End the measurements."""
        self.metrics.close()

    async def _tell(self, listener: Callable[[CallQualityMetrics], None]) -> None:
        async for metrics in self.metrics:
            try:
                listener(metrics)
            except Exception as error:  # noqa: BLE001 - the application's error must not cost the call
                self._log.error("on_call_quality_change failed", error)


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
        self._unanswered = False  # something was said since the remote was heard last

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
        elif not self._unanswered:  # nobody was asked anything: listening is what a remote may do, too
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
