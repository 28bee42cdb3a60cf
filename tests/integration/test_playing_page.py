"""The program in docs/playing.md, run as it stands there, against a gateway."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import numpy as np

import telnyx_native
from support.scripts import LIMIT, outcome, program, someone_logged_in
from support.signals import pcm, silence
from telnyx_native.gateway import Gateway, User
from telnyx_native.media.files import read_audio

PAGE = Path(__file__).parents[2] / "docs/playing.md"
SPEECH = Path(telnyx_native.__file__).parent / "assets/prompt.flac"
RATE = 16_000


def loudness(heard: np.ndarray, hz: int) -> float:
    """The amplitude of a tone in what was heard."""
    t = np.arange(len(heard)) / RATE
    return float(2 * abs(np.mean(heard * np.exp(-2j * np.pi * hz * t))))


async def test_the_bot() -> None:
    section = PAGE.read_text().split("\n## A bot that uses them\n")[1]
    source = re.findall(r"```python\n(.*?)```", section, re.DOTALL)[0]
    async with (
        Gateway([User("alice", "demo")]) as gateway,
        program("-c", source.replace("ws://127.0.0.1:8899", gateway.url)) as process,
    ):
        await someone_logged_in(gateway)
        caller = await gateway.place_call("alice", from_="+15550199")
        await caller.wait_answered(LIMIT)
        await caller.media.connected()
        heard = pcm(await caller.audio.read(2 * RATE))[RATE:]  # two words, and the music under them
        talking = asyncio.create_task(
            caller.audio.write(np.concatenate([read_audio(SPEECH, RATE), silence(1.0, RATE)]))
        )
        code, output, errors = await outcome(process)
        beep = pcm(caller.audio.read_nowait())
        talking.cancel()
    assert code == 0, errors
    assert re.fullmatch(r"heard to the end: False, after \d\.\d s\n", output)
    word = max(
        loudness(heard[start : start + RATE // 4], hz) for start in (0, RATE // 2) for hz in range(500, 1101, 100)
    )
    assert word > 2000
    assert 50 < loudness(heard, 250) < word / 3
    assert max(loudness(beep[start : start + 1600], 1000) for start in range(0, len(beep) - 1600, 800)) > 2000
