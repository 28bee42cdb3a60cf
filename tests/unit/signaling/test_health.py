from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from support.limit import LIMIT
from support.telnyx_server import RefusalError, ScriptedServer
from telnyx_native.config import Timeouts
from telnyx_native.errors import SocketConnectionError
from telnyx_native.logs import Log
from telnyx_native.signaling.health import HealthMonitor
from telnyx_native.signaling.socket import TxSocket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from telnyx_native.signaling.envelope import Request

PATIENT = Timeouts(silence=60, unanswered=60, probe=0.2)


class Listener:
    def __init__(self) -> None:
        self.lost: asyncio.Future[SocketConnectionError] = asyncio.get_running_loop().create_future()

    def on_request(self, request: Request) -> bool:
        return True

    def on_frame(self, frame: str | bytes) -> None:
        pass

    def on_ping(self) -> bool:
        return True

    def on_login_required(self) -> None:
        pass

    def on_lost(self, error: SocketConnectionError) -> None:
        self.lost.set_result(error)


@pytest.fixture
async def listener() -> Listener:
    return Listener()


@pytest.fixture
async def socket(server: ScriptedServer, listener: Listener) -> AsyncIterator[TxSocket]:
    opened = await TxSocket.open(server.address, listener, log=Log("socket"), timeout=1, close_timeout=0.5)
    yield opened
    await opened.close()


async def test_silent_server_is_asked(socket: TxSocket, server: ScriptedServer) -> None:
    watching = asyncio.create_task(HealthMonitor(socket, Timeouts(silence=0.05, probe=1)).run())
    await server.received(lambda _: len(server.sent("telnyx_rtc.ping")) >= 3)
    assert not watching.done()
    watching.cancel()


async def test_server_that_talks_but_never_answers_is_asked(socket: TxSocket, server: ScriptedServer) -> None:
    async def talk() -> None:
        while True:
            server.push("telnyx_rtc.event")
            await asyncio.sleep(0.01)

    talking = asyncio.create_task(talk())
    watching = asyncio.create_task(HealthMonitor(socket, Timeouts(silence=5, unanswered=0.1, probe=1)).run())
    await server.received("telnyx_rtc.ping")
    talking.cancel()
    watching.cancel()


async def test_server_that_does_not_answer_is_given_up(
    socket: TxSocket, server: ScriptedServer, listener: Listener
) -> None:
    server.parts["telnyx_rtc.ping"] = lambda _: None
    await asyncio.wait_for(HealthMonitor(socket, Timeouts(silence=0.05, probe=0.1)).run(), LIMIT)
    assert "no sign of life within 0.1 s" in str(await asyncio.wait_for(listener.lost, LIMIT))


async def test_refusal_is_a_sign_of_life(socket: TxSocket, server: ScriptedServer) -> None:
    def refuse(_: dict[str, Any]) -> None:
        raise RefusalError(-32000, "Authentication Required")

    server.parts["telnyx_rtc.ping"] = refuse
    watching = asyncio.create_task(HealthMonitor(socket, Timeouts(silence=0.05, probe=0.2)).run())
    await server.received(lambda _: len(server.sent("telnyx_rtc.ping")) >= 3)
    assert not watching.done()
    watching.cancel()


async def test_suspicion_is_followed_at_once(socket: TxSocket, server: ScriptedServer) -> None:
    monitor = HealthMonitor(socket, PATIENT)
    watching = asyncio.create_task(monitor.run())
    monitor.suspect()
    await server.received("telnyx_rtc.ping")
    watching.cancel()


async def test_watch_ends_with_the_connection(socket: TxSocket, server: ScriptedServer, listener: Listener) -> None:
    monitor = HealthMonitor(socket, PATIENT)
    watching = asyncio.create_task(monitor.run())
    server.cut()
    await asyncio.wait_for(listener.lost, LIMIT)
    monitor.suspect()
    await asyncio.wait_for(watching, LIMIT)
