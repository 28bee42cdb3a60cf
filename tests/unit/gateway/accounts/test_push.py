"""Calls to users who are not there: announced by push, parked, and delivered to the client that comes for them."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from support.limit import LIMIT
from telnyx_native import PushMetaData
from telnyx_native.errors import CallError
from telnyx_native.gateway import GatewayLimits, LegState
from telnyx_native.push import PushKind

DEVICE = {"push_device_token": "device-token", "push_notification_provider": "android"}


@pytest.fixture
async def sent(gateway):
    """The push notifications."""
    with gateway.push.sent.collect() as sent:
        yield sent


async def next_push(sent):
    return await asyncio.wait_for(anext(sent), LIMIT)


@pytest.fixture
async def away(open_client, gateway, until):
    """Alice has a device, and no client is connected."""
    async with open_client() as client:
        await client.login(userVariables=DEVICE)
    await until(lambda: not gateway.connections)


async def register(client):
    return (await client.ask("telnyx_rtc.gatewayState"))["result"]["params"]["state"]


async def answer(client, invite):
    call_id = invite["params"]["callID"]
    return await client.ask("telnyx_rtc.answer", sdp="v=0", dialogParams={"callID": call_id})


async def test_call_is_announced_parked_and_delivered(away, open_client, gateway, sent):
    leg = await gateway.place_call("alice", from_="+1999", name="Desk")
    push = await next_push(sent)
    assert (push.user, push.kind) == ("alice", PushKind.INCOMING_CALL)
    meta = PushMetaData.parse(json.dumps(push.payload))
    assert (meta.caller_name, meta.caller_number, meta.call_id) == ("Desk", "+1999", leg.call_id)
    assert gateway.calls == [leg]
    async with open_client(f"/?voice_sdk_id={meta.voice_sdk_id}") as client:
        await client.login(from_push=True)
        assert await register(client) == "REGED"
        assert not [frame for frame in client.frames if frame.get("method") == "telnyx_rtc.invite"]
        asked = await client.request("telnyx_rtc.attachCalls", userVariables=DEVICE)
        invite = await client.expect("telnyx_rtc.invite")
        order = [frame for frame in client.frames if frame.get("id") == asked or frame is invite]
        assert order[-1] is invite
        assert invite["params"]["callID"] == leg.call_id
        await answer(client, invite)
        await leg.wait_answered(LIMIT)
        await leg.hang_up()
        assert (await client.expect("telnyx_rtc.bye"))["params"]["cause"] == "NORMAL_CLEARING"
    assert not gateway.calls


@pytest.mark.parametrize("wanted", [{"attach_call": "true"}, {"attach_calls": "true"}, {"attach_call": True}])
async def test_login_that_wants_its_calls_gets_them_once_it_is_registered(away, open_client, gateway, wanted):
    leg = await gateway.place_call("alice", from_="+1999")
    async with open_client() as client:
        await client.login(loginParams=wanted)
        assert leg.state.value is LegState.NEW
        await register(client)
        invite = await client.expect("telnyx_rtc.invite")
        await client.ask("telnyx_rtc.attachCalls")  # some clients ask as well
        assert "result" in await answer(client, invite)


async def test_declined_on_the_device(away, bob, open_client, gateway, sent):
    await bob.place("alice")
    push = await next_push(sent)
    await bob.expect("telnyx_rtc.ringing")
    async with open_client(f"/?voice_sdk_id={push.metadata['voice_sdk_id']}") as client:
        await client.login(loginParams={"decline_push": "true"}, from_push=True)
        bye = (await bob.expect("telnyx_rtc.bye"))["params"]
        assert (bye["cause"], bye["sipCode"]) == ("USER_BUSY", 486)
        await register(client)
        await bob.place("alice", call_id="Call-2")  # it came to decline, not to be called
        await next_push(sent)
        assert not [frame for frame in client.frames if frame.get("method") == "telnyx_rtc.invite"]


async def test_only_the_call_of_the_notification(away, open_client, gateway, sent):
    first, second = [await gateway.place_call("alice", from_=number) for number in ("+1", "+2")]
    await next_push(sent)
    push = await next_push(sent)
    async with open_client(f"/?voice_sdk_id={push.metadata['voice_sdk_id']}") as client:
        await client.login(loginParams={"decline_push": "true"})
    assert (await second.wait_ended(LIMIT)).cause == "USER_BUSY"
    assert first.reason is None


async def test_missed_call(away, bob, sent):
    await bob.place("alice")
    await next_push(sent)
    await bob.ask("telnyx_rtc.bye", cause="USER_BUSY", dialogParams={"callID": "Call-1"})
    assert (await next_push(sent)).kind is PushKind.MISSED_CALL


async def test_push_beside_a_client_that_is_there(alice, bob, open_client, gateway, sent):
    gateway.push.forget("alice", None)
    await alice.login(userVariables=DEVICE | {"push_when_active": "true"})
    await bob.place("alice")
    await next_push(sent)
    await answer(alice, await alice.expect("telnyx_rtc.invite"))
    await bob.expect("telnyx_rtc.answer")
    assert (await next_push(sent)).kind is PushKind.ANSWERED_ELSEWHERE


async def test_no_push_to_who_is_there(alice, bob, gateway):
    await alice.login(userVariables=DEVICE)
    await bob.place("alice")
    await alice.expect("telnyx_rtc.invite")
    assert len(gateway.calls) == 2


@pytest.mark.parametrize(
    "named",
    [
        {"push_device_token": "device-token", "push_notification_provider": "android"},
        {"push_notification_token": "device-token"},
    ],
)
async def test_disabled(away, open_client, gateway, until, named):
    async with open_client() as client:
        await client.login()
        answer = await client.ask("telnyx_rtc.disable_push_notification", **{"user": "alice", "User-Agent": named})
        assert "success" in answer["result"]["message"]
    await until(lambda: not gateway.connections)
    with pytest.raises(CallError, match="not logged in"):
        await gateway.place_call("alice", from_="+1999")


async def test_payloads_of_both_providers(away, open_client, gateway, sent, until):
    async with open_client() as client:
        apple = {"push_device_token": "other", "push_notification_provider": "ios"}
        await client.login(userVariables=apple, **{"User-Agent": "iOS-4.1.2"})
    await until(lambda: not gateway.connections)
    leg = await gateway.place_call("alice", from_="+1999")
    payloads = [(await next_push(sent)).payload for _ in range(2)]
    assert isinstance(payloads[0]["metadata"], str)
    assert isinstance(payloads[1]["metadata"], dict)
    assert payloads[1]["aps"] == {"alert": "Incoming call!"}
    assert {PushMetaData.parse(payload).call_id for payload in payloads} == {leg.call_id}
    await leg.hang_up()
    assert (await next_push(sent)).provider.value == "android", "this iPhone does not want to hear of missed calls"


async def test_watchers_hear_of_it(away, gateway):
    headers = {"Authorization": f"Bearer {gateway.control_token}"}
    url = gateway.url.replace("ws:", "http:") + "/api/events"
    async with aiohttp.ClientSession(headers=headers) as http, http.get(url) as events:
        await events.content.readuntil(b"\n\n")
        await gateway.place_call("alice", from_="+1999")
        async with asyncio.timeout(LIMIT):
            while not (record := await events.content.readuntil(b"\n\n")).startswith(b"event: push"):
                pass
    assert b"device-token" not in record
    assert json.loads(record.split(b"data: ")[1])["user"] == "alice"


class TestLimits:
    @pytest.fixture
    def limits(self):
        return GatewayLimits(ring_time=0.1, close_time=2.0)

    async def test_nobody_comes(self, away, gateway, sent):
        leg = await gateway.place_call("alice", from_="+1999")
        assert (await leg.wait_ended(LIMIT)).cause == "NO_ANSWER"
        assert [(await next_push(sent)).kind for _ in range(2)] == [PushKind.INCOMING_CALL, PushKind.MISSED_CALL]
        assert not gateway.calls
