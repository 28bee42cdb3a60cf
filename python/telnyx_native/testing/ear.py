"""Listening to a call from its beginning, and to what was not listened to yet."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np

from telnyx_native.background import in_background
from telnyx_native.testing.matching import SILENCE_LEVEL, Samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_native.media.stream import AudioStream

__all__ = ["Ear"]

PORTION = 0.1
"""Seconds of audio that are taken at a time."""

MEMORY = 600.0
"""Seconds that are remembered."""

LOOK_INTERVAL = 0.2
"""Seconds of new audio before another look: looking takes time."""


class Ear:
    """Hears a call, from now on until it ends.

    Args:
        audio: The audio of the call.
    """

    def __init__(self, audio: AudioStream) -> None:
        self._rate = audio.sample_rate
        self._heard = bytearray()
        self._forgotten = 0  # samples that were heard before those
        self._mark = 0  # samples, from the beginning, that an expectation has used up
        self._grown = asyncio.Event()
        self._over = False
        self._listening = asyncio.create_task(self._listen(audio))

    @property
    def heard(self) -> Samples:
        """All that is remembered."""
        return np.frombuffer(bytes(self._heard), np.int16)

    async def expect(self, look: Callable[[Samples], int | None], within: float) -> bool:
        """Wait until something is heard in what no earlier expectation has used up; return whether it was.

        Args:
            look: Returns how many samples it has used up when it has found what it looks for.
            within: Seconds of waiting.
        """
        deadline = asyncio.get_running_loop().time() + within
        while True:
            over, length = self._over, self._forgotten + len(self._heard) // 2
            unused = np.frombuffer(bytes(self._heard[2 * max(0, self._mark - self._forgotten) :]), np.int16)
            used = await in_background(look, unused)
            if used is not None:
                self._mark = length - len(unused) + used
                return True
            if over or not await self._more(length, deadline):
                return False

    async def close(self) -> None:
        """Listen no more. What was heard is still there."""
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)

    def summary(self) -> str:
        """Say in a few words what was heard."""
        heard = self.heard.astype(np.float64)
        frames = heard[: len(heard) // 160 * 160].reshape(-1, 160)
        loud = int(np.sum(np.sqrt(np.mean(frames**2, axis=1)) > SILENCE_LEVEL)) * 160 / self._rate
        return f"In {len(heard) / self._rate:.1f} s of audio, {loud:.1f} s were not silent"

    async def _more(self, length: int, deadline: float) -> bool:
        """Wait for enough new audio for another look, or the end of the call; return whether it came in time."""
        try:
            async with asyncio.timeout_at(deadline):
                while not self._over and self._forgotten + len(self._heard) // 2 < length + LOOK_INTERVAL * self._rate:
                    self._grown.clear()
                    await self._grown.wait()
        except TimeoutError:
            return False
        return True

    async def _listen(self, audio: AudioStream) -> None:
        async for portion in audio.frames(PORTION):
            self._heard += portion
            surplus = max(0, len(self._heard) // 2 - round(MEMORY * self._rate))
            del self._heard[: 2 * surplus]
            self._forgotten += surplus
            self._grown.set()
        self._over = True
        self._grown.set()
