"""Calls that hear each other: bridge, echo and conference, with the audio that arrives."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
import soundfile

from support.limit import LIMIT
from support.signals import dominant_frequency, pcm, rms, tone
from support.users import answered_call
from telnyx_native import AudioConfig, CallError, Conference, MediaError, TelnyxClient
from telnyx_native.gateway import Gateway

pytestmark = pytest.mark.sound

RATE = 16_000


async def answered_callers(gateway: Gateway, client: TelnyxClient, user: str, *rates: int) -> list:
    """Calls that the gateway places to the client: its legs, and the client's calls at these rates."""
    incoming = client.incoming_calls.collect()
    pairs = []
    for rate in rates:
        leg = await gateway.place_call(user, from_="+15550199")
        call = await asyncio.wait_for(anext(incoming), LIMIT)
        await call.accept(audio=AudioConfig(sample_rate=rate))
        await leg.wait_answered(LIMIT)
        await call.wait_active(LIMIT)
        pairs.append((leg, call))
    return pairs


async def hears(leg, hz: int | None) -> None:
    """Wait until a leg hears a tone, or nothing."""
    for _ in range(20):
        leg.audio.read_nowait()
        heard = pcm(await leg.audio.read(RATE // 4))
        loud = rms(heard) > 300
        if not loud if hz is None else loud and abs(dominant_frequency(heard, RATE) - hz) < 8:
            return
    raise AssertionError(f"{rms(heard):.0f} loud, {dominant_frequency(heard, RATE):.0f} Hz, but not {hz}")


async def say(leg, hz: int) -> None:
    while True:
        await leg.audio.write(tone(hz, 0.5, RATE))


async def test_a_bot_bridges_two_callers_and_parts_them(gateway: Gateway, alice: TelnyxClient) -> None:
    (one, call), (other, partner) = await answered_callers(gateway, alice, "alice", 16_000, 24_000)
    talking = [asyncio.create_task(say(one, 500)), asyncio.create_task(say(other, 900))]
    call.bridge(partner)
    await hears(one, 900)
    await hears(other, 500)
    await call.hold()
    await hears(other, None)
    await call.unhold()
    await hears(other, 500)
    partner.unjoin()
    await hears(one, None)
    call.echo()
    await hears(one, 500)
    await partner.end()
    with pytest.raises(MediaError):
        call.bridge(partner)
    for task in talking:
        task.cancel()


async def test_a_conference_of_callers_with_the_application(
    gateway: Gateway, alice: TelnyxClient, tmp_path: Path
) -> None:
    pairs = await answered_callers(gateway, alice, "alice", 8_000, 16_000, 48_000)
    legs, calls = [leg for leg, _ in pairs], [call for _, call in pairs]
    async with Conference(AudioConfig(sample_rate=24_000, playback_buffer=10)) as conference:
        for call in calls:
            conference.add(call)
        assert conference.members == tuple(calls)
        assert conference.levels.keys() == set(calls)
        recording = await conference.record(tmp_path / "conference.flac")
        await conference.audio.write(tone(1500, 8.0, 24_000))
        await asyncio.gather(*(hears(leg, 1500) for leg in legs))
        conference.audio.clear()
        talking = asyncio.create_task(say(legs[0], 700))
        await asyncio.gather(hears(legs[1], 700), hears(legs[2], 700))
        await hears(legs[0], None)
        await recording.stop()
        conference.audio.read_nowait()
        assert abs(dominant_frequency(pcm(await conference.audio.read(12_000)), 24_000) - 700) < 8
        await legs[2].hang_up()
        await calls[2].wait_done()
        assert conference.members == (calls[0], calls[1])
        conference.remove(calls[0])
        await hears(legs[1], None)
        talking.cancel()
    assert conference.members == ()
    assert conference.audio.closed
    assert str(calls[0].state) == "ACTIVE"
    with pytest.raises(MediaError):
        conference.add(calls[0])
    with pytest.raises(MediaError):
        await conference.record(tmp_path / "late.wav")
    both, rate = soundfile.read(tmp_path / "conference.flac", dtype="int16")
    assert abs(dominant_frequency(both[-rate // 4 :, 0], rate) - 700) < 8
    assert abs(dominant_frequency(both[: rate // 4, 1], rate) - 1500) < 8


async def test_a_call_that_is_not_accepted_cannot_be_joined(gateway: Gateway, alice: TelnyxClient) -> None:
    incoming = alice.incoming_calls.collect()
    await gateway.place_call("alice", from_="+15550199")
    call = await asyncio.wait_for(anext(incoming), LIMIT)
    async with Conference() as conference:
        for join in (call.echo, lambda: conference.add(call), lambda: call.bridge(call)):
            with pytest.raises(CallError):
                join()


async def test_both_ends_of_a_call_in_one_conference(alice: TelnyxClient, bob: TelnyxClient) -> None:
    """Calls of two clients of one loop share the engine."""
    outbound, inbound = await answered_call(alice, bob, "bob")
    async with Conference() as conference:
        conference.add(outbound)
        conference.add(inbound, muted=True)
        assert conference.members == (outbound, inbound)
        await conference.audio.write(np.zeros(1600, np.int16))
        await conference.audio.drain()
