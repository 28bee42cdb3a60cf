"""A media clock that ticks when the test says so: what is heard is known to the sample."""

from __future__ import annotations

import asyncio

import numpy as np

from support.signals import Pcm, pcm
from telnyx_native.media.stream import AudioStream


class HandClock:
    """Ticks one stream.

    Attributes:
        frames: What it has sent, 10 ms each.
    """

    def __init__(self, stream: AudioStream) -> None:
        self.frames: list[Pcm] = []
        self._stream = stream

    async def tick(self, count: int = 1, received: bytes | None = None) -> Pcm:
        """Let time pass, and everybody do what they do then; return what was sent meanwhile."""
        port = self._stream._native_rings
        for _ in range(count):
            await self.settle()
            self.frames.append(pcm(port.tick(received)))
            self._stream._on_ready(port.take_readiness())
        await self.settle()
        return np.concatenate(self.frames[len(self.frames) - count :])

    async def settle(self) -> None:
        """Let everybody do what they can without time passing."""
        for _ in range(12):
            await asyncio.sleep(0)

    @property
    def sent(self) -> Pcm:
        """All that was sent."""
        return np.concatenate(self.frames) if self.frames else np.zeros(0, np.int16)
