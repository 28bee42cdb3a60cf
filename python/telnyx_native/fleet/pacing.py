"""When an outbound call may be placed: not too many in a second, and not at night where it rings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from telnyx_native.errors import ConfigurationError

__all__ = ["TokenBucket", "Window", "time_zone"]


_ONE = 1 - 1e-3
"""A token that is nearly there is there: seconds since 1970 are no finer than 0.2 µs. What is missing is owed."""


class TokenBucket:
    """Lets so many things happen in a second, and some at once after a pause.

    Time is an argument, in seconds; should it go back, no tokens come until it has caught up.
    """

    def __init__(self, rate: float, burst: int = 1, *, now: float) -> None:
        """Begin with all tokens.

        Args:
            rate: Tokens that come in a second.
            burst: The most tokens that are kept.
            now: The time.

        Raises:
            ConfigurationError: A number is not above 0.
        """
        if not (rate > 0 and math.isfinite(rate)):
            raise ConfigurationError(f"rate is {rate!r}; it must be a number of calls a second above 0, such as 0.5")
        if burst < 1:
            raise ConfigurationError(f"burst is {burst!r}; it must be 1 or more")
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._since = now

    def ready_at(self, now: float) -> float:
        """When there is a token: `now`, or later."""
        self._refill(now)
        if self._tokens >= _ONE:
            return now
        return max(math.nextafter(now, math.inf), self._since + (1 - self._tokens) / self._rate)

    def take(self, now: float) -> bool:
        """Take a token; return whether there was one."""
        self._refill(now)
        if self._tokens < _ONE:
            return False
        self._tokens -= 1
        return True

    def _refill(self, now: float) -> None:
        if now > self._since:
            self._tokens = min(self._burst, self._tokens + (now - self._since) * self._rate)
            self._since = now


@dataclass(frozen=True)
class Window:
    """The time of day in which calls may be placed, where they ring.

    Attributes:
        opens: From when on.
        closes: Until when, on the same day.
        days: On which days; 0 is Monday, 6 Sunday.
    """

    opens: time_of_day
    closes: time_of_day
    days: frozenset[int] = frozenset(range(7))

    def __post_init__(self) -> None:
        if self.opens.tzinfo or self.closes.tzinfo:
            raise ConfigurationError("a window is the same in every time zone; write its times without one")
        if not self.opens < self.closes:
            raise ConfigurationError(
                f"the window from {self.opens:%H:%M} to {self.closes:%H:%M} has no time; it must close after it opens, "
                "on the same day"
            )
        if not self.days or not self.days <= frozenset(range(7)):
            raise ConfigurationError(f"days are {sorted(self.days)}; give some of 0 (Monday) to 6 (Sunday)")

    def open_at(self, now: float, zone: ZoneInfo) -> float:
        """When it is open: `now`, or the next time that it opens.

        Args:
            now: Seconds since 1970, UTC.
            zone: Where the call rings.
        """
        local = datetime.fromtimestamp(now, zone)
        if local.weekday() in self.days and self.opens <= local.time() < self.closes:
            return now
        for days in range(9):  # also past a day without its opening: there are none in a year, but in history
            day = local.date() + timedelta(days)
            opening = datetime.combine(day, self.opens, zone).astimezone(UTC).timestamp()
            if day.weekday() in self.days and opening > now:
                return opening
        raise AssertionError  # a week has all its days


@lru_cache(1000)
def time_zone(name: str) -> ZoneInfo:
    """The time zone of a name, such as `America/New_York`.

    Raises:
        ConfigurationError: This machine knows no such time zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationError(f"{name!r} is no time zone; write it as America/New_York") from None
