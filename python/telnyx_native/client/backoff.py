"""How long to wait before the next attempt to connect."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Backoff"]

FIRST = 0.5
"""Seconds before the first attempt."""

LONGEST = 30.0
"""Seconds between two attempts at most (Telnyx JS SDK)."""

LONGEST_IN_CALL = 1.0
"""The same while calls wait to be brought back: people listen to the silence."""

PATIENCE_IN_CALL = 2.0
"""Seconds after which an attempt makes way for the next one while calls wait. Where a network swallows packets, TCP
repeats itself ever more rarely (Linux before 6.5: after 1, 3, 7 s), and would notice a server too late that is back."""

PATIENT = 3
"""Of so many attempts one is left all the time there is, for networks that are nothing but slow."""

SPREAD = 0.25
"""How far a delay may be off, as a share of it (Telnyx JS SDK): thousands of clients lose a server together."""


class Backoff:
    """Delays that double from attempt to attempt, and the time that each attempt gets.

    Args:
        urgent: Whether calls are waiting.
    """

    def __init__(self, urgent: Callable[[], bool]) -> None:
        self._urgent = urgent
        self._delay = FIRST
        self._attempts = 0

    def patience(self) -> float | None:
        """Return the seconds that the next attempt to connect may take; `None` for as long as usual."""
        self._attempts += 1
        return PATIENCE_IN_CALL if self._urgent() and self._attempts % PATIENT else None

    def next(self) -> float:
        """Return the seconds to wait before the next attempt."""
        longest = LONGEST_IN_CALL if self._urgent() else LONGEST
        delay = min(self._delay, longest)
        self._delay = min(2 * self._delay, LONGEST)
        return delay * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311 - nobody gains by guessing it
