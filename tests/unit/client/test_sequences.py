"""The sequences of the protocol, one test each, played by a scripted server: what leaves, in which order, and what
becomes of it. Then the same calls through whatever a server can do wrong.
"""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from support.field_descriptions import OFFER
from support.limit import LIMIT
from support.telnyx_server import ScriptedServer
from telnyx_native import (
    Call,
    CallState,
    CallTerminationReason,
    ConnectionStatus,
    CredentialConfig,
    ErrorCode,
    HangupCause,
    LogLevel,
    PushConfig,
    TelnyxClient,
    TxServerConfiguration,
)
from telnyx_native.config import Timeouts
from telnyx_native.errors import GatewayRegistrationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.fake_media import FakeEngine
    from support.report_server import ReportServer

CALL_ID = "6f0d9f7e-0000-4000-8000-000000000001"
PARTIES = {
    "caller_id_name": "Alice",
    "caller_id_number": "+13125550199",
    "callee_id_name": "Outbound Call",
    "callee_id_number": "bob",
}
IDS = {"telnyx_session_id": "TS", "telnyx_leg_id": "TL", "telnyx_call_control_id": "v3:TC"}


def config(server: ScriptedServer) -> TxServerConfiguration:
    return TxServerConfiguration.parse(server.address)


def methods(server: ScriptedServer) -> list[str]:
    """The requests of the client, in order, without its answers to pings."""
    sent = (frame.get("method") for frame in server.frames)
    return [method.removeprefix("telnyx_rtc.") for method in sent if method and method != "telnyx_rtc.ping"]


async def inbound(client: TelnyxClient, server: ScriptedServer, call_id: str = CALL_ID) -> Call:
    calls = client.incoming_calls.collect()
    server.push("telnyx_rtc.invite", callID=call_id, sdp=OFFER, **PARTIES, **IDS)
    return await asyncio.wait_for(anext(calls), LIMIT)


async def state(call: Call, wanted: Any) -> None:
    await call.call_state_flow.wait_for(wanted, timeout=LIMIT)


class TestSequences:
    """PROTOCOL §26, by its letters."""

    async def test_a_login(self, client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig) -> None:
        server.voice_sdk_id = "VSDK1"
        statuses = client.connection_status_flow.collect()
        await client.connect(config(server), credentials)
        assert methods(server) == ["login", "gatewayState"]
        assert server.frames[1]["voice_sdk_id"] == "VSDK1"
        assert [(await anext(statuses)).name for _ in range(3)] == ["DISCONNECTED", "CONNECTED", "CLIENT_READY"]

    @pytest.mark.parametrize(
        ("states", "code", "asked"),
        [(["UNREGED", "TRYING", "NOREG"], -32003, 3), (["FAIL_WAIT"], -32004, 1), (["TRYING"] * 3, -32003, 3)],
    )
    async def test_b_registration_that_does_not_come_up(
        self,
        client: TelnyxClient,
        server: ScriptedServer,
        credentials: CredentialConfig,
        states: list[str],
        code: int,
        asked: int,
    ) -> None:
        answers = iter(states)
        server.parts["telnyx_rtc.gatewayState"] = lambda _: {"params": {"state": next(answers)}, "sessid": "S1"}
        with pytest.raises(GatewayRegistrationError) as failure:
            await client.connect(config(server), replace(credentials, auto_reconnect=False))
        assert failure.value.code == code
        assert methods(server) == ["login"] + ["gatewayState"] * asked

    @pytest.mark.parametrize("state", ["FAIL_WAIT", "FAILED", "DOWN", "TIMEOUT"])
    async def test_b_registration_that_fails_is_tried_on_other_connections(
        self, client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig, state: str
    ) -> None:
        server.voice_sdk_id = "VSDK1"
        server.parts["telnyx_rtc.gatewayState"] = lambda _: {
            "params": {"state": state if len(server.sent("login")) < 4 else "REGED"},
            "sessid": "S1",
        }
        await client.connect(config(server), credentials)
        assert len(server.sent("login")) == 4
        assert server.paths == ["/"] * 4  # not to the instance that failed

    async def test_b_registration_that_goes_on_failing(
        self, client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig
    ) -> None:
        server.parts["telnyx_rtc.gatewayState"] = lambda _: {"params": {"state": "FAIL_WAIT"}, "sessid": "S1"}
        with pytest.raises(GatewayRegistrationError) as failure:
            await client.connect(config(server), credentials)
        assert failure.value.code == -32004
        assert len(server.sent("login")) == 4
        assert client.connection_status_flow.value is ConnectionStatus.DISCONNECTED

    async def test_b_registration_that_comes_up_at_last(
        self, client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig
    ) -> None:
        answers = iter(["UNREGED", "TRYING", "REGED"])
        server.parts["telnyx_rtc.gatewayState"] = lambda _: {"params": {"state": next(answers)}, "sessid": "S1"}
        await client.connect(config(server), credentials)
        assert client.connection_status_flow.value is ConnectionStatus.CLIENT_READY

    async def test_c_outbound_call(self, online: TelnyxClient, server: ScriptedServer) -> None:
        call = await online.new_invite("bob")
        states = call.call_state_flow.collect()
        server.push("telnyx_rtc.ringing", callID=call.call_id, **PARTIES, **IDS)
        server.push("telnyx_rtc.answer", callID=call.call_id, sdp="v=0 answer")
        await call.wait_active(LIMIT)
        assert [(await anext(states)).name for _ in range(3)] == ["CONNECTING", "RINGING", "ACTIVE"]
        assert call.telnyx_ids.call_control_id == "v3:TC"
        await server.received(lambda _: server.acks() == ["telnyx_rtc.ringing", "telnyx_rtc.answer"])

    async def test_d_early_media(self, online: TelnyxClient, server: ScriptedServer, media: FakeEngine) -> None:
        call = await online.new_invite("bob")
        server.push("telnyx_rtc.media", callID=call.call_id, sdp="v=0 early")
        await media.peers[0].wait_connected(LIMIT)
        assert call.state == CallState.CONNECTING
        server.push("telnyx_rtc.answer", callID=call.call_id)
        await call.wait_active(LIMIT)
        assert media.peers[0].applied == ["v=0 early", "v=0 early"]

    async def test_e_inbound_call(self, online: TelnyxClient, server: ScriptedServer) -> None:
        call = await inbound(online, server)
        assert call.state == CallState.RINGING
        await call.accept()
        await call.wait_active(LIMIT)
        assert server.acks() == ["telnyx_rtc.invite"]
        answer = (await server.received("telnyx_rtc.answer"))["params"]
        assert answer["dialogParams"]["callID"] == CALL_ID
        assert answer["sdp"]

    async def test_f_reject(self, online: TelnyxClient, server: ScriptedServer) -> None:
        await (await inbound(online, server)).reject()
        bye = (await server.received("telnyx_rtc.bye"))["params"]
        assert (bye["cause"], bye["causeCode"]) == ("USER_BUSY", 17)

    async def test_f_cancel_from_the_other_side(self, online: TelnyxClient, server: ScriptedServer) -> None:
        call = await inbound(online, server)
        server.push("telnyx_rtc.bye", callID=CALL_ID, cause="ORIGINATOR_CANCEL", causeCode=487)
        assert (await asyncio.wait_for(call.wait_done(), LIMIT)).cause == "ORIGINATOR_CANCEL"
        assert not server.sent("telnyx_rtc.bye")

    async def test_g_hold_and_unhold(self, talking: Callable[..., Any], server: ScriptedServer) -> None:
        call = await talking()
        await call.hold()
        assert call.state == CallState.HELD
        await call.unhold()
        assert call.state == CallState.ACTIVE
        assert [frame["params"]["action"] for frame in server.sent("telnyx_rtc.modify")] == ["hold", "unhold"]

    async def test_h_dtmf(self, talking: Callable[..., Any], server: ScriptedServer) -> None:
        await (await talking()).dtmf("1")
        assert (await server.received("telnyx_rtc.info"))["params"]["dtmf"] == "1"

    async def test_i_bye_from_here(self, talking: Callable[..., Any], server: ScriptedServer) -> None:
        await (await talking()).end()
        bye = (await server.received("telnyx_rtc.bye"))["params"]
        assert (bye["cause"], bye["causeCode"], bye["sessid"]) == ("NORMAL_CLEARING", 16, "S1")

    async def test_i_bye_from_there(self, talking: Callable[..., Any], server: ScriptedServer) -> None:
        call = await talking()
        said = {"cause": "USER_BUSY", "causeCode": 17, "sipCode": 486, "sipReason": "Busy Here", "sip_call_id": "a@b"}
        server.push("telnyx_rtc.bye", callID=call.call_id, **said)
        reason = await asyncio.wait_for(call.wait_done(), LIMIT)
        assert (reason, reason.sip_call_id) == (CallTerminationReason("USER_BUSY", 17, 486, "Busy Here"), "a@b")
        await server.received(lambda _: "telnyx_rtc.bye" in server.acks())

    async def test_j_trickle(self, online: TelnyxClient, server: ScriptedServer, media: FakeEngine) -> None:
        call = await online.new_invite("bob", use_trickle_ice=True)
        peer = media.peers[0]
        peer.candidates.emit(peer_candidate())
        peer.candidates.close()
        await server.received("telnyx_rtc.endOfCandidates")
        assert methods(server)[2:] == ["invite", "candidate", "endOfCandidates"]
        assert server.sent("telnyx_rtc.invite")[0]["params"]["trickle"] is True
        server.push("telnyx_rtc.answer", callID=call.call_id, sdp="v=0 answer")
        server.push("telnyx_rtc.candidate", callID=call.call_id, candidate="candidate:2 1", sdpMid="0")
        server.push("telnyx_rtc.endOfCandidates", callID=call.call_id, endOfCandidates=True)
        await call.wait_active(LIMIT)
        await server.received(lambda _: "telnyx_rtc.candidate" in server.acks())
        assert peer.added == ["candidate:2 1"]

    @pytest.mark.parametrize("ready_first", [False, True])
    @pytest.mark.parametrize("held", [False, True])
    async def test_k_lost_socket(
        self,
        talking: Callable[..., Any],
        online: TelnyxClient,
        server: ScriptedServer,
        media: FakeEngine,
        ready_first: bool,
        held: bool,
    ) -> None:
        server.voice_sdk_id = "VSDK1"
        call = await talking()
        if held:
            await call.hold()
        before = call.state

        def take_up(params: dict[str, Any]) -> dict[str, Any]:
            def bring_back() -> None:
                ready = ("telnyx_rtc.clientReady", {"reattached_sessions": [call.call_id.upper()]})
                attach = ("telnyx_rtc.attach", {"callID": call.call_id, "sdp": "v=0 anew", **PARTIES})
                for method, said in (ready, attach) if ready_first else (attach, ready):
                    server.push(method, **said)

            asyncio.get_running_loop().call_soon(bring_back)
            return {"message": "logged in", "sessid": params["sessid"]}

        server.parts["login"] = take_up
        server.parts["telnyx_rtc.attach"] = lambda _: {}
        states = call.call_state_flow.collect()
        server.cut()
        await state(call, CallState.RECONNECTING)
        await state(call, before)
        login = server.sent("login")[-1]["params"]
        assert (login["reconnection"], login["sessid"]) == (True, "S1")
        assert server.paths[-1] == "/?voice_sdk_id=VSDK1"
        attach = server.sent("telnyx_rtc.attach")[0]["params"]
        assert (attach["dialogParams"]["attach"], attach["dialogParams"]["callID"]) == (True, call.call_id)
        assert attach["sdp"]
        assert media.peers[1].applied == ["v=0 anew"]
        assert (media.peers[0].gather_limit, media.peers[1].gather_limit) == (0.1, 5)
        assert media.peers[0].closed
        await call.end()
        names = [s.name async for s in states]
        assert names == [before.name, "RECONNECTING", before.name, "DONE"]

    async def test_k_call_that_the_server_did_not_keep(
        self, talking: Callable[..., Any], online: TelnyxClient, server: ScriptedServer
    ) -> None:
        call = await talking()
        responses = online.socket_response_flow.collect()

        def forget(_: dict[str, Any]) -> dict[str, Any]:
            asyncio.get_running_loop().call_soon(lambda: server.push("telnyx_rtc.clientReady", reattached_sessions=[]))
            return {"message": "logged in", "sessid": "S1"}

        server.parts["login"] = forget
        server.cut()
        assert (await asyncio.wait_for(call.wait_done(), LIMIT)).cause == "SERVER_ERROR"
        assert not server.sent("telnyx_rtc.bye")
        await online.close()
        assert ErrorCode.SESSION_NOT_REATTACHED in [response.error_kind async for response in responses]

    async def test_k_call_that_was_brought_back_but_not_registered(
        self, server: ScriptedServer, timeouts: Timeouts, credentials: CredentialConfig, media: FakeEngine
    ) -> None:
        """Attached on a connection whose registration fails, the call waits for the next one."""

        def take_up(_: dict[str, Any]) -> dict[str, Any]:
            def bring_back(kept: list[str]) -> None:
                for call_id in kept:
                    server.push("telnyx_rtc.attach", callID=call_id, sdp="v=0 anew", **PARTIES)
                server.push("telnyx_rtc.clientReady", reattached_sessions=kept)

            first_time_back = len(server.sent("login")) == 1
            asyncio.get_running_loop().call_soon(bring_back, [call.call_id] if first_time_back else [])
            return {"message": "logged in", "sessid": "S1"}

        def register(_: dict[str, Any]) -> dict[str, Any]:
            return {"params": {"state": "TRYING" if len(server.sent("login")) == 2 else "REGED"}, "sessid": "S1"}

        server.parts["telnyx_rtc.gatewayState"] = register
        server.parts["telnyx_rtc.attach"] = lambda _: {}
        async with TelnyxClient(timeouts=replace(timeouts, gateway_poll=LIMIT)) as client:
            await client.connect(config(server), credentials)
            call = await client.new_invite("echo")
            server.push("telnyx_rtc.answer", callID=call.call_id, sdp="v=0 answer")
            await call.wait_active(LIMIT)
            server.parts["login"] = take_up
            states = call.call_state_flow.collect()
            server.cut()
            await state(call, CallState.RECONNECTING)
            await state(call, CallState.ACTIVE)
            server.push("telnyx_rtc.gatewayState", state="FAIL_WAIT")
            await asyncio.wait_for(call.wait_done(), LIMIT)
            names = [str(s).partition("(")[0] for s in [s async for s in states]]
            assert names == ["ACTIVE", "RECONNECTING", "ACTIVE", "RECONNECTING", "DROPPED", "DONE"]
            assert client.is_registered

    async def test_k_call_that_is_not_answered_cannot_be_brought_back(
        self, online: TelnyxClient, server: ScriptedServer
    ) -> None:
        call = await inbound(online, server)
        server.push("telnyx_rtc.attach", callID=CALL_ID, sdp="v=0 anew", **PARTIES)
        await call.accept()
        await call.wait_active(LIMIT)

    async def test_l_limit_of_a_network_switch(
        self, server: ScriptedServer, timeouts: Timeouts, credentials: CredentialConfig, media: FakeEngine
    ) -> None:
        async with TelnyxClient(timeouts=replace(timeouts, reconnect=0.2)) as client:
            await client.connect(config(server), credentials)
            call = await client.new_invite("echo")
            server.push("telnyx_rtc.answer", callID=call.call_id, sdp="v=0 answer")
            await call.wait_active(LIMIT)
            states = call.call_state_flow.collect()
            server.cut()
            await asyncio.wait_for(call.wait_done(), LIMIT)
            assert [s.name async for s in states] == ["ACTIVE", "RECONNECTING", "DROPPED", "DONE"]

    async def test_m_ice_restart(self, talking: Callable[..., Any], server: ScriptedServer, media: FakeEngine) -> None:
        call = await talking()
        await call.restart_ice()
        params = (await server.received("telnyx_rtc.modify"))["params"]
        assert (params["action"], params["callID"]) == ("updateMedia", call.call_id)
        assert media.peers[0].applied[-1] == "v=0 renewed"

    async def test_n_punt(self, talking: Callable[..., Any], online: TelnyxClient, server: ScriptedServer) -> None:
        call = await talking()
        server.push("telnyx_rtc.punt")
        assert (await asyncio.wait_for(call.wait_done(), LIMIT)).cause == "SERVER_ERROR"
        assert online.connection_status_flow.value is ConnectionStatus.DISCONNECTED
        assert not server.sent("telnyx_rtc.bye")
        assert len(server.paths) == 1

    async def test_o_ai_agent(self, client: TelnyxClient, server: ScriptedServer, media: FakeEngine) -> None:
        async def weather(city: str) -> str:
            return f"sunny in {city}"

        await client.connect_anonymously("assistant-1", server_config=config(server))
        client.ai.register_tool("weather", weather)
        updates = client.transcript_update_flow.collect()
        call = await client.new_invite()
        server.push("telnyx_rtc.answer", callID=call.call_id, sdp="v=0 answer")
        server.push("ai_conversation", type="widget_settings", widget_settings={"theme": "dark"})
        spoken: dict[str, Any] = {"id": "i1", "type": "message", "role": "user", "status": "completed"}
        spoken["content"] = [{"type": "input_audio", "transcript": "Hi"}]
        server.push("ai_conversation", type="conversation.item.created", item=spoken)
        server.push("ai_conversation", type="response.text.delta", delta="Hel", item_id="i2")
        server.push("ai_conversation", type="response.text.delta", delta="lo", item_id="i2")
        function = {"type": "function_call", "name": "weather", "call_id": "f1", "arguments": '{"city": "Rome"}'}
        server.push("ai_conversation", type="conversation.item.created", item=function)
        output = await server.received(lambda f: "function_call_output" in json.dumps(f))
        assert "sunny in Rome" in json.dumps(output)
        assert "id" not in output
        await client.send_ai_assistant_message("And in Paris?")
        assert (await server.received(lambda f: "Paris" in json.dumps(f)))["params"]["type"] == (
            "conversation.item.create"
        )
        assert [(item.content, item.is_partial) for item in client.ai.transcript] == [("Hi", False), ("Hello", False)]
        assert [len(await anext(updates)) for _ in range(3)] == [1, 2, 2]
        widget = client.ai.widget_settings.value
        assert widget is not None
        assert widget.theme == "dark"
        assert methods(server)[:3] == ["anonymous_login", "gatewayState", "invite"]

    async def test_p_push_answer(
        self, client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig, media: FakeEngine
    ) -> None:
        metadata = {"metadata": {"call_id": CALL_ID, "voice_sdk_id": "VSDK9", "caller_number": "+1"}}
        here = replace(credentials, push=PushConfig("device-token"))
        await client.connect(config(server), here, tx_push_meta_data=metadata)
        await server.received("telnyx_rtc.attachCalls")
        server.push("telnyx_rtc.invite", callID=CALL_ID, sdp=OFFER, **PARTIES)
        call = await asyncio.wait_for(client.wait_for_pushed_call(), LIMIT)
        await call.accept()
        await call.wait_active(LIMIT)
        assert server.paths == ["/?voice_sdk_id=VSDK9"]
        assert methods(server) == ["login", "gatewayState", "attachCalls", "answer"]
        assert server.sent("telnyx_rtc.answer")[0]["params"]["answered_device_token"] == "device-token"

    async def test_q_push_decline(
        self, client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig
    ) -> None:
        metadata = {"metadata": {"call_id": CALL_ID, "voice_sdk_id": "VSDK9", "caller_number": "+1"}}
        await client.connect_with_decline_push(metadata, credentials, server_config=config(server))
        assert server.paths == ["/?voice_sdk_id=VSDK9"]
        login = server.sent("login")[0]["params"]
        assert login["loginParams"]["decline_push"] in (True, "true")
        assert methods(server) == ["login", "gatewayState"]

    async def test_r_several_calls(
        self, talking: Callable[..., Any], online: TelnyxClient, server: ScriptedServer
    ) -> None:
        first, second = await talking(), await inbound(online, server)
        await online.hold_others()
        await second.accept()
        await second.wait_active(LIMIT)
        assert first.state == CallState.HELD
        await online.swap_to(first)
        assert (first.state, second.state) == (CallState.ACTIVE, CallState.HELD)
        server.push("telnyx_rtc.bye", callID=CALL_ID, cause="NORMAL_CLEARING")
        await asyncio.wait_for(second.wait_done(), LIMIT)
        assert first.state == CallState.ACTIVE

    async def test_s_call_report(
        self,
        client: TelnyxClient,
        server: ScriptedServer,
        credentials: CredentialConfig,
        media: FakeEngine,
        http: ReportServer,
        monkeypatch: pytest.MonkeyPatch,
        until: Any,
    ) -> None:
        """A segment when the socket is lost, the rest when the call is over."""
        monkeypatch.setattr("telnyx_native.call.quality.INTERVAL", 0.02)
        server.parts["telnyx_rtc.attach"] = lambda _: {}
        server.ask_for_reports()
        await client.connect(config(server), credentials)
        call = await client.new_invite("bob")
        server.push("telnyx_rtc.answer", callID=call.call_id, sdp="v=0 answer")
        await call.wait_active(LIMIT)
        await call.call_quality_flow.first(timeout=LIMIT)
        await until(lambda: client._calls._reports._pending[call.call_id].report.samples >= 3)
        server.cut()
        await until(lambda: len(http.posts) == 1)
        await client.connection_status_flow.wait_for(ConnectionStatus.CLIENT_READY, timeout=LIMIT)
        server.push("telnyx_rtc.attach", callID=call.call_id, sdp="v=0 anew", **PARTIES)
        await state(call, CallState.ACTIVE)
        await until(lambda: client._calls._reports._pending[call.call_id].report.samples >= 6)
        await call.end()
        await client.disconnect()
        (path, headers, first), (_, _, last) = http.posts
        assert path == "/call_report"
        assert (headers["x-call-report-id"], headers["x-call-id"]) == ("R1", call.call_id)
        assert (first["segment"], first["flushReason"]) == (0, {"type": "socket-close"})
        assert (last["segment"], "flushReason" in last) == (1, False)
        assert first["stats"][-1]["intervalEndUtc"] <= last["stats"][0]["intervalEndUtc"]
        told = [log["message"].partition("(")[0] for log in first["logs"] + last["logs"]]
        assert told == ["CONNECTING", "ACTIVE", "RECONNECTING", "ACTIVE", "DONE"]
        assert last["summary"]["terminationReason"]["cause"] == "NORMAL_CLEARING"


class TestDeviations:
    """Spellings that were seen on the wire."""

    @pytest.mark.parametrize(
        "about",
        [
            lambda call_id: {"callID": call_id},
            lambda call_id: {"callId": call_id},
            lambda call_id: {"dialogParams": {"callID": call_id}},
            lambda call_id: {"dialogParams": {"callId": call_id}},
            lambda call_id: {"callID": call_id.upper()},
        ],
    )
    async def test_places_of_the_call_id(
        self, talking: Callable[..., Any], server: ScriptedServer, about: Callable[[str], dict[str, Any]]
    ) -> None:
        call = await talking()
        server.push("telnyx_rtc.bye", **about(call.call_id), cause="NORMAL_CLEARING", causeCode="16", sipCode="200")
        reason = await asyncio.wait_for(call.wait_done(), LIMIT)
        assert (reason.cause_code, reason.sip_code) == (16, 200)

    @pytest.mark.parametrize("state_name", ["held", "active", "unheld"])
    async def test_names_of_hold_states(
        self, talking: Callable[..., Any], server: ScriptedServer, state_name: str
    ) -> None:
        call = await talking()
        server.parts["telnyx_rtc.modify"] = lambda _: {"holdState": state_name}
        assert await call.toggle_hold() == (state_name == "held")

    async def test_server_without_optional_parts(
        self, client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig, media: FakeEngine
    ) -> None:
        """No message, no voice_sdk_id, no reattached_sessions, no ringing, a bye without a cause."""
        server.parts["login"] = lambda _: (
            asyncio.get_running_loop().call_soon(server.push, "telnyx_rtc.clientReady") and {"sessid": "S1"}
        )
        server.parts["telnyx_rtc.gatewayState"] = lambda _: {"params": {"state": "REGED"}}
        server.parts["telnyx_rtc.invite"] = lambda _: {}
        await client.connect(config(server), credentials)
        call = await client.new_invite("bob")
        server.push("telnyx_rtc.answer", callID=call.call_id, sdp="v=0 answer")
        await call.wait_active(LIMIT)
        server.push("telnyx_rtc.bye", callID=call.call_id)
        await asyncio.wait_for(call.wait_done(), LIMIT)


def malformed() -> list[str | bytes]:
    """Frames that no server should send, always the same ones."""
    good = json.dumps(
        {
            "jsonrpc": "2.0",
            "id": 7,
            "method": "telnyx_rtc.invite",
            "params": {"callID": CALL_ID, "sdp": "v=0", "dialogParams": {"custom_headers": []}},
        }
    )
    dice = random.Random(26)
    truncated = [good[: dice.randrange(1, len(good))] for _ in range(20)]
    flipped = [
        good.encode()[:i] + bytes([dice.randrange(256)]) + good.encode()[i + 1 :]
        for i in (dice.randrange(len(good)) for _ in range(20))
    ]
    names = ["invite", "answer", "bye", "ringing", "media", "candidate", "attach", "clientReady", "gatewayState"]
    wrong: list[Any] = [None, 7, "x", [], {}, {"callID": {}}, {"callID": [7], "sdp": 9}, {"dialogParams": "x"}]
    typed = [
        json.dumps({"jsonrpc": "2.0", "id": 1, "method": f"telnyx_rtc.{name}", "params": params})
        for name in names
        for params in wrong
    ]
    odd = ["", " ", "[]", "null", "{", "[" * 5_000, '"text"', "{}", '{"id": 1}', '{"method": 7, "params": {}}']
    unknown = [json.dumps({"jsonrpc": "2.0", "id": 1, "method": "telnyx_rtc.surprise", "params": {"a": [1]}})]
    large = [json.dumps({"jsonrpc": "2.0", "id": 1, "method": "telnyx_rtc.event", "params": {"x": "y" * 1_000_000}})]
    return [*truncated, *flipped, *typed, *odd, *unknown, *large, b"\xff\xfe\x00", "x" * 1_000_000]


class Shredder:
    """Takes records, and keeps none."""

    def log(self, level: LogLevel, tag: str, message: str, exception: BaseException | None) -> None:
        pass


class TestHostileServer:
    """A call goes on through whatever the server says beside it, and all of it can be logged."""

    @pytest.fixture
    def credentials(self, credentials: CredentialConfig) -> CredentialConfig:
        return replace(credentials, log_level=LogLevel.ALL, custom_logger=Shredder())

    @pytest.fixture
    def timeouts(self, timeouts: Timeouts) -> Timeouts:
        """Time for the answer to get through behind all that."""
        return replace(timeouts, request=4 * LIMIT)

    async def test_malformed_frames(
        self, talking: Callable[..., Any], online: TelnyxClient, server: ScriptedServer
    ) -> None:
        call = await talking()
        frames = malformed()
        for frame in frames:
            server.push_raw(frame)
            if isinstance(frame, str):
                server.push_raw(frame.encode())
        await call.hold()  # the server is heard behind all that
        await call.unhold()
        assert call.state == CallState.ACTIVE
        assert online.connection_status_flow.value is ConnectionStatus.CLIENT_READY
        assert call in online.calls.values()

    async def test_burst_of_ten_thousand_frames(
        self, talking: Callable[..., Any], online: TelnyxClient, server: ScriptedServer
    ) -> None:
        call = await talking()
        for number in range(10_000):
            match number % 4:
                case 0:
                    server.push("telnyx_rtc.event", channel="x", number=number)
                case 1:
                    server.push("telnyx_rtc.candidate", callID=call.call_id, candidate="nonsense")
                case 2:
                    server.push("telnyx_rtc.ringing", callID=call.call_id)
                case 3:
                    server.push_raw('{"jsonrpc": "2.0", "id":')
        await asyncio.wait_for(call.hold(), 4 * LIMIT)
        assert call.state == CallState.HELD
        assert online.calls

    async def test_calls_that_come_by_the_hundred(self, online: TelnyxClient, server: ScriptedServer) -> None:
        for number in range(500):
            server.push("telnyx_rtc.invite", callID=f"call-{number}", sdp=OFFER, **PARTIES)
        await server.received(lambda _: server.acks().count("telnyx_rtc.invite") == 500)
        assert len(online.calls) == 100
        assert online.refused_calls == 400
        await server.received(lambda _: len(server.sent("telnyx_rtc.bye")) == 400)
        assert {f["params"]["cause"] for f in server.sent("telnyx_rtc.bye")} == {HangupCause.USER_BUSY.name}

    async def test_headers_without_end(self, talking: Callable[..., Any], server: ScriptedServer) -> None:
        call = await talking()
        for number in range(30):
            headers = [{"name": f"X-{number}-{n}", "value": 200 * "1"} for n in range(30)]
            server.push("telnyx_rtc.ringing", callID=call.call_id, dialogParams={"custom_headers": headers})
        await call.hold()
        size = sum(map(len, (*call.remote_headers, *call.remote_headers.values())))
        assert 32 * 1024 < size <= 64 * 1024

    async def test_answers_that_nobody_asked_for(
        self, talking: Callable[..., Any], online: TelnyxClient, server: ScriptedServer
    ) -> None:
        call = await talking()
        for reply in ({"result": {}}, {"error": {"code": 1, "message": "x"}}, {"error": "x"}, {"result": 7}):
            for request_id in (1, "unknown", None, {}, []):
                server.push_raw(json.dumps({"jsonrpc": "2.0", "id": request_id} | reply))
        await call.hold()
        assert call.state == CallState.HELD


def peer_candidate() -> Any:
    from support.fake_media import FoundCandidate

    return FoundCandidate("candidate:1 1 udp 1 127.0.0.1 9 typ host")
