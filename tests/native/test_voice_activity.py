"""When the far end speaks."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

import telnyx_native
from support.peers import connected
from support.signals import silence, tone
from telnyx_native.config import AudioConfig, VoiceActivityConfig
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.files import read_audio

SPEECH = Path(telnyx_native.__file__).parent / "assets/prompt.flac"


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 48_000])
async def test_speech_between_silences_begins_once_and_ends_once(engine: MediaEngine, rate: int) -> None:
    speech = read_audio(SPEECH, rate)[: 2 * rate]
    audio = AudioConfig(sample_rate=rate, voice_activity=VoiceActivityConfig(hangover=0.6))
    async with connected(engine, audio, audio) as (caller, callee):
        events = callee.audio.voice_activity_flow.collect()
        await caller.audio.write(np.concatenate([silence(1.0, rate), speech, silence(1.5, rate)]))
        async with asyncio.timeout(10):
            began, ended = [await anext(events) for _ in range(2)]
        await caller.close()
    assert (began.speaking, ended.speaking) == (True, False)
    assert 0.9 < began.at < 1.6
    assert 1.5 < ended.at - began.at < 2.5


async def test_interrupting_takes_three_lines(engine: MediaEngine) -> None:
    async with connected(engine) as (bot, human):

        async def yield_to_speech() -> None:
            async for event in bot.audio.voice_activity_flow:
                if event.speaking:
                    bot.audio.clear()

        yielding = asyncio.create_task(yield_to_speech())
        saying = asyncio.create_task(bot.audio.write(tone(440, 20, 16_000)))
        await human.audio.write(silence(0.5, 16_000))
        await human.audio.write(read_audio(SPEECH, 16_000))
        await asyncio.wait_for(saying, 5)  # long before its 20 seconds are over
        assert bot.audio.queued == 0
        yielding.cancel()


async def test_looking_for_speech_can_be_given_up_and_taken_up_again(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, callee):
        with callee.audio.voice_activity_flow.collect() as first:
            await caller.audio.write(read_audio(SPEECH, 16_000)[:32_000])
            assert (await asyncio.wait_for(anext(first), 5)).speaking
        await caller.audio.write(np.tile(np.concatenate([read_audio(SPEECH, 16_000)[:16_000], silence(1, 16_000)]), 2))
        await caller.audio.drain()
        # The first change after that told nobody, and ended the looking: a new one begins from silence.
        again = callee.audio.voice_activity_flow.collect()
        await caller.audio.write(read_audio(SPEECH, 16_000)[:32_000])
        assert (await asyncio.wait_for(anext(again), 5)).speaking
