"""When the remote speaks."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from support.peers import connected
from support.signals import silence, tone
from telnyx_native.config import AudioConfig, VoiceActivityConfig
from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway.destinations.sounds import PROMPT
from telnyx_native.media.detectors import VoiceActivityDetector
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.files import read_audio
from telnyx_native.media.tones import dtmf_tones
from telnyx_native.media.turns import Speaker, Turn


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 48_000])
async def test_speech_between_silences_begins_once_and_ends_once(engine: MediaEngine, rate: int) -> None:
    speech = read_audio(PROMPT, rate)[: 2 * rate]
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
        await human.audio.write(read_audio(PROMPT, 16_000))
        await asyncio.wait_for(saying, 5)  # long before its 20 seconds are over
        assert bot.audio.queued == 0
        yielding.cancel()


async def test_looking_for_speech_can_be_given_up_and_taken_up_again(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, callee):
        with callee.audio.voice_activity_flow.collect() as first:
            await caller.audio.write(read_audio(PROMPT, 16_000)[:32_000])
            assert (await asyncio.wait_for(anext(first), 5)).speaking
        await caller.audio.write(np.tile(np.concatenate([read_audio(PROMPT, 16_000)[:16_000], silence(1, 16_000)]), 2))
        await caller.audio.drain()
        # The first change after that told nobody, and ended the looking: a new one begins from silence.
        again = callee.audio.voice_activity_flow.collect()
        await caller.audio.write(read_audio(PROMPT, 16_000)[:32_000])
        assert (await asyncio.wait_for(anext(again), 5)).speaking


async def test_speech_shorter_than_the_onset_is_none(engine: MediaEngine) -> None:
    audio = AudioConfig(voice_activity=VoiceActivityConfig(onset=1.2, hangover=0.3))
    speech = read_audio(PROMPT, 16_000)
    async with connected(engine, None, audio) as (caller, callee):
        events = callee.audio.voice_activity_flow.collect()
        short, long = speech[: 16_000 // 2], speech[16_000:56_000]
        await caller.audio.write(np.concatenate([silence(0.5, 16_000), short, silence(1.5, 16_000), long]))
        async with asyncio.timeout(15):
            began = await anext(events)
    assert began.speaking
    assert began.at > 2  # after the short one


@pytest.mark.parametrize("in_sound", [False, True])
async def test_keys_are_not_speech(engine: MediaEngine, in_sound: bool) -> None:
    async with connected(engine) as (caller, callee):
        events = callee.audio.voice_activity_flow.collect()
        await caller.audio.write(silence(1.0, 16_000))
        await caller.audio.drain()
        if in_sound:
            await caller.audio.write(dtmf_tones("15*9", 16_000, duration=0.2, gap=0.2))
        else:
            await caller.insert_dtmf("15*9", duration=0.1, gap=0.3)
        await asyncio.sleep(2.0)
        await caller.audio.write(read_audio(PROMPT, 16_000)[:32_000])
        began = await asyncio.wait_for(anext(events), 10)
    assert began.at > 3


def share_of_speech(samples: np.ndarray, rate: int, aggressiveness: int, *, milliseconds: int = 10) -> float:
    detector, size = VoiceActivityDetector(rate, aggressiveness), rate * milliseconds // 1000
    frames = [samples[i : i + size] for i in range(0, len(samples) - size + 1, size)]
    return float(np.mean([detector.is_speech(frame) for frame in frames]))


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 32_000, 48_000])
def test_the_detector_alone_knows_speech_from_silence_and_noise(rate: int) -> None:
    noise = np.random.default_rng(3).normal(0, 300, 3 * rate).astype(np.int16)
    assert share_of_speech(read_audio(PROMPT, rate), rate, 2) > 0.6
    assert share_of_speech(silence(1, rate), rate, 0) == 0
    assert share_of_speech(noise, rate, 3) < 0.1


@pytest.mark.parametrize("milliseconds", [10, 20, 30, 60])
def test_frames_may_be_any_number_of_ticks_long(milliseconds: int) -> None:
    assert share_of_speech(read_audio(PROMPT, 16_000), 16_000, 2, milliseconds=milliseconds) > 0.6


def test_what_the_detector_refuses() -> None:
    detector = VoiceActivityDetector(16_000)
    for length in (0, 100, 161):
        with pytest.raises(ValueError, match="10 ms"):
            detector.is_speech(bytes(2 * length))
    for wrong in (np.zeros(160, np.float32), np.zeros(320, np.int16)[::2], np.zeros((2, 160), np.int16)):
        with pytest.raises(TypeError, match="16-bit"):
            detector.is_speech(wrong)
    with pytest.raises(ValueError, match="44100"):
        VoiceActivityDetector(44_100)
    with pytest.raises(ConfigurationError, match="aggressiveness"):
        VoiceActivityDetector(16_000, 4)


@pytest.mark.parametrize("wrong", [{"aggressiveness": -1}, {"onset": 0}, {"onset": 11}, {"hangover": 61}])
def test_settings_that_cannot_be(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError):
        VoiceActivityConfig(**wrong)


async def interrupts(engine: MediaEngine, said: np.ndarray, config: VoiceActivityConfig) -> bool:
    """Whether something that is said while the bot speaks counts as speech, and so as a turn."""
    async with connected(engine, None, AudioConfig(voice_activity=config)) as (human, bot):
        events, turns = bot.audio.voice_activity_flow.collect(), bot.audio.turn_flow.collect()
        saying = asyncio.create_task(bot.audio.write(tone(440, 4, 16_000)))
        await human.audio.write(np.concatenate([silence(1.0, 16_000), said, silence(1.5, 16_000)]))
        await human.audio.drain()
        await bot.close()
        saying.cancel()
        interrupted = any([event.speaking async for event in events])
        speakers = [event.speaker async for event in turns if isinstance(event, Turn)]
        assert (Speaker.REMOTE in speakers) is interrupted
        return interrupted


@pytest.mark.parametrize(("barge_in", "interrupted"), [(None, True), (0.6, False)])
async def test_a_short_word_interrupts_only_if_it_may(
    engine: MediaEngine, barge_in: float | None, interrupted: bool
) -> None:
    word = read_audio(PROMPT, 16_000)[: 2 * 16_000 // 5]
    assert await interrupts(engine, word, VoiceActivityConfig(barge_in=barge_in)) is interrupted


@pytest.mark.parametrize(("echo_loss", "quieter", "interrupted"), [(0, 30, True), (20, 30, False), (20, 6, True)])
async def test_an_echo_interrupts_nobody(
    engine: MediaEngine, echo_loss: float, quieter: float, interrupted: bool
) -> None:
    speech = read_audio(PROMPT, 16_000)[: 2 * 16_000]
    heard = (speech * 10 ** (-quieter / 20)).astype(np.int16)
    assert await interrupts(engine, heard, VoiceActivityConfig(echo_loss=echo_loss)) is interrupted


@pytest.mark.parametrize("wrong", [{"barge_in": 0.01}, {"barge_in": 11}, {"echo_loss": 61}, {"echo_loss": -1}])
def test_gates_that_cannot_be(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        VoiceActivityConfig(**wrong)
