"""Commands in any order, to calls in any state: what applications are told stays sound."""

from __future__ import annotations

import asyncio
import gc
import random
from collections import defaultdict
from contextlib import suppress

import pytest

from support.limit import LIMIT
from support.webhook_receiver import API_KEY, webhook_receiver
from telnyx_native.event_loop import running
from telnyx_native.gateway import Application, Gateway, GatewayLimits, User, VoiceApi
from telnyx_native.gateway.voice_api.refusals import Refusal

STEPS = 150


@pytest.fixture
async def receiver():
    async with webhook_receiver() as receiver:
        yield receiver


@pytest.fixture
async def gateway(peers, receiver):
    users = [User("alice", "secret"), User("bob", "hidden")]
    application = Application("support", receiver.url, numbers=["+15550200"])
    limits = GatewayLimits(close_time=2.0, calls=30)
    async with Gateway(users, limits=limits, voice_api=VoiceApi([API_KEY], [application])) as gateway:
        receiver.public_key = gateway.public_key
        yield gateway


async def behave_at_random(client, chance):
    """Answer, reject or ignore what rings, and hang up now and then."""
    while True:
        frame = await client.frame(lambda frame: frame.get("method") == "telnyx_rtc.invite")
        dialog = {"callID": frame["params"]["callID"]}
        match chance.randrange(5):
            case 0 | 1 | 2:
                await client.request("telnyx_rtc.answer", sdp="v=0", dialogParams=dialog)
                if chance.random() < 0.3:
                    await asyncio.sleep(chance.random() / 50)
                    await client.request("telnyx_rtc.bye", dialogParams=dialog)
            case 3:
                await client.request("telnyx_rtc.bye", cause="USER_BUSY", dialogParams=dialog)


@pytest.mark.parametrize("seed", range(4))
async def test_every_call_is_told_of_from_its_begin_to_its_end(gateway, receiver, alice, bob, seed):
    chance = random.Random(seed)
    troubles = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: troubles.append(context))
    control = gateway._call_control
    placed = 0

    def some_call():
        known = [webhook["data"]["payload"]["call_control_id"] for webhook in receiver.received]
        return chance.choice(known[-20:] or ["v3:none"])

    def some_command():
        to = chance.choice(["sip:bob@x", "sip:bob@x", "sip:nobody@x", "busy", "noanswer", "+15550200"])
        more = {"park_after_unbridge": "self"} if chance.random() < 0.5 else {}
        return chance.choice(
            [
                ("answer", {}),
                ("answer", {}),
                ("reject", {"cause": "USER_BUSY"}),
                ("hangup", {}),
                ("transfer", {"to": to} | more),
                ("transfer", {"to": to} | more),
                ("bridge", {"call_control_id": some_call()} | more),
                ("bridge", {"call_control_id": some_call()} | more),
                ("playback_start", {"audio_url": "file:"}),
                ("playback_stop", {}),
            ]
        )

    async with running(behave_at_random(bob, chance)), running(behave_at_random(alice, chance)):
        for _ in range(STEPS):
            if chance.random() < 0.2:
                placed += 1
                await alice.request(
                    "telnyx_rtc.invite",
                    sdp="v=0",
                    dialogParams={"callID": f"Call-{placed}", "destination_number": "+15550200"},
                )
            elif chance.random() < 0.15:
                call_id = f"Call-{chance.randrange(placed + 1)}"
                await alice.request("telnyx_rtc.bye", dialogParams={"callID": call_id})
            with suppress(Refusal):
                name, body = some_command()
                if chance.random() < 0.1:
                    dial = {"connection_id": "support", "to": "sip:bob@x", "from": "+1", "link_to": some_call()}
                    control.dial(dial | {"bridge_on_answer": chance.random() < 0.5})
                else:
                    control.carry_out(some_call(), name, body)
            await asyncio.sleep(chance.random() / 100)
        async with asyncio.timeout(LIMIT):
            await gateway.close()
    assert gateway.calls == []
    told = defaultdict(list)
    for webhook in receiver.received:
        told[webhook["data"]["payload"]["call_control_id"]].append(webhook["data"]["event_type"])
    assert len(told) > 10
    for kinds in told.values():
        assert (kinds[0], kinds[-1]) == ("call.initiated", "call.hangup")
        assert all(kinds.count(once) <= 1 for once in ("call.initiated", "call.answered", "call.hangup"))
        if "call.bridged" in kinds:
            assert kinds.index("call.answered") < kinds.index("call.bridged")
    assert any("call.answered" in kinds for kinds in told.values())
    gc.collect()
    assert troubles == []
    assert (gateway.counters.dropped_webhooks, gateway.counters.failed_webhooks) == (0, 0)
