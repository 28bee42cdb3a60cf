"""What can be played, in the shapes in which it is found: voice mail, pipes, odd names, long pieces."""

# ruff: noqa: ASYNC110, ASYNC230, PTH123 - small files, and names that are no text

from __future__ import annotations

import asyncio
import gc
import io
import os
import resource
import socket
import threading
import weakref
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from support.hand_clock import HandClock
from support.limit import LIMIT
from support.signals import Pcm, dominant_frequency, tone
from telnyx_native.config import AudioEncoding
from telnyx_native.errors import ConfigurationError
from telnyx_native.logs import Log, LogLevel
from telnyx_native.media.recording import begin_recording
from telnyx_native.media.sources import PIECE_SECONDS, StreamSource
from telnyx_native.media.stream import AudioStream

RATE = 16_000


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(LIMIT):
        while not condition():
            await asyncio.sleep(0.01)


async def heard(clock: HandClock, playing: Any) -> Pcm:
    """Let the clock tick until what is played is heard; return what was sent."""
    playing = asyncio.ensure_future(_result_of(playing))
    async with asyncio.timeout(LIMIT):
        while not playing.done():
            await clock.tick()
            await asyncio.sleep(0.0005)
    assert await playing
    return clock.sent


async def _result_of(playing: Any) -> bool:
    return await playing  # type: ignore[no-any-return]


def sound(hertz: float = 440, seconds: float = 1.0, rate: int = 8000, **kind: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, tone(hertz, seconds, rate), rate, **{"format": "WAV", **kind})
    return file.getvalue()


# --- files ---


@pytest.mark.parametrize(
    "codec", ["GSM610", "G721_32", "NMS_ADPCM_16", "NMS_ADPCM_24", "IMA_ADPCM", "MS_ADPCM", "ULAW"]
)
@pytest.mark.parametrize("opened", [True, False])
async def test_voice_mail(stream: AudioStream, clock: HandClock, tmp_path: Path, codec: str, opened: bool) -> None:
    path = tmp_path / "voicemail.wav"
    path.write_bytes(sound(subtype=codec))
    sent = await heard(clock, stream.play(io.BytesIO(path.read_bytes()) if opened else path))
    assert dominant_frequency(sent[: RATE // 2], RATE) == pytest.approx(440, abs=4)


@pytest.mark.parametrize("rate", [100, 999, 2_000_000_000])
async def test_a_rate_that_no_sound_has_is_a_typed_error(
    stream: AudioStream, clock: HandClock, tmp_path: Path, rate: int
) -> None:
    path = tmp_path / "odd.wav"
    data = bytearray(sound())
    data[24:28] = rate.to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(ConfigurationError):
        await heard(clock, stream.play(path))


async def test_a_name_that_is_no_text(stream: AudioStream, clock: HandClock, tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav")
    with open(path, "wb") as file:
        file.write(sound())
    playback = stream.play(path)
    assert playback.label.encode()
    sent = await heard(clock, playback)
    assert dominant_frequency(sent[: RATE // 2], RATE) == pytest.approx(440, abs=4)
    with pytest.raises(ConfigurationError) as missing:
        stream.play(path + "x")
    assert str(missing.value).encode()


async def test_files_are_read_although_the_applications_threads_are_busy(
    stream: AudioStream, clock: HandClock, tmp_path: Path
) -> None:
    path, done = tmp_path / "sound.wav", threading.Event()
    path.write_bytes(sound())
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    blocking = loop.run_in_executor(None, done.wait)
    try:
        await heard(clock, stream.play(path))
        recording = await asyncio.wait_for(begin_recording(tmp_path / "call.wav", stream), LIMIT)
        await asyncio.wait_for(recording.stop(), LIMIT)
    finally:
        done.set()
        await blocking


# --- pipes ---


def pipe_with(data: bytes) -> Any:
    reading, writing = os.pipe()

    def write() -> None:
        with open(writing, "wb") as pipe:
            pipe.write(data)

    threading.Thread(target=write, daemon=True).start()
    return open(reading, "rb")


def socket_with(data: bytes) -> Any:
    ours, theirs = socket.socketpair()
    threading.Thread(target=lambda: (ours.sendall(data), ours.close()), daemon=True).start()
    with theirs:
        return theirs.makefile("rb")


class OnlyRead:
    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(size, 700) if size >= 0 else size)

    def close(self) -> None:
        pass


@pytest.mark.parametrize("opened", [pipe_with, socket_with, OnlyRead])
@pytest.mark.parametrize("kind", ["PCM_16", "PCM_U8", "PCM_24", "GSM610", "FLAC"])
async def test_a_sound_file_in_a_pipe(
    stream: AudioStream, clock: HandClock, opened: Callable[[bytes], Any], kind: str
) -> None:
    data = sound(format="FLAC") if kind == "FLAC" else sound(subtype=kind)
    with_pipe = opened(data)
    sent = await heard(clock, stream.play(with_pipe))
    with_pipe.close()
    assert dominant_frequency(sent[: RATE // 2], RATE) == pytest.approx(440, abs=4)
    assert abs(np.flatnonzero(np.abs(sent) > 1000)[-1] / RATE - 1.0) < 0.1


async def test_a_named_pipe(stream: AudioStream, clock: HandClock, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    threading.Thread(target=path.write_bytes, args=(sound(),), daemon=True).start()
    sent = await heard(clock, stream.play(path))
    assert dominant_frequency(sent[: RATE // 2], RATE) == pytest.approx(440, abs=4)


async def test_samples_in_a_pipe(stream: AudioStream, clock: HandClock) -> None:
    with pipe_with(tone(440, 1.0, 8000).tobytes()) as pipe:
        sent = await heard(clock, stream.play(pipe, sample_rate=8000, encoding=AudioEncoding.INT16))
    assert dominant_frequency(sent[: RATE // 2], RATE) == pytest.approx(440, abs=4)


async def test_a_plain_wav_is_played_as_it_comes(stream: AudioStream, clock: HandClock) -> None:
    """The pipe stays open: a program that goes on for hours, say."""
    reading, writing = os.pipe()
    with open(reading, "rb") as pipe, open(writing, "wb") as program:
        playback = stream.play(pipe)
        program.write(sound())
        program.flush()
        async with asyncio.timeout(LIMIT):
            while not np.any(np.abs(clock.sent) > 1000):
                await clock.tick()
                await asyncio.sleep(0.0005)
        assert not playback.done
        stream.clear()
        assert await playback is False


async def test_a_pipe_that_is_no_sound(stream: AudioStream, clock: HandClock) -> None:
    with pipe_with(b"junk" * 100) as pipe, pytest.raises(ConfigurationError, match="cannot play"):
        await heard(clock, stream.play(pipe))


async def test_a_pipe_gives_its_samples_once(stream: AudioStream) -> None:
    with pipe_with(b"") as pipe, pytest.raises(ConfigurationError, match="loop"):
        stream.play(pipe, loop=True)


# --- what is lent is given back ---


async def test_a_buffer_is_given_back_when_it_was_heard(stream: AudioStream, clock: HandClock) -> None:
    buffer = bytearray(tone(440, 1.0, RATE).tobytes())
    await heard(clock, stream.play(buffer))
    buffer.clear()


async def test_a_buffer_is_given_back_when_it_is_cleared(stream: AudioStream, clock: HandClock) -> None:
    buffers = [bytearray(tone(440, 3.0, RATE).tobytes()) for _ in range(3)]
    for buffer in buffers:
        stream.play(buffer)
    writing = asyncio.create_task(stream.write(buffers[0]))
    await clock.tick(3)
    stream.clear()
    for buffer in buffers:
        buffer.clear()
    await writing


async def test_samples_are_freed_without_the_collector(stream: AudioStream, clock: HandClock) -> None:
    class Samples(np.ndarray):  # type: ignore[type-arg] - an array that can be referred to weakly
        pass

    def lent() -> tuple[Any, weakref.ref[Any]]:
        samples = tone(440, 0.5, RATE).view(Samples)
        return stream.play(samples), weakref.ref(samples)

    gc.collect()
    gc.disable()
    try:
        playback, first = lent()
        await heard(clock, playback)
        _, second = lent()
        await clock.tick(2)
        stream.clear()
        await asyncio.sleep(0)
        assert (first(), second()) == (None, None)
    finally:
        gc.enable()


# --- long pieces ---


@pytest.mark.parametrize("kind", [bytes, np.asarray, lambda samples: samples.astype(np.float32) / 32768])
async def test_a_long_piece_of_a_stream_is_several(kind: Callable[[Pcm], Any]) -> None:
    """Ten minutes in one piece must not hold up the event loop."""
    given = kind(tone(440, 30.0, RATE))

    async def stream() -> AsyncIterator[Any]:
        yield given

    pieces = [bytes(piece) async for piece in StreamSource(stream(), RATE).pieces()]
    assert max(map(len, pieces)) <= PIECE_SECONDS * RATE * 4
    assert b"".join(pieces) == bytes(given)


# --- failures that nobody awaits ---


class Records:
    def __init__(self) -> None:
        self.records: list[tuple[LogLevel, str]] = []

    def log(self, level: LogLevel, tag: str, message: str, exception: BaseException | None) -> None:
        self.records.append((level, message))


async def test_a_file_that_cannot_be_played_is_told_of_once(
    stream: AudioStream, clock: HandClock, tmp_path: Path
) -> None:
    records = Records()
    stream.log = Log("media", LogLevel.NONE, records)
    path = tmp_path / "broken.wav"
    path.write_bytes(b"RIFF junk")
    stream.play(str(path))
    asked = stream.play(str(path))
    with pytest.raises(ConfigurationError):
        await heard(clock, asked)
    await until(lambda: records.records)
    await asyncio.sleep(0.1)
    ((level, message),) = records.records
    assert level is LogLevel.WARNING
    assert "broken.wav could not be played" in message


async def test_a_full_disk_is_told_of_at_once(stream: AudioStream, clock: HandClock, tmp_path: Path) -> None:
    records = Records()
    stream.log = Log("media", LogLevel.NONE, records)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limit[1]))
    try:
        recording = await begin_recording(tmp_path / "full.wav", stream)
        await clock.tick(100)
        await until(lambda: records.records)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert recording.failed
    assert "full.wav ends here" in records.records[0][1]
    with pytest.raises(Exception, match="could not be recorded"):
        await recording.stop()
    assert len(records.records) == 1
