"""Listening in on a call without disturbing it."""

from __future__ import annotations

import asyncio
from array import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.peers import connected
from support.signals import chirp, dominant_frequency, likeness, pcm, rms, silence, tone
from telnyx_native._audio import AudioPort, Tap
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.tap import AudioDirection

pytestmark = pytest.mark.sound

RATE = 16_000
FRAME = RATE // 100
RECEIVED, SENT, BOTH = range(3)


def ramp(count: int, start: int = 0) -> array[int]:
    return array("h", [(start + i) % 30000 for i in range(count)])


def port_with_tap(capacity: int = 10 * FRAME) -> AudioPort:
    return AudioPort(RATE, 1600, 1600, 0, capacity)


def test_a_tap_has_what_is_received_and_what_is_sent_at_the_same_time() -> None:
    port = port_with_tap()
    taps = [Tap(port, channel) for channel in (RECEIVED, SENT, BOTH)]
    port.write(ramp(FRAME, 500))
    port.tick(ramp(FRAME).tobytes())
    received, sent, both = (tap.read(10 * FRAME) for tap in taps)
    assert received == ramp(FRAME).tobytes()
    assert sent == ramp(FRAME, 500).tobytes()
    assert pcm(both)[::2].tobytes() == received
    assert pcm(both)[1::2].tobytes() == sent
    assert port.read(10 * FRAME) == received  # the reader is not disturbed


def test_time_goes_on_where_nothing_arrives() -> None:
    port = port_with_tap()
    tap = Tap(port, BOTH)
    port.tick(ramp(FRAME, 1).tobytes())
    port.tick()
    port.tick(ramp(FRAME, 1).tobytes())
    left = pcm(tap.read(10 * FRAME))[::2]
    assert [bool(left[i * FRAME : (i + 1) * FRAME].any()) for i in range(3)] == [True, False, True]


def test_a_tap_begins_when_it_is_opened_and_ends_when_it_is_closed() -> None:
    port = port_with_tap()
    port.tick(ramp(FRAME).tobytes())
    tap = Tap(port, RECEIVED)
    assert tap.read(FRAME) == b""
    port.tick(ramp(FRAME, 7).tobytes())
    assert tap.read(10 * FRAME) == ramp(FRAME, 7).tobytes()
    tap.close()
    port.tick(ramp(FRAME).tobytes())
    assert tap.read(FRAME) == b""


def test_who_falls_behind_loses_the_oldest_and_is_told_and_others_are_not_touched() -> None:
    port = port_with_tap(3 * FRAME)
    slow, quick = Tap(port, RECEIVED), Tap(port, RECEIVED)
    heard = b""
    for i in range(8):
        port.tick(ramp(FRAME, i * FRAME).tobytes())
        heard += quick.read(FRAME)
    assert slow.read(100 * FRAME) == ramp(3 * FRAME, 5 * FRAME).tobytes()
    assert slow.lost == 5 * FRAME
    assert (heard, quick.lost) == (ramp(8 * FRAME).tobytes(), 0)
    slow.close()
    assert slow.lost == 5 * FRAME


def test_a_tap_keeps_its_port_alive() -> None:
    port = port_with_tap()
    tap = Tap(port, SENT)
    port.tick()
    del port
    assert tap.read(FRAME) == bytes(2 * FRAME)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 1000)), max_size=40))
def test_every_sample_is_read_or_lost_and_in_order(steps: list[tuple[int, int]]) -> None:
    port = port_with_tap(5 * FRAME)
    tap = Tap(port, RECEIVED)
    ticked = read = 0
    for ticks, wanted in steps:
        for _ in range(ticks):
            port.tick(array("h", [(ticked + i) % 30000 for i in range(FRAME)]).tobytes())
            ticked += FRAME
        samples = pcm(tap.read(wanted)).tolist()
        begin = tap.position - len(samples)
        assert samples == [(begin + i) % 30000 for i in range(len(samples))]
        read += len(samples)
    assert tap.position == read + tap.lost


async def test_both_directions_of_a_call(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, callee):
        with callee.audio.tap(AudioDirection.RECEIVED) as received, callee.audio.tap(AudioDirection.SENT) as sent:
            await caller.audio.write(tone(440, 2, RATE))
            await callee.audio.write(tone(880, 2, RATE))
            await callee.audio.read(RATE // 2)
            heard, said = await asyncio.gather(received.read(RATE), sent.read(RATE))
            captured = pcm(await callee.audio.read(RATE // 2))
    assert dominant_frequency(pcm(heard)[RATE // 2 :], RATE) == pytest.approx(440, abs=5)
    assert dominant_frequency(pcm(said), RATE) == pytest.approx(880, abs=5)
    assert dominant_frequency(captured, RATE) == pytest.approx(440, abs=5)
    assert received.lost == sent.lost == 0


async def test_what_is_sent_is_what_the_encoder_gets(engine: MediaEngine) -> None:
    """An echo is mixed in natively, and mute takes everything out."""
    async with connected(engine) as (caller, callee):
        callee.echo()
        signal = chirp(0.5, RATE)
        with callee.audio.tap(AudioDirection.BOTH) as tap:
            await caller.audio.write(np.concatenate([silence(1.0, RATE), signal, silence(0.5, RATE), signal]))
            both = pcm(await tap.read(2 * RATE)).reshape(-1, 2)
            assert likeness(signal, both[:, 1]) > 0.8
            assert np.array_equal(both[:, 0], both[:, 1])  # in the same tick
            callee.audio.muted = True
            await tap.read(tap.end - tap.position + RATE // 50)  # what was tapped before, and in the tick meanwhile
            muted = pcm(await tap.read(RATE // 2)).reshape(-1, 2)
    assert rms(muted[:, 1]) == 0


async def test_iterating_gives_frames_of_20_ms_until_the_call_ends(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, callee):
        tap = callee.audio.tap()

        async def follow() -> list[int]:
            return [len(frame) async for frame in tap]

        following = asyncio.create_task(follow())
        await caller.audio.write(tone(440, 0.5, RATE))
        await caller.audio.drain()
        await callee.close()
        lengths = await asyncio.wait_for(following, 1)
    assert len(lengths) > 20
    assert set(lengths[:-1]) == {640}
    assert tap.ended


async def test_closing_a_tap_ends_who_waits_for_it(engine: MediaEngine) -> None:
    async with connected(engine) as (_, callee):
        tap = callee.audio.tap()
        reading = asyncio.create_task(tap.read(5 * RATE))
        await asyncio.sleep(0)
        tap.close()
        assert await asyncio.wait_for(reading, 1) == b""


async def test_a_cancelled_read_loses_nothing(engine: MediaEngine) -> None:
    async with connected(engine) as (_, callee):
        tap = callee.audio.tap()
        begin = tap.position
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(tap.read(3 * RATE), 0.2)
        assert tap.position == begin
        assert len(await tap.read(RATE // 5)) == 2 * RATE // 5


@pytest.mark.parametrize("samples", [0, -1, 6 * RATE])
async def test_a_read_that_cannot_be_is_refused(engine: MediaEngine, samples: int) -> None:
    async with connected(engine) as (_, callee):
        with pytest.raises(ValueError, match="at a time"):
            await callee.audio.tap().read(samples)
