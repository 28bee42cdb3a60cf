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

LONGEST_IN_CALL = 1.5
"""The same while calls wait to be brought back: people listen to the silence."""

SPREAD = 0.25
"""How far a delay may be off, as a share of it (Telnyx JS SDK): thousands of clients lose a server together."""


class Backoff:
    """Delays that double from attempt to attempt.

    Args:
        urgent: Whether calls are waiting.
    """

    def __init__(self, urgent: Callable[[], bool]) -> None:
        self._urgent = urgent
        self._delay = FIRST

    def next(self) -> float:
        """Return the seconds to wait before the next attempt."""
        longest = LONGEST_IN_CALL if self._urgent() else LONGEST
        delay = min(self._delay, longest)
        self._delay = min(2 * self._delay, LONGEST)
        return delay * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311 - nobody gains by guessing it
