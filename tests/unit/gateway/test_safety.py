"""What keeps a gateway safe: who gets in, and how much anybody may ask of it."""

from __future__ import annotations

import hmac
import json
import time
from http import HTTPStatus

import aiohttp
import pytest
from websockets.exceptions import ConnectionClosed

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway import Gateway, Limits, User
from telnyx_native.gateway.accounts.users import Directory, same_secret


@pytest.mark.parametrize(
    ("given", "known", "same"),
    [("a", "a", True), ("a", "b", False), ("a", "aa", False), ("", "", True), ("é\ud800", "é\ud800", True)],
)
def test_secrets_are_compared(given, known, same):
    assert same_secret(given, known) is same


@pytest.mark.parametrize("name", ["alice", "nobody", None, 7])
@pytest.mark.parametrize("password", ["secret!", "s", "", None, 7])
def test_every_login_is_compared_in_the_same_way(monkeypatch, name, password):
    """Whether there is such a user, and how alike the password is, does not show in the time it takes."""
    compared = []

    def compare(one, other):
        compared.append((len(one), len(other)))
        return original(one, other)

    original = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert Directory([User("alice", "secret")]).authenticate(name, password) is None
    assert compared == [(64, 64)]


def test_an_unknown_user_without_a_password_is_nobody():
    assert Directory([]).authenticate("", "") is None


async def test_the_control_token_is_compared_in_the_same_way(gateway, monkeypatch):
    compared = []
    original = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda *both: compared.append(both) or original(*both))
    url = gateway.url.replace("ws:", "http:") + "/api/users"
    async with aiohttp.ClientSession() as http:
        for token in ("x", gateway.control_token[:-1], gateway.control_token):
            async with http.get(url, headers={"Authorization": f"Bearer {token}"}) as response:
                assert (response.status == HTTPStatus.OK) is (token == gateway.control_token)
    assert {len(each) for both in compared for each in both} == {64}


async def test_loopback_is_where_it_listens_by_default(gateway):
    assert gateway.url.startswith("ws://127.0.0.1:")
    sockets = gateway._front._server.sockets
    assert [socket.getsockname()[0] for socket in sockets] == ["127.0.0.1"]


def test_more_users_than_the_limit():
    users = [User(f"user{n}", "secret") for n in range(3)]
    with pytest.raises(ConfigurationError, match="3 users are more than `users` of the limits, 2"):
        Gateway(users, limits=Limits(users=2))


class TestSmallLimits:
    @pytest.fixture
    def limits(self):
        return Limits(close_time=2.0, calls=2, messages_per_second=50.0, frame_size=5000, sessions=3)

    async def test_calls_of_all_sessions_together(self, alice, bob, gateway):
        await alice.place("noanswer", call_id="1")
        await bob.place("noanswer", call_id="2")
        answer = await bob.invite("noanswer", call_id="3")
        assert answer["error"]["message"] == "TOO MANY CALLS"
        assert gateway.counters.refused_calls == 1
        await alice.ask("telnyx_rtc.bye", dialogParams={"callID": "1"})
        await bob.place("noanswer", call_id="3")

    @pytest.mark.timed
    async def test_who_sends_too_much_is_read_slowly_and_the_others_are_not(self, alice, bob, gateway):
        begun = time.monotonic()
        for number in range(90):
            ping = {"jsonrpc": "2.0", "id": f"flood-{number}", "method": "telnyx_rtc.ping", "params": {}}
            await alice.send(json.dumps(ping))
        quick = time.monotonic()
        await bob.ask("telnyx_rtc.ping")
        assert time.monotonic() - quick < 0.5
        await alice.frame(lambda frame: frame.get("id") == "flood-89")
        assert time.monotonic() - begun > 0.5, "90 frames, of which 50 may come at once, take 0.8 s"
        assert gateway.counters.slowed_messages > 20

    async def test_frame_that_is_too_big(self, alice, bob, gateway):
        await alice.send("x" * 6000)
        with pytest.raises(ConnectionClosed) as closed:
            await alice.frame(lambda _: False)
        assert closed.value.rcvd.code == 1009
        assert (await bob.ask("telnyx_rtc.ping"))["result"]["message"] == "PONG"

    async def test_sockets_beyond_the_limit(self, alice, bob, open_client, gateway):
        async with open_client():
            with pytest.raises(Exception, match="HTTP 503"):
                async with open_client():
                    pass
        assert gateway.counters.refused_sessions == 1
