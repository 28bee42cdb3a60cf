"""What can be done with a call, through the real gateway and heard in real audio."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from support.hearing import hear_tone, saying_tone
from support.limit import LIMIT
from support.signals import chirp, dominant_frequency, pcm, rms, tone
from support.users import answered_call, log_in
from telnyx_native import CallState, TelnyxClient
from telnyx_native.config import AudioCodec, AudioConfig, Limits
from telnyx_native.gateway import Gateway
from telnyx_native.media.quality import CallQuality, CallQualityMetrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from telnyx_native import Call
    from telnyx_native.media.stream import AudioStream

RATE = 16_000
SETTLE = 1.0
"""Seconds after which a jitter buffer has found its depth."""


@pytest.fixture
async def bob(gateway: Gateway) -> AsyncIterator[TelnyxClient]:
    async with TelnyxClient(limits=Limits(ringing_calls=2)) as client:
        await log_in(client, gateway, "bob")
        yield client


async def active(client: TelnyxClient, destination: str, **options: object) -> Call:
    call = await client.new_invite(destination, **options)  # type: ignore[arg-type]
    await call.wait_active(LIMIT)
    return call


def discard(audio: AudioStream) -> None:
    scrap = bytearray(2 * RATE)
    while audio.readinto(scrap):
        pass


async def heard_now(call: Call, seconds: float = 0.5) -> float:
    """How loud the call is from now on."""
    discard(call.audio)
    return rms(pcm(await call.audio.read(round(seconds * RATE))))


async def assert_heard(speaker: AudioStream, listener: AudioStream, hz: int = 700) -> None:
    """Say something at one end, and hear it at the other."""
    discard(listener)
    await speaker.write(tone(hz, SETTLE + 0.5, RATE))
    heard = pcm(await listener.read(round((SETTLE + 0.3) * RATE)))[-RATE // 4 :]
    assert dominant_frequency(heard, RATE) == pytest.approx(hz, abs=10)
    assert rms(heard) > 1000


async def test_held_call_is_silent_until_it_is_taken_back(alice: TelnyxClient) -> None:
    call = await active(alice, "tone:440")
    await asyncio.sleep(SETTLE)
    assert await heard_now(call) > 3000
    await call.hold()
    assert call.state is CallState.HELD
    await asyncio.sleep(SETTLE)
    assert await heard_now(call) < 50
    assert await call.toggle_hold() is False
    await asyncio.sleep(SETTLE)
    assert await heard_now(call) > 3000


async def test_swapping_between_two_calls(alice: TelnyxClient) -> None:
    low, high = await active(alice, "tone:440"), await active(alice, "tone:1000")
    for talking, quiet in ((low, high), (high, low)):
        await alice.swap_to(talking)
        await asyncio.sleep(SETTLE)
        loudness, other = await asyncio.gather(heard_now(talking), heard_now(quiet))
        assert loudness > 3000
        assert other < 50


async def test_keys_arrive(gateway: Gateway, alice: TelnyxClient) -> None:
    incoming = alice.incoming_calls.collect()
    leg = await gateway.place_call("alice", from_="+15559999")
    keys = leg.keys.collect()
    call = await asyncio.wait_for(anext(incoming), LIMIT)
    await call.accept()
    await call.wait_active(LIMIT)
    await call.dtmf("12w#")
    await call.dtmf("D")
    assert [await asyncio.wait_for(anext(keys), LIMIT) for _ in range(4)] == ["1", "2", "#", "D"]


async def test_trickled_call(alice: TelnyxClient) -> None:
    call = await active(alice, "echo", use_trickle_ice=True)
    await assert_heard(call.audio, call.audio)
    assert call.timings.since_created("gathered") is not None


async def test_trickle_at_both_ends(alice: TelnyxClient, bob: TelnyxClient) -> None:
    incoming = bob.incoming_calls.collect()
    calling = await alice.new_invite("bob", use_trickle_ice=True)
    called = await asyncio.wait_for(anext(incoming), LIMIT)
    await called.accept(use_trickle_ice=True)
    await asyncio.gather(calling.wait_active(LIMIT), called.wait_active(LIMIT))
    await assert_heard(calling.audio, called.audio)


@pytest.mark.parametrize("trickle", [False, True])
async def test_restart_finds_a_new_path_and_audio_goes_on(alice: TelnyxClient, trickle: bool) -> None:
    call = await active(alice, "tone:440", use_trickle_ice=trickle)
    states = call.call_state_flow.collect()
    before = await ice_user(call)
    await call.restart_ice()
    assert await ice_user(call) != before
    await asyncio.sleep(SETTLE)
    assert await heard_now(call) > 3000
    await call.hold()
    await call.restart_ice()
    assert call.state is CallState.HELD
    await call.end()
    assert [state.name async for state in states][:3] == ["ACTIVE", "RENEGOTIATING", "ACTIVE"]


async def ice_user(call: Call) -> str:
    """The name under which the path was agreed."""
    (transport,) = (entry for entry in (await call.stats()).values() if entry["type"] == "transport")
    return str(transport["iceLocalUsernameFragment"])


@pytest.mark.parametrize("steps", range(1, 60, 6))
async def test_restart_cancelled_anywhere_leaves_a_call_that_works(alice: TelnyxClient, steps: int) -> None:
    call = await active(alice, "echo")
    restarting = asyncio.create_task(call.restart_ice())
    for _ in range(steps):
        await asyncio.sleep(0)
    restarting.cancel()
    with suppress(asyncio.CancelledError):
        await restarting
    await call.restart_ice()
    assert call.state is CallState.ACTIVE
    await call.end()


async def test_muted_from_the_start(alice: TelnyxClient) -> None:
    call = await active(alice, "echo", muted=True)
    call.audio.write_nowait(chirp(2.0, RATE).data)
    assert rms(pcm(await call.audio.read(2 * RATE))) < 50
    call.unmute()
    await assert_heard(call.audio, call.audio)


async def codecs(call: Call) -> set[str]:
    """What is sent and received, once both is known."""
    stats = await call.stats()
    used = [entry.get("codecId") for entry in stats.values() if entry["type"] in {"inbound-rtp", "outbound-rtp"}]
    return {stats[codec]["mimeType"] for codec in used if codec}


@pytest.mark.parametrize("codec", list(AudioCodec))
async def test_preferred_codec_is_used_both_ways(alice: TelnyxClient, codec: AudioCodec) -> None:
    call = await active(alice, "echo", preferred_codecs=[codec])
    await assert_heard(call.audio, call.audio)
    assert await codecs(call) == {codec.mime_type}
    await call.restart_ice()
    await assert_heard(call.audio, call.audio)
    assert await codecs(call) == {codec.mime_type}


async def test_audio_of_the_telephone_network(alice: TelnyxClient, bob: TelnyxClient) -> None:
    caller, callee = await answered_call(alice, bob, "bob", audio=AudioConfig.telephone())
    for speaker, listener, hz in ((caller, callee, 700), (callee, caller, 900)):
        async with saying_tone(speaker.audio, hz):
            await hear_tone(listener.audio, hz)
    assert callee.audio.sample_rate == 8_000
    assert await codecs(callee) == {"audio/PCMU"}


async def test_codec_preferred_by_who_answers(gateway: Gateway, alice: TelnyxClient) -> None:
    incoming = alice.incoming_calls.collect()
    leg = await gateway.place_call("alice", from_="+15559999")
    call = await asyncio.wait_for(anext(incoming), LIMIT)
    await call.accept(preferred_codecs=[AudioCodec.PCMU])
    await asyncio.gather(call.wait_active(LIMIT), leg.wait_answered(LIMIT))
    await assert_heard(leg.audio, call.audio)
    assert await codecs(call) == {"audio/PCMU"}


async def test_own_call_id_is_the_gateway_s(gateway: Gateway, alice: TelnyxClient) -> None:
    call_id = "0b6f0b9e-7a0e-4e8e-9a63-0f1d7f6a9d11"
    call = await active(alice, "echo", call_id=call_id)
    assert call.call_id == call_id
    await alice.end_call(call_id.upper())


async def test_quality_of_a_call(alice: TelnyxClient) -> None:
    call = await active(alice, "tone:440")
    told: asyncio.Queue[CallQualityMetrics] = asyncio.Queue()
    call.on_call_quality_change = told.put_nowait
    call.audio.write_nowait(chirp(5.0, RATE).data)
    good = await call.call_quality_flow.first(lambda metrics: not math.isnan(metrics.mos), timeout=LIMIT)
    assert good.quality is CallQuality.EXCELLENT
    assert (good.codec, good.packets_lost) == ("audio/opus", 0)
    assert min(good.inbound_level, good.outbound_level) > 0.05
    async with asyncio.timeout(LIMIT):
        while await told.get() != good:
            pass


async def test_calls_beyond_the_limit_are_busy(alice: TelnyxClient, bob: TelnyxClient) -> None:
    incoming = bob.incoming_calls.collect()
    ringing = [await alice.new_invite("bob") for _ in range(2)]
    for _ in ringing:
        await asyncio.wait_for(anext(incoming), LIMIT)
    refused = await alice.new_invite("bob")
    reason = await asyncio.wait_for(refused.wait_done(), LIMIT)
    assert (reason.cause, bob.refused_calls) == ("USER_BUSY", 1)
    assert len(bob.calls) == 2


async def test_tone_after_tone(alice: TelnyxClient) -> None:
    """A held and resumed call plays on at its own pitch: nothing of the old path is left in the new one."""
    call = await active(alice, "tone:1000")
    for change in (call.hold, call.unhold, call.restart_ice):
        await change()
    await asyncio.sleep(SETTLE)
    discard(call.audio)
    assert dominant_frequency(pcm(await call.audio.read(RATE)), RATE) == pytest.approx(1000, abs=5)
