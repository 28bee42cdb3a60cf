"""What a session remembers from one socket to the next, and what it says without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from telnyx_native.config import CredentialConfig, Timeouts, TxServerConfiguration
from telnyx_native.errors import AuthenticationError, RequestTimeoutError, SocketConnectionError
from telnyx_native.events import GatewayStateResponse
from telnyx_native.logs import Log
from telnyx_native.signaling.logins import login_of
from telnyx_native.signaling.messages import GatewayStateQuery, Ping
from telnyx_native.signaling.session import Session
from telnyx_native.states import GatewayState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from support.telnyx_server import ScriptedServer
    from telnyx_native.signaling.envelope import Request


class Listener:
    def __init__(self) -> None:
        self.lost: list[SocketConnectionError] = []

    def on_request(self, request: Request) -> bool:
        return True

    def on_frame(self, frame: str | bytes) -> None:
        pass

    def on_ping(self) -> bool:
        return True

    def on_login_required(self) -> None:
        pass

    def on_lost(self, error: SocketConnectionError) -> None:
        self.lost.append(error)


ABORTED = SocketConnectionError("aborted")


async def opened(session: Session, server: ScriptedServer) -> Session:
    await session.open(TxServerConfiguration.parse(server.address), Listener(), Log("socket"))
    return session


@pytest.fixture
async def session(server: ScriptedServer, timeouts: Timeouts) -> AsyncIterator[Session]:
    made = await opened(Session(timeouts), server)
    yield made
    if socket := made.detach():
        await socket.close()


@pytest.mark.parametrize("loses", [True, False])
async def test_same_account_gets_the_same_session(
    session: Session, server: ScriptedServer, credentials: CredentialConfig, loses: bool
) -> None:
    await session.log_in(login_of(credentials))
    if loses:
        session.abort(ABORTED)
        await opened(session, server)
    await session.log_in(login_of(credentials))
    assert [login["params"].get("sessid") for login in server.sent("login")] == [None, "S1"]


async def test_session_that_is_forgotten(
    session: Session, server: ScriptedServer, credentials: CredentialConfig
) -> None:
    await session.log_in(login_of(credentials))
    session.forget()
    await session.log_in(login_of(credentials))
    assert "sessid" not in server.sent("login")[-1]["params"]


async def test_instance_is_found_again_unless_it_is_forgotten(session: Session, server: ScriptedServer) -> None:
    server.voice_sdk_id = "V1"
    await session.query_gateway()
    for _ in range(2):
        session.abort(ABORTED)
        await opened(session, server)
        session.forget_instance()
    assert server.paths == ["/", "/?voice_sdk_id=V1", "/"]


async def test_refused_login_is_told_from_one_that_may_pass(session: Session) -> None:
    with pytest.raises(AuthenticationError, match="check user and password") as caught:
        await session.log_in(login_of(CredentialConfig("alice", "wr0ng")))
    assert caught.value.code == -32001


async def test_registration_that_stands_is_remembered(session: Session) -> None:
    session.note_registration(GatewayStateResponse(GatewayState.TRYING, call_report_id="R0"))
    assert session.call_report_id is None
    session.note_registration(GatewayStateResponse(GatewayState.REGED, sessid="S2", call_report_id="R1"))
    session.note_registration(GatewayStateResponse(GatewayState.REGED))
    assert (session.session_id, session.call_report_id) == ("S2", "R1")


async def test_aborting_ends_what_waits(session: Session, server: ScriptedServer) -> None:
    def abort(_: object) -> None:
        session.abort(ABORTED)

    server.parts["telnyx_rtc.gatewayState"] = abort
    with pytest.raises(SocketConnectionError, match=r"aborted, during telnyx_rtc\.gatewayState"):
        await session.query_gateway()
    with pytest.raises(SocketConnectionError, match="connect first"):
        await session.request(Ping())


async def test_request_that_is_not_answered(session: Session, server: ScriptedServer) -> None:
    server.parts["telnyx_rtc.gatewayState"] = lambda _: None
    with pytest.raises(RequestTimeoutError):
        await session.request(GatewayStateQuery(), timeout=0.01)
