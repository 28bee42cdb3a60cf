"""Consultations: caller, bot and colleague at a real gateway, and what each of them hears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from support.cancellation import CancelAt
from support.hearing import hear_tone, hears_nothing, saying_tone
from support.limit import LIMIT
from support.signals import tone
from support.users import answered_call, client_of, hear_each_other, rings_at
from support.webhook_receiver import API_KEY
from telnyx_native import (
    AuthenticationError,
    Call,
    CallControl,
    CallError,
    CallLimitError,
    CallState,
    ConfigurationError,
    Consultation,
    ConsultationError,
    ConsultationState,
    Limits,
    RemoteParty,
    TelnyxClient,
    TransferOutcome,
)
from telnyx_native.gateway import Gateway, User, VoiceApi

ALICE, BOT, CAROL = "+15550100", "+15550101", "+15550102"

BACK = 1.0
"""Seconds within which a caller is back with the bot."""


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    users = [User(name, "s3cret", number) for name, number in (("alice", ALICE), ("bot", BOT), ("carol", CAROL))]
    async with Gateway([*users, User("dave", "s3cret")], voice_api=VoiceApi([API_KEY])) as running:
        yield running


@pytest.fixture
async def bot(gateway: Gateway) -> AsyncIterator[TelnyxClient]:
    async with client_of(gateway, "bot", call_control=CallControl(API_KEY, gateway.voice_api_url)) as client:
        yield client


@pytest.fixture
async def carol(gateway: Gateway) -> AsyncIterator[TelnyxClient]:
    async with client_of(gateway, "carol") as client:
        yield client


async def consulted(call: Call, colleague: TelnyxClient, **options: Any) -> tuple[Consultation[Call], Call]:
    """A consultation that has begun, and the colleague's end of it."""
    ringing, consulting = await rings_at(colleague, call.consult(CAROL, **options))
    assert call.state == CallState.TRANSFERRING
    await ringing.accept()
    return await asyncio.wait_for(consulting, LIMIT), ringing


async def is_back(outbound: Call, call: Call) -> None:
    """The caller and the bot hear each other."""
    await call.call_state_flow.wait_for(CallState.ACTIVE, timeout=BACK)
    assert not call.held
    await hear_each_other(outbound, call)


async def test_warm_transfer(alice: TelnyxClient, bot: TelnyxClient, carol: TelnyxClient) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    consultation, at_carol = await consulted(call, carol, headers={"X-Reason": "billing"})
    assert consultation.state is ConsultationState.BRIEFING
    assert at_carol.remote_headers == {"X-Reason": "billing"}
    assert call.held
    async with saying_tone(consultation.colleague.audio, 700), saying_tone(at_carol.audio, 900):
        await asyncio.gather(
            hear_tone(at_carol.audio, 700),
            hear_tone(consultation.colleague.audio, 900),
            hears_nothing(outbound.audio, 0.5),
        )
    await consultation.complete()
    assert consultation.state is ConsultationState.COMPLETED
    assert call.state == consultation.colleague.state == CallState.ACTIVE
    assert call.bridged
    await hear_each_other(outbound, at_carol)
    await outbound.end()
    await asyncio.gather(*(each.wait_done(LIMIT) for each in (call, consultation.colleague, at_carol)))


async def test_caller_hears_music(alice: TelnyxClient, bot: TelnyxClient, carol: TelnyxClient) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    music = tone(520, 1, call.audio.sample_rate)
    ringing, consulting = await rings_at(carol, call.consult(CAROL, music=music))
    assert not call.held
    await hear_tone(outbound.audio, 520)
    await ringing.accept()
    consultation = await asyncio.wait_for(consulting, LIMIT)
    await hear_tone(outbound.audio, 520)
    await consultation.complete()
    await hear_each_other(outbound, ringing)


async def test_the_colleague_ends_the_call(alice: TelnyxClient, bot: TelnyxClient, carol: TelnyxClient) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    consultation, at_carol = await consulted(call, carol)
    await consultation.complete()
    await at_carol.end()
    await asyncio.gather(*(each.wait_done(LIMIT) for each in (call, outbound)))


async def test_all_three_talk(alice: TelnyxClient, bot: TelnyxClient, carol: TelnyxClient) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    consultation, at_carol = await consulted(call, carol)
    audio = await consultation.merge()
    assert (consultation.state, call.state) == (ConsultationState.MERGED, CallState.ACTIVE)
    assert await consultation.merge() is audio
    async with saying_tone(audio, 700):
        await asyncio.gather(hear_tone(outbound.audio, 700), hear_tone(at_carol.audio, 700))
    async with saying_tone(outbound.audio, 440):
        await asyncio.gather(hear_tone(audio, 440), hear_tone(at_carol.audio, 440))
    async with saying_tone(at_carol.audio, 900):
        await asyncio.gather(hear_tone(audio, 900), hear_tone(outbound.audio, 900))
    await consultation.complete()
    assert audio.closed
    await hear_each_other(outbound, at_carol)


async def test_the_colleague_leaves_the_talk_of_three(
    alice: TelnyxClient, bot: TelnyxClient, carol: TelnyxClient
) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    consultation, at_carol = await consulted(call, carol)
    audio = await consultation.merge()
    await at_carol.end()
    await consultation.state_flow.wait_for(ConsultationState.COLLEAGUE_LEFT, timeout=LIMIT)
    await is_back(outbound, call)
    assert audio.closed


async def test_cancelled(alice: TelnyxClient, bot: TelnyxClient, carol: TelnyxClient) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    async with (await consulted(call, carol))[0] as consultation:
        pass
    assert consultation.state is ConsultationState.CANCELLED
    await is_back(outbound, call)
    await consultation.colleague.wait_done(LIMIT)
    for end in (consultation.complete, consultation.merge, consultation.cancel):
        with pytest.raises(CallError, match="the consultation is over: the application cancelled it"):
            await end()
    await (await consulted(call, carol))[0].complete()  # another one


async def test_colleague_is_busy(alice: TelnyxClient, bot: TelnyxClient, carol: TelnyxClient) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    ringing, consulting = await rings_at(carol, call.consult(CAROL))
    await ringing.reject()
    with pytest.raises(ConsultationError, match="USER_BUSY") as failed:
        await asyncio.wait_for(consulting, BACK)
    assert failed.value.outcome is TransferOutcome.BUSY
    await is_back(outbound, call)


async def test_nobody_answers(alice: TelnyxClient, bot: TelnyxClient, carol: TelnyxClient) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    ringing, consulting = await rings_at(carol, call.consult(CAROL, timeout=0.5))
    with pytest.raises(ConsultationError, match=r"nobody has answered within 0.5 s") as failed:
        await asyncio.wait_for(consulting, LIMIT)
    assert failed.value.outcome is TransferOutcome.NO_ANSWER
    await is_back(outbound, call)
    assert (await ringing.wait_done(LIMIT)).cause == "ORIGINATOR_CANCEL"


@pytest.mark.parametrize(
    ("to", "outcome"),
    [("+15559999", TransferOutcome.WRONG_NUMBER), ("dave", TransferOutcome.UNREACHABLE)],
)
async def test_nobody_is_there(alice: TelnyxClient, bot: TelnyxClient, to: str, outcome: TransferOutcome) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    with pytest.raises(ConsultationError) as failed:
        await call.consult(to)
    assert failed.value.outcome is outcome
    await is_back(outbound, call)


async def test_colleague_hangs_up_while_he_is_briefed(
    alice: TelnyxClient, bot: TelnyxClient, carol: TelnyxClient
) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    consultation, at_carol = await consulted(call, carol)
    await at_carol.end()
    await is_back(outbound, call)
    assert consultation.state is ConsultationState.COLLEAGUE_LEFT
    with pytest.raises(CallError, match="the colleague hung up"):
        await consultation.complete()


async def test_caller_hangs_up_while_it_rings(alice: TelnyxClient, bot: TelnyxClient, carol: TelnyxClient) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    ringing, consulting = await rings_at(carol, call.consult(CAROL))
    await outbound.end()
    with pytest.raises(CallError, match="ended meanwhile: NORMAL_CLEARING"):
        await asyncio.wait_for(consulting, LIMIT)
    await ringing.wait_done(LIMIT)


async def test_caller_hangs_up_while_he_is_briefed(alice: TelnyxClient, bot: TelnyxClient, carol: TelnyxClient) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    consultation, at_carol = await consulted(call, carol)
    await outbound.end()
    await at_carol.wait_done(LIMIT)
    assert consultation.state is ConsultationState.PARTY_LEFT
    with pytest.raises(CallError, match="the remote party hung up"):
        await consultation.complete()


async def test_consulting_is_cancelled(alice: TelnyxClient, bot: TelnyxClient, carol: TelnyxClient) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    ringing, consulting = await rings_at(carol, call.consult(CAROL))
    consulting.cancel()
    await asyncio.wait({consulting}, timeout=LIMIT)
    assert consulting.cancelled()
    await ringing.wait_done(LIMIT)
    await is_back(outbound, call)


@pytest.mark.parametrize("end", ["complete", "merge"])
async def test_cancelled_at_every_await_point(
    alice: TelnyxClient, bot: TelnyxClient, carol: TelnyxClient, end: str
) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    reached, point = True, 0
    while reached:
        consultation, at_carol = await consulted(call, carol)
        cancel = CancelAt(point)
        await asyncio.wait({asyncio.create_task(cancel.run(getattr(consultation, end)()))}, timeout=LIMIT)
        reached, point = cancel.reached, point + 1
        if consultation.state is not ConsultationState.COMPLETED:
            await consultation.cancel()
            await at_carol.wait_done(LIMIT)
            await is_back(outbound, call)
    assert point > 1
    if end == "complete":
        await hear_each_other(outbound, at_carol)


async def test_what_is_refused(gateway: Gateway, alice: TelnyxClient, carol: TelnyxClient) -> None:
    async with client_of(gateway, "bot", limits=Limits(max_concurrent_calls=1)) as bot:
        outbound, call = await answered_call(alice, bot, BOT)
        with pytest.raises(ConfigurationError, match="to is empty"):
            await call.consult("")
        with pytest.raises(ConfigurationError, match="timeout"):
            await call.consult(CAROL, timeout=0)
        with pytest.raises(ConfigurationError, match="no file"):
            await call.consult(CAROL, music="there_is_no_file.wav")
        with pytest.raises(CallLimitError):
            await call.consult(CAROL)
        await is_back(outbound, call)
        await call.end()
        with pytest.raises(CallError, match="DONE"):
            await call.consult(CAROL)


async def test_one_at_a_time(alice: TelnyxClient, bot: TelnyxClient, carol: TelnyxClient) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    consultation, _ = await consulted(call, carol)
    with pytest.raises(CallError, match="state TRANSFERRING"):
        await call.consult(CAROL)
    with pytest.raises(CallError, match="TRANSFERRING cannot be transferred"):
        await call.transfer(CAROL)
    await call.unhold()  # a word to the caller in between
    await hear_each_other(outbound, call)
    await call.hold()
    assert call.state == CallState.TRANSFERRING
    await consultation.cancel()
    await is_back(outbound, call)


async def test_network_connects_them(alice: TelnyxClient, bot: TelnyxClient, carol: TelnyxClient) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    consultation, at_carol = await consulted(call, carol)
    await consultation.complete(leave=True)
    assert consultation.state is ConsultationState.COMPLETED
    for each in (call, consultation.colleague):
        assert (await each.wait_done(LIMIT)).cause == "ATTENDED_TRANSFER"
    await bot.disconnect()
    await hear_each_other(outbound, at_carol)
    assert outbound.remote_party == RemoteParty("carol", "carol")
    assert at_carol.remote_party == RemoteParty("alice", ALICE)
    await at_carol.end()
    await outbound.wait_done(LIMIT)


async def test_key_is_not_good(gateway: Gateway, alice: TelnyxClient, carol: TelnyxClient) -> None:
    control = CallControl("KEY-wr0ng", gateway.voice_api_url)
    async with client_of(gateway, "bot", call_control=control) as bot:
        outbound, call = await answered_call(alice, bot, BOT)
        consultation, at_carol = await consulted(call, carol)
        with pytest.raises(AuthenticationError, match="the API key is not good"):
            await consultation.complete(leave=True)
        assert (consultation.state, call.state) == (ConsultationState.BRIEFING, CallState.TRANSFERRING)
        await consultation.complete()
        await hear_each_other(outbound, at_carol)


async def test_no_key(gateway: Gateway, alice: TelnyxClient, carol: TelnyxClient) -> None:
    async with client_of(gateway, "bot") as bot:
        _, call = await answered_call(alice, bot, BOT)
        consultation, _ = await consulted(call, carol)
        with pytest.raises(ConfigurationError, match=r"call_control=CallControl\(api_key\)"):
            await consultation.complete(leave=True)
        assert call.state == CallState.TRANSFERRING


async def test_parties_that_no_client_is(alice: TelnyxClient, bot: TelnyxClient) -> None:
    """A destination of the gateway is nobody that its Voice API could connect with somebody else."""
    outbound, call = await answered_call(alice, bot, BOT)
    async with await call.consult("echo") as consultation:
        with pytest.raises(CallError, match="422") as refused:
            await consultation.complete(leave=True)
        assert refused.value.code == 10015
    await is_back(outbound, call)


async def test_music_from_a_file(alice: TelnyxClient, bot: TelnyxClient, carol: TelnyxClient, tmp_path: Path) -> None:
    import wave

    file = tmp_path / "music.wav"
    with wave.open(str(file), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16_000)
        writer.writeframes(tone(610, 1, 16_000))
    outbound, call = await answered_call(alice, bot, BOT)
    consultation, _ = await consulted(call, carol, music=file)
    await hear_tone(outbound.audio, 610)
    await consultation.cancel()
    await is_back(outbound, call)
