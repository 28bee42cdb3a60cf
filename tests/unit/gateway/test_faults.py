"""Faults on demand, as a client sees them."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import aiohttp
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError

from telnyx_native.errors import CallError, ConfigurationError
from telnyx_native.gateway import Limits, RegistrationFault
from telnyx_native.gateway.fault_names import FAULT_NAMES, inject
from telnyx_native.gateway.faults import MALFORMED

LIMIT = 5.0


@pytest.fixture
def limits():
    return Limits(close_time=2.0, ping_interval=0.05)


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


async def test_a_malformed_frame(alice, gateway):
    await gateway.faults.send_malformed("alice")
    async with asyncio.timeout(LIMIT):
        while await alice.socket.recv() != MALFORMED:
            pass
    assert (await alice.ask("telnyx_rtc.ping"))["result"]["message"] == "PONG"


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


@pytest.mark.parametrize(
    "name", ["", "nonsense", "delay", "delay:x", "delay:-1", "delay:nan", "registration:REGED", "drop:1"]
)
async def test_names_that_make_no_sense(alice, gateway, name):
    with pytest.raises(ConfigurationError):
        await inject(gateway.faults, "alice", name)


@pytest.mark.parametrize("name", FAULT_NAMES)
async def test_every_fault_has_a_name(gateway, alice, name):
    name = name.replace("SECONDS", "0.01").replace("FAULT", "EXPIRED").replace("TIMES", "3")
    headers = {"Authorization": f"Bearer {gateway.control_token}"}
    url = gateway.url.replace("ws:", "http:") + "/api/users/{}/faults"
    async with aiohttp.ClientSession(headers=headers) as http:
        for user, status in (("alice", HTTPStatus.OK), ("nobody", HTTPStatus.NOT_FOUND)):
            async with http.post(url.format(user), json={"fault": name}) as response:
                assert response.status == status, await response.text()
    gateway.faults.clear("alice")
    async with connect(gateway.url):
        pass
