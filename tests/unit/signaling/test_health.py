from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from support.limit import LIMIT
from support.telnyx_server import RefusalError, ScriptedServer
from telnyx_native.config import Timeouts
from telnyx_native.errors import SocketConnectionError
from telnyx_native.logs import Log
from telnyx_native.signaling import health
from telnyx_native.signaling.health import HealthMonitor, PingHistory, SocketConnectionQuality
from telnyx_native.signaling.socket import TxSocket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

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


def forbidden(error: SocketConnectionError) -> None:
    pytest.fail(str(error))


async def test_silent_server_is_asked(socket: TxSocket, server: ScriptedServer) -> None:
    watching = asyncio.create_task(HealthMonitor(socket, Timeouts(silence=0.05, probe=1), forbidden).run())
    await server.received(lambda _: len(server.sent("telnyx_rtc.ping")) >= 3)
    assert not watching.done()
    watching.cancel()


async def test_server_that_talks_but_never_answers_is_asked(socket: TxSocket, server: ScriptedServer) -> None:
    async def talk() -> None:
        while True:
            server.push("telnyx_rtc.event")
            await asyncio.sleep(0.01)

    talking = asyncio.create_task(talk())
    watching = asyncio.create_task(HealthMonitor(socket, Timeouts(silence=5, unanswered=0.1, probe=1), forbidden).run())
    await server.received("telnyx_rtc.ping")
    talking.cancel()
    watching.cancel()


async def test_server_that_does_not_answer_is_dead(socket: TxSocket, server: ScriptedServer) -> None:
    server.parts["telnyx_rtc.ping"] = lambda _: None
    dead: list[SocketConnectionError] = []
    await asyncio.wait_for(HealthMonitor(socket, Timeouts(silence=0.05, probe=0.1), dead.append).run(), LIMIT)
    assert "no sign of life within 0.1 s" in str(*dead)


async def test_refusal_is_a_sign_of_life(socket: TxSocket, server: ScriptedServer) -> None:
    def refuse(_: dict[str, Any]) -> None:
        raise RefusalError(-32000, "Authentication Required")

    server.parts["telnyx_rtc.ping"] = refuse
    watching = asyncio.create_task(HealthMonitor(socket, Timeouts(silence=0.05, probe=0.2), forbidden).run())
    await server.received(lambda _: len(server.sent("telnyx_rtc.ping")) >= 3)
    assert not watching.done()
    watching.cancel()


async def test_doubt_is_followed_at_once(socket: TxSocket, server: ScriptedServer) -> None:
    monitor = HealthMonitor(socket, PATIENT, forbidden)
    watching = asyncio.create_task(monitor.run())
    monitor.probe()
    await server.received("telnyx_rtc.ping")
    watching.cancel()


async def test_watch_ends_with_the_connection(socket: TxSocket, server: ScriptedServer, listener: Listener) -> None:
    monitor = HealthMonitor(socket, PATIENT, forbidden)
    watching = asyncio.create_task(monitor.run())
    server.cut()
    await asyncio.wait_for(listener.lost, LIMIT)
    monitor.probe()
    await asyncio.wait_for(watching, LIMIT)


@pytest.fixture
def pings_at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., PingHistory]:
    def play(*moments: float) -> PingHistory:
        history = PingHistory()
        history.begin()
        for moment in moments:
            monkeypatch.setattr(health, "monotonic", lambda moment=moment: moment)
            history.note()
        return history

    return play


def test_without_a_connection_there_is_no_quality() -> None:
    assert PingHistory().metrics.value.quality is SocketConnectionQuality.DISCONNECTED


def test_one_ping_says_nothing(pings_at: Callable[..., PingHistory]) -> None:
    assert pings_at(0.0).metrics.value.quality is SocketConnectionQuality.CALCULATING


@pytest.mark.parametrize(
    ("deviation", "quality"),
    [
        (0.05, SocketConnectionQuality.EXCELLENT),
        (0.15, SocketConnectionQuality.GOOD),
        (0.25, SocketConnectionQuality.FAIR),
        (0.4, SocketConnectionQuality.POOR),
    ],
)
def test_bands(pings_at: Callable[..., PingHistory], deviation: float, quality: SocketConnectionQuality) -> None:
    assert pings_at(0.0, 30 + deviation, 60.0).metrics.value.quality is quality


def test_intervals(pings_at: Callable[..., PingHistory]) -> None:
    metrics = pings_at(0.0, 29.0, 60.0).metrics.value
    assert (metrics.total_pings, metrics.missed_pings) == (3, 1)
    assert (metrics.interval, metrics.average_interval) == (31.0, 30.0)
    assert (metrics.shortest_interval, metrics.longest_interval, metrics.jitter) == (29.0, 31.0, 1.0)


def test_pings_that_did_not_come_are_counted(pings_at: Callable[..., PingHistory]) -> None:
    assert pings_at(0.0, 120.0).metrics.value.missed_pings == 3


def test_history_is_bounded(pings_at: Callable[..., PingHistory]) -> None:
    history = pings_at(*(30.0 * n for n in range(100)))
    assert history.metrics.value.total_pings == 100
    assert len(history._moments) == health.LONGEST_HISTORY


def test_quality_ends_with_the_connection(pings_at: Callable[..., PingHistory]) -> None:
    history = pings_at(0.0, 30.0)
    history.end()
    assert history.metrics.value.quality is SocketConnectionQuality.DISCONNECTED
    history.begin()
    assert history.metrics.value.total_pings == 0
