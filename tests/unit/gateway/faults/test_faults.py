"""Faults on demand, as a client sees them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from http import HTTPStatus

import aiohttp
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError

from support.limit import LIMIT
from telnyx_native.errors import CallError, ConfigurationError
from telnyx_native.gateway import GatewayLimits, RegistrationFault
from telnyx_native.gateway.faults.faults import MALFORMED
from telnyx_native.media.simulated_network import NetworkConditions


@pytest.fixture
def limits():
    return GatewayLimits(close_time=2.0, ping_interval=0.05)


async def to_the_end(socket):
    """Read until the socket closes."""
    while True:
        await socket.recv()


async def test_dropped_sockets_end_without_a_handshake(alice, bob, gateway):
    gateway.faults.drop("alice")
    with pytest.raises(ConnectionClosedError) as dropped:
        await asyncio.wait_for(to_the_end(alice.socket), LIMIT)
    assert dropped.value.rcvd is None
    assert isinstance(dropped.value.__cause__, ConnectionResetError)
    assert (await bob.ask("telnyx_rtc.ping"))["result"]["message"] == "PONG"


async def test_a_frozen_socket_says_nothing_until_it_thaws(alice, bob, gateway):
    await alice.expect("telnyx_rtc.ping")  # the gateway pings twenty times a second
    gateway.faults.freeze("alice")
    ping = await alice.request("telnyx_rtc.ping")
    for _ in range(4):
        await bob.expect("telnyx_rtc.ping")
    while True:  # what was under way before
        try:
            await asyncio.wait_for(alice.socket.recv(), 0.02)
        except TimeoutError:
            break
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(alice.socket.recv(), 0.2)
    gateway.faults.thaw("alice")
    assert (await alice.frame(lambda frame: frame.get("id") == ping))["result"]["message"] == "PONG"
    await alice.expect("telnyx_rtc.ping")


async def test_a_new_socket_of_a_frozen_user_works(alice, gateway, open_client):
    gateway.faults.freeze("alice")
    async with open_client() as again:
        assert "result" in await again.login()
        assert (await again.ask("telnyx_rtc.ping"))["result"]["message"] == "PONG"
    gateway.faults.thaw("alice")


async def test_malformed_frames(alice, gateway):
    await gateway.faults.send_malformed("alice")
    for frame in MALFORMED:
        async with asyncio.timeout(LIMIT):
            while await alice.socket.recv() != frame:
                pass
    assert (await alice.ask("telnyx_rtc.ping"))["result"]["message"] == "PONG"


async def test_a_registration_that_is_lost_later(alice, gateway):
    await gateway.faults.push_registration("alice", "EXPIRED")
    assert (await alice.expect("telnyx_rtc.gatewayState"))["params"] == {"state": "EXPIRED"}


@pytest.mark.timed
async def test_messages_are_late(alice, bob, gateway):
    gateway.faults.delay("alice", 0.3)
    loop = asyncio.get_running_loop()
    begin = loop.time()
    await bob.ask("telnyx_rtc.ping")
    in_time = loop.time() - begin
    await alice.ask("telnyx_rtc.gatewayState")
    assert loop.time() - begin - in_time >= 0.29
    gateway.faults.clear("alice")
    assert (await alice.ask("telnyx_rtc.ping"))["result"]["message"] == "PONG"


async def test_messages_come_twice(alice, gateway):
    gateway.faults.duplicate("alice")
    state = await alice.request("telnyx_rtc.gatewayState")
    for _ in range(2):
        await alice.frame(lambda frame: frame.get("id") == state)


@pytest.mark.parametrize("state", ["FAILED", "FAIL_WAIT", "NOREG", "UNREGED", "TRYING", "EXPIRED", "TIMEOUT"])
async def test_a_registration_that_is_in_a_bad_state(alice, gateway, state):
    gateway.faults.fail_registration("alice", RegistrationFault(state), times=2)
    states = [(await alice.ask("telnyx_rtc.gatewayState"))["result"]["params"]["state"] for _ in range(3)]
    assert states == [state, state, "REGED"]


async def test_a_registration_that_is_refused(client, gateway):
    gateway.faults.fail_registration("alice", RegistrationFault.REFUSED, times=1)
    assert (await client.login())["error"]["code"] == -32001
    assert "result" in await client.login()


async def test_a_registration_that_gets_no_answer(alice, gateway):
    gateway.faults.fail_registration("alice", RegistrationFault.NO_ANSWER)
    unanswered = await alice.request("telnyx_rtc.gatewayState")
    await alice.ask("telnyx_rtc.ping")
    assert not [frame for frame in alice.frames if frame.get("id") == unanswered]
    gateway.faults.clear("alice")
    assert (await alice.ask("telnyx_rtc.gatewayState"))["result"]["params"]["state"] == "REGED"


@pytest.mark.parametrize("code", [503, -32603, -32098, None])
async def test_a_server_that_has_just_started(client, gateway, code):
    """The password is right, and the error passes; nobody's guess is counted."""
    gateway.faults.fail_logins("alice", code, times=2)
    for _ in range(2):
        error = (await client.ask("login", login="alice", passwd="secret"))["error"]
        assert error == {"message": "Service Unavailable"} | ({} if code is None else {"code": code})
    assert "result" in await client.login()
    assert gateway.counters.failed_logins == 0


async def test_an_answer_whose_description_comes_later(alice, gateway):
    gateway.faults.delay_descriptions("alice")
    await alice.place("echo")
    answer = await alice.expect("telnyx_rtc.answer")
    media = await alice.expect("telnyx_rtc.media")
    assert "sdp" not in answer["params"]
    assert media["params"]["sdp"] == "v=0 complete"
    assert media["id"] > answer["id"]


async def test_no_more_calls_than_channels(alice, gateway):
    gateway.faults.limit_channels("alice", 1)
    await alice.place("noanswer", call_id="1")
    await alice.place("noanswer", call_id="2")
    bye = (await alice.expect("telnyx_rtc.bye"))["params"]
    assert (bye["callID"], bye["cause"], bye["sipCode"]) == ("2", "CALL_REJECTED", 403)
    assert "channel limit exceeded" in bye["sipReason"]
    await alice.ask("telnyx_rtc.bye", dialogParams={"callID": "1"})
    await alice.place("noanswer", call_id="3")
    await alice.frame(lambda frame: frame.get("method") == "telnyx_rtc.ringing" and frame["params"]["callID"] == "3")


async def test_new_paths_that_are_none(alice, gateway):
    await alice.place("echo")
    await alice.expect("telnyx_rtc.answer")
    (leg,) = gateway.calls
    await gateway.faults.repeat_attach(leg)
    offers = [(await alice.expect("telnyx_rtc.attach"))["params"]["sdp"] for _ in range(2)]
    assert offers == ["v=0 complete"] * 2
    await gateway.faults.send_unusable_attach(leg)
    assert "m=audio" not in (await alice.expect("telnyx_rtc.attach"))["params"]["sdp"]
    await leg.hang_up()
    for fault in (gateway.faults.repeat_attach, gateway.faults.send_unusable_attach):
        with pytest.raises(CallError, match="cannot be moved"):
            await fault(leg)


async def test_tokens_expire(client, gateway):
    token = gateway.mint_token("alice")
    bobs = gateway.mint_token("bob")
    gateway.faults.expire_tokens("alice")
    assert "error" in await client.ask("login", login_token=token)
    assert "result" in await client.ask("login", login_token=bobs)
    assert "result" in await client.ask("login", login_token=gateway.mint_token("alice"))


def test_faults_that_make_no_sense(gateway):
    faults = gateway.faults
    with pytest.raises(ConfigurationError, match="no user 'nobody'"):
        faults.drop("nobody")
    with pytest.raises(CallError, match="alice is not logged in"):
        faults.freeze("alice")
    with pytest.raises(ConfigurationError, match="between 0 and 60"):
        faults.delay("alice", float("nan"))


class TestMedia:
    @pytest.fixture
    async def leg(self, alice, gateway):
        await alice.place("echo")
        await alice.expect("telnyx_rtc.answer")
        (leg,) = gateway.calls
        return leg

    async def test_of_one_call(self, leg, gateway):
        bad = NetworkConditions(loss=0.5)
        gateway.faults.impair_media(leg, to_client=bad)
        network = leg.media.network
        assert (network.sending.conditions, network.receiving.conditions) == (bad, NetworkConditions())
        gateway.faults.rebind_media(leg)
        assert network.rebound == 1

    async def test_of_a_user_now_and_later(self, leg, alice, gateway):
        bad = NetworkConditions(jitter=0.05)
        gateway.faults.impair_media_of("alice", bad)
        assert leg.media.network.receiving.conditions == bad
        await alice.place("echo", call_id="Call-2")
        await alice.expect("telnyx_rtc.answer")
        assert [leg.media.network.sending.conditions for leg in gateway.calls] == [bad, bad]
        gateway.faults.clear("alice")
        assert [leg.media.network.sending.conditions for leg in gateway.calls] == [NetworkConditions()] * 2

    async def test_of_a_call_without_audio(self, alice, gateway):
        await alice.place("noanswer")
        (leg,) = gateway.calls
        with pytest.raises(CallError, match="no audio yet"):
            gateway.faults.impair_media(leg)
        with pytest.raises(CallError, match="cannot be moved"):
            await gateway.faults.move_media(leg)

    async def test_moved_to_another_address(self, leg, alice, gateway, peers, until):
        await gateway.faults.move_media(leg)
        attach = (await alice.expect("telnyx_rtc.attach"))["params"]
        assert attach["callID"] == "Call-1"
        await alice.ask("telnyx_rtc.attach", sdp="v=0 answer", dialogParams={"callID": "Call-1"})
        await until(lambda: ("take_over", peers[0]) in peers[1].done)
        assert gateway.calls == [leg]


async def test_a_call_that_the_gateway_forgets(alice, gateway, open_client, peers):
    sessid = gateway.connections[0].sessid
    await alice.place("echo")
    await alice.expect("telnyx_rtc.answer")
    (leg,) = gateway.calls
    await gateway.faults.lose_call(leg)
    assert peers[0].closed
    await alice.ask("telnyx_rtc.ping")
    assert not [frame for frame in alice.frames if frame.get("method") == "telnyx_rtc.bye"]
    gateway.faults.drop("alice")
    async with open_client() as again:
        await again.ask("login", login="alice", passwd="secret", sessid=sessid)
        assert (await again.expect("telnyx_rtc.clientReady"))["params"] == {"reattached_sessions": []}


class TestRestart:
    async def test_sockets_die_and_answered_calls_live(self, alice, bob, gateway, open_client):
        sessid, url = gateway.connections[0].sessid, gateway.url
        await alice.place("echo")
        await alice.expect("telnyx_rtc.answer")
        await alice.place("noanswer", call_id="Call-2")
        kept, ringing = gateway.calls
        restarting = asyncio.create_task(gateway.restart(0.2))
        for client in (alice, bob):
            with pytest.raises(ConnectionClosedError) as closed:
                await asyncio.wait_for(to_the_end(client.socket), LIMIT)
            assert closed.value.rcvd is None
        with pytest.raises(ConnectionRefusedError):
            await connect(url)
        await restarting
        assert gateway.url == url
        assert ringing.reason.cause == "DESTINATION_OUT_OF_ORDER"
        assert gateway.calls == [kept]
        async with open_client() as again:
            await again.ask("login", login="alice", passwd="secret", sessid=sessid)
            assert (await again.expect("telnyx_rtc.clientReady"))["params"] == {"reattached_sessions": ["Call-1"]}
            await again.ask("telnyx_rtc.gatewayState")
            await again.expect("telnyx_rtc.attach")

    async def test_by_http_with_somebody_watching(self, gateway, post):
        headers = {"Authorization": f"Bearer {gateway.control_token}"}
        url = gateway.url.replace("ws:", "http:") + "/api/events"
        async with aiohttp.ClientSession(headers=headers) as http, http.get(url) as events:
            await events.content.readuntil(b"\n\n")
            assert await post("faults", "restart:0.1") == HTTPStatus.ACCEPTED
            async with asyncio.timeout(LIMIT):
                with suppress(aiohttp.ClientError):
                    while await events.content.readany():
                        pass
        async with asyncio.timeout(LIMIT):
            while True:
                with suppress(OSError):
                    async with connect(gateway.url):
                        break
                await asyncio.sleep(0.02)
        assert await post("faults", "explode") == HTTPStatus.NOT_FOUND

    async def test_closing_in_the_middle(self, gateway):
        restarting = asyncio.create_task(gateway.restart(0.1))
        await asyncio.sleep(0.01)
        await gateway.close()
        await restarting
        with pytest.raises(ConnectionRefusedError):
            await connect(gateway.url)
        with pytest.raises(ConfigurationError, match="not running"):
            await gateway.restart()
