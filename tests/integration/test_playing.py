"""What one user plays, another hears: over real calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from support.limit import LIMIT
from support.signals import dominant_frequency, likeness, pcm, rms, silence, tone
from support.users import answered_call
from telnyx_native import AudioClosedError, AudioConfig, AudioEncoding, TelnyxClient
from telnyx_native.gateway.destinations.sounds import PROMPT
from telnyx_native.media.files import read_audio
from telnyx_native.media.tones import dtmf_tones

pytestmark = pytest.mark.sound

RATE = 16_000


async def hears(audio, hz: int) -> None:
    """Wait until a tone is heard."""
    for _ in range(30):
        heard = pcm(await audio.read(RATE // 5))
        if rms(heard) > 300 and abs(dominant_frequency(heard, RATE) - hz) < 10:
            return
    raise AssertionError(f"{dominant_frequency(heard, RATE):.0f} Hz, {rms(heard):.0f} loud, but not {hz} Hz")


async def test_a_file_is_heard_as_it_is(alice: TelnyxClient, bob: TelnyxClient, tmp_path: Path) -> None:
    outbound, inbound = await answered_call(alice, bob, "bob", audio=AudioConfig(capture_buffer=10))
    await outbound.audio.read(RATE)  # the jitter buffers settle
    inbound.audio.read_nowait()
    path = tmp_path / "speech.flac"
    soundfile.write(path, read_audio(PROMPT, 44_100)[: 3 * 44_100], 44_100)
    playback = outbound.audio.play(path)
    heard = pcm(await inbound.audio.read(4 * RATE))
    assert await playback
    assert likeness(read_audio(PROMPT, RATE)[: 3 * RATE], heard) > 0.8


async def test_a_speech_service_of_the_telephone_kind(alice: TelnyxClient, bob: TelnyxClient) -> None:
    """The called one reads and writes A-law at 8 kHz; what it hears goes to a service, which gives it back."""
    telephone = AudioConfig(8_000, encoding=AudioEncoding.ALAW)
    outbound, inbound = await answered_call(alice, bob, "bob", audio=telephone)

    async def service() -> AsyncIterator[bytes]:
        async for frame in inbound.audio:
            assert len(frame) == 160
            yield frame

    playback = inbound.audio.play(service())
    talking = asyncio.create_task(outbound.audio.write(tone(600, 3, RATE)))
    await hears(outbound.audio, 600)
    await talking
    await outbound.end()
    await inbound.wait_done()
    with pytest.raises(AudioClosedError):
        await playback


async def test_an_interruption_is_heard_as_silence_and_music_goes_on(alice: TelnyxClient, bob: TelnyxClient) -> None:
    outbound, inbound = await answered_call(alice, bob, "bob")
    with outbound.audio.layer(volume=0.25) as layer:
        layer.play(tone(400, 1.0, 24_000), sample_rate=24_000, loop=True)
        outbound.audio.play(tone(1200, 20.0, RATE))
        queued = outbound.audio.play(PROMPT)
        await hears(inbound.audio, 1200)
        cleared = outbound.audio.clear()
        assert cleared.heard > 0.02
        assert cleared.heard + cleared.dropped == pytest.approx(20, abs=0.05)
        assert not await queued
        await hears(inbound.audio, 400)
        layer.pause()
        await hears_nothing(inbound.audio)
        layer.resume()
        await hears(inbound.audio, 400)


async def hears_nothing(audio) -> None:
    for _ in range(30):
        if rms(pcm(await audio.read(RATE // 5))) < 50:
            return
    raise AssertionError("it is not silent")


async def test_keys_that_are_played_are_keys(alice: TelnyxClient) -> None:
    call = await alice.new_invite("echo", audio=AudioConfig(dtmf_tones=True))
    await call.wait_active(LIMIT)
    keys = call.dtmf_flow.collect()
    call.audio.play(silence(1.0, RATE))
    call.audio.play(dtmf_tones("159D", 48_000, duration=0.15, gap=0.1), sample_rate=48_000)
    async with asyncio.timeout(LIMIT):
        assert [(await anext(keys)).key for _ in range(4)] == ["1", "5", "9", "D"]


@pytest.mark.timed
async def test_marks_in_a_call_are_heard_in_time(alice: TelnyxClient) -> None:
    call = await alice.new_invite("tone:440")
    await call.wait_active(LIMIT)
    loop = asyncio.get_running_loop()
    began = loop.time()
    call.audio.play(np.zeros(RATE, np.int16))
    assert await call.audio.mark("a second")
    assert loop.time() - began > 0.97
    await call.audio.drain()
    await call.end()
