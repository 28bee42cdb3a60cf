"""Keys that arrive in the audio stream, as telephone-events and as tones."""

from __future__ import annotations

import asyncio

import pytest

from support.peers import connected
from telnyx_native.config import AudioConfig
from telnyx_native.flow import Collector
from telnyx_native.media.detectors import DtmfReceived, DtmfSource
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.tones import dtmf_tones

ALL_KEYS = "0123456789*#ABCD"
TONES = AudioConfig(dtmf_tones=True)


async def take(keys: Collector[DtmfReceived], count: int, *, timeout: float = 10) -> list[DtmfReceived]:
    async with asyncio.timeout(timeout):
        return [await anext(keys) for _ in range(count)]


def names(keys: list[DtmfReceived]) -> str:
    return "".join(received.key for received in keys)


async def test_every_key_arrives_once_with_its_length(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, callee):
        keys = callee.audio.dtmf_flow.collect()
        await caller.insert_dtmf(ALL_KEYS, duration=0.1)
        received = await take(keys, len(ALL_KEYS))
    assert names(received) == ALL_KEYS
    assert {key.source for key in received} == {DtmfSource.TELEPHONE_EVENT}
    assert all(key.duration == pytest.approx(0.1, abs=0.025) for key in received)
    assert [key async for key in keys] == []  # the flow ends with the call, and no end packet made another key


async def test_a_key_pressed_twice_is_two_keys(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, callee):
        keys = callee.audio.dtmf_flow.collect()
        await caller.insert_dtmf("1122", duration=0.06, gap=0.04)
        assert names(await take(keys, 4)) == "1122"


async def test_a_key_longer_than_an_event_can_be_is_one_key(engine: MediaEngine) -> None:
    """The length has 16 bits: at 48 kHz that is 1.4 seconds, then the event goes on in another segment."""
    async with connected(engine) as (caller, callee):
        keys = callee.audio.dtmf_flow.collect()
        await caller.insert_dtmf("7", duration=3)
        (received,) = await take(keys, 1)
    assert received.key == "7"
    assert received.duration == pytest.approx(3, abs=0.1)


@pytest.mark.parametrize("rate", [8_000, 24_000, 48_000])
async def test_keys_are_found_in_the_sound(engine: MediaEngine, rate: int) -> None:
    audio = AudioConfig(sample_rate=rate, dtmf_tones=True)
    async with connected(engine, AudioConfig(), audio) as (caller, callee):
        keys = callee.audio.dtmf_flow.collect()
        await caller.audio.write(bytes(32_000))  # until the jitter buffer has settled
        await caller.audio.write(dtmf_tones(ALL_KEYS, 16_000, duration=0.1, gap=0.1))
        received = await take(keys, len(ALL_KEYS))
    assert names(received) == ALL_KEYS
    assert {key.source for key in received} == {DtmfSource.TONE}


async def test_tones_are_not_looked_for_unless_asked(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, callee):
        keys = callee.audio.dtmf_flow.collect()
        await caller.audio.write(dtmf_tones("12", 16_000))
        await caller.audio.drain()
        await caller.insert_dtmf("3")
        assert names(await take(keys, 1)) == "3"


async def test_a_key_that_comes_both_ways_is_one_key(engine: MediaEngine) -> None:
    """libwebrtc's jitter buffer makes a sound of each telephone-event, which is a key to the tone detector."""
    async with connected(engine, AudioConfig(), TONES) as (caller, callee):
        keys = callee.audio.dtmf_flow.collect()
        await caller.insert_dtmf("4488", duration=0.2, gap=0.1)
        received = await take(keys, 4)
        await callee.audio.read(16_000)  # time for the sound of the last one
    received += [key async for key in keys]
    assert names(received) == "4488"
    assert {key.source for key in received} == {DtmfSource.TELEPHONE_EVENT}
