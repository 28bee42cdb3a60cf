"""What is played and when it is heard, tick by tick."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from support.hand_clock import HandClock
from support.signals import Pcm, dominant_frequency, pcm, rms, tone
from telnyx_native.config import AudioConfig, AudioEncoding
from telnyx_native.errors import AudioClosedError, ConfigurationError
from telnyx_native.media.stream import AudioStream
from telnyx_native.media.tones import dtmf_tones, progress_tone

RATE = 16_000
FRAME = RATE // 100


def steps(seconds: float, start: int = 1) -> Pcm:
    """Samples that each say where they are."""
    return ((start + np.arange(round(seconds * RATE))) % 30_000).astype(np.int16)


async def tick_until(clock: HandClock, done: asyncio.Future[object] | asyncio.Task[object], limit: int = 1000) -> None:
    for _ in range(limit):
        if done.done():
            return
        await clock.tick()
        await asyncio.sleep(0.0005)  # for what is read on another thread
    raise AssertionError("not done")


async def test_an_array_longer_than_the_queue_is_heard_to_the_sample(stream: AudioStream, clock: HandClock) -> None:
    playback = stream.play(steps(1.5))
    await clock.tick(20)
    assert playback.seconds_heard == pytest.approx(0.2)
    assert not playback.done
    await clock.tick(132)
    np.testing.assert_array_equal(clock.sent[: round(1.5 * RATE)], steps(1.5))
    assert not clock.sent[round(1.5 * RATE) :].any()
    assert await playback
    assert playback.seconds_heard == 1.5


async def test_what_is_asked_for_is_heard_in_order(stream: AudioStream, clock: HandClock) -> None:
    async def stream_of_two() -> AsyncIterator[bytes]:
        yield steps(0.1, 5001).tobytes()
        yield steps(0.1, 6601).tobytes()

    first = stream.play(steps(0.3))
    second = stream.play(stream_of_two())
    writing = asyncio.create_task(stream.write(steps(0.8, 8201)))
    await asyncio.sleep(0)
    assert stream.write_nowait(steps(0.1)) == 0
    third = stream.play(steps(0.1, 21_001).tobytes())
    await clock.tick(140)
    expected = np.concatenate([steps(0.3), steps(0.2, 5001), steps(0.8, 8201), steps(0.1, 21_001)])
    np.testing.assert_array_equal(clock.sent[: len(expected)], expected)
    assert [first.heard, second.heard, third.heard] == [True] * 3
    await writing


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
async def test_a_file_of_another_rate(stream: AudioStream, clock: HandClock, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"greeting.{suffix}"
    left = tone(1000, 0.7, 44_100)
    soundfile.write(path, np.column_stack([left, left]), 44_100)
    for what in (path, str(path), io.BytesIO(path.read_bytes())):
        playback = stream.play(what)
        waiting = asyncio.ensure_future(playback)
        start = len(clock.frames)
        await tick_until(clock, waiting)
        assert waiting.result()
        assert playback.seconds_heard == pytest.approx(0.7, abs=0.001)
        heard = np.concatenate(clock.frames[start:])
        assert dominant_frequency(heard, RATE) == pytest.approx(1000, abs=3)
        assert rms(np.trim_zeros(heard)) == pytest.approx(5657, rel=0.05)


async def test_telephone_bytes_of_an_async_generator(stream: AudioStream, clock: HandClock) -> None:
    from telnyx_native import _audio

    said = tone(700, 0.6, 8000)
    code = _audio.encode(said.tobytes(), _audio.ULAW)

    async def speech() -> AsyncIterator[bytes]:
        for start in range(0, len(code), 333):
            yield code[start : start + 333]

    playback = stream.play(speech(), sample_rate=8000, encoding=AudioEncoding.ULAW)
    await clock.tick(70)
    assert await playback
    assert playback.seconds_heard == pytest.approx(0.6, abs=0.001)
    assert dominant_frequency(clock.sent[:9600], RATE) == pytest.approx(700, abs=3)
    assert rms(clock.sent[:9600]) == pytest.approx(5657, rel=0.02)


async def test_volume_and_fades(stream: AudioStream, clock: HandClock) -> None:
    level = np.full(RATE // 2, 10_000, np.int16)
    stream.play(level, volume=0.5, fade_in=0.1, fade_out=0.2)
    await clock.tick(50)
    sent = clock.sent.astype(int)
    assert sent[800] == pytest.approx(2500, abs=10)
    assert (sent[1600:4800] == 5000).all()
    assert sent[6400] == pytest.approx(2500, abs=10)
    assert sent[-1] == 0
    assert np.abs(np.diff(sent)).max() < 10


async def test_a_loop_has_no_seam_and_goes_on_until_it_is_cleared(stream: AudioStream, clock: HandClock) -> None:
    playback = stream.play(steps(0.25), loop=True)
    await clock.tick(100)
    np.testing.assert_array_equal(clock.sent, np.tile(steps(0.25), 4))
    stream.clear()
    assert not await playback
    assert playback.seconds_heard == 1.0
    await clock.tick()
    assert not (await clock.tick(60)).any()


async def test_clear_silences_a_generator_and_all_behind_it_within_a_tick(
    stream: AudioStream, clock: HandClock
) -> None:
    closed: list[bool] = []

    async def endless() -> AsyncIterator[Pcm]:
        try:
            while True:
                yield tone(440, 0.1, RATE)
        finally:
            closed.append(True)

    playback = stream.play(endless())
    behind = [stream.play(steps(1.0)), stream.play("tests/native/test_playing.py")]
    writing = asyncio.create_task(stream.write(steps(2.0)))
    mark = stream.mark("behind")
    await clock.tick(20)
    cleared = stream.clear()
    assert cleared.heard == pytest.approx(0.2)
    assert cleared.dropped >= 0.3 + 1.0 + 2.0
    last = await clock.tick()
    assert not last[FRAME // 2 :].any()  # it dies away in 5 ms
    assert not (await clock.tick(60)).any()
    assert closed == [True]
    assert not await playback
    assert playback.seconds_heard == pytest.approx(0.2)
    assert [await other for other in behind] == [False, False]
    assert not await mark
    await asyncio.wait_for(writing, 1)
    after = stream.play(steps(0.1))
    await clock.tick(10)
    np.testing.assert_array_equal(np.concatenate(clock.frames[-10:]), steps(0.1))
    assert after.heard


async def test_clear_before_anything_began(stream: AudioStream, clock: HandClock) -> None:
    playback = stream.play(steps(1.0))
    assert stream.clear().dropped == pytest.approx(1.0)
    assert not await playback
    assert not (await clock.tick(5)).any()
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("gives_in", [True, False])
async def test_a_generator_that_will_not_end_cannot_hold_up_a_clear(
    stream: AudioStream, clock: HandClock, gives_in: bool
) -> None:
    async def stubborn() -> AsyncIterator[bytes]:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                await asyncio.sleep(0.05)  # takes its time
                yield steps(0.1).tobytes()
                if gives_in:
                    raise

    playback = stream.play(stubborn())
    await clock.tick(3)
    stream.clear()
    assert not await asyncio.wait_for(playback, 0.01)
    after = stream.play(steps(0.1, 501))
    sent = await clock.tick(10)
    np.testing.assert_array_equal(sent, steps(0.1, 501))
    assert after.heard
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    if others:
        _, unfinished = await asyncio.wait(others, timeout=2)
        assert not unfinished
    assert not (await clock.tick(10)).any()


async def test_marks_tell_when_they_are_heard_and_not_before(stream: AudioStream, clock: HandClock) -> None:
    stream.write_nowait(steps(0.05))
    early = stream.mark("early")
    stream.play(steps(1.0))
    late = stream.mark("late")
    await clock.tick(4)
    assert not early.done
    await clock.tick(1)
    assert early.heard
    await clock.tick(99)
    assert not late.done
    await clock.tick(1)
    assert late.heard
    assert await stream.mark()  # with nothing before it, at once


async def test_a_clear_tells_marks_that_were_heard_from_those_that_were_not(
    stream: AudioStream, clock: HandClock
) -> None:
    marks = []
    for word in ("how", "are", "you"):
        stream.write_nowait(steps(0.1))
        marks.append(stream.mark(word))
    await clock.tick(15)
    stream.clear()
    assert [mark.label for mark in marks if mark.heard] == ["how"]
    assert all(mark.done for mark in marks)


async def test_a_pause_keeps_what_is_queued(stream: AudioStream, clock: HandClock) -> None:
    playback = stream.play(steps(0.5))
    await clock.tick(10)
    stream.pause()
    await clock.tick()
    assert not (await clock.tick(100)).any()
    assert stream.paused
    assert not playback.done
    stream.resume()
    await clock.tick(39)
    assert await playback
    np.testing.assert_array_equal(np.concatenate(clock.frames[-38:]), steps(0.5)[-38 * FRAME :])


async def test_a_layer_is_heard_under_the_speech(stream: AudioStream, clock: HandClock) -> None:
    with stream.layer(volume=0.5, ducked=0.2) as background:
        music = background.play(np.full(RATE // 10, 1000, np.int16), loop=True)
        await clock.tick(20)
        assert (clock.frames[-1] == 500).all()
        said = stream.play(np.full(RATE, 2000, np.int16))
        await clock.tick(50)
        assert (clock.frames[-1] == 2100).all()
        stream.clear()  # concerns the speech alone
        await clock.tick(100)
        assert clock.frames[-1][-1] == pytest.approx(500, abs=3)
        assert not music.done
        assert not await said
    assert not await music
    await clock.tick()
    assert not (await clock.tick(3)).any()
    with pytest.raises(AudioClosedError):
        background.play(steps(0.1))


async def test_layers_have_limits(stream: AudioStream) -> None:
    layers = [stream.layer() for _ in range(4)]
    with pytest.raises(ConfigurationError, match="close one"):
        stream.layer()
    layers[2].close()
    layers[2].close()
    with pytest.raises(ConfigurationError, match="volume"):
        stream.layer(volume=9)
    with pytest.raises(ConfigurationError, match="ducked"):
        stream.layer(ducked=-1)
    stream.layer().close()


async def test_tones_are_played_like_anything_else(stream: AudioStream, clock: HandClock) -> None:
    playback = stream.play(np.concatenate([progress_tone("busy", "eu", 0.5, RATE), dtmf_tones("5", RATE)]))
    await clock.tick(70)
    assert await playback
    assert dominant_frequency(clock.sent[: RATE // 2], RATE) == pytest.approx(425, abs=3)


async def test_what_cannot_be_played_says_so(stream: AudioStream, clock: HandClock, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no file"):
        stream.play("missing.wav")
    with pytest.raises(TypeError):
        stream.play(np.zeros((2, 10), np.int16))
    with pytest.raises(TypeError):
        stream.play(17)  # type: ignore[arg-type]
    for wrong in (
        {"volume": -1},
        {"volume": 100},
        {"fade_in": -1},
        {"fade_out": 1000},
        {"sample_rate": 10},
        {"encoding": "mp3"},
    ):
        with pytest.raises(ConfigurationError):
            stream.play(steps(0.1), **wrong)  # type: ignore[arg-type]
    text = tmp_path / "notes.wav"
    text.write_text("no sound")
    unreadable = stream.play(text)

    async def failing() -> AsyncIterator[bytes]:
        yield steps(0.1).tobytes()
        raise RuntimeError("the service is down")

    async def nonsense() -> AsyncIterator[bytes]:
        yield "text"  # type: ignore[misc]

    with pytest.raises(ConfigurationError, match="loop"):
        stream.play(failing(), loop=True)
    broken, senseless, good = stream.play(failing()), stream.play(nonsense()), stream.play(steps(0.1, 700))
    await tick_until(clock, asyncio.ensure_future(good))
    with pytest.raises(ConfigurationError, match="notes"):
        await unreadable
    with pytest.raises(RuntimeError, match="down"):
        await broken
    with pytest.raises(TypeError):
        await senseless
    assert good.heard  # whatever went wrong before it


async def test_an_empty_source_is_heard_at_once_even_in_a_loop(stream: AudioStream, clock: HandClock) -> None:
    playback = stream.play(b"", loop=True)
    await clock.tick()
    assert await playback


async def test_the_end_of_the_call_ends_everything(stream: AudioStream, clock: HandClock) -> None:
    layer = stream.layer()
    playing = [stream.play(steps(5)), stream.play(steps(5)), layer.play(steps(5))]
    mark = stream.mark()
    await clock.tick(3)
    stream._close()
    await clock.settle()
    for waiting in (*playing[:2], mark):
        with pytest.raises(AudioClosedError):
            await waiting
    assert playing[0].seconds_heard == pytest.approx(0.03)
    with pytest.raises(AudioClosedError):
        stream.play(steps(1))
    with pytest.raises(AudioClosedError):
        stream.mark()
    assert len(asyncio.all_tasks()) == 1


async def test_who_waits_may_be_cancelled_without_harm(stream: AudioStream, clock: HandClock) -> None:
    playback = stream.play(steps(0.3))
    waiting = asyncio.ensure_future(playback)
    writing = asyncio.create_task(stream.write(steps(0.9, 9001)))
    draining = asyncio.create_task(stream.drain())
    await clock.tick(5)
    for task in (waiting, writing, draining):
        task.cancel()
    after = stream.play(steps(0.1, 20_001))
    await clock.tick(150)
    assert playback.heard
    assert after.heard
    np.testing.assert_array_equal(clock.sent[:4800], steps(0.3))


@pytest.mark.parametrize("encoding", list(AudioEncoding))
async def test_bytes_are_in_the_encoding_of_the_call_both_ways(encoding: AudioEncoding) -> None:
    stream = AudioStream(AudioConfig(8000, encoding=encoding))
    clock = HandClock(stream)
    said = tone(440, 0.02, 8000)
    spoken = HandClock(plain := AudioStream(AudioConfig(8000)))
    plain.write_nowait(said)
    received = await spoken.tick(2)
    for frame in np.split(received, 2):
        await clock.tick(received=frame.tobytes())
    first = stream.read_nowait(60)
    rest = await stream.read(100)
    whole = first + rest
    assert len(whole) == 160 * {"int16": 2, "float32": 4}.get(encoding, 1)
    stream.write_nowait(whole)
    assert np.abs((await clock.tick(2)).astype(int) - said).max() <= (0 if "2" in encoding or "6" in encoding else 260)
    stream._close()
    plain._close()


async def test_readinto_checks_what_it_fills_also_when_a_read_was_begun() -> None:
    stream = AudioStream(AudioConfig(capture_buffer=0.1))
    clock = HandClock(stream)
    reading = asyncio.create_task(stream.read(RATE))
    for index in range(8):
        await clock.tick(received=steps(0.01, 1 + index * FRAME).tobytes())
    reading.cancel()
    await clock.settle()
    for wrong in (np.zeros(4, np.int32), np.zeros((4, 4), np.int16), np.zeros(8, np.int16)[::2], bytearray(3)):
        with pytest.raises(TypeError):
            stream.readinto(wrong)
    half = np.zeros(640, np.int16)
    assert stream.readinto(half) == 640
    np.testing.assert_array_equal(half, steps(0.04))
    floats = np.zeros(1000, np.float32)
    assert stream.readinto(floats) == 640
    np.testing.assert_array_equal((floats[:640] * 32768).astype(np.int16), steps(0.04, 641))
    assert pcm(stream.read_nowait()).size == 0
    stream._close()
