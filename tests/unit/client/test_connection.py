"""Connecting, logging in with and without trouble, and connecting again."""

from __future__ import annotations

import asyncio
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

from support.limit import LIMIT
from support.telnyx_server import RefusalError
from support.tokens import token_for
from telnyx_native.client import TelnyxClient
from telnyx_native.client import connection as connection_module
from telnyx_native.client.connection import Connection, ConnectionListener
from telnyx_native.client.context import Context
from telnyx_native.config import CredentialConfig, Region, Timeouts, TokenConfig, TxServerConfiguration
from telnyx_native.errors import (
    AuthenticationError,
    ConfigurationError,
    ErrorCode,
    GatewayRegistrationError,
    RequestTimeoutError,
    ServerUnavailableError,
    SocketConnectionError,
    TelnyxError,
)
from telnyx_native.events import SocketStatus
from telnyx_native.logs import LogLevel
from telnyx_native.push import PushConfig
from telnyx_native.signaling.messages import Ping
from telnyx_native.signaling.session import Session
from telnyx_native.states import CallState, ConnectionStatus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from support.fake_media import FakeEngine
    from support.telnyx_server import ScriptedServer
    from telnyx_native.client import TelnyxClient
    from telnyx_native.events import ReceivedResult
    from telnyx_native.states import CallNetworkChangeReason

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


class Listener(ConnectionListener):
    def __init__(self) -> None:
        self.messages: list[str] = []
        self.dropped: list[CallNetworkChangeReason] = []

    def on_message(self, method: str, result: ReceivedResult | None) -> bool:
        self.messages.append(method)
        return False

    def drop(self, reason: CallNetworkChangeReason) -> None:
        self.dropped.append(reason)


async def ended(connection: Connection) -> None:
    connection.leave()
    await connection.close()


@pytest.fixture
async def listener() -> Listener:
    return Listener()


@pytest.fixture
async def connection(server: ScriptedServer, timeouts: Timeouts, listener: Listener) -> AsyncIterator[Connection]:
    made = Connection(Context(timeouts))
    made.listener = listener
    await made.connect(TxServerConfiguration.parse(server.address), None)
    yield made
    await ended(made)


async def test_login_ends_registered(
    connection: Connection, server: ScriptedServer, credentials: CredentialConfig
) -> None:
    assert connection.status.value is ConnectionStatus.CONNECTED
    await connection.log_in(credentials)
    assert connection.status.value is ConnectionStatus.CLIENT_READY
    assert connection.session.session_id == "S1"
    (login,) = server.sent("login")
    assert (login["params"]["login"], login["params"]["passwd"]) == ("alice", "s3cret")
    assert login["params"]["reconnection"] is False


async def test_nothing_is_sent_before_login(
    connection: Connection, server: ScriptedServer, listener: Listener, until: Any
) -> None:
    server.push("telnyx_rtc.event")
    await until(lambda: listener.messages)
    assert server.frames == []


async def test_wrong_password(connection: Connection) -> None:
    with pytest.raises(AuthenticationError, match="Login Incorrect") as caught:
        await connection.log_in(CredentialConfig("alice", "wr0ng"))
    assert caught.value.code == -32001
    assert connection.is_open


async def test_server_that_does_not_answer_login(
    connection: Connection, server: ScriptedServer, credentials: CredentialConfig
) -> None:
    server.parts["login"] = lambda _: None
    with pytest.raises(RequestTimeoutError, match="login"):
        await connection.log_in(credentials)


async def test_server_that_is_never_ready(
    connection: Connection, server: ScriptedServer, credentials: CredentialConfig
) -> None:
    server.parts["login"] = lambda _: {"message": "logged in", "sessid": "S1"}
    with pytest.raises(GatewayRegistrationError, match="never said"):
        await connection.log_in(credentials)


async def test_pushed_registration_suffices(
    connection: Connection, server: ScriptedServer, credentials: CredentialConfig
) -> None:
    def log_in(_: object) -> dict[str, str]:
        asyncio.get_running_loop().call_soon(lambda: server.push("telnyx_rtc.gatewayState", state="REGED"))
        return {"message": "logged in", "sessid": "S2"}

    server.parts["login"] = log_in
    await connection.log_in(credentials)
    assert connection.session.session_id == "S2"
    assert server.sent("telnyx_rtc.gatewayState") == []


@pytest.mark.parametrize("step", ["login", "telnyx_rtc.gatewayState"])
async def test_server_that_closes_names_the_step(
    connection: Connection, server: ScriptedServer, credentials: CredentialConfig, listener: Listener, step: str
) -> None:
    server.parts[step] = lambda _: server.cut()
    with pytest.raises(SocketConnectionError, match=f"during {step}"):
        await connection.log_in(credentials)
    assert connection.status.value is ConnectionStatus.DISCONNECTED
    assert len(listener.dropped) == 1


async def test_server_that_closes_between_login_and_ready(
    connection: Connection, server: ScriptedServer, credentials: CredentialConfig
) -> None:
    def log_in(_: object) -> dict[str, str]:
        asyncio.get_running_loop().call_later(0.01, server.cut)
        return {"message": "logged in", "sessid": "S1"}

    server.parts["login"] = log_in
    with pytest.raises(SocketConnectionError, match="during registration"):
        await connection.log_in(credentials)


async def test_sticky_id_survives_the_connection(
    connection: Connection, server: ScriptedServer, credentials: CredentialConfig
) -> None:
    server.voice_sdk_id = "V1"
    await connection.log_in(credentials)
    await ended(connection)
    await connection.connect(TxServerConfiguration.parse(server.address), None)
    await connection.log_in(credentials)
    assert server.paths == ["/", "/?voice_sdk_id=V1"]
    assert [frame["params"]["reconnection"] for frame in server.sent("login")] == [False, True]


async def test_failed_registration_drops_the_sticky_id(
    connection: Connection, server: ScriptedServer, credentials: CredentialConfig
) -> None:
    server.voice_sdk_id = "V1"
    server.parts["telnyx_rtc.gatewayState"] = lambda _: {"params": {"state": "FAILED"}}
    with pytest.raises(GatewayRegistrationError) as caught:
        await connection.log_in(credentials)
    assert caught.value.code == -32004
    await ended(connection)
    await connection.connect(TxServerConfiguration.parse(server.address), None)
    assert server.paths == ["/", "/"]


async def test_request_without_connection(timeouts: Timeouts) -> None:
    connection = Connection(Context(timeouts))
    with pytest.raises(SocketConnectionError, match="connect first"):
        await connection.session.request(Ping())
    await ended(connection)


async def test_closing_gives_up_an_attempt(server: ScriptedServer, timeouts: Timeouts) -> None:
    connection = Connection(Context(timeouts))
    opening = asyncio.create_task(connection.connect(TxServerConfiguration.parse(server.address), None))
    await asyncio.sleep(0)
    assert connection.is_open
    await ended(connection)
    with pytest.raises(SocketConnectionError, match="given up"):
        await opening
    assert not connection.is_open
    assert connection.status.value is ConnectionStatus.DISCONNECTED


async def test_closing_ends_a_login(
    connection: Connection, server: ScriptedServer, credentials: CredentialConfig, until: Any
) -> None:
    server.parts["login"] = lambda _: {"message": "logged in", "sessid": "S1"}
    logging_in = asyncio.create_task(connection.log_in(credentials))
    await until(lambda: connection.session.session_id)
    await ended(connection)
    with pytest.raises(SocketConnectionError, match="during registration"):
        await logging_in


async def test_errors_tell_a_connection_that_is_over_from_one_that_comes_back(
    online: TelnyxClient, server: ScriptedServer
) -> None:
    server.cut()
    await online.connection_status_flow.wait_for(ConnectionStatus.RECONNECTING, timeout=LIMIT)
    with pytest.raises(SocketConnectionError, match="being made again"):
        await online.new_invite("echo")
    await online.connection_status_flow.wait_for(ConnectionStatus.CLIENT_READY, timeout=LIMIT)
    server.push("telnyx_rtc.punt")
    await online.connection_status_flow.wait_for(ConnectionStatus.DISCONNECTED, timeout=LIMIT)
    with pytest.raises(SocketConnectionError, match="connect first"):
        await online.new_invite("echo")


@pytest.mark.parametrize("step", ["open", "log_in", "query_gateway"])
async def test_bug_on_the_way_back_costs_one_attempt(
    online: TelnyxClient, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    good, failures = getattr(Session, step), [RuntimeError("a bug")]

    async def fail_once(session: Session, *args: Any, **options: Any) -> Any:
        if failures:
            raise failures.pop()
        return await good(session, *args, **options)

    monkeypatch.setattr(Session, step, fail_once)
    server.cut()
    await online.connection_status_flow.wait_for(ConnectionStatus.RECONNECTING, timeout=LIMIT)
    await online.connection_status_flow.wait_for(ConnectionStatus.CLIENT_READY, timeout=LIMIT)
    assert not failures


def reach_from(monkeypatch: pytest.MonkeyPatch, address: str | None) -> None:
    """From now on, the server is reached from `address`."""
    monkeypatch.setattr(connection_module, "source_address", lambda _: address)


async def test_machine_without_a_network(
    online: TelnyxClient, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    responses = online.socket_response_flow.collect()
    reach_from(monkeypatch, None)
    online._connection._on_network_change()
    error = await anext(responses)
    assert (error.status, error.error_kind) == (SocketStatus.ERROR, ErrorCode.NETWORK_OFFLINE)
    await server.received("telnyx_rtc.ping")  # which tells whether it is so
    assert online.is_registered


async def test_same_way_is_tried_out(
    online: TelnyxClient, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    reach_from(monkeypatch, "127.0.0.1")
    online._connection._on_network_change()
    await server.received("telnyx_rtc.ping")
    assert len(server.paths) == 1


async def test_another_way_is_taken(
    talking: Any, online: TelnyxClient, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = await talking()
    warnings = online.warning_flow.collect()
    reach_from(monkeypatch, "192.0.2.1")
    online._connection._on_network_change()
    await online.connection_status_flow.wait_for(ConnectionStatus.RECONNECTING, timeout=LIMIT)
    assert str(call.state) == "RECONNECTING(NETWORK_SWITCH)"
    assert (await anext(warnings)).name == "SIGNALING_RECOVERY_REQUIRED"
    await online.connection_status_flow.wait_for(ConnectionStatus.CLIENT_READY, timeout=LIMIT)


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
