"""How fast somebody may be."""

from __future__ import annotations

import asyncio

__all__ = ["Pace"]


class Pace:
    """Lets a number of things a second pass, and as many at once; what comes faster waits (a token bucket).

    Args:
        per_second: The number.
    """

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._allowance = per_second
        self._since = asyncio.get_running_loop().time()

    async def keep(self, weight: float = 1.0) -> bool:
        """Return when one more may pass that counts as `weight` things; whether it had to wait."""
        now = asyncio.get_running_loop().time()
        self._allowance = min(self._per_second, self._allowance + (now - self._since) * self._per_second) - weight
        self._since = now
        if self._allowance >= 0:
            return False
        await asyncio.sleep(-self._allowance / self._per_second)
        return True
