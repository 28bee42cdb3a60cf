"""The speed test of Telnyx's JavaScript SDK: text frames that are no JSON.

The client says `#SPU bytes`, sends that much in `#SPB` frames, then `#SPE`. It gets `#SPUms`, as much again, and
`#SPDms` (FreeSWITCH mod_verto).
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["SPEED_TEST", "SpeedTest"]

SPEED_TEST = "#SP"
"""What its frames begin with."""

MOST_BYTES = 10_000_000
"""Bytes sent in one test at most."""

_BLOCK = "#SPB " + "." * 1024


class SpeedTest:
    """One client's test.

    Args:
        send: Sends a text to the client.
        pause: Waits as long as the client's rate limit asks for; what is sent to it counts as what it sends.
    """

    def __init__(self, send: Callable[[str], Awaitable[None]], pause: Callable[[], Awaitable[object]]) -> None:
        self._send = send
        self._pause = pause
        self._size = 0
        self._begun: float | None = None

    async def take(self, text: str) -> None:
        """Take a frame of the client; those that make no sense are ignored."""
        kind, size = text[3:4], text[4:20].strip()
        if kind == "U" and size.isascii() and size.isdigit():
            self._size, self._begun = min(int(size), MOST_BYTES), monotonic()
        elif kind == "E" and self._begun is not None:
            begun, self._begun = self._begun, None
            await self._send(f"#SPU{_milliseconds_since(begun)}")
            begun = monotonic()
            for _ in range(0, self._size, 1024):
                await self._pause()
                await self._send(_BLOCK)
            await self._send(f"#SPD{_milliseconds_since(begun)}")


def _milliseconds_since(begun: float) -> int:
    return max(1, round((monotonic() - begun) * 1000))
