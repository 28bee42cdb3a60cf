"""Calls whose client has lost its connection, and comes back for them."""

from __future__ import annotations

import pytest

from telnyx_native.errors import MediaError
from telnyx_native.gateway.calls import registry


class TestDetachedCalls:
    @pytest.fixture
    async def detached(self, open_client, gateway, peers, until):
        """The session id of a client that has gone in the middle of a call."""
        async with open_client() as client:
            sessid = (await client.login())["result"]["sessid"]
            await client.place("echo")
            await client.expect("telnyx_rtc.answer")
        await until(lambda: not gateway.connections)
        return sessid

    async def test_client_that_comes_back_gets_its_call(self, open_client, gateway, peers, detached, until):
        async with open_client() as client:
            await client.ask("login", login="alice", passwd="secret", sessid=detached, reconnection=True)
            ready = (await client.expect("telnyx_rtc.clientReady"))["params"]
            assert ready == {"reattached_sessions": ["Call-1"]}
            assert (await client.ask("telnyx_rtc.gatewayState"))["result"]["params"]["state"] == "REGED"
            assert len(client.frames) == 3, "some clients do not listen before they are registered"
            attach = (await client.expect("telnyx_rtc.attach"))["params"]
            assert attach["callID"] == "Call-1"
            assert attach["sdp"] == "v=0 complete"
            assert attach["display_direction"] == "inbound"
            answer = await client.ask("telnyx_rtc.attach", sdp="v=0 answer", dialogParams={"callID": "Call-1"})
            assert "result" in answer
            await until(lambda: ("take_over", peers[0]) in peers[1].done)
            await client.ask("telnyx_rtc.bye", dialogParams={"callID": "Call-1"})
            await until(lambda: peers[1].closed)
            assert not gateway.calls

    async def test_client_that_does_not_ask_for_its_registration(self, open_client, detached, monkeypatch):
        monkeypatch.setattr(registry, "REGISTRATION_TIME", 0.05)
        async with open_client() as client:
            await client.login(sessid=detached)
            assert (await client.expect("telnyx_rtc.attach"))["params"]["callID"] == "Call-1"

    async def test_answer_that_is_no_good_leaves_the_old_path(self, open_client, peers, detached):
        async with open_client() as client:
            await client.login(sessid=detached)
            await client.ask("telnyx_rtc.gatewayState")
            await client.expect("telnyx_rtc.attach")
            refused = await client.ask("telnyx_rtc.attach", sdp="bad", dialogParams={"callID": "Call-1"})
            assert refused["error"]["message"] == "MEDIA ERROR"
            assert not peers[0].closed

    async def test_client_that_comes_back_twice_in_a_row(
        self, open_client, gateway, peers, fake_peer, detached, until, monkeypatch
    ):
        async def gathered(peer, *, limit=1.0):
            if peer is peers[1]:  # for the first return: not done when the second one comes
                await until(lambda: peer.closed)
                peer.done.append("failed")
                raise MediaError("it was closed")
            return "v=0 complete"

        monkeypatch.setattr(fake_peer, "gathered", gathered)
        async with open_client() as first, open_client() as second:
            await first.login(sessid=detached)
            await first.ask("telnyx_rtc.gatewayState")
            await until(lambda: len(peers) == 2)
            await second.login(sessid=detached)
            await second.ask("telnyx_rtc.gatewayState")
            assert (await second.expect("telnyx_rtc.attach"))["params"]["callID"] == "Call-1"
            await until(lambda: "failed" in peers[1].done)
            await second.ask("telnyx_rtc.gatewayState")
            assert [call.reason for call in gateway.calls] == [None]

    async def test_attach_of_a_call_that_was_not_lost(self, open_client, gateway):
        async with open_client() as client:
            await client.login()
            await client.place("echo")
            refused = await client.ask("telnyx_rtc.attach", sdp="v=0", dialogParams={"callID": "Call-1"})
            assert refused["error"]["message"] == "MEDIA ERROR"

    async def test_nobody_else_gets_the_call(self, open_client, gateway, detached):
        async with open_client() as thief:
            answer = await thief.login("bob", "hidden", sessid=detached)
            assert "result" in answer
            assert not any(frame.get("method") == "telnyx_rtc.attach" for frame in thief.frames)
            assert len(gateway.calls) == 1

    async def test_two_accounts_with_one_session_id(self, open_client, gateway, detached, until):
        """Ids of sessions are made by clients: one account's calls are not another's, nor overwritten by them."""
        async with open_client() as bob:
            assert (await bob.login("bob", "hidden", sessid=detached))["result"]["sessid"] == detached
            await bob.place("echo", call_id="Call-2")
            await bob.expect("telnyx_rtc.answer")
        await until(lambda: not gateway.connections)
        assert sorted(leg.call_id for leg in gateway.calls) == ["Call-1", "Call-2"]
        for user, password, own in (("alice", "secret", "Call-1"), ("bob", "hidden", "Call-2")):
            async with open_client() as client:
                await client.ask("login", login=user, passwd=password, sessid=detached)
                assert (await client.expect("telnyx_rtc.clientReady"))["params"] == {"reattached_sessions": [own]}
                await client.ask("telnyx_rtc.bye", dialogParams={"callID": own})
        assert not gateway.calls

    async def test_nothing_is_kept_of_a_call_that_has_ended_meanwhile(self, gateway, detached, until):
        await gateway.calls[0].hang_up()
        await until(lambda: not gateway._calls._detached._by_session)

    async def test_call_ended_by_the_other_side_is_not_brought_back(self, open_client, gateway, detached):
        await gateway.calls[0].hang_up()
        async with open_client() as client:
            await client.ask("login", login="alice", passwd="secret", sessid=detached)
            assert (await client.expect("telnyx_rtc.clientReady"))["params"] == {"reattached_sessions": []}

    async def test_second_socket_takes_the_calls_of_the_first(self, open_client, gateway, peers):
        async with open_client() as first, open_client() as second:
            sessid = (await first.login())["result"]["sessid"]
            await first.place("echo")
            await first.expect("telnyx_rtc.answer")
            await second.login(sessid=sessid)
            await first.expect("telnyx_rtc.punt")
            assert [leg.call_id for leg in gateway.calls] == ["Call-1"]
            await second.ask("telnyx_rtc.bye", dialogParams={"callID": "Call-1"})
            assert not gateway.calls
