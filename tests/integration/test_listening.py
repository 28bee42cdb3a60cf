"""What a bot hears in a call: keys, speech, and both sides of it in a file."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
import soundfile

from support.limit import LIMIT
from support.signals import dominant_frequency, silence, tone
from support.users import answered_call
from telnyx_native import AudioConfig, Call, CallError, ConfigurationError, DtmfSource, TelnyxClient
from telnyx_native.gateway.destinations.sounds import PROMPT
from telnyx_native.media.files import read_audio
from telnyx_native.media.tones import dtmf_tones

pytestmark = pytest.mark.sound

RATE = 16_000


async def keys_of(call: Call) -> str:
    """All keys that are heard until the call ends."""
    return "".join([received.key async for received in call.dtmf_flow])


async def test_keys_that_are_signalled_are_heard_by_the_other_user(alice: TelnyxClient, bob: TelnyxClient) -> None:
    outbound, inbound = await answered_call(alice, bob, "bob")
    keys = inbound.dtmf_flow.collect()
    await outbound.dtmf("12#")
    async with asyncio.timeout(LIMIT):
        assert [(await anext(keys)).key for _ in range(3)] == ["1", "2", "#"]


async def test_keys_do_not_reach_who_is_on_hold(alice: TelnyxClient, bob: TelnyxClient) -> None:
    outbound, inbound = await answered_call(alice, bob, "bob")
    keys = inbound.dtmf_flow.collect()
    await inbound.hold()
    await outbound.dtmf("1")
    await inbound.unhold()
    await outbound.dtmf("2")
    assert (await asyncio.wait_for(anext(keys), LIMIT)).key == "2"


async def test_a_key_is_one_key_whatever_way_it_takes(alice: TelnyxClient, bob: TelnyxClient) -> None:
    """Bob hears the tone that the gateway's jitter buffer makes, and the telephone-event that the gateway relays."""
    outbound, inbound = await answered_call(alice, bob, "bob", audio=AudioConfig(dtmf_tones=True))
    hearing = asyncio.create_task(keys_of(inbound))
    await inbound.audio.read(RATE)
    for key in "4711":
        await outbound.dtmf_in_band(key, duration=0.2)
        await inbound.audio.read(RATE)
    await outbound.end()
    assert await asyncio.wait_for(hearing, LIMIT) == "4711"


async def test_keys_as_tones_come_back_from_the_echo(alice: TelnyxClient) -> None:
    call = await alice.new_invite("echo", audio=AudioConfig(dtmf_tones=True))
    await call.wait_active(LIMIT)
    keys = call.dtmf_flow.collect()
    await call.audio.write(np.concatenate([silence(1.0, RATE), dtmf_tones("159D", RATE, duration=0.15, gap=0.1)]))
    async with asyncio.timeout(LIMIT):
        received = [await anext(keys) for _ in range(4)]
    assert "".join(key.key for key in received) == "159D"
    assert {key.source for key in received} == {DtmfSource.TONE}


async def test_speech_interrupts_the_bot(alice: TelnyxClient, bob: TelnyxClient) -> None:
    human, bot = await answered_call(alice, bob, "bob")

    async def give_way() -> None:
        async for event in bot.voice_activity_flow:
            if event.speaking:
                bot.audio.clear()

    giving_way = asyncio.create_task(give_way())
    talking = asyncio.create_task(bot.audio.write(tone(440, 30, RATE)))
    await human.audio.write(silence(1.0, RATE))
    assert not talking.done()
    await human.audio.write(read_audio(PROMPT, RATE))
    await asyncio.wait_for(talking, LIMIT)
    await human.end()
    await asyncio.wait_for(giving_way, LIMIT)


async def test_speech_begins_and_ends(alice: TelnyxClient) -> None:
    call = await alice.new_invite("echo")
    await call.wait_active(LIMIT)
    events = call.voice_activity_flow.collect()
    await call.audio.write(np.concatenate([silence(1.0, RATE), read_audio(PROMPT, RATE), silence(1.0, RATE)]))
    async with asyncio.timeout(LIMIT):
        assert (await anext(events)).speaking
        assert not (await anext(events)).speaking


async def test_a_recording_has_both_users_and_ends_with_the_call(
    alice: TelnyxClient, bob: TelnyxClient, tmp_path: Path
) -> None:
    outbound, inbound = await answered_call(alice, bob, "bob")
    recording = await inbound.record(tmp_path / "call.flac")
    await outbound.audio.write(tone(600, 2, RATE))
    await inbound.audio.write(tone(1200, 2, RATE))
    await inbound.audio.drain()
    await inbound.end()
    samples, rate = soundfile.read(recording.path)
    assert recording.duration == pytest.approx(len(samples) / rate)
    assert recording.dropped == 0
    last = samples[rate : round(1.8 * rate)]
    assert dominant_frequency(last[:, 0], rate) == pytest.approx(600, abs=5)
    assert dominant_frequency(last[:, 1], rate) == pytest.approx(1200, abs=5)


async def test_recording_what_cannot_be_recorded(alice: TelnyxClient, bob: TelnyxClient, tmp_path: Path) -> None:
    incoming = bob.incoming_calls.collect()
    outbound = await alice.new_invite("bob")
    inbound = await asyncio.wait_for(anext(incoming), LIMIT)
    for early in (lambda: inbound.dtmf_flow, lambda: inbound.voice_activity_flow):
        with pytest.raises(CallError, match="accept"):
            early()
    with pytest.raises(CallError, match="accept"):
        await inbound.record(tmp_path / "early.wav")
    with pytest.raises(ConfigurationError, match="suffix"):
        await outbound.record(tmp_path / "call.mp3")
    await outbound.end()
    with pytest.raises(CallError, match="ended"):
        await outbound.record(tmp_path / "late.wav")
