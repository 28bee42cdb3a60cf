"""What is left of echo and noise, and what becomes of the voice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from support.limit import LIMIT
from support.peers import connected
from support.signals import Pcm, find, pcm, rms, silence
from telnyx_native.config import AudioConfig, AudioProcessing, NoiseSuppression
from telnyx_native.gateway.destinations.sounds import PROMPT
from telnyx_native.media.audio_processor import AudioProcessor
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.files import read_audio
from telnyx_native.media.tones import dtmf_tones

RECORDED_NOISE = Path(__file__).parents[1] / "data/hiss.flac"
ONLY_ECHO = AudioProcessing(noise_suppression=NoiseSuppression.OFF, gain_control=False)
ONLY_NOISE = AudioProcessing(echo_cancellation=False, gain_control=False)
ONLY_GAIN = AudioProcessing(echo_cancellation=False, noise_suppression=NoiseSuppression.OFF)
NOTHING = AudioProcessing(
    echo_cancellation=False, noise_suppression=NoiseSuppression.OFF, gain_control=False, high_pass=False
)


def speech(rate: int, seconds: float) -> Pcm:
    spoken = read_audio(PROMPT, rate)
    return np.tile(spoken, round(seconds * rate) // len(spoken) + 1)[: round(seconds * rate)]


def echo_of(far: Pcm, rate: int, *, delay: float = 0.06) -> Pcm:
    """What a microphone hears of a loudspeaker in a small room: 60 ms later, 12 dB less, and its reverberation."""
    rng = np.random.default_rng(7)
    length = round(0.1 * rate)
    room = rng.normal(0, 1, length) * 10 ** (-3 * np.arange(length) / length)
    room *= 0.25 / np.sqrt(np.sum(room**2))
    heard = np.convolve(far, room)[: len(far)]
    return np.concatenate([silence(delay, rate), heard.astype(np.int16)])[: len(far)]


def process(processor: AudioProcessor, near: Pcm, far: Pcm | None, rate: int) -> Pcm:
    size, processed = rate // 100, bytearray()
    for i in range(0, len(near) - size + 1, size):
        if far is not None:
            processor.add_far_end(far[i : i + size])
        processed += processor.process(near[i : i + size])
    return pcm(bytes(processed))


def decibels(louder: Pcm, quieter: Pcm) -> float:
    return 20 * float(np.log10(rms(louder) / max(rms(quieter), 0.01)))


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 32_000, 48_000])
def test_an_echo_is_25_decibels_quieter(rate: int) -> None:
    far = speech(rate, 12)
    echo = echo_of(far, rate)
    left = process(AudioProcessor(rate, ONLY_ECHO), echo, far, rate)
    settled = 4 * rate
    assert decibels(echo[settled:], left[settled:]) > 25


@pytest.mark.parametrize("delay", [0.02, 0.15, 0.45])
def test_the_delay_of_an_echo_is_found(delay: float) -> None:
    rate = 16_000
    far = speech(rate, 14)
    echo = echo_of(far, rate, delay=delay)
    left = process(AudioProcessor(rate, ONLY_ECHO), echo, far, rate)
    assert decibels(echo[6 * rate :], left[6 * rate :]) > 25


def test_who_speaks_while_there_is_an_echo_is_heard() -> None:
    rate = 16_000
    far = speech(rate, 12)
    near = np.concatenate([silence(8, rate), read_audio(PROMPT, rate)[: 4 * rate]])
    left = process(AudioProcessor(rate, ONLY_ECHO), echo_of(far, rate) + near, far, rate)
    assert abs(decibels(near[8 * rate :], left[8 * rate :])) < 6


def test_noise_is_suppressed_by_level_and_speech_stays() -> None:
    rate = 16_000
    noise = np.random.default_rng(1).normal(0, 400, 8 * rate).astype(np.int16)
    reductions = []
    for level in NoiseSuppression:
        options = AudioProcessing(echo_cancellation=False, noise_suppression=level, gain_control=False)
        left = process(AudioProcessor(rate, options), noise, None, rate)
        reductions.append(decibels(noise[4 * rate :], left[4 * rate :]))
    assert reductions == sorted(reductions)
    assert reductions[0] < 2
    assert reductions[NoiseSuppression.HIGH.value] > 12
    spoken = read_audio(PROMPT, rate)[: 8 * rate]
    noisy = np.clip(spoken.astype(int) + noise[: len(spoken)], -32768, 32767).astype(np.int16)
    left = process(AudioProcessor(rate, ONLY_NOISE), noisy, None, rate)
    assert abs(decibels(spoken, left)) < 4


def test_recorded_noise_is_suppressed_too() -> None:
    rate = 16_000
    noise = read_audio(RECORDED_NOISE, rate)
    left = process(AudioProcessor(rate, ONLY_NOISE), noise, None, rate)
    assert decibels(noise[4 * rate :], left[4 * rate :]) > 12
    spoken = read_audio(PROMPT, rate)[: len(noise)]
    noisy = np.clip(spoken.astype(int) + noise[: len(spoken)], -32768, 32767).astype(np.int16)
    left = process(AudioProcessor(rate, ONLY_NOISE), noisy, None, rate)
    assert abs(decibels(spoken, left)) < 4


def test_quiet_speech_becomes_louder() -> None:
    rate = 16_000
    quiet = (speech(rate, 12) * 0.05).astype(np.int16)
    left = process(AudioProcessor(rate, ONLY_GAIN), quiet, None, rate)
    assert decibels(left[6 * rate :], quiet[6 * rate :]) > 10


def test_with_everything_off_the_sound_is_what_it_was() -> None:
    rate = 16_000
    spoken = speech(rate, 2)
    assert np.array_equal(process(AudioProcessor(rate, NOTHING), spoken, spoken, rate), spoken)


def test_frames_may_be_any_number_of_ticks_long() -> None:
    rate = 16_000
    noisy = np.random.default_rng(1).normal(0, 400, rate).astype(np.int16)
    whole = AudioProcessor(rate, ONLY_NOISE).process(noisy)
    assert np.array_equal(pcm(whole), process(AudioProcessor(rate, ONLY_NOISE), noisy, None, rate))


def test_what_the_processor_refuses() -> None:
    processor = AudioProcessor(16_000)
    for take in (processor.process, processor.add_far_end):
        for length in (0, 100, 161):
            with pytest.raises(ValueError, match="10 ms"):
                take(bytes(2 * length))
        for wrong in (np.zeros(160, np.float32), np.zeros(320, np.int16)[::2], np.zeros((2, 160), np.int16)):
            with pytest.raises(TypeError, match="16-bit"):
                take(wrong)
    with pytest.raises(ValueError, match="44100"):
        AudioProcessor(44_100)


@pytest.mark.sound
@pytest.mark.parametrize("processing", [None, ONLY_ECHO])
async def test_a_loudspeaker_beside_the_microphone(engine: MediaEngine, processing: AudioProcessing | None) -> None:
    """The kiosk plays what it receives, and its microphone hears that: does the caller hear himself?

    The loudspeaker has a buffer, as a sound card has: an echo is as late after an event loop stood still as before.
    """
    rate = 16_000
    buffered = silence(0.2, rate)
    async with connected(engine, None, AudioConfig(sample_rate=rate, processing=processing)) as (caller, kiosk):

        async def play_and_hear() -> None:
            async for frame in kiosk.audio:
                if not kiosk.audio.queued:
                    kiosk.audio.write_nowait(buffered)
                kiosk.audio.write_nowait((np.frombuffer(frame, np.int16) * 0.25).astype(np.int16))

        acoustics = asyncio.create_task(play_and_hear())
        said = speech(rate, LIMIT)
        saying = asyncio.create_task(caller.audio.write(said))
        reductions = list[float]()
        async with asyncio.timeout(LIMIT):  # it finds the echo anew when the buffer ran out
            while len(reductions) < 4 or (processing and reductions[-1] < 30):
                reductions.append(decibels(said, pcm(await caller.audio.read(rate))))
        saying.cancel()
        acoustics.cancel()
    assert processing or max(reductions[1:]) < 20


async def received_as(engine: MediaEngine, receive_processing: AudioProcessing | None, sent: Pcm) -> Pcm:
    """What a call with this processing hears, without the silence before the first packet."""
    config = AudioConfig(receive_processing=receive_processing)
    async with connected(engine, None, config) as (caller, callee):
        with callee.audio.tap() as tap:
            await caller.audio.write(sent)
            heard = [pcm(await callee.audio.read(len(sent) // 2)) for _ in range(2)]
            tapped = pcm(await tap.read(len(sent) // 2))
        both = np.concatenate(heard)
    assert find(tapped[16_000:32_000], both)[1] > 0.99  # whoever listens hears the same
    return both


async def test_what_is_received_loses_its_noise_before_anybody_hears_it(engine: MediaEngine) -> None:
    rng = np.random.default_rng(2)
    hiss = rng.normal(0, 300, 6 * 16_000).astype(np.int16)
    plain = await received_as(engine, None, hiss)
    quiet = await received_as(engine, AudioProcessing(gain_control=False), hiss)
    assert decibels(plain[48_000:80_000], quiet[48_000:80_000]) > 10


async def test_keys_in_the_sound_are_found_behind_it(engine: MediaEngine) -> None:
    config = AudioConfig(receive_processing=AudioProcessing(), dtmf_tones=True)
    async with connected(engine, None, config) as (caller, callee):
        keys = callee.audio.dtmf_flow.collect()
        await caller.audio.write(
            np.concatenate([silence(0.5, 16_000), dtmf_tones("159D", 16_000), silence(0.2, 16_000)])
        )
        async with asyncio.timeout(LIMIT):
            assert "".join([(await anext(keys)).key for _ in range(4)]) == "159D"
