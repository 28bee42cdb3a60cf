"""The health of a connection: how regular the server's pings are, and whether it is dead.

The bands are those of Telnyx's mobile SDKs, the rules for a dead connection those of the Telnyx JS SDK
(`SignalingHealthMonitor`). TCP alone would need a quarter of an hour to notice.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from time import monotonic
from typing import TYPE_CHECKING

from telnyx_native.errors import RequestError, RequestTimeoutError, SocketConnectionError
from telnyx_native.flow import StateFlow
from telnyx_native.signaling.messages import Ping

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_native.config import Timeouts
    from telnyx_native.signaling.socket import TxSocket

__all__ = ["HealthMonitor", "PingHistory", "SocketConnectionMetrics", "SocketConnectionQuality"]

EXPECTED = 30.0
"""Seconds between two pings of Telnyx's servers."""

MISSED = 30.5
"""Seconds after which a ping counts as missed (Telnyx Android SDK)."""

LONGEST_HISTORY = 30
"""Pings that are remembered."""


class SocketConnectionQuality(Enum):
    """Bands of the deviation from the expected interval, as in the Telnyx Android SDK."""

    DISCONNECTED = "disconnected"
    CALCULATING = "calculating"
    EXCELLENT = "excellent"
    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"

    @classmethod
    def from_deviation(cls, seconds: float) -> SocketConnectionQuality:
        """Return the band of a deviation."""
        bands = ((0.1, cls.EXCELLENT), (0.2, cls.GOOD), (0.3, cls.FAIR))
        return next((band for limit, band in bands if seconds <= limit), cls.POOR)


@dataclass(frozen=True)
class SocketConnectionMetrics:
    """What the pings say.

    Attributes:
        quality: The band.
        total_pings: Pings since the connection stands.
        missed_pings: Pings that should have come and did not.
        interval: Seconds between the latest two; `None` before there are two. The same goes for those below.
        average_interval: The mean of the last intervals.
        shortest_interval: The shortest of them.
        longest_interval: The longest of them.
        jitter: How far they are from the expected interval, on average.
    """

    quality: SocketConnectionQuality = SocketConnectionQuality.DISCONNECTED
    total_pings: int = 0
    missed_pings: int = 0
    interval: float | None = None
    average_interval: float | None = None
    shortest_interval: float | None = None
    longest_interval: float | None = None
    jitter: float | None = None


class PingHistory:
    """Remembers when pings were received.

    Attributes:
        metrics: What they say; it changes with each.
    """

    def __init__(self) -> None:
        self.metrics: StateFlow[SocketConnectionMetrics] = StateFlow(SocketConnectionMetrics())
        self._moments: deque[float] = deque(maxlen=LONGEST_HISTORY)
        self._total = 0
        self._missed = 0

    def begin(self) -> None:
        """Start counting: the connection is open."""
        self._moments.clear()
        self._total = self._missed = 0
        self.metrics.set(SocketConnectionMetrics(SocketConnectionQuality.CALCULATING))

    def end(self) -> None:
        """Stop counting: the connection is closed."""
        self.metrics.set(SocketConnectionMetrics(total_pings=self._total, missed_pings=self._missed))

    def note(self) -> None:
        """Count a ping."""
        self._moments.append(monotonic())
        self._total += 1
        intervals = [later - earlier for earlier, later in pairwise(self._moments)]
        if not intervals:
            return
        if intervals[-1] > MISSED:
            self._missed += max(1, round(intervals[-1] / EXPECTED) - 1)
        deviations = [abs(interval - EXPECTED) for interval in intervals]
        jitter = sum(deviations) / len(deviations)
        self.metrics.set(
            SocketConnectionMetrics(
                SocketConnectionQuality.from_deviation(jitter),
                self._total,
                self._missed,
                intervals[-1],
                sum(intervals) / len(intervals),
                min(intervals),
                max(intervals),
                jitter,
            )
        )


class HealthMonitor:
    """Sends a ping when the server has been silent for too long, and reports a dead connection if it is not answered.

    Args:
        socket: The connection. The client must be logged in: before, the server takes no ping.
        timeouts: How long the silence may last, and how long the response may take.
        on_dead: Called once, when there is no response.
    """

    def __init__(self, socket: TxSocket, timeouts: Timeouts, on_dead: Callable[[SocketConnectionError], None]) -> None:
        self._socket = socket
        self._timeouts = timeouts
        self._on_dead = on_dead
        self._probe_requested = asyncio.Event()

    def probe(self) -> None:
        """Send a ping now: something happened that a dead connection would explain."""
        self._probe_requested.set()

    async def run(self) -> None:
        """Run until the connection is closed or dead."""
        try:
            while True:
                await self._silence()
                self._probe_requested.clear()
                await self._ping()
        except RequestTimeoutError:
            message = f"the server is silent, and gave no sign of life within {self._timeouts.probe:g} s"
            self._on_dead(SocketConnectionError(message))
        except SocketConnectionError:
            return  # it has ended

    async def _silence(self) -> None:
        """Return when the server has been silent for too long, or a probe was requested."""
        while (left := self._quiet_until() - monotonic()) > 0:
            try:
                async with asyncio.timeout(left):
                    await self._probe_requested.wait()
            except TimeoutError:
                continue
            return

    def _quiet_until(self) -> float:
        heard, answered = self._socket.heard_at, self._socket.answered_at
        return min(heard + self._timeouts.silence, answered + self._timeouts.unanswered)

    async def _ping(self) -> None:
        try:
            await self._socket.request(Ping(), timeout=self._timeouts.probe)
        except RequestError:
            return  # an error is a response, too
