"""The statistics of a call, taken once a second for all who want them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from telnyx_native.errors import MediaError
from telnyx_native.flow import SharedFlow
from telnyx_native.states import CallState

if TYPE_CHECKING:
    from telnyx_native.call.lifecycle import Lifecycle
    from telnyx_native.logs import Log
    from telnyx_native.media.peer import Peer
    from telnyx_native.media.stats import StatsReport

__all__ = ["StatsSample", "StatsSampler"]

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
            state = await self._life.states.wait_for(lambda state: state in (CallState.ACTIVE, CallState.HELD))
            try:
                stats = await peer.stats()
                self.samples.emit(StatsSample(stats, state == CallState.HELD, peer.audio.counters.played))
            except MediaError as error:
                self._log.debug(f"no statistics: {error}")
            await asyncio.sleep(INTERVAL)

    def close(self) -> None:
        """End the samples."""
        self.samples.close()
