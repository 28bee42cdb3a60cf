"""DTMF keys of a leg: signalled by message (`telnyx_rtc.info`) or sent beside the audio (RFC 4733)."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from telnyx_native.event_loop import running
from telnyx_native.flow import SharedFlow

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable

    from telnyx_native.media.detectors import DtmfReceived
    from telnyx_native.media.stream import AudioStream

__all__ = ["DTMF_KEYS", "Keypad", "SignalledKeys", "follow_keys", "keypad"]

DTMF_KEYS = frozenset("0123456789*#ABCD")

PAUSES = {"w": 0.5, "W": 1.0}
"""Seconds to wait before the next key (FreeSWITCH, "send_dtmf")."""

LONGEST_SEQUENCE = 64
"""Characters taken from one message."""

MOST_WAITING = 256
"""Keys and pauses that may stand behind a pause; more are left out."""

SIGNALLED_SECONDS = 0.1
"""How long a key counts as held that was signalled by message."""

MOST_KEYS = 256
"""Keys that wait on a keypad until they are asked for; of more, the oldest go."""


class SignalledKeys:
    """The keys in the messages of a client, one by one, with the pauses between them.

    Attributes:
        flow: The keys.
    """

    def __init__(self) -> None:
        self.flow: SharedFlow[str] = SharedFlow()
        self._waiting: deque[str] = deque()
        self._pausing: asyncio.Task[None] | None = None

    def receive(self, keys: str) -> None:
        """Take keys, and pauses between them (`w`, `W`); what is neither is left out."""
        for key in keys[:LONGEST_SEQUENCE]:
            if len(self._waiting) < MOST_WAITING:
                self._waiting.append(key)
        if self._pausing is None or self._pausing.done():
            self._press_until_a_pause()

    def close(self) -> None:
        """End the flow; keys that wait behind a pause are lost."""
        self._waiting.clear()
        if self._pausing is not None:
            self._pausing.cancel()
        self.flow.close()

    def _press_until_a_pause(self) -> None:
        while self._waiting:
            key = self._waiting.popleft()
            if key in PAUSES:
                self._pausing = asyncio.create_task(self._pause(PAUSES[key]))
                return
            if key.upper() in DTMF_KEYS:
                self.flow.emit(key.upper())

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._press_until_a_pause()


async def follow_keys(
    messages: AsyncIterable[str],
    events: AsyncIterable[DtmfReceived],
    press: Callable[[str, float], Awaitable[None]],
) -> None:
    """Call `press` with each key of a leg, and the seconds that it was held, until both sources end.

    Args:
        messages: Keys that are signalled (`SignalledKeys.flow`).
        events: Keys that come beside the audio (`AudioStream.dtmf_flow`).
        press: Takes one key.
    """

    async def signalled() -> None:
        async for key in messages:
            await press(key, SIGNALLED_SECONDS)

    async def beside_the_audio() -> None:
        async for received in events:
            await press(received.key, received.duration)

    await asyncio.gather(signalled(), beside_the_audio())


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

    def close(self) -> None:
        """No more keys come."""
        self._over = True
        self._changed.set()


@asynccontextmanager
async def keypad(signalled: SharedFlow[str], audio: AudioStream) -> AsyncIterator[Keypad]:
    """Collect the keys of a leg that was just answered on a keypad, until the context ends."""
    pressed = Keypad()
    messages, events = signalled.collect(), audio.dtmf_flow.collect()

    async def press(key: str, _seconds: float) -> None:
        pressed.press(key)

    async def listen() -> None:
        await follow_keys(messages, events, press)
        pressed.close()

    async with running(listen()):
        yield pressed
