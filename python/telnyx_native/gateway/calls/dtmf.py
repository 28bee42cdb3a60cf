"""DTMF keys of a leg: read, collected, and relayed to another leg."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from telnyx_native.errors import MediaError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from telnyx_native.gateway.calls.leg import Leg

__all__ = ["Keypad", "keypad", "relay_keys"]

MOST_KEYS = 256
"""Keys that wait until they are asked for; of more, the oldest go."""


class Keypad:
    """Keys in the order in which they are pressed."""

    def __init__(self) -> None:
        self._pressed: deque[str] = deque(maxlen=MOST_KEYS)
        self._changed = asyncio.Event()
        self._over = False

    async def next(self, timeout: float | None = None) -> str | None:
        """Return the next key; `None` when there is none within `timeout` seconds, or the call is over."""
        try:
            async with asyncio.timeout(timeout):
                while not self._pressed and not self._over:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return None
        return self._pressed.popleft() if self._pressed else None

    def forget(self) -> None:
        """Drop the keys that were pressed, but not asked for yet."""
        self._pressed.clear()

    def press(self, key: str) -> None:
        """Take a key."""
        self._pressed.append(key)
        self._changed.set()

    def end(self) -> None:
        """No more keys come."""
        self._over = True
        self._changed.set()


@asynccontextmanager
async def keypad(leg: Leg) -> AsyncIterator[Keypad]:
    """Listen for keys of a leg that was just answered, signalled (`telnyx_rtc.info`) or beside its audio (RFC 4733)."""
    pressed = Keypad()
    messages, events = leg.keys.collect(), leg.audio.dtmf_flow.collect()

    async def signalled() -> None:
        async for key in messages:
            pressed.press(key)

    async def heard() -> None:
        async for received in events:
            pressed.press(received.key)

    async def listen() -> None:
        await asyncio.gather(signalled(), heard())
        pressed.end()

    listening = asyncio.create_task(listen())
    try:
        yield pressed
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


KEY_SECONDS = 0.1
"""How long a key that was only signalled is held."""

SHORTEST, LONGEST = 0.04, 6.0
"""Seconds a key can be held."""

GAP_SECONDS = 0.05


async def relay_keys(source: Leg, target: Leg) -> None:
    """Press at `target` what is pressed at `source`, by message or in its audio, until the legs are over.

    While one of them is on hold, keys are lost as speech is.
    """
    pressing = asyncio.Lock()  # a key that comes while another is held would take its place

    async def press(key: str, seconds: float) -> None:
        async with pressing:
            if source.held.value or target.held.value:
                return
            with suppress(MediaError):  # who takes no telephone-events gets no keys
                await target.peer.insert_dtmf(key, duration=seconds, gap=GAP_SECONDS)
                await asyncio.sleep(seconds + GAP_SECONDS)

    async def signalled() -> None:
        async for key in source.keys:
            await press(key, KEY_SECONDS)

    async def heard() -> None:
        async for received in source.audio.dtmf_flow:
            await press(received.key, min(max(received.duration, SHORTEST), LONGEST))

    await asyncio.gather(signalled(), heard())
