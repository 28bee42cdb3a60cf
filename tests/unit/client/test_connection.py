from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from support.telnyx_server import LIMIT
from telnyx_native.client import connection as connection_module
from telnyx_native.client.connection import Connection, ConnectionListener
from telnyx_native.client.publisher import Publisher
from telnyx_native.codes import ErrorCode
from telnyx_native.config import CredentialConfig, Limits, Timeouts, TxServerConfiguration
from telnyx_native.errors import (
    AuthenticationError,
    GatewayRegistrationError,
    RequestTimeoutError,
    SocketConnectionError,
)
from telnyx_native.events import SocketStatus
from telnyx_native.signaling.messages import Ping
from telnyx_native.signaling.session import Session
from telnyx_native.states import ConnectionStatus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from support.telnyx_server import ScriptedServer
    from telnyx_native.client import TelnyxClient
    from telnyx_native.events import ReceivedResult
    from telnyx_native.states import CallNetworkChangeReason


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
    made = Connection(timeouts, Limits(), Publisher())
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
    connection = Connection(timeouts, Limits(), Publisher())
    with pytest.raises(SocketConnectionError, match="connect first"):
        await connection.session.request(Ping())
    await ended(connection)


async def test_closing_gives_up_an_attempt(server: ScriptedServer, timeouts: Timeouts) -> None:
    connection = Connection(timeouts, Limits(), Publisher())
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
