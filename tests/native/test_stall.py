"""A Python program that stalls, with the GIL in its hands, is not heard."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from support.peers import connected
from support.signals import dominant_frequency, holes, pcm, tone
from telnyx_native.config import AudioConfig
from telnyx_native.media.engine import MediaEngine

pytestmark = pytest.mark.sound

RATE = 16_000
LIBC = ctypes.PyDLL(None)  # PyDLL keeps the GIL during the call, as a C extension that computes does


def hold_the_gil(seconds: float) -> None:
    LIBC.usleep(round(seconds * 1e6))


@pytest.mark.timed
async def test_holding_the_gil_for_a_second_loses_nothing_in_either_direction(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, callee):
        await callee.audio.read(RATE // 2)  # the jitter buffer has settled
        await caller.audio.write(tone(440, 3.0, RATE))
        await callee.audio.read(RATE // 2)
        ticks = engine.counters["ticks"]
        readable = callee.audio.readable

        hold_the_gil(1.0)

        # Playback went on: a second of what was queued has been sent meanwhile, and a second has been received.
        assert engine.counters["ticks"] - ticks == pytest.approx(100, abs=10)
        assert callee.audio.readable - readable == pytest.approx(1.0, abs=0.1)
        heard = pcm(await callee.audio.read(2 * RATE))
        assert holes(heard, RATE) == 0
        assert dominant_frequency(heard, RATE) == pytest.approx(440, abs=2)
        assert callee.audio.counters.capture_lost == 0
        assert caller.audio.counters.underruns == 0


async def test_audio_joined_natively_does_not_notice_a_stall(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, callee):
        callee.echo()
        await caller.audio.write(tone(440, 3.5, RATE))
        await caller.audio.read(RATE)
        hold_the_gil(1.0)
        heard = pcm(await caller.audio.read(2 * RATE))
        assert holes(heard, RATE) == 0


async def test_a_reader_that_is_away_for_longer_than_the_buffer_loses_the_oldest_and_knows(engine: MediaEngine) -> None:
    async with connected(engine, callee_audio=AudioConfig(capture_buffer=0.5)) as (caller, callee):
        await caller.audio.write(tone(440, 2.0, RATE))
        await callee.audio.read(RATE // 10)
        hold_the_gil(1.0)
        assert callee.audio.readable == pytest.approx(0.5, abs=0.02)
        assert callee.audio.counters.capture_lost == pytest.approx(RATE // 2, abs=RATE // 10)


@pytest.mark.timed
async def test_stalls_each_second_leave_the_delay_of_queued_audio_where_it_was(engine: MediaEngine) -> None:
    """Clicks a second apart are written ahead; what is heard keeps their distance, whatever Python does."""
    click, pause = tone(1000, 0.02, RATE).tobytes(), bytes(2 * (RATE - RATE // 50))
    async with connected(engine, AudioConfig(playback_buffer=10)) as (caller, callee):
        await callee.audio.read(RATE // 2)
        await caller.audio.write((click + pause) * 8)
        heard = bytearray()
        for _ in range(12):
            hold_the_gil(0.2)
            heard += await callee.audio.read(RATE // 2)
        assert callee.audio.counters.capture_lost == 0
        assert caller.audio.counters.underruns == 0
    loud = np.flatnonzero(np.abs(pcm(bytes(heard)).astype(int)) > 4_000)
    clicks = loud[np.flatnonzero(np.diff(loud, prepend=-RATE) > RATE // 2)]
    assert len(clicks) >= 5
    assert np.diff(clicks) == pytest.approx(RATE, abs=RATE // 50)
