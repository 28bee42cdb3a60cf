"""How good a call sounds, second by second, for whoever wants to know."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from telnyx_native.errors import MediaError
from telnyx_native.flow import SharedFlow
from telnyx_native.media.quality import CallQualityMetrics
from telnyx_native.states import CallState

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_native.call.lifecycle import Lifecycle
    from telnyx_native.logs import Log
    from telnyx_native.media.peer import Peer

__all__ = ["QualityMonitor"]

INTERVAL = 1.0
"""Seconds between two measurements (Telnyx JS SDK: 1 s)."""


class QualityMonitor:
    """Measures a call while it is active and somebody collects the measurements.

    Args:
        life: The life of the call.
        log: Where failures are noted.

    Attributes:
        metrics: The measurements; it ends with the call.
    """

    def __init__(self, life: Lifecycle, log: Log) -> None:
        self.metrics: SharedFlow[CallQualityMetrics] = SharedFlow(replay=1)
        self._life = life
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

    async def run(self, peer: Peer) -> None:
        """Measure until the call is over."""
        while True:
            await self.metrics.wait_collected()
            await self._life.states.wait_for(CallState.ACTIVE)
            try:
                self.metrics.emit(CallQualityMetrics.from_stats(await peer.stats()))
            except MediaError as error:
                self._log.debug(f"no statistics: {error}")
            await asyncio.sleep(INTERVAL)

    def close(self) -> None:
        """End the measurements."""
        self.metrics.close()

    async def _tell(self, listener: Callable[[CallQualityMetrics], None]) -> None:
        async for metrics in self.metrics:
            try:
                listener(metrics)
            except Exception as error:  # noqa: BLE001 - the application's error must not cost the call
                self._log.error("on_call_quality_change failed", error)
