"""Who answers a call: at the gateway's answering machine, at a user who speaks, at tones of the network."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from support.limit import LIMIT
from support.signals import silence
from support.users import answered_call
from telnyx_native import (
    AnswerDetectionConfig,
    AnswerReason,
    AnswerVerdict,
    AudioConfig,
    CallError,
    TelnyxClient,
    WaitTimeoutError,
)
from telnyx_native.gateway.destinations.sounds import VOICEMAIL
from telnyx_native.media.files import read_audio
from telnyx_native.media.network_tones import Signal
from telnyx_native.media.tones import tone

pytestmark = pytest.mark.sound

RATE = 16_000
GREETING = len(read_audio(VOICEMAIL, RATE)) / RATE
HELLO = np.concatenate([silence(0.5, RATE), read_audio(VOICEMAIL, RATE)[: RATE // 2]])


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
async def test_the_machine_of_the_gateway(alice: TelnyxClient, rate: int) -> None:
    call = await alice.new_invite("voicemail", audio=AudioConfig(sample_rate=rate))
    async with asyncio.timeout(LIMIT):
        found = await call.detect_answer()  # waits for the answer
        assert found.verdict is AnswerVerdict.MACHINE
        assert found.after_answer < 3.5
        beep = await call.wait_for_beep()
    assert call.audio._received() - beep.at - beep.duration < 0.1
    assert beep.frequencies == (pytest.approx(1000, abs=2),)
    assert beep.duration == pytest.approx(0.4, abs=0.04)
    await call.end()


async def test_a_human(alice: TelnyxClient, bob: TelnyxClient) -> None:
    call, human = await answered_call(alice, bob, "bob")
    detecting = asyncio.create_task(call.detect_answer())
    await human.audio.write(HELLO)
    found = await asyncio.wait_for(detecting, LIMIT)
    assert (found.verdict, found.reason) == (AnswerVerdict.HUMAN, AnswerReason.SHORT_GREETING)
    assert found.greeting == pytest.approx(0.45, abs=0.2)
    assert found.after_answer - found.words[0][0] < 1.6
    with pytest.raises(WaitTimeoutError, match="beep"):
        await call.wait_for_beep(0.2)


async def test_the_message_is_left_after_the_beep(alice: TelnyxClient, bob: TelnyxClient) -> None:
    call, machine = await answered_call(alice, bob, "bob")
    detecting = asyncio.create_task(call.detect_answer())
    await machine.audio.write(np.concatenate([silence(0.5, RATE), read_audio(VOICEMAIL, RATE)]))
    assert (await asyncio.wait_for(detecting, LIMIT)).verdict is AnswerVerdict.MACHINE
    waiting = asyncio.create_task(call.wait_greeting_ended())
    await machine.audio.write(np.concatenate([silence(0.4, RATE), tone((850,), 0.3, RATE), silence(0.5, RATE)]))
    end = await asyncio.wait_for(waiting, LIMIT)
    assert end.beep is not None
    assert end.beep.frequencies == (pytest.approx(850, abs=2),)
    assert end.after_answer > GREETING


async def test_a_greeting_without_a_beep_ends_with_a_pause(alice: TelnyxClient, bob: TelnyxClient) -> None:
    call, machine = await answered_call(alice, bob, "bob")
    detecting = asyncio.create_task(call.detect_answer())
    await machine.audio.write(np.concatenate([silence(0.5, RATE), read_audio(VOICEMAIL, RATE)]))
    await asyncio.wait_for(detecting, LIMIT)
    end = await asyncio.wait_for(call.wait_greeting_ended(), LIMIT)
    assert end.beep is None
    assert end.after_answer > GREETING


async def test_a_beep_that_decided_is_not_waited_for_again(alice: TelnyxClient, bob: TelnyxClient) -> None:
    call, machine = await answered_call(alice, bob, "bob")
    detecting = asyncio.create_task(call.detect_answer())
    await machine.audio.write(np.concatenate([silence(0.5, RATE), tone((1000,), 0.3, RATE), silence(0.2, RATE)]))
    found = await asyncio.wait_for(detecting, LIMIT)
    assert found.reason is AnswerReason.BEEP
    assert await asyncio.wait_for(call.wait_for_beep(), LIMIT) == found.beep


@pytest.mark.parametrize(
    ("address", "verdict", "signal"),
    [
        ("progress:fax-ced", AnswerVerdict.FAX, Signal.FAX_CED),
        ("progress:sit", AnswerVerdict.MACHINE, Signal.SIT),
        ("progress:busy:uk", AnswerVerdict.UNKNOWN, Signal.BUSY),
    ],
)
async def test_tones(alice: TelnyxClient, address: str, verdict: AnswerVerdict, signal: Signal) -> None:
    call = await alice.new_invite(address)
    flow = call.call_progress_flow.collect()
    found = await asyncio.wait_for(call.detect_answer(), LIMIT)
    assert (found.verdict, found.signal) == (verdict, signal)
    assert (await asyncio.wait_for(anext(flow), LIMIT)).signal is signal


async def test_ringback_in_early_media_is_heard_before_the_answer(alice: TelnyxClient) -> None:
    call = await alice.new_invite("early:3")
    flow = call.call_progress_flow.collect()
    assert (await asyncio.wait_for(anext(flow), LIMIT)).signal is Signal.RINGBACK


async def test_nobody_says_anything(alice: TelnyxClient) -> None:
    call = await alice.new_invite("echo")
    found = await asyncio.wait_for(call.detect_answer(AnswerDetectionConfig(initial_silence_millis=800)), LIMIT)
    assert (found.verdict, found.reason) == (AnswerVerdict.SILENCE, AnswerReason.NO_SPEECH)


async def test_one_detection_at_a_time(alice: TelnyxClient) -> None:
    call = await alice.new_invite("echo")
    first = asyncio.create_task(call.detect_answer())
    await call.wait_active(LIMIT)
    await asyncio.sleep(0)
    with pytest.raises(CallError, match="already"):
        await call.detect_answer()
    first.cancel()
    await asyncio.wait({first})
    short = AnswerDetectionConfig(initial_silence_millis=100)
    assert (await asyncio.wait_for(call.detect_answer(short), LIMIT)).verdict is AnswerVerdict.SILENCE


async def test_a_call_that_ends_meanwhile(alice: TelnyxClient) -> None:
    call = await alice.new_invite("hangup-after:0.5")
    waiting = [call.detect_answer(), call.wait_for_beep(), call.wait_greeting_ended()]
    for raised in await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), LIMIT):
        assert isinstance(raised, CallError)
        assert "ended" in str(raised)
    with pytest.raises(CallError, match="ended"):
        await call.detect_answer()


async def test_a_call_that_is_not_answered(alice: TelnyxClient) -> None:
    call = await alice.new_invite("reject")
    with pytest.raises(CallError, match="CALL_REJECTED"):
        await asyncio.wait_for(call.detect_answer(), LIMIT)
