from __future__ import annotations

import asyncio
import json
import socket as sockets
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from support.field_descriptions import OFFER
from support.telnyx_server import RefusalError
from telnyx_native.client import TelnyxClient
from telnyx_native.config import CredentialConfig, Timeouts, TxServerConfiguration
from telnyx_native.errors import (
    AuthenticationError,
    CallError,
    ConfigurationError,
    ErrorCode,
    GatewayRegistrationError,
    RequestError,
    SocketConnectionError,
)
from telnyx_native.events import InviteResponse, LoginResponse, ReceivedMessageBody, SocketResponse, SocketStatus
from telnyx_native.states import CallState, CallTerminationReason, ConnectionStatus

if TYPE_CHECKING:
    from support.fake_media import FakeEngine
    from support.telnyx_server import ScriptedServer


def config(server: ScriptedServer) -> TxServerConfiguration:
    return TxServerConfiguration.parse(server.address)


async def test_connect_logs_in(client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig) -> None:
    responses = client.socket_response_flow.collect()
    statuses = client.connection_status_flow.collect()
    assert not client.is_registered
    await client.connect(config(server), credentials)
    assert client.is_registered
    assert client.connection_status_flow.value is ConnectionStatus.CLIENT_READY
    await client.close()
    assert [response.status.name async for response in responses] == [
        "LOADING",
        "ESTABLISHED",
        "MESSAGERECEIVED",
        "MESSAGERECEIVED",
        "DISCONNECT",
    ]
    assert [status.name async for status in statuses] == [
        "DISCONNECTED",
        "CONNECTED",
        "CLIENT_READY",
        "DISCONNECTED",
    ]


async def test_login_result_is_published(
    client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig
) -> None:
    waiting = client.socket_response_flow.collect()
    await client.connect(config(server), credentials)
    bodies = [await anext(waiting) for _ in range(4)]
    assert bodies[2].data == ReceivedMessageBody("login", LoginResponse("S1"))
    assert bodies[3].data is not None
    assert bodies[3].data.method == "telnyx_rtc.clientReady"


async def test_login_can_come_later(
    client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig
) -> None:
    await client.connect(config(server), credentials, auto_login=False)
    assert client.connection_status_flow.value is ConnectionStatus.CONNECTED
    with pytest.raises(SocketConnectionError, match="not logged in"):
        await client.new_invite("echo")
    with pytest.raises(AuthenticationError):
        await client.credential_login(CredentialConfig("alice", "wr0ng"))
    await client.credential_login(credentials)
    assert client.connection_status_flow.value is ConnectionStatus.CLIENT_READY


async def test_only_one_login_at_a_time(
    client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig
) -> None:
    await client.connect(config(server))
    first = asyncio.create_task(client.credential_login(credentials))
    await server.received("login")
    with pytest.raises(SocketConnectionError, match="going on already"):
        await client.credential_login(credentials)
    await first


async def test_cancelled_disconnect_still_frees_everything(
    online: TelnyxClient, server: ScriptedServer, media: FakeEngine, until: Any
) -> None:
    server.parts["telnyx_rtc.bye"] = lambda _: None
    await online.new_invite("echo")
    disconnecting = asyncio.create_task(online.disconnect())
    await server.received("telnyx_rtc.bye")
    disconnecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await disconnecting
    await until(lambda: media.peers[0].closed)
    assert media.users == 0
    assert online.connection_status_flow.value is ConnectionStatus.DISCONNECTED


async def test_connecting_twice_is_refused(online: TelnyxClient, server: ScriptedServer) -> None:
    with pytest.raises(SocketConnectionError, match="connected already"):
        await online.connect(config(server))
    assert online.connection_status_flow.value is ConnectionStatus.CLIENT_READY


async def test_client_can_connect_again(
    online: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig
) -> None:
    await online.disconnect()
    await online.connect(config(server), credentials)
    assert len(server.sent("login")) == 2


async def test_wrong_password_leaves_nothing(client: TelnyxClient, server: ScriptedServer, until: Any) -> None:
    errors = client.socket_response_flow.collect()
    with pytest.raises(AuthenticationError, match=r"alice.*Login Incorrect"):
        await client.connect(config(server), CredentialConfig("alice", "wr0ng"))
    assert client.connection_status_flow.value is ConnectionStatus.DISCONNECTED
    await client.close()
    (error,) = [response async for response in errors if response.status is SocketStatus.ERROR]
    assert error.error_code == -32001
    await until(lambda: not server.connections)


async def test_unreachable_server(client: TelnyxClient, credentials: CredentialConfig) -> None:
    with sockets.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        server = TxServerConfiguration("127.0.0.1", unused.getsockname()[1], secure=False)
        with pytest.raises(SocketConnectionError, match="cannot connect"):
            await client.connect(server, credentials)


async def test_server_on_this_machine_is_reached_without_the_proxy(
    client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    await client.connect(config(server), credentials)


async def test_server_that_closes_during_login(
    client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig
) -> None:
    server.parts["login"] = lambda _: server.cut()
    responses = client.socket_response_flow.collect()
    with pytest.raises(SocketConnectionError, match="during login"):
        await client.connect(config(server), credentials)
    await client.close()
    assert [response.status.name async for response in responses] == ["LOADING", "ESTABLISHED", "ERROR", "DISCONNECT"]


async def test_registration_that_fails(
    client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig
) -> None:
    server.parts["telnyx_rtc.gatewayState"] = lambda _: {"params": {"state": "TRYING"}, "sessid": "S1"}
    async with asyncio.timeout(1):
        with pytest.raises(GatewayRegistrationError) as caught:
            await client.connect(config(server), credentials)
    assert caught.value.code == -32003
    assert len(server.sent("telnyx_rtc.gatewayState")) == 3


@pytest.mark.parametrize("silent", ["login", "telnyx_rtc.gatewayState"])
async def test_cancelled_connect_leaves_nothing(
    client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig, silent: str
) -> None:
    server.parts[silent] = lambda _: None
    connecting = asyncio.create_task(client.connect(config(server), credentials))
    await server.received(silent)
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    assert client.connection_status_flow.value is ConnectionStatus.DISCONNECTED


@pytest.mark.parametrize("steps", range(60))
async def test_connect_cancelled_anywhere_can_be_repeated(
    client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig, steps: int
) -> None:
    connecting = asyncio.create_task(client.connect(config(server), credentials))
    for _ in range(steps):
        await asyncio.sleep(0)
    connecting.cancel()
    with suppress(asyncio.CancelledError):
        await connecting
        await client.disconnect()
    await client.connect(config(server), credentials)


async def test_disconnecting_gives_up_a_connection_being_made(
    client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig
) -> None:
    connecting = asyncio.create_task(client.connect(config(server), credentials))
    await asyncio.sleep(0)
    with pytest.raises(SocketConnectionError, match="connected already"):
        await client.connect(config(server), credentials)
    await client.disconnect()
    with pytest.raises(SocketConnectionError, match="given up"):
        await connecting


async def test_bad_arguments_are_refused_at_once(online: TelnyxClient) -> None:
    with pytest.raises(ConfigurationError):
        await online.new_invite("")
    with pytest.raises(ConfigurationError):
        await online.new_invite("echo", custom_headers={"X": "a\r\nb"})
    assert online.calls == {}


async def test_unknown_call(online: TelnyxClient) -> None:
    with pytest.raises(CallError, match="no call nope"):
        await online.accept_call("nope")
    with pytest.raises(CallError):
        await online.end_call("nope")


async def test_invite_uses_the_caller_of_the_credentials(online: TelnyxClient, server: ScriptedServer) -> None:
    await online.new_invite("echo", caller_number="+2", client_state="state", custom_headers={"X-A": "1"})
    dialog = (await server.received("telnyx_rtc.invite"))["params"]["dialogParams"]
    assert (dialog["caller_id_name"], dialog["caller_id_number"]) == ("Alice", "+2")
    assert dialog["clientState"] == "c3RhdGU="
    assert dialog["custom_headers"] == [{"name": "X-A", "value": "1"}]


async def test_inbound_call_rings(online: TelnyxClient, server: ScriptedServer) -> None:
    incoming, responses = online.incoming_calls.collect(), online.socket_response_flow.collect()
    server.push("telnyx_rtc.invite", callID="ABC", sdp=OFFER, caller_id_number="+1", client_state="aGk=")
    call = await anext(incoming)
    assert call.state is CallState.RINGING
    assert (call.caller_number, call.client_state) == ("+1", "hi")
    assert online.calls == {"abc": call}
    response: SocketResponse = await anext(responses)
    assert response.data is not None
    assert isinstance(response.data.result, InviteResponse)
    server.push("telnyx_rtc.invite", callID="abc", sdp=OFFER)
    assert await online.accept_call("Abc") is call
    assert len(online.calls) == 1


async def test_messages_as_they_come(online: TelnyxClient, server: ScriptedServer) -> None:
    messages = online.ws_message_flow.collect()
    server.push("telnyx_rtc.surprise", number=7)
    server.push_raw(b"\xffnonsense")
    assert json.loads(await asyncio.wait_for(anext(messages), 1))["params"] == {"number": 7}
    assert await asyncio.wait_for(anext(messages), 1) == "\ufffdnonsense"
    assert online.session_id == "S1"
    assert online.is_registered
    await online.close()
    assert not online.is_registered
    assert [message async for message in messages] == []


async def test_audio_over_relays_only(
    client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig, media: FakeEngine
) -> None:
    config = replace(credentials, force_relay_candidate=True)
    await client.connect(TxServerConfiguration.parse(server.address), config)
    await client.new_invite("echo")
    assert media.configs[0].relay_only


async def test_late_and_foreign_messages_are_survived(online: TelnyxClient, server: ScriptedServer) -> None:
    for method in ("bye", "answer", "ringing", "media"):
        server.push(f"telnyx_rtc.{method}", callID="unknown", sdp="v=0")
        server.push(f"telnyx_rtc.{method}")
    server.push("telnyx_rtc.nonsense", callID=1)
    await online.new_invite("echo")
    assert server.acks() == []


async def test_several_calls_are_kept_apart(online: TelnyxClient, server: ScriptedServer) -> None:
    one, two = await asyncio.gather(online.new_invite("one"), online.new_invite("two"))
    server.push("telnyx_rtc.bye", callID=one.call_id.upper(), cause="USER_BUSY")
    await one.wait_done()
    assert dict(online.calls) == {two.call_id: two}
    await online.end_call(two.call_id)
    assert online.calls == {}


async def test_lost_connection_drops_the_calls(online: TelnyxClient, server: ScriptedServer, media: FakeEngine) -> None:
    call = await online.new_invite("echo")
    states = call.call_state_flow.collect()
    server.cut()
    assert await call.wait_done() == CallTerminationReason("NETWORK_LOST", sip_reason="Network lost")
    assert [state.name async for state in states][-2:] == ["DROPPED", "DONE"]
    assert online.connection_status_flow.value is ConnectionStatus.RECONNECTING
    assert media.peers[0].closed


async def test_leaving_hangs_up_and_frees_everything(
    timeouts: Timeouts, server: ScriptedServer, credentials: CredentialConfig, media: FakeEngine
) -> None:
    async with TelnyxClient(timeouts=timeouts) as client:
        await client.connect(config(server), credentials)
        call = await client.new_invite("echo")
        assert media.users == 1
    assert isinstance(call.state, CallState.DONE)
    assert len(server.sent("telnyx_rtc.bye")) == 1
    assert media.users == 0
    assert media.peers[0].closed


async def test_who_leaves_takes_no_more_calls(online: TelnyxClient, server: ScriptedServer, media: FakeEngine) -> None:
    """What the server says while it is being left changes nothing any more."""
    call = await online.new_invite("echo")
    farewell = server.parts["telnyx_rtc.bye"]
    server.parts["telnyx_rtc.bye"] = lambda params: (
        server.push("telnyx_rtc.invite", callID="late", sdp=OFFER) and farewell(params)
    )
    await online.disconnect()
    assert isinstance(call.state, CallState.DONE)
    assert online.calls == {}
    assert server.acks() == ["telnyx_rtc.invite"]


async def test_connection_that_is_lost_while_it_is_left_is_not_made_again(
    online: TelnyxClient, server: ScriptedServer, media: FakeEngine
) -> None:
    await online.new_invite("echo")
    server.parts["telnyx_rtc.bye"] = lambda _: server.cut()
    await online.disconnect()
    assert not online._connection.is_open
    assert online.connection_status_flow.value is ConnectionStatus.DISCONNECTED
    assert len(server.paths) == 1


async def test_leaving_is_bounded_when_the_server_is_silent(
    timeouts: Timeouts, server: ScriptedServer, credentials: CredentialConfig, media: FakeEngine
) -> None:
    server.parts["telnyx_rtc.bye"] = lambda _: None
    async with asyncio.timeout(2), TelnyxClient(timeouts=timeouts) as client:
        await client.connect(config(server), credentials)
        await client.new_invite("echo")
    assert media.users == 0


async def test_failed_requests_have_their_number(
    online: TelnyxClient, server: ScriptedServer, media: FakeEngine
) -> None:
    def refuse(_: object) -> None:
        raise RefusalError(-32002, "CALL ERROR")

    server.parts["telnyx_rtc.invite"] = refuse
    with pytest.raises(RequestError) as caught:
        await online.new_invite("echo")
    assert caught.value.kind is ErrorCode.SDP_SEND_FAILED


async def test_cause_of_a_refused_invitation_is_that_of_the_call(
    online: TelnyxClient, server: ScriptedServer, media: FakeEngine
) -> None:
    def refuse(_: object) -> None:
        refusal = RefusalError(-32002, "CALL ERROR")
        refusal.error |= {"cause": "USER_BUSY", "causeCode": 17}
        raise refusal

    server.parts["telnyx_rtc.invite"] = refuse
    placing = asyncio.create_task(online.new_invite("echo"))
    await asyncio.sleep(0)
    (call,) = online.calls.values()
    with pytest.raises(RequestError, match="CALL ERROR") as refused:
        await placing
    assert refused.value.cause == "USER_BUSY"
    assert (await call.wait_done()).cause_code == 17
