"""The audio of a connected call."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

from support.peers import LOOPBACK, connected, negotiate
from support.signals import chirp, dominant_frequency, find, pcm, rms, silence, tone
from telnyx_native.config import AudioConfig
from telnyx_native.errors import AudioClosedError
from telnyx_native.gateway.destinations.sounds import PROMPT
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.files import read_audio
from telnyx_native.media.stream import AudioStream
from telnyx_native.testing.recognition import SoundPattern

pytestmark = pytest.mark.sound


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 32_000, 48_000])
async def test_what_one_writes_the_other_reads_at_any_rate(engine: MediaEngine, rate: int) -> None:
    signal = chirp(0.25, rate)
    audio = AudioConfig(sample_rate=rate, capture_buffer=4)
    async with connected(engine, audio, audio) as (caller, callee):
        # The jitter buffer stretches the first second of a call until it has settled, and later when the machine is
        # busy: one of several times is enough.
        await caller.audio.write(np.concatenate([silence(1.0, rate), *[signal, silence(0.25, rate)] * 3]))
        heard = pcm(await callee.audio.read(round(2.6 * rate)))
    where, likeness = find(signal, heard)
    assert likeness > 0.8
    assert min(abs(where / rate - 1.05 - start) for start in (0, 0.5, 1)) < 0.15


async def test_rates_of_the_two_ends_are_independent(engine: MediaEngine) -> None:
    async with connected(engine, AudioConfig(sample_rate=8_000), AudioConfig(sample_rate=48_000)) as (caller, callee):
        await caller.audio.write(tone(1000, 1.0, 8_000))
        heard = pcm(await callee.audio.read(48_000))
    assert dominant_frequency(heard[24_000:], 48_000) == pytest.approx(1000, abs=5)


@pytest.mark.timed
async def test_writing_waits_while_the_queue_is_full_and_paces_the_writer(engine: MediaEngine) -> None:
    async with connected(engine, AudioConfig(playback_buffer=0.2)) as (caller, _):
        began = time.monotonic()
        await caller.audio.write(tone(440, 1.0, 16_000))
        took = time.monotonic() - began
        assert 0.6 < took < 1.5
        await caller.audio.drain()
        assert caller.audio.queued == 0
        assert caller.audio.counters.played == 16_000


@pytest.mark.timed
async def test_clear_reports_what_was_heard_and_frees_a_waiting_writer(engine: MediaEngine) -> None:
    async with connected(engine, AudioConfig(playback_buffer=1.0)) as (caller, callee):
        writing = asyncio.create_task(caller.audio.write(tone(440, 5.0, 16_000)))
        await callee.audio.read(16_000 // 2)
        cleared = caller.audio.clear()
        await asyncio.wait_for(writing, 1)
        assert cleared.heard + cleared.dropped == pytest.approx(5.0, abs=0.011)
        assert 0.3 < cleared.heard < 1.5
        assert caller.audio.queued == 0
        # What is still under way arrives, then silence.
        await callee.audio.read(16_000 // 2)
        assert rms(pcm(await callee.audio.read(1600))) < 50


async def test_heard_counts_from_the_last_drain(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, _):
        await caller.audio.write(tone(440, 0.3, 16_000))
        await caller.audio.drain()
        assert caller.audio.clear().heard == 0


async def test_several_tasks_can_wait_for_their_own_audio_to_be_played(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, _):
        finished: list[str] = []

        async def say(name: str, seconds: float) -> None:
            await caller.audio.write(tone(440, seconds, 16_000))
            await caller.audio.drain()
            finished.append(name)

        async with asyncio.TaskGroup() as group:
            group.create_task(say("short", 0.1))
            await asyncio.sleep(0)
            group.create_task(say("long", 0.4))
        assert finished == ["short", "long"]


async def test_iterating_gives_frames_of_20_ms_until_the_call_ends(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, callee):
        frames: list[bytes] = []

        async def listen() -> None:
            frames.extend([frame async for frame in callee.audio])

        listening = asyncio.create_task(listen())
        await caller.audio.write(tone(440, 0.5, 16_000))
        await caller.audio.drain()
        await callee.close()
        await asyncio.wait_for(listening, 1)
    assert len(frames) >= 20
    assert all(len(frame) == 640 for frame in frames[:-1])


async def test_received_audio_survives_the_end_of_the_call(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, callee):
        await caller.audio.write(tone(440, 0.5, 16_000))
        await caller.audio.drain()
        await callee.audio.read(160)
        await callee.close()
        assert callee.audio.readable > 0.2
        rest = await callee.audio.read(16_000)
        assert 0 < len(rest) < 32_000
        assert await callee.audio.read(160) == b""


async def test_the_end_of_the_call_is_a_typed_error_for_writers(engine: MediaEngine) -> None:
    async with connected(engine, AudioConfig(playback_buffer=0.1)) as (caller, _):
        writing = asyncio.create_task(caller.audio.write(tone(440, 5.0, 16_000)))
        draining = asyncio.create_task(caller.audio.drain())
        await asyncio.sleep(0)
        await caller.close()
        with pytest.raises(AudioClosedError):
            await asyncio.wait_for(writing, 1)
        with pytest.raises(AudioClosedError):
            await asyncio.wait_for(draining, 1)
        with pytest.raises(AudioClosedError):
            caller.audio.write_nowait(b"\0\0")


async def test_a_cancelled_read_or_write_leaves_the_stream_usable(engine: MediaEngine) -> None:
    async with connected(engine, AudioConfig(playback_buffer=0.2)) as (caller, callee):
        for stuck in (caller.audio.write(tone(440, 9, 16_000)), callee.audio.read(30_000)):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(stuck, 0.1)
        caller.audio.clear()
        await caller.audio.write(tone(880, 0.5, 16_000))
        heard = pcm(await callee.audio.read(16_000))
        assert dominant_frequency(heard[-8000:], 16_000) == pytest.approx(880, abs=10)


async def test_muted_sends_silence(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, callee):
        caller.audio.muted = True
        await caller.audio.write(tone(440, 1.0, 16_000))
        assert rms(pcm(await callee.audio.read(16_000))) < 50
        assert caller.audio.muted


async def test_a_read_may_be_longer_than_the_queue_and_loses_nothing_when_cancelled(engine: MediaEngine) -> None:
    async with connected(engine, callee_audio=AudioConfig(capture_buffer=0.2)) as (caller, callee):
        await caller.audio.write(tone(440, 4, 16_000))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(callee.audio.read(32_000), 0.5)
        assert callee.audio.readable > 0.3
        buffer = np.zeros(1600, np.int16)
        assert callee.audio.readinto(buffer) == 1600
        heard = pcm(await callee.audio.read(16_000))
        assert len(heard) == 16_000
        assert callee.audio.counters.capture_lost == 0
        captured = callee.audio.counters.captured
        assert captured - 1600 - 16_000 == pytest.approx(callee.audio.readable * 16_000, abs=400)


async def test_reading_nothing_is_refused() -> None:
    stream = AudioStream(AudioConfig())
    with pytest.raises(ValueError, match="at least one"):
        await stream.read(0)


async def test_what_is_written_before_there_is_a_way_to_the_remote_waits_for_it(engine: MediaEngine) -> None:
    caller, callee = (engine.create_peer(LOOPBACK, AudioConfig()) for _ in range(2))
    said = read_audio(PROMPT, 16_000)[: 3 * 8_000]
    await caller.audio.write(said)
    await asyncio.sleep(0.5)  # that a remote takes to answer
    assert caller.audio.queued == 1.5
    await negotiate(caller, callee)
    heard = pcm(await asyncio.wait_for(callee.audio.read(2 * 16_000), 10))
    assert SoundPattern(said, 16_000).find(heard).similarity > 0.8
    for peer in (caller, callee):
        await peer.close()


RATE = 16_000


async def test_audio_that_is_awaited_in_another_loop_is_refused_and_goes_on(engine: MediaEngine) -> None:
    """A web server's worker thread, say."""
    async with connected(engine) as (caller, callee):
        audio = caller.audio
        tap = audio.tap()
        for work in (
            lambda: audio.read(RATE),
            lambda: audio.write(bytes(200 * RATE)),
            lambda: audio.drain(),
            lambda: anext(audio.frames()),
            lambda: tap.read(RATE),
        ):
            with pytest.raises(RuntimeError, match="belongs to the event loop"):
                await asyncio.to_thread(asyncio.run, asyncio.wait_for(work(), 2))
        with pytest.raises(RuntimeError, match="belongs to the event loop"):
            await asyncio.to_thread(asyncio.run, played_elsewhere(audio))
        callee.audio.write_nowait(tone(620, 3.0, RATE).data)
        await audio.read(RATE)
        assert dominant_frequency(pcm(await audio.read(RATE // 2)), RATE) == pytest.approx(620, abs=10)
        assert audio.queued == 0


async def played_elsewhere(audio: AudioStream) -> None:
    audio.play(bytes(RATE))
