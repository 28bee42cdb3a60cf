from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from telnyx_native.config import CredentialConfig, Limits, Timeouts, TxServerConfiguration
from telnyx_native.errors import (
    AuthenticationError,
    GatewayRegistrationError,
    RequestTimeoutError,
    SocketConnectionError,
)
from telnyx_native.logs import Log
from telnyx_native.signaling.logins import login_of
from telnyx_native.signaling.messages import Ping
from telnyx_native.signaling.session import Session
from telnyx_native.states import ConnectionStatus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from support.telnyx_server import ScriptedServer
    from telnyx_native.events import ReceivedResult


class Listener:
    def __init__(self) -> None:
        self.messages: list[str] = []
        self.lost: list[SocketConnectionError] = []

    def on_message(self, method: str, result: ReceivedResult | None) -> bool:
        self.messages.append(method)
        return False

    def on_lost(self, error: SocketConnectionError) -> None:
        self.lost.append(error)


@pytest.fixture
async def listener() -> Listener:
    return Listener()


@pytest.fixture
async def session(server: ScriptedServer, timeouts: Timeouts, listener: Listener) -> AsyncIterator[Session]:
    made = Session(timeouts, Limits(), listener)
    await made.open(TxServerConfiguration.parse(server.address), Log("socket"))
    yield made
    await made.close()


async def test_login_ends_registered(session: Session, server: ScriptedServer, credentials: CredentialConfig) -> None:
    assert session.status.value is ConnectionStatus.CONNECTED
    await session.login(login_of(credentials))
    assert session.status.value is ConnectionStatus.CLIENT_READY
    assert session.session_id == "S1"
    (login,) = server.sent("login")
    assert (login["params"]["login"], login["params"]["passwd"]) == ("alice", "s3cret")
    assert login["params"]["reconnection"] is False


async def test_nothing_is_sent_before_login(
    session: Session, server: ScriptedServer, listener: Listener, until: Any
) -> None:
    server.push("telnyx_rtc.event")
    await until(lambda: listener.messages)
    assert server.frames == []


async def test_wrong_password(session: Session) -> None:
    with pytest.raises(AuthenticationError, match="Login Incorrect") as caught:
        await session.login(login_of(CredentialConfig("alice", "wr0ng")))
    assert caught.value.code == -32001
    assert session.is_open


async def test_server_that_does_not_answer_login(
    session: Session, server: ScriptedServer, credentials: CredentialConfig
) -> None:
    server.parts["login"] = lambda _: None
    with pytest.raises(RequestTimeoutError, match="login"):
        await session.login(login_of(credentials))


async def test_server_that_is_never_ready(
    session: Session, server: ScriptedServer, credentials: CredentialConfig
) -> None:
    server.parts["login"] = lambda _: {"message": "logged in", "sessid": "S1"}
    with pytest.raises(GatewayRegistrationError, match="never said"):
        await session.login(login_of(credentials))


async def test_pushed_registration_suffices(
    session: Session, server: ScriptedServer, credentials: CredentialConfig
) -> None:
    def log_in(_: object) -> dict[str, str]:
        asyncio.get_running_loop().call_soon(lambda: server.push("telnyx_rtc.gatewayState", state="REGED"))
        return {"message": "logged in", "sessid": "S2"}

    server.parts["login"] = log_in
    await session.login(login_of(credentials))
    assert session.session_id == "S2"
    assert server.sent("telnyx_rtc.gatewayState") == []


@pytest.mark.parametrize("step", ["login", "telnyx_rtc.gatewayState"])
async def test_server_that_closes_names_the_step(
    session: Session, server: ScriptedServer, credentials: CredentialConfig, listener: Listener, step: str
) -> None:
    server.parts[step] = lambda _: server.cut()
    with pytest.raises(SocketConnectionError, match=f"during {step}"):
        await session.login(login_of(credentials))
    assert session.status.value is ConnectionStatus.DISCONNECTED
    assert len(listener.lost) == 1


async def test_server_that_closes_between_login_and_ready(
    session: Session, server: ScriptedServer, credentials: CredentialConfig
) -> None:
    def log_in(_: object) -> dict[str, str]:
        asyncio.get_running_loop().call_later(0.01, server.cut)
        return {"message": "logged in", "sessid": "S1"}

    server.parts["login"] = log_in
    with pytest.raises(SocketConnectionError, match="during registration"):
        await session.login(login_of(credentials))


async def test_sticky_id_survives_the_connection(
    session: Session, server: ScriptedServer, credentials: CredentialConfig
) -> None:
    server.voice_sdk_id = "V1"
    await session.login(login_of(credentials))
    await session.close()
    await session.open(TxServerConfiguration.parse(server.address), Log("socket"))
    await session.login(login_of(credentials))
    assert server.paths == ["/", "/?voice_sdk_id=V1"]
    assert [frame["params"]["reconnection"] for frame in server.sent("login")] == [False, True]


async def test_failed_registration_drops_the_sticky_id(
    session: Session, server: ScriptedServer, credentials: CredentialConfig
) -> None:
    server.voice_sdk_id = "V1"
    server.parts["telnyx_rtc.gatewayState"] = lambda _: {"params": {"state": "FAILED"}}
    with pytest.raises(GatewayRegistrationError) as caught:
        await session.login(login_of(credentials))
    assert caught.value.code == -32004
    await session.close()
    await session.open(TxServerConfiguration.parse(server.address), Log("socket"))
    assert server.paths == ["/", "/"]


async def test_request_without_connection(timeouts: Timeouts, listener: Listener) -> None:
    session = Session(timeouts, Limits(), listener)
    with pytest.raises(SocketConnectionError, match="connect first"):
        await session.request(Ping())
    await session.close()


async def test_closing_gives_up_an_attempt(server: ScriptedServer, timeouts: Timeouts, listener: Listener) -> None:
    session = Session(timeouts, Limits(), listener)
    opening = asyncio.create_task(session.open(TxServerConfiguration.parse(server.address), Log("socket")))
    await asyncio.sleep(0)
    assert session.is_open
    await session.close()
    with pytest.raises(SocketConnectionError, match="given up"):
        await opening
    assert not session.is_open
    assert session.status.value is ConnectionStatus.DISCONNECTED


async def test_closing_ends_a_login(
    session: Session, server: ScriptedServer, credentials: CredentialConfig, until: Any
) -> None:
    server.parts["login"] = lambda _: {"message": "logged in", "sessid": "S1"}
    logging_in = asyncio.create_task(session.login(login_of(credentials)))
    await until(lambda: session.session_id)
    await session.close()
    with pytest.raises(SocketConnectionError, match="during registration"):
        await logging_in
