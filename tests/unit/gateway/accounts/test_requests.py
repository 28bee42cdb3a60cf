from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from websockets.exceptions import ConnectionClosed

from telnyx_native.gateway import GatewayLimits


async def test_login_in_the_order_that_clients_need(client):
    login_id = await client.request("login", login="alice", passwd="secret")
    result, ready = await client.frame(), await client.frame()
    assert result["id"] == login_id
    assert result["result"]["message"] == "logged in"
    assert UUID(result["result"]["sessid"])
    assert ready["method"] == "telnyx_rtc.clientReady"
    assert ready["params"] == {"reattached_sessions": []}
    assert isinstance(ready["id"], int)
    assert ready["id"] > 0
    assert result["voice_sdk_id"] == ready["voice_sdk_id"] != ""


async def test_registration_is_asked_for(alice):
    answer = await alice.ask("telnyx_rtc.gatewayState")
    assert answer["result"]["params"]["state"] == "REGED"
    assert answer["result"]["sessid"]


async def test_own_session_id_is_kept(client):
    answer = await client.login(sessid="my-own-session")
    assert answer["result"]["sessid"] == "my-own-session"
    state = await client.ask("telnyx_rtc.gatewayState")
    assert state["result"]["sessid"] == "my-own-session"


@pytest.mark.parametrize("sessid", [None, "", 7, ["x"], "x" * 1000])
async def test_useless_session_id_gets_a_fresh_one(client, sessid):
    answer = await client.login(sessid=sessid)
    assert UUID(answer["result"]["sessid"])


@pytest.mark.parametrize(
    "credentials",
    [
        {"login": "alice", "passwd": "wrong"},
        {"login": "nobody", "passwd": "secret"},
        {"login": "alice", "passwd": ""},
        {"login": "alice", "passwd": None},
        {"login": None, "passwd": None},
        {"login": ["alice"], "passwd": {"secret": 1}},
        {},
    ],
)
async def test_wrong_credentials(client, gateway, credentials):
    answer = await client.ask("login", **credentials)
    assert answer["error"] == {"code": -32001, "message": "Login Incorrect"}
    assert gateway.counters.failed_logins == 1
    assert (await client.login())["result"]["message"] == "logged in"


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("login", {"login_token": "eyJ.eyJ.sig"}),
        ("login", {"login": None, "passwd": None, "login_token": "eyJ.eyJ.sig"}),
        ("anonymous_login", {"target_type": "ai_assistant", "target_id": "assistant-1"}),
    ],
)
async def test_other_logins_are_refused_without_inviting_a_retry(client, method, params):
    answer = await client.ask(method, **params)
    assert answer["error"]["code"] == -32001
    assert answer["error"]["message"].startswith("Login Incorrect")


async def test_nothing_else_before_login(client):
    for method in ("telnyx_rtc.ping", "telnyx_rtc.gatewayState", "telnyx_rtc.invite", "nonsense"):
        answer = await client.ask(method)
        assert answer["error"] == {"code": -32000, "message": "Authentication Required"}


async def test_sessions_are_those_that_are_logged_in(client, gateway):
    await client.ask("login", login="alice", passwd="wrong")
    assert gateway.connections == []
    await client.login()
    assert [connection.user_name for connection in gateway.connections] == ["alice"]


async def test_second_login_keeps_session_and_calls(alice, gateway):
    await alice.invite("noanswer")
    sessid = gateway.connections[0].sessid
    answer = await alice.ask("login", login="alice", passwd="secret", sessid=sessid, reconnection=True)
    assert answer["result"]["sessid"] == sessid
    ready = await alice.expect("telnyx_rtc.clientReady")
    assert ready["params"]["reattached_sessions"] == ["Call-1"]


async def test_returning_client_displaces_its_old_socket(alice, open_client, gateway):
    sessid = gateway.connections[0].sessid
    async with open_client("/?voice_sdk_id=VSDK1abc") as again:
        answer = await again.login(sessid=sessid)
        assert answer["result"]["sessid"] == sessid
        assert (await alice.expect("telnyx_rtc.punt"))["params"] == {}
        with pytest.raises(ConnectionClosed):
            await alice.frame(lambda frame: False)


async def test_session_of_another_user_cannot_be_taken(alice, open_client, gateway):
    sessid = gateway.connections[0].sessid
    async with open_client() as thief:
        answer = await thief.login("bob", "hidden", sessid=sessid)
        assert answer["result"]["sessid"] != sessid
        assert (await alice.ask("telnyx_rtc.ping"))["result"]["message"] == "PONG"


async def test_password_is_in_no_repr(gateway):
    assert "secret" not in repr(list(gateway.directory))


async def test_password_is_in_no_log(client, caplog):
    caplog.set_level("DEBUG", logger="telnyx_native")
    caplog.set_level("DEBUG", logger="websockets")
    await client.login()
    await client.send('{"method":"login","params":{"passwd":"secret"')
    await client.frame()
    of_gateway = [r for r in caplog.records if r.name.startswith("telnyx_native.gateway")]
    assert of_gateway
    assert not [r for r in of_gateway if "secret" in r.getMessage()]
    # What is left is this test's own client.
    assert not [r for r in caplog.records if r.name == "websockets.server" and "secret" in r.getMessage()]


class TestLimits:
    @pytest.fixture
    def limits(self):
        return GatewayLimits(failed_logins=2, login_time=0.05, connections=1, close_time=1.0)

    async def test_guessing_ends_the_socket(self, client):
        for _ in range(2):
            await client.ask("login", login="alice", passwd="guess")
        with pytest.raises(ConnectionClosed) as closed:
            await client.frame()
        assert closed.value.rcvd.code == 1008

    async def test_silent_socket_is_closed(self, client):
        with pytest.raises(ConnectionClosed) as closed:
            await client.frame()
        assert closed.value.rcvd.code == 1008

    async def test_too_many_sockets(self, client, open_client, gateway):
        with pytest.raises(Exception, match="503"):
            async with open_client():
                pass
        assert gateway.counters.refused_connections == 1

    async def test_logged_in_socket_stays(self, client):
        await client.login()
        await asyncio.sleep(0.1)
        assert (await client.ask("telnyx_rtc.ping"))["result"]["message"] == "PONG"
