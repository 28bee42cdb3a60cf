"""The ways in: tokens, regions, and calls that a push has announced."""

from __future__ import annotations

import asyncio
import json
import logging
import socket as sockets
import traceback
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Response

from support.field_descriptions import OFFER
from support.limit import LIMIT
from support.telnyx_server import RefusalError
from support.tokens import token_for
from telnyx_native.client import TelnyxClient
from telnyx_native.codes import ErrorCode
from telnyx_native.config import CredentialConfig, Timeouts, TokenConfig, TxServerConfiguration
from telnyx_native.errors import (
    AuthenticationError,
    CallError,
    ConfigurationError,
    InviteTimeoutError,
    RequestError,
    ServerUnavailableError,
    SocketConnectionError,
    TelnyxError,
)
from telnyx_native.events import DisablePushResponse, SocketStatus
from telnyx_native.logs import LogLevel
from telnyx_native.push import PushConfig
from telnyx_native.region import Region
from telnyx_native.states import CallState, ConnectionStatus

if TYPE_CHECKING:
    from support.fake_media import FakeEngine
    from support.telnyx_server import ScriptedServer

PUSH = PushConfig("f1rebase")
ANNOUNCED = {"call_id": "push-id", "voice_sdk_id": "VSDK1", "rtc_ip": "192.0.2.7", "rtc_port": 8443}


def config(server: ScriptedServer) -> TxServerConfiguration:
    return TxServerConfiguration.parse(server.address)


@pytest.fixture
def token(server: ScriptedServer) -> str:
    """A token that the server takes."""
    good = token_for(3600)
    server.tokens.add(good)
    return good


class TestTokens:
    async def test_login(self, client: TelnyxClient, server: ScriptedServer, token: str) -> None:
        await client.connect(config(server), token_config=TokenConfig(token))
        assert client.connection_status_flow.value is ConnectionStatus.CLIENT_READY
        (login,) = server.sent("login")
        assert login["params"]["login_token"] == token
        assert "passwd" not in login["params"]

    async def test_refused_token(self, client: TelnyxClient, server: ScriptedServer) -> None:
        with pytest.raises(AuthenticationError, match="token's owner") as caught:
            await client.connect(config(server), token_config=TokenConfig(token_for(60)))
        assert (caught.value.code, caught.value.kind) == (-32001, ErrorCode.LOGIN_FAILED)

    @pytest.mark.parametrize("known", [True, False])
    async def test_the_server_decides_about_a_token_that_looks_expired(
        self, client: TelnyxClient, server: ScriptedServer, known: bool
    ) -> None:
        """The clock of this machine may be hours off."""
        late = token_for(-3600)
        server.tokens |= {late} if known else set()
        warnings = client.warning_flow.collect()
        if known:
            await client.connect(config(server), token_config=TokenConfig(late))
        else:
            with pytest.raises(AuthenticationError, match="refused"):
                await client.connect(config(server), token_config=TokenConfig(late))
        assert "the server decides" in (await asyncio.wait_for(anext(warnings), 1)).message

    async def test_a_token_that_looks_expired_on_the_way_back_costs_no_call(
        self,
        client: TelnyxClient,
        server: ScriptedServer,
        token: str,
        media: FakeEngine,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        await client.connect(config(server), token_config=TokenConfig(token))
        call = await client.new_invite("echo")
        server.push("telnyx_rtc.answer", callID=call.call_id, sdp="v=0 answer")
        await call.wait_active(LIMIT)
        past = datetime.now(UTC) - timedelta(hours=5)
        monkeypatch.setattr(TokenConfig, "expires_at", property(lambda _: past))
        server.parts["telnyx_rtc.attach"] = lambda _: {}
        server.cut()
        await client.connection_status_flow.wait_for(ConnectionStatus.RECONNECTING, timeout=LIMIT)
        await client.connection_status_flow.wait_for(ConnectionStatus.CLIENT_READY, timeout=LIMIT)
        assert call.call_id in client.calls

    async def test_warning_before_the_end(self, client: TelnyxClient, server: ScriptedServer) -> None:
        short = token_for(100)
        server.tokens.add(short)
        warnings = client.warning_flow.collect()
        await client.connect(config(server), token_config=TokenConfig(short))
        async with asyncio.timeout(2):
            assert (await anext(warnings)).name == "TOKEN_EXPIRING_SOON"

    async def test_renewed_in_time_on_the_same_connection(
        self, client: TelnyxClient, server: ScriptedServer, token: str, media: FakeEngine
    ) -> None:
        await client.connect(config(server), token_config=TokenConfig(token))
        call = await client.new_invite("echo")
        await client.token_login(TokenConfig(token))
        first, second = (frame["params"] for frame in server.sent("login"))
        assert (first["reconnection"], first.get("sessid")) == (False, None)
        assert (second["reconnection"], second["sessid"]) == (True, "S1")
        assert not isinstance(call.state, CallState.DONE)

    async def test_one_login_at_a_time(self, client: TelnyxClient, credentials: CredentialConfig) -> None:
        with pytest.raises(ConfigurationError, match="not both"):
            await client.connect(credential_config=credentials, token_config=TokenConfig("t"))


PASSING = [
    {"code": 503, "message": "Service Unavailable"},
    {"code": -32603, "message": "Internal error"},
    {"code": -32098, "message": "starting"},
    {"code": -32002, "message": "session error"},
    {"message": "no code"},
    {},
]
"""What a server answers that has just been started (SIP.js 491)."""


class TestServersThatHaveABadMoment:
    @pytest.mark.parametrize("error", PASSING)
    async def test_a_passing_error_on_the_way_back_is_tried_again(
        self,
        client: TelnyxClient,
        server: ScriptedServer,
        credentials: CredentialConfig,
        media: FakeEngine,
        error: dict[str, Any],
    ) -> None:
        await client.connect(config(server), credentials)
        call = await client.new_invite("echo")
        server.push("telnyx_rtc.answer", callID=call.call_id, sdp="v=0 answer")
        await call.wait_active(LIMIT)
        good, left = server.parts["login"], 2

        def log_in(params: dict[str, Any]) -> dict[str, Any]:
            nonlocal left
            left -= 1
            if left >= 0:
                raise RefusalError(**error)
            return good(params)

        server.parts["login"] = log_in
        server.cut()
        await client.connection_status_flow.wait_for(ConnectionStatus.RECONNECTING, timeout=LIMIT)
        await client.connection_status_flow.wait_for(ConnectionStatus.CLIENT_READY, timeout=LIMIT)
        assert left == -1
        assert isinstance(call.state, CallState.RECONNECTING)

    @pytest.mark.parametrize("code", [-32000, -32001])
    async def test_a_final_error_on_the_way_back_ends_the_session(
        self, client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig, code: int
    ) -> None:
        await client.connect(config(server), credentials)

        def refuse(_: object) -> None:
            raise RefusalError(code, "no")

        server.parts["login"] = refuse
        server.cut()
        await client.connection_status_flow.wait_for(ConnectionStatus.DISCONNECTED, timeout=LIMIT)

    @pytest.mark.parametrize("error", PASSING)
    async def test_a_passing_error_at_the_first_login_is_not_called_a_wrong_password(
        self, client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig, error: dict[str, Any]
    ) -> None:
        def refuse(_: object) -> None:
            raise RefusalError(**error)

        server.parts["login"] = refuse
        with pytest.raises(ServerUnavailableError, match="try again later") as caught:
            await client.connect(config(server), credentials)
        assert "password" not in str(caught.value)
        assert len(server.sent("login")) == 4  # as for a registration that fails

    async def test_a_redirect_is_not_followed(self, client: TelnyxClient, server: ScriptedServer) -> None:
        """The password would go to another host."""
        elsewhere = server.address.replace("ws", "http", 1)

        def redirect(connection: ServerConnection, _: object) -> Response:
            response = connection.respond(HTTPStatus.FOUND, "")
            response.headers["Location"] = elsewhere
            return response

        async with serve(server.serve, "127.0.0.1", 0, process_request=redirect) as other:
            port = next(iter(other.sockets)).getsockname()[1]
            with pytest.raises(SocketConnectionError, match="302"):
                await client.connect(TxServerConfiguration.parse(f"ws://127.0.0.1:{port}"), CredentialConfig("a", "b"))
        assert server.paths == []

    async def test_the_password_of_a_proxy_is_in_no_error(
        self, client: TelnyxClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", "odd://user:s3cret-proxy@127.0.0.1:9")
        monkeypatch.setenv("no_proxy", "")
        with pytest.raises(SocketConnectionError) as caught:
            await client.connect(TxServerConfiguration("server.invalid", 80, secure=False), CredentialConfig("a", "b"))
        assert "s3cret-proxy" not in "".join(traceback.format_exception(caught.value))


class TestSessions:
    @pytest.fixture
    async def lost(self, client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig) -> TelnyxClient:
        """A client that lost its connection, and does not make it again by itself."""
        await client.connect(config(server), replace(credentials, auto_reconnect=False))
        server.cut()
        await client.connection_status_flow.wait_for(ConnectionStatus.DISCONNECTED, timeout=LIMIT)
        return client

    async def test_session_is_taken_up_again_after_a_loss(self, online: TelnyxClient, server: ScriptedServer) -> None:
        server.voice_sdk_id = "V1"
        server.push("telnyx_rtc.event")
        await online.socket_response_flow.first(timeout=LIMIT)
        server.cut()
        await online.connection_status_flow.wait_for(ConnectionStatus.RECONNECTING, timeout=LIMIT)
        await online.connection_status_flow.wait_for(ConnectionStatus.CLIENT_READY, timeout=LIMIT)
        login = server.sent("login")[-1]["params"]
        assert (login["reconnection"], login["sessid"]) == (True, "S1")
        assert server.paths[-1] == "/?voice_sdk_id=V1"

    async def test_another_user_gets_another_session(
        self, lost: TelnyxClient, server: ScriptedServer, token: str
    ) -> None:
        await lost.connect(config(server), token_config=TokenConfig(token))
        assert "sessid" not in server.sent("login")[-1]["params"]

    async def test_session_ends_with_a_disconnect(
        self, online: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig
    ) -> None:
        await online.disconnect()
        await online.connect(config(server), credentials)
        assert "sessid" not in server.sent("login")[-1]["params"]

    async def test_session_does_not_last_for_ever(
        self,
        lost: TelnyxClient,
        server: ScriptedServer,
        credentials: CredentialConfig,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("telnyx_native.signaling.session.SESSION_LIFETIME", 0.0)
        await lost.connect(config(server), credentials)
        assert "sessid" not in server.sent("login")[-1]["params"]

    async def test_registration_that_is_lost_is_made_again(self, online: TelnyxClient, server: ScriptedServer) -> None:
        responses = online.socket_response_flow.collect()
        server.push("telnyx_rtc.gatewayState", state="FAIL_WAIT")
        await online.connection_status_flow.wait_for(ConnectionStatus.RECONNECTING, timeout=LIMIT)
        await online.connection_status_flow.wait_for(ConnectionStatus.CLIENT_READY, timeout=LIMIT)
        assert ErrorCode.GATEWAY_FAILED in [(await anext(responses)).error_kind for _ in range(3)]

    @pytest.mark.parametrize("calls", [0, 1])
    async def test_registration_that_is_lost_is_sought_at_another_instance(
        self, online: TelnyxClient, server: ScriptedServer, calls: int
    ) -> None:
        """Unless there are calls, which only the instance that has them can bring back."""
        server.voice_sdk_id = "V1"
        for _ in range(calls):
            await online.new_invite("echo")
        server.push("telnyx_rtc.gatewayState", state="FAILED")
        await online.connection_status_flow.wait_for(ConnectionStatus.RECONNECTING, timeout=LIMIT)
        await online.connection_status_flow.wait_for(ConnectionStatus.CLIENT_READY, timeout=LIMIT)
        assert server.paths[1] == ("/?voice_sdk_id=V1" if calls else "/")

    @pytest.mark.parametrize("reconnects", [True, False])
    async def test_login_that_the_server_has_forgotten(
        self,
        client: TelnyxClient,
        server: ScriptedServer,
        credentials: CredentialConfig,
        media: FakeEngine,
        reconnects: bool,
    ) -> None:
        def refuse(_: object) -> None:
            raise RefusalError(-32000, "Authentication Required")

        await client.connect(config(server), replace(credentials, auto_reconnect=reconnects))
        responses = client.socket_response_flow.collect()
        taken, server.parts["telnyx_rtc.invite"] = server.parts["telnyx_rtc.invite"], refuse
        with pytest.raises(TelnyxError):
            await client.new_invite("echo")
        error = await asyncio.wait_for(anext(responses), 1)
        assert (error.status, error.error_kind) == (SocketStatus.ERROR, ErrorCode.AUTHENTICATION_REQUIRED)
        server.parts["telnyx_rtc.invite"] = taken
        if reconnects:
            await client.connection_status_flow.wait_for(ConnectionStatus.RECONNECTING, timeout=LIMIT)
            await client.connection_status_flow.wait_for(ConnectionStatus.CLIENT_READY, timeout=LIMIT)
            await client.new_invite("echo")
        assert len(server.sent("login")) == 1 + reconnects

    async def test_pings_are_answered_after_the_login_only(
        self, client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig
    ) -> None:
        await client.connect(config(server))
        server.push("telnyx_rtc.ping", serno=1)
        await client.credential_login(credentials)
        assert not server.sent("telnyx_rtc.ping")
        server.push("telnyx_rtc.ping", serno=2)
        await server.received("telnyx_rtc.ping")

    async def test_disconnecting_gives_up_a_registration_that_fails(
        self, client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig
    ) -> None:
        server.parts["telnyx_rtc.gatewayState"] = lambda _: {"params": {"state": "FAIL_WAIT"}, "sessid": "S1"}
        connecting = asyncio.create_task(client.connect(config(server), credentials))
        await client.connection_status_flow.wait_for(ConnectionStatus.RECONNECTING, timeout=LIMIT)
        with pytest.raises(SocketConnectionError, match="connected already"):
            await client.connect(config(server), credentials)
        await client.disconnect()
        with pytest.raises(SocketConnectionError, match="given up"):
            await connecting
        assert len(server.sent("login")) == 1

    async def test_registration_that_is_lost_is_reported(
        self, client: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig
    ) -> None:
        await client.connect(config(server), replace(credentials, auto_reconnect=False))
        server.push("telnyx_rtc.gatewayState", state="FAILED")
        response = await client.socket_response_flow.first(lambda r: r.status is SocketStatus.ERROR, timeout=LIMIT)
        assert response.error_kind is ErrorCode.GATEWAY_FAILED
        assert client.connection_status_flow.value is ConnectionStatus.CLIENT_READY

    async def test_attempts_go_on_while_the_registration_does_not_come_up(
        self, online: TelnyxClient, server: ScriptedServer
    ) -> None:
        server.parts["telnyx_rtc.gatewayState"] = lambda _: {
            "params": {"state": "FAIL_WAIT" if len(server.sent("login")) < 3 else "REGED"},
            "sessid": "S1",
        }
        server.cut()
        await online.connection_status_flow.wait_for(ConnectionStatus.RECONNECTING, timeout=LIMIT)
        await online.connection_status_flow.wait_for(ConnectionStatus.CLIENT_READY, timeout=LIMIT)
        assert len(server.sent("login")) == 3


class TestRegions:
    @pytest.fixture
    def names(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
        """The addresses of host names; others do not exist."""
        known: dict[str, str] = {}
        look_up = sockets.getaddrinfo

        def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
            if host not in known:
                raise sockets.gaierror(sockets.EAI_NONAME, "Name or service not known")
            return look_up(known[host], *args, **kwargs)

        monkeypatch.setattr(sockets, "getaddrinfo", getaddrinfo)
        return known

    @pytest.fixture
    def named(self, server: ScriptedServer) -> TxServerConfiguration:
        plain = config(server)
        return TxServerConfiguration("localhost", plain.port, secure=False)

    async def test_regional_host(
        self, client: TelnyxClient, server: ScriptedServer, named: TxServerConfiguration, names: dict[str, str]
    ) -> None:
        names["eu.localhost"] = "127.0.0.1"
        await client.connect(named, CredentialConfig("alice", "s3cret", region=Region.EU))
        assert len(server.sent("login")) == 1

    @pytest.mark.parametrize("reachable", [False, True], ids=["unknown", "refusing"])
    async def test_fallback(
        self,
        client: TelnyxClient,
        server: ScriptedServer,
        named: TxServerConfiguration,
        names: dict[str, str],
        caplog: pytest.LogCaptureFixture,
        reachable: bool,
    ) -> None:
        names["localhost"] = "127.0.0.1"
        if reachable:
            names["eu.localhost"] = "127.0.0.254"  # where nobody listens
        login = CredentialConfig("alice", "s3cret", region=Region.EU, log_level=LogLevel.ALL)
        with caplog.at_level(logging.DEBUG):
            await client.connect(named, login)
        assert "trying ws://localhost" in caplog.text
        assert f"connected to {named.url}" in caplog.text

    async def test_no_fallback(self, client: TelnyxClient, named: TxServerConfiguration, names: dict[str, str]) -> None:
        names["localhost"] = "127.0.0.1"
        login = CredentialConfig("alice", "s3cret", region=Region.EU, fallback_on_region_failure=False)
        with pytest.raises(SocketConnectionError, match=r"eu\.localhost") as caught:
            await client.connect(named, login)
        assert caught.value.kind is ErrorCode.WEBSOCKET_CONNECTION_FAILED

    async def test_address_has_no_region(
        self, client: TelnyxClient, server: ScriptedServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        login = CredentialConfig("alice", "s3cret", region=Region.EU, log_level=LogLevel.WARNING)
        await client.connect(config(server), login)
        assert "no region EU" in caplog.text

    async def test_both_unreachable(
        self, client: TelnyxClient, named: TxServerConfiguration, names: dict[str, str]
    ) -> None:
        with pytest.raises(SocketConnectionError, match="ws://localhost"):
            await client.connect(named, CredentialConfig("alice", "s3cret", region=Region.EU))


class TestPush:
    @pytest.fixture
    def receiver(self) -> CredentialConfig:
        return CredentialConfig("alice", "s3cret", push=PUSH)

    async def test_announced_call_is_answered(
        self, client: TelnyxClient, server: ScriptedServer, receiver: CredentialConfig, media: FakeEngine
    ) -> None:
        await client.connect(config(server), receiver, tx_push_meta_data={"metadata": json.dumps(ANNOUNCED)})
        assert server.paths == ["/?voice_sdk_id=VSDK1&rtc_ip=192.0.2.7&rtc_port=8443"]
        login = server.sent("login")[0]["params"]
        assert (login["loginParams"], login["from_push"]) == ({"attach_call": "true"}, True)
        assert login["userVariables"]["push_device_token"] == "f1rebase"
        attach = await server.received("telnyx_rtc.attachCalls")
        assert server.frames.index(attach) > server.frames.index(server.sent("telnyx_rtc.gatewayState")[-1])
        server.push("telnyx_rtc.invite", callID="wire-id", sdp=OFFER)
        call = await client.wait_for_pushed_call()
        assert call.call_id == "wire-id"
        assert await client.accept_call("PUSH-ID") is call
        answer = await server.received("telnyx_rtc.answer")
        assert answer["params"]["answered_device_token"] == "f1rebase"
        await client.credential_login(receiver)
        assert len(server.sent("telnyx_rtc.attachCalls")) == 1

    async def test_announced_call_that_does_not_come(
        self, server: ScriptedServer, receiver: CredentialConfig, timeouts: Timeouts
    ) -> None:
        async with TelnyxClient(timeouts=Timeouts(push_invite=0.05, close=0.5)) as client:
            await client.connect(config(server), receiver, tx_push_meta_data=ANNOUNCED)
            with pytest.raises(InviteTimeoutError, match="ORIGINATOR_CANCEL") as caught:
                await client.wait_for_pushed_call()
        assert caught.value.code == 487

    async def test_connection_that_ends_first(
        self, client: TelnyxClient, server: ScriptedServer, receiver: CredentialConfig
    ) -> None:
        await client.connect(config(server), receiver, tx_push_meta_data=ANNOUNCED)
        waiting = asyncio.create_task(client.wait_for_pushed_call())
        await asyncio.sleep(0)
        server.cut()
        with pytest.raises(SocketConnectionError, match="before the announced call"):
            await waiting

    async def test_no_push_announces_no_call(self, online: TelnyxClient) -> None:
        with pytest.raises(CallError, match="no push"):
            await online.wait_for_pushed_call()

    @pytest.mark.parametrize("push", [{"message": "Missed call!", "metadata": "{}"}, "nonsense"])
    async def test_what_announces_no_call(
        self, client: TelnyxClient, server: ScriptedServer, receiver: CredentialConfig, push: Any
    ) -> None:
        with pytest.raises(ConfigurationError, match="push"):
            await client.connect(config(server), receiver, tx_push_meta_data=push)
        with pytest.raises(ConfigurationError, match="push"):
            await client.connect_with_decline_push(push, receiver, server_config=config(server))
        assert server.paths == []

    async def test_declined_beside_a_connection(
        self, online: TelnyxClient, server: ScriptedServer, receiver: CredentialConfig, until: Any
    ) -> None:
        server.parts["telnyx_rtc.gatewayState"] = lambda _: (
            server.push("telnyx_rtc.invite", callID="wire-id", sdp=OFFER) and {"params": {"state": "REGED"}}
        )
        await online.connect_with_decline_push(ANNOUNCED, receiver, server_config=config(server))
        assert server.paths[-1] == "/?voice_sdk_id=VSDK1&rtc_ip=192.0.2.7&rtc_port=8443"
        assert server.sent("login")[-1]["params"]["loginParams"] == {"decline_push": "true"}
        assert server.sent("telnyx_rtc.attachCalls") == []
        await until(lambda: len(server.connections) == 1)
        assert online.connection_status_flow.value is ConnectionStatus.CLIENT_READY

    async def test_declining_fails_aloud(self, client: TelnyxClient, server: ScriptedServer, until: Any) -> None:
        with pytest.raises(AuthenticationError):
            await client.connect_with_decline_push(
                ANNOUNCED, CredentialConfig("alice", "wr0ng"), server_config=config(server)
            )
        with pytest.raises(AuthenticationError, match="token"):
            await client.connect_with_decline_push(ANNOUNCED, TokenConfig(token_for(-1)), server_config=config(server))
        await until(lambda: not server.connections)

    async def test_no_more_notifications(
        self, client: TelnyxClient, server: ScriptedServer, receiver: CredentialConfig
    ) -> None:
        await client.connect(config(server), receiver)
        responses = client.socket_response_flow.collect()
        response = await client.disable_push()
        assert response == DisablePushResponse(success=True, message="disable push notification success")
        published = await anext(responses)
        assert published.status is SocketStatus.MESSAGERECEIVED
        assert published.data is not None
        assert published.data.result == response
        (request,) = server.sent("telnyx_rtc.disable_push_notification")
        assert request["params"]["user"] == "alice"

    async def test_notifications_that_cannot_be_stopped(self, online: TelnyxClient, server: ScriptedServer) -> None:
        with pytest.raises(ConfigurationError, match="no push"):
            await online.disable_push()

    async def test_server_that_refuses(
        self, client: TelnyxClient, server: ScriptedServer, receiver: CredentialConfig
    ) -> None:
        def refuse(_: object) -> None:
            raise RefusalError(-32002, "no")

        server.parts["telnyx_rtc.disable_push_notification"] = refuse
        await client.connect(config(server), receiver)
        with pytest.raises(RequestError, match="no"):
            await client.disable_push()


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


@pytest.mark.parametrize("way", ["token", "anonymous", "push", "decline"])
async def test_cancelled_at_any_step(
    server: ScriptedServer, timeouts: Timeouts, credentials: CredentialConfig, token: str, way: str, until: Any
) -> None:
    async def go(client: TelnyxClient) -> None:
        match way:
            case "token":
                await client.connect(config(server), token_config=TokenConfig(token))
            case "anonymous":
                await client.connect_anonymously("assistant-1", server_config=config(server))
            case "push":
                await client.connect(config(server), credentials, tx_push_meta_data=ANNOUNCED)
            case "decline":
                await client.connect_with_decline_push(ANNOUNCED, credentials, server_config=config(server))

    async with TelnyxClient(timeouts=timeouts) as client:
        for steps in range(60):
            going = asyncio.create_task(go(client))
            for _ in range(steps):
                await asyncio.sleep(0)
            if going.done():
                break
            going.cancel()
            with pytest.raises(asyncio.CancelledError):
                await going
            assert client.connection_status_flow.value is ConnectionStatus.DISCONNECTED
            await until(lambda: not server.connections)
        await going
