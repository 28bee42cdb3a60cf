"""How good a call sounds, second by second, for whoever wants to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_native.flow import SharedFlow
from telnyx_native.media.quality import CallQualityMetrics

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from telnyx_native.call.lifecycle import Lifecycle
    from telnyx_native.call.stats_sampler import StatsSample
    from telnyx_native.logs import Log

__all__ = ["QualityMonitor"]


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
