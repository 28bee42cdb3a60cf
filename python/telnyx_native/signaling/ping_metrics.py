"""How regularly the server's pings come: the quality of the connection, as Telnyx's mobile SDKs measure it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from time import monotonic

from telnyx_native.flow import StateFlow

__all__ = ["PingHistory", "SocketConnectionMetrics", "SocketConnectionQuality"]

EXPECTED = 30.0
"""Seconds between two pings of Telnyx's servers."""

MISSED = 30.5
"""Seconds after which a ping counts as missed (Telnyx Android SDK)."""

LONGEST_HISTORY = 30
"""Pings that are looked back upon."""


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
    """Remembers when pings came.

    Attributes:
        metrics: What they say; it changes with each.
    """

    def __init__(self) -> None:
        self.metrics: StateFlow[SocketConnectionMetrics] = StateFlow(SocketConnectionMetrics())
        self._moments: deque[float] = deque(maxlen=LONGEST_HISTORY)
        self._total = 0
        self._missed = 0

    def begin(self) -> None:
        """A connection stands: count from now on."""
        self._moments.clear()
        self._total = self._missed = 0
        self.metrics.set(SocketConnectionMetrics(SocketConnectionQuality.CALCULATING))

    def end(self) -> None:
        """The connection is gone."""
        self.metrics.set(SocketConnectionMetrics(total_pings=self._total, missed_pings=self._missed))

    def note(self) -> None:
        """A ping has come."""
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
