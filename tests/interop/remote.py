"""What is heard of Telnyx's clients at the other end of their calls."""

from __future__ import annotations

import asyncio

from support.limit import LIMIT
from support.signals import dominant_frequency, pcm, rms

RATE = 16_000

SPOKEN_HZ, HEARD_HZ = 700, 1100
"""The tone that a client's microphone hears, and the one that is played to it."""


async def spoken(call, hz):
    """Wait until one of our calls or legs hears a tone from the phone; 0 is silence."""
    async with asyncio.timeout(LIMIT):
        while True:
            heard = pcm(await call.audio.read(RATE // 2))
            if hz == 0 and rms(heard) < 50:
                return
            if hz and rms(heard) > 500 and abs(dominant_frequency(heard, RATE) - hz) <= 10:
                return


async def over(gateway):
    async with asyncio.timeout(LIMIT):
        while gateway.calls:  # noqa: ASYNC110 - the calls of many flows
            await asyncio.sleep(0.02)
