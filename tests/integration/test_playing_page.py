"""The program in docs/playing.md, run as it stands there, against a gateway."""

from __future__ import annotations

import asyncio
import re

import numpy as np

from support.limit import LIMIT
from support.pages import program_under
from support.scripts import outcome, program, someone_logged_in
from support.signals import pcm, silence
from telnyx_native.gateway import Gateway, User
from telnyx_native.gateway.destinations.sounds import PROMPT
from telnyx_native.media.files import read_audio

RATE = 16_000


def loudest(heard: np.ndarray, hz: int) -> float:
    """The amplitude of a tone, in that tenth of a second in which it is loudest: a jitter buffer may stretch it."""
    size = RATE // 10
    wave = np.exp(-2j * np.pi * hz * np.arange(size) / RATE) * np.hanning(size)
    starts = range(0, len(heard) - size, size // 2)
    return float(max(abs(np.sum(heard[start : start + size] * wave)) for start in starts) * 4 / size)


async def test_the_bot() -> None:
    async with (
        Gateway([User("alice", "demo")]) as gateway,
        program("-c", program_under("A bot that uses them", "playing.md", gateway.url)) as process,
    ):
        await someone_logged_in(gateway)
        caller = await gateway.place_call("alice", from_="+15550199")
        await caller.wait_answered(LIMIT)
        await caller.media.wait_connected()
        heard = pcm(await caller.audio.read(2 * RATE))[RATE:]  # two words, and the music under them
        talking = asyncio.create_task(
            caller.audio.write(np.concatenate([read_audio(PROMPT, RATE), silence(1.0, RATE)]))
        )
        code, output, errors = await outcome(process)
        beep = pcm(caller.audio.read_nowait())
        talking.cancel()
    assert code == 0, errors
    assert re.fullmatch(r"heard to the end: False, after \d\.\d s\n", output)
    word = max(loudest(heard, hz) for hz in range(500, 1101, 100))
    assert word > 2000
    assert 50 < loudest(heard, 250) < word / 3
    assert loudest(beep, 1000) > 2000
