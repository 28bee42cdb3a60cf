"""The keys that a client presses in a call, whichever way they come."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from telnyx_native.flow import SharedFlow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from telnyx_native.flow import Collector
    from telnyx_native.gateway.leg import Leg

__all__ = ["Keypad", "keypad"]


class Keypad:
    """Keys in the order in which they are pressed.

    Args:
        pressed: Where they come from.
    """

    def __init__(self, pressed: Collector[str]) -> None:
        self._pressed = pressed

    async def next(self, timeout: float | None = None) -> str | None:
        """Return the next key; `None` when there is none within `timeout` seconds, or the call is over."""
        try:
            async with asyncio.timeout(timeout):
                return await anext(self._pressed, None)
        except TimeoutError:
            return None


@asynccontextmanager
async def keypad(leg: Leg) -> AsyncIterator[Keypad]:
    """Listen for keys of an answered leg, signalled (`telnyx_rtc.info`) or beside its audio (RFC 4733)."""
    pressed: SharedFlow[str] = SharedFlow()
    messages, events = leg.keys.collect(), leg.audio.dtmf_flow.collect()

    async def signalled() -> None:
        async for key in messages:
            pressed.emit(key)

    async def heard() -> None:
        async for received in events:
            pressed.emit(received.key)

    async def listen() -> None:
        await asyncio.gather(signalled(), heard())
        pressed.close()

    with pressed.collect() as keys:
        listening = asyncio.create_task(listen())
        try:
            yield Keypad(keys)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
