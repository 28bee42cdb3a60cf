"""Blind transfers: a client asks by Telnyx's own package, a real gateway does it, and what is heard then counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from support.hearing import hear_tone
from support.limit import LIMIT
from support.users import answered_call, client_of, hear_each_other, rings_at
from support.webhook_receiver import API_KEY, WebhookReceiver, api_client, webhook_receiver
from telnyx_native import (
    AuthenticationError,
    Call,
    CallControl,
    CallError,
    CallState,
    ConfigurationError,
    RemoteParty,
    TelnyxClient,
    TransferOutcome,
)
from telnyx_native.gateway import Application, Gateway, User, VoiceApi

ALICE, BOT, CAROL, SUPPORT = "+15550100", "+15550101", "+15550102", "+15550200"


@pytest.fixture
async def webhooks() -> AsyncIterator[WebhookReceiver]:
    async with webhook_receiver() as receiver:
        yield receiver


@pytest.fixture
async def gateway(webhooks: WebhookReceiver) -> AsyncIterator[Gateway]:
    users = [User(name, "s3cret", number) for name, number in (("alice", ALICE), ("bot", BOT), ("carol", CAROL))]
    application = Application("support", webhooks.url, numbers=[SUPPORT])
    async with Gateway([*users, User("dave", "s3cret")], voice_api=VoiceApi([API_KEY], [application])) as running:
        webhooks.public_key = running.public_key
        yield running


@pytest.fixture
async def bot(gateway: Gateway) -> AsyncIterator[TelnyxClient]:
    async with client_of(gateway, "bot", call_control=CallControl(API_KEY, gateway.voice_api_url)) as client:
        yield client


@pytest.fixture
async def carol(gateway: Gateway) -> AsyncIterator[TelnyxClient]:
    async with client_of(gateway, "carol") as client:
        yield client


async def transferred(call: Call, to: TelnyxClient, number: str, **options: Any) -> Call:
    """Transfer a call; return it at its new end, answered."""
    ringing, transfer = await rings_at(to, call.transfer(number, **options))
    assert call.state == CallState.TRANSFERRING
    await ringing.accept()
    await ringing.wait_active(LIMIT)
    assert await asyncio.wait_for(transfer, LIMIT) is TransferOutcome.BRIDGED
    return ringing


async def test_caller_is_transferred(alice: TelnyxClient, bot: TelnyxClient, carol: TelnyxClient) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    await hear_each_other(outbound, call)
    new = await transferred(call, carol, CAROL, caller=ALICE, headers={"X-Reason": "billing"})
    reason = await call.wait_done(LIMIT)
    assert (reason.cause, reason.cause_code, reason.sip_reason) == ("BLIND_TRANSFER", 600, "Call transferred")
    assert (new.caller_number, new.remote_headers) == (ALICE, {"X-Reason": "billing"})
    assert outbound.state == CallState.ACTIVE
    assert outbound.remote_party == RemoteParty("carol", "carol")
    await hear_each_other(outbound, new)
    await new.end()
    assert (await outbound.wait_done(LIMIT)).cause == "NORMAL_CLEARING"


async def test_called_party_is_transferred(alice: TelnyxClient, bot: TelnyxClient, carol: TelnyxClient) -> None:
    call, inbound = await answered_call(bot, alice, ALICE)
    await hear_each_other(call, inbound)
    new = await transferred(call, carol, "sip:carol@sip.example.com")
    assert (await call.wait_done(LIMIT)).cause == "BLIND_TRANSFER"
    assert new.caller_number == ALICE, "the API's default: whom the call was to first"
    assert inbound.remote_party == RemoteParty("carol", "carol")
    await hear_each_other(inbound, new)
    await inbound.end()
    await new.wait_done(LIMIT)


async def test_transfer_to_a_destination(alice: TelnyxClient, bot: TelnyxClient) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    assert await call.transfer("tone:700") is TransferOutcome.BRIDGED
    await call.wait_done(LIMIT)
    await hear_tone(outbound.audio, 700)


async def test_transferred_call_is_transferred_back(gateway: Gateway, alice: TelnyxClient, bot: TelnyxClient) -> None:
    async with client_of(gateway, "carol", call_control=CallControl(API_KEY, gateway.voice_api_url)) as carol:
        outbound, call = await answered_call(alice, bot, BOT)
        new = await transferred(call, carol, CAROL)
        await hear_each_other(outbound, new)
        again = await transferred(new, bot, BOT)
        assert (await new.wait_done(LIMIT)).cause == "BLIND_TRANSFER"
        await hear_each_other(outbound, again)


async def test_busy(alice: TelnyxClient, bot: TelnyxClient, carol: TelnyxClient) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    ringing, transfer = await rings_at(carol, call.transfer(CAROL))
    await hear_each_other(outbound, call)  # while it rings
    await call.call_quality_flow.first(timeout=LIMIT)
    await ringing.reject()
    assert await asyncio.wait_for(transfer, LIMIT) is TransferOutcome.BUSY
    assert call.state == outbound.state == CallState.ACTIVE
    await hear_each_other(outbound, call)
    assert call.remote_party.number == ALICE
    new = await transferred(call, carol, CAROL)  # another try
    await hear_each_other(outbound, new)


async def test_nobody_answers(alice: TelnyxClient, bot: TelnyxClient, carol: TelnyxClient) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    ringing, transfer = await rings_at(carol, call.transfer(CAROL, timeout=5))
    assert await asyncio.wait_for(transfer, LIMIT) is TransferOutcome.NO_ANSWER
    await ringing.wait_done(LIMIT)
    await hear_each_other(outbound, call)


@pytest.mark.parametrize(
    ("to", "outcome"),
    [("+15559999", TransferOutcome.WRONG_NUMBER), ("dave", TransferOutcome.UNREACHABLE)],
)
async def test_nobody_is_there(alice: TelnyxClient, bot: TelnyxClient, to: str, outcome: TransferOutcome) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    assert await call.transfer(to) is outcome
    assert call.state == CallState.ACTIVE
    await hear_each_other(outbound, call)


async def test_call_on_hold_is_on_hold_again(alice: TelnyxClient, bot: TelnyxClient) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    await call.hold()
    assert await call.transfer("+15559999") is TransferOutcome.WRONG_NUMBER
    assert call.state == CallState.HELD
    await call.unhold()
    await hear_each_other(outbound, call)


async def test_caller_leaves_while_it_rings(alice: TelnyxClient, bot: TelnyxClient, carol: TelnyxClient) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    ringing, transfer = await rings_at(carol, call.transfer(CAROL))
    await outbound.end()
    with pytest.raises(CallError, match="ended meanwhile: NORMAL_CLEARING"):
        await asyncio.wait_for(transfer, LIMIT)
    assert (await ringing.wait_done(LIMIT)).cause == "ORIGINATOR_CANCEL"


async def test_bot_hangs_up_while_it_rings(alice: TelnyxClient, bot: TelnyxClient, carol: TelnyxClient) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    ringing, transfer = await rings_at(carol, call.transfer(CAROL))
    await call.end()
    with pytest.raises(CallError):
        await asyncio.wait_for(transfer, LIMIT)
    await ringing.wait_done(LIMIT)
    await outbound.wait_done(LIMIT)


async def test_cancelling_does_not_take_it_back(alice: TelnyxClient, bot: TelnyxClient, carol: TelnyxClient) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    ringing, transfer = await rings_at(carol, call.transfer(CAROL))
    transfer.cancel()
    await asyncio.wait({transfer})
    assert call.state == CallState.TRANSFERRING
    await ringing.accept()
    assert (await call.wait_done(LIMIT)).cause == "BLIND_TRANSFER"
    await hear_each_other(outbound, ringing)


async def test_key_is_not_good(gateway: Gateway, alice: TelnyxClient) -> None:
    async with client_of(gateway, "bot", call_control=CallControl("KEY-wr0ng", gateway.voice_api_url)) as bot:
        outbound, call = await answered_call(alice, bot, BOT)
        with pytest.raises(AuthenticationError, match="the API key is not good"):
            await call.transfer(CAROL)
        await call.call_state_flow.wait_for(CallState.ACTIVE, timeout=LIMIT)
        await hear_each_other(outbound, call)


async def test_no_key(gateway: Gateway, alice: TelnyxClient) -> None:
    async with client_of(gateway, "bot") as bot:
        _, call = await answered_call(alice, bot, BOT)
        with pytest.raises(ConfigurationError, match=r"call_control=CallControl\(api_key\)"):
            await call.transfer(CAROL)
        assert call.state == CallState.ACTIVE


async def test_what_is_refused(alice: TelnyxClient, bot: TelnyxClient) -> None:
    outbound, call = await answered_call(alice, bot, BOT)
    with pytest.raises(ConfigurationError, match="to is empty"):
        await call.transfer("")
    with pytest.raises(ConfigurationError, match="timeout: write 5 to 600 seconds"):
        await call.transfer(CAROL, timeout=1)
    with pytest.raises(ConfigurationError, match="cannot be a SIP header"):
        await call.transfer(CAROL, headers={"X-Bad": "two\r\nlines"})
    with pytest.raises(CallError, match="404") as unknown:
        await call.transfer(CAROL, call_control_id="v3:nothing")
    assert unknown.value.code == 10005
    with pytest.raises(CallError, match="422") as refused:
        await call.transfer("x" * 3000)
    assert refused.value.code == 10015
    assert call.state == CallState.ACTIVE
    await hear_each_other(outbound, call)
    await call.end()
    with pytest.raises(CallError, match="cannot be transferred"):
        await call.transfer(CAROL)


async def test_nobody_else_is_in_the_call(bot: TelnyxClient) -> None:
    call = await bot.new_invite("echo")
    await call.wait_active(LIMIT)
    with pytest.raises(CallError, match="no other client"):
        await call.transfer(CAROL)
    assert call.state == CallState.ACTIVE


async def led_by_the_application(
    alice: TelnyxClient, bot: TelnyxClient, webhooks: WebhookReceiver, gateway: Gateway
) -> tuple[Call, Call, str]:
    """A call to an application, which has transferred it to the bot: both ends, and the name of the caller's leg."""
    async with api_client(gateway.voice_api_url) as api:
        outbound = await alice.new_invite(SUPPORT)
        leg = (await webhooks.next("call.initiated"))["call_control_id"]
        call, _ = await rings_at(bot, api.calls.actions.transfer(leg, to="sip:bot@x", from_=ALICE))
        await call.accept()
        await asyncio.gather(call.wait_active(LIMIT), outbound.wait_active(LIMIT))
    return outbound, call, leg


async def test_leg_of_an_application(
    alice: TelnyxClient, bot: TelnyxClient, carol: TelnyxClient, webhooks: WebhookReceiver, gateway: Gateway
) -> None:
    outbound, call, leg = await led_by_the_application(alice, bot, webhooks, gateway)
    new = await transferred(call, carol, CAROL, call_control_id=leg)
    await call.wait_done(LIMIT)
    await hear_each_other(outbound, new)


async def test_this_end_is_connected(
    alice: TelnyxClient,
    bot: TelnyxClient,
    carol: TelnyxClient,
    webhooks: WebhookReceiver,
    gateway: Gateway,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("telnyx_native.call.transfer.LEAVE_TIME", 0.5)
    outbound, call, _ = await led_by_the_application(alice, bot, webhooks, gateway)
    new = await transferred(call, carol, CAROL)
    assert call.state == CallState.ACTIVE
    assert call.remote_party == RemoteParty(number=CAROL)
    await outbound.wait_done(LIMIT)
    await hear_each_other(call, new)
