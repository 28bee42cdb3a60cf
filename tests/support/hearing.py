"""Waiting until something is heard."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from support.signals import dominant_frequency, pcm, rms

if TYPE_CHECKING:
    from telnyx_native import AudioStream

LIMIT = 15.0
"""Seconds until it is heard, on a busy machine."""


async def hear_tone(audio: AudioStream, hz: float) -> None:
    """Read until a tone is heard."""
    async with asyncio.timeout(LIMIT):
        while True:
            heard = pcm(await audio.read(audio.sample_rate // 5))
            if rms(heard) > 500 and abs(dominant_frequency(heard, audio.sample_rate) - hz) < 10:
                return
