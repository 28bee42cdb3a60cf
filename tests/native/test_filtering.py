"""What a call receives, through a filter of the application."""

from __future__ import annotations

import asyncio
import logging
import threading

import numpy as np
import pytest

from support.limit import LIMIT
from support.peers import connected
from support.signals import pcm, rms, silence, tone
from telnyx_native.errors import ConfigurationError
from telnyx_native.media.engine import MediaEngine

pytestmark = pytest.mark.sound

RATE = 16_000
FRAME = 320  # bytes of 10 ms


def half(frame: bytes) -> bytes:
    return (np.frombuffer(frame, np.int16) // 2).tobytes()


async def test_what_is_read_is_filtered_frame_by_frame_on_a_thread(engine: MediaEngine) -> None:
    seen: list[tuple[int, threading.Thread]] = []

    def filtering(frame: bytes) -> bytes:
        seen.append((len(frame), threading.current_thread()))
        return half(frame)

    async with connected(engine) as (caller, callee):
        with callee.audio.tap() as plain, callee.audio.filtered(filtering) as stream:
            await caller.audio.write(tone(440, 1, RATE))
            filtered = await stream.read(RATE)
            assert filtered == half(await plain.read(RATE))
            assert stream.filters
    assert rms(pcm(filtered)) > 0
    assert {size for size, _ in seen} == {FRAME}
    assert threading.main_thread() not in {thread for _, thread in seen}


async def test_a_filter_that_blocks_keeps_nobody_waiting_but_its_reader(engine: MediaEngine) -> None:
    go_on = threading.Event()

    def stuck(frame: bytes) -> bytes:
        go_on.wait(LIMIT)
        return frame

    async with connected(engine) as (_, callee):
        with callee.audio.filtered(stuck) as stream:
            reading = asyncio.create_task(stream.read(160))
            assert len(await callee.audio.read(RATE // 2)) == RATE
            assert not reading.done()
            go_on.set()
            assert len(await asyncio.wait_for(reading, LIMIT)) == FRAME


@pytest.mark.parametrize("fault", ["raises", "is too short"])
async def test_a_filter_that_fails_is_said_once_and_the_audio_goes_on(
    engine: MediaEngine, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    calls = 0

    def failing(frame: bytes) -> bytes:
        nonlocal calls
        calls += 1
        if calls < 10:
            return bytes(len(frame))
        if fault == "raises":
            raise ArithmeticError("no convergence")
        return frame[2:]

    async with connected(engine) as (caller, callee):
        with callee.audio.tap() as plain, callee.audio.filtered(failing) as stream:
            await caller.audio.write(tone(440, 1, RATE))
            filtered, heard = await stream.read(RATE), await plain.read(RATE)
            assert filtered[: 9 * FRAME] == bytes(9 * FRAME)
            assert filtered[9 * FRAME :] == heard[9 * FRAME :]
            assert not stream.filters
    assert calls == 10
    (told,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "left out" in told.message


async def test_cancelling_a_reader_loses_nothing(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, callee):
        with callee.audio.tap() as plain, callee.audio.filtered(half) as stream:
            await caller.audio.write(tone(440, 1, RATE))
            heard = b""
            for _ in range(20):
                reading = asyncio.create_task(stream.read(RATE // 10))
                await callee.audio.read(160)
                reading.cancel()
                (outcome,) = await asyncio.gather(reading, return_exceptions=True)
                if isinstance(outcome, bytes):
                    heard += outcome
            heard += await stream.read(RATE // 2)
            assert heard == half(await plain.read(len(heard) // 2))


async def test_it_ends_with_the_call_or_when_it_is_closed(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, callee):
        closed, stream = callee.audio.filtered(half), callee.audio.filtered(half)
        closed.close()
        assert await closed.read(160) == b""
        with pytest.raises(ConfigurationError, match="5 seconds"):
            await stream.read(0)
        await caller.audio.write(silence(0.3, RATE))

        async def whole() -> int:
            return sum([len(frame) async for frame in stream])

        reading = asyncio.create_task(whole())
        await callee.audio.read(RATE // 4)
        await callee.close()
        assert await asyncio.wait_for(reading, LIMIT) > 0
