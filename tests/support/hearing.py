"""Saying something, and waiting until it is heard."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from support.limit import LIMIT
from support.signals import dominant_frequency, pcm, rms, tone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from telnyx_native import AudioStream, Call


@asynccontextmanager
async def saying_tone(audio: AudioStream, hz: int) -> AsyncIterator[None]:
    """A tone is sent for as long as the context lasts."""

    async def say() -> None:
        while True:
            await audio.write(piece)

    piece = tone(hz, 1, audio.sample_rate)
    talking = asyncio.create_task(say())
    try:
        yield
    finally:
        talking.cancel()
        await asyncio.wait({talking})
        audio.clear()


async def hear_tone(audio: AudioStream, hz: float) -> None:
    """Read until a tone is heard."""
    async with asyncio.timeout(LIMIT):
        while True:
            heard = pcm(await audio.read(audio.sample_rate // 5))
            if rms(heard) > 500 and abs(dominant_frequency(heard, audio.sample_rate) - hz) < 10:
                return


async def hears_nothing(audio: AudioStream, seconds: float) -> None:
    """Read for so long, and hear silence."""
    audio.read_nowait()
    heard = pcm(await audio.read(round(seconds * audio.sample_rate)))
    assert rms(heard) < 50


async def echoes(call: Call, hz: int) -> None:
    """Wait until a call says back what it hears."""
    async with saying_tone(call.audio, hz):
        await hear_tone(call.audio, hz)
