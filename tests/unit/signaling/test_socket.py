from __future__ import annotations

import asyncio
import json
import socket as sockets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from websockets.server import ServerProtocol

from support.telnyx_server import RefusalError
from telnyx_native.errors import (
    MalformedFrameError,
    RequestError,
    RequestTimeoutError,
    SocketConnectionError,
)
from telnyx_native.logs import Log
from telnyx_native.signaling.messages import GatewayStateQuery, Ping
from telnyx_native.signaling.socket import TxSocket

if TYPE_CHECKING:
    from support.telnyx_server import ScriptedServer
    from telnyx_native.signaling.envelope import Request

QUERY = GatewayStateQuery()


class Listener:
    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.lost: asyncio.Future[SocketConnectionError] = asyncio.get_running_loop().create_future()
        self.known = True
        self.error: Exception | None = None
        self.login_required = False
        self.answers_pings = True

    def on_request(self, request: Request) -> bool:
        self.requests.append(request)
        if self.error:
            raise self.error
        return self.known

    def on_frame(self, frame: str | bytes) -> None:
        pass

    def on_ping(self) -> bool:
        return self.answers_pings

    def on_login_required(self) -> None:
        self.login_required = True

    def on_lost(self, error: SocketConnectionError) -> None:
        self.lost.set_result(error)


@pytest.fixture
async def listener() -> Listener:
    return Listener()


async def connected(server: ScriptedServer, listener: Listener, **options: Any) -> TxSocket:
    return await TxSocket.open(server.address, listener, log=Log("socket"), timeout=1, close_timeout=0.5, **options)


@pytest.fixture
async def socket(server: ScriptedServer, listener: Listener) -> AsyncIterator[TxSocket]:
    opened = await connected(server, listener)
    yield opened
    await opened.close()


async def settled(socket: TxSocket) -> None:
    """Return when everything pushed so far has been read."""
    await socket.request(QUERY, timeout=1)


async def test_request_returns_the_result(socket: TxSocket, server: ScriptedServer) -> None:
    assert await socket.request(QUERY, timeout=1) == {"params": {"state": "REGED"}, "sessid": "S1"}


async def test_answers_find_their_requests(socket: TxSocket, server: ScriptedServer) -> None:
    server.parts["telnyx_rtc.ping"] = lambda _: {"message": "PONG"}
    answers = await asyncio.gather(*(socket.request(m, timeout=1) for m in (QUERY, Ping(), QUERY, Ping())))
    assert [("message" in answer) for answer in answers] == [False, True, False, True]


async def test_error_answer_is_raised(socket: TxSocket, server: ScriptedServer) -> None:
    server.push_raw('{"id":"nobody","error":{"code":1,"message":"ignored"}}')
    server.parts["telnyx_rtc.gatewayState"] = lambda _: json.loads("{}")["missing"]
    server.parts["telnyx_rtc.ping"] = lambda _: None

    async def refuse() -> None:
        frame = await server.received("telnyx_rtc.ping")
        server.push_raw(json.dumps({"id": frame["id"], "error": {"code": -32002, "message": "CALL ERROR"}}))

    refusing = asyncio.create_task(refuse())
    with pytest.raises(RequestError, match="CALL ERROR") as caught:
        await socket.request(Ping(), timeout=1)
    assert caught.value.code == -32002
    await refusing


async def test_malformed_answer_is_raised_at_once(socket: TxSocket, server: ScriptedServer) -> None:
    server.parts["telnyx_rtc.gatewayState"] = lambda _: "not an object"
    with pytest.raises(RequestError, match="makes no sense"):
        await socket.request(QUERY, timeout=5)
    assert socket.malformed == 1


async def test_unanswered_request_is_limited(socket: TxSocket, server: ScriptedServer) -> None:
    server.parts["telnyx_rtc.gatewayState"] = lambda _: None
    with pytest.raises(RequestTimeoutError, match=r"telnyx_rtc\.gatewayState within 0\.05 s"):
        await socket.request(QUERY, timeout=0.05)


async def test_lost_connection_fails_what_is_pending(
    socket: TxSocket, server: ScriptedServer, listener: Listener
) -> None:
    server.parts["telnyx_rtc.gatewayState"] = lambda _: None
    pending = asyncio.create_task(socket.request(QUERY, timeout=5))
    await server.received("telnyx_rtc.gatewayState")
    server.cut()
    with pytest.raises(SocketConnectionError, match=r"lost.*during telnyx_rtc\.gatewayState"):
        await pending
    assert "lost" in str(await listener.lost)
    with pytest.raises(SocketConnectionError):
        await socket.request(QUERY, timeout=1)


async def test_close_fails_what_is_pending_and_is_no_loss(
    socket: TxSocket, server: ScriptedServer, listener: Listener
) -> None:
    server.parts["telnyx_rtc.gatewayState"] = lambda _: None
    pending = asyncio.create_task(socket.request(QUERY, timeout=5))
    await server.received("telnyx_rtc.gatewayState")
    await socket.close()
    with pytest.raises(SocketConnectionError, match="closed here"):
        await pending
    assert not listener.lost.done()


Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def plain_server(speak: Conversation) -> AsyncIterator[str]:
    """A TCP server that is no good WebSocket server."""
    conversations: set[asyncio.Task[Any]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversations.add(asyncio.current_task())  # type: ignore[arg-type]
        with suppress(OSError):
            await speak(reader, writer)
            writer.close()
            await writer.wait_closed()

    async with await asyncio.start_server(converse, "127.0.0.1", 0) as tcp:
        yield f"ws://127.0.0.1:{tcp.sockets[0].getsockname()[1]}"
        await asyncio.gather(*conversations)


async def test_close_is_bounded_when_the_server_is_silent(listener: Listener) -> None:
    async def shake_hands_and_fall_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        protocol = ServerProtocol()
        protocol.receive_data(await reader.readuntil(b"\r\n\r\n"))
        (request,) = protocol.events_received()
        protocol.send_response(protocol.accept(request))  # type: ignore[arg-type]
        writer.write(b"".join(protocol.data_to_send()))
        await reader.read(-1)

    async with plain_server(shake_hands_and_fall_silent) as address:
        socket = await TxSocket.open(address, listener, log=Log("s"), timeout=1, close_timeout=0.1)
        async with asyncio.timeout(1):
            await socket.close()


async def test_voice_sdk_id_is_remembered_and_given_back(
    socket: TxSocket, server: ScriptedServer, listener: Listener
) -> None:
    server.voice_sdk_id = "VSDK1/+x"
    await settled(socket)
    assert socket.voice_sdk_id == "VSDK1/+x"
    await settled(socket)
    assert [frame.get("voice_sdk_id") for frame in server.sent(QUERY.method.value)] == [None, "VSDK1/+x"]
    again = await connected(server, listener, voice_sdk_id=socket.voice_sdk_id)
    await again.close()
    assert server.paths == ["/", "/?voice_sdk_id=VSDK1%2F%2Bx"]


async def test_wish_for_a_login_is_told(socket: TxSocket, server: ScriptedServer, listener: Listener) -> None:
    def refuse(_: object) -> None:
        raise RefusalError(-32000, "Authentication Required")

    await settled(socket)
    assert not listener.login_required
    server.parts["telnyx_rtc.ping"] = refuse
    with pytest.raises(RequestError, match="Authentication Required"):
        await socket.request(Ping(), timeout=1)
    assert listener.login_required


async def test_ping_is_left_alone_when_the_listener_wants_it(
    socket: TxSocket, server: ScriptedServer, listener: Listener
) -> None:
    listener.answers_pings = False
    server.push("telnyx_rtc.ping", serno=1)
    await settled(socket)
    assert not server.sent("telnyx_rtc.ping")


async def test_ping_is_answered_by_a_ping(socket: TxSocket, server: ScriptedServer, listener: Listener) -> None:
    server.voice_sdk_id = "V"
    server_id = server.push("telnyx_rtc.ping", serno=1)
    frame = await server.received("telnyx_rtc.ping")
    assert frame["id"] != server_id
    assert (frame["params"], frame["voice_sdk_id"]) == ({}, "V")
    assert listener.requests == []


KNOWN_ACKED = ["answer", "bye", "candidate", "display", "media", "ringing"]
NEVER_ACKED = ["clientReady", "event", "info", "endOfCandidates", "gatewayState", "modify", "punt", "new"]


@pytest.mark.parametrize(
    ("known", "acked"), [(True, ["invite", "attach", *KNOWN_ACKED]), (False, ["invite", "attach"])]
)
async def test_acks_are_those_of_the_js_client(
    socket: TxSocket, server: ScriptedServer, listener: Listener, known: bool, acked: list[str]
) -> None:
    listener.known = known
    for name in ["invite", "attach", *KNOWN_ACKED, *NEVER_ACKED]:
        server.push(f"telnyx_rtc.{name}", callID="C")
    server.push("ai_conversation")
    await settled(socket)
    assert server.acks() == [f"telnyx_rtc.{name}" for name in acked]
    assert len(listener.requests) == 17


async def test_request_without_id_is_not_acked(socket: TxSocket, server: ScriptedServer, listener: Listener) -> None:
    server.push_raw('{"method":"telnyx_rtc.invite","params":{}}')
    await settled(socket)
    assert len(listener.requests) == 1
    assert server.acks() == []


async def test_bad_frames_are_counted_and_survived(
    socket: TxSocket, server: ScriptedServer, listener: Listener
) -> None:
    bad: list[str | bytes] = [
        "",
        "{",
        "[]",
        "null",
        '{"id":[]}',
        "#SP",
        b"\xff\x00",
        "[" * 50_000,
        '"' + "x" * 1_000_000,
    ]
    for frame in bad:
        server.push_raw(frame)
    await settled(socket)
    assert socket.malformed == len(bad)


async def test_listener_that_breaks_is_survived(socket: TxSocket, server: ScriptedServer, listener: Listener) -> None:
    listener.error = RuntimeError("bug")
    server.push("telnyx_rtc.ringing")
    await settled(socket)
    listener.error = MalformedFrameError("callID is missing")
    server.push("telnyx_rtc.ringing")
    await settled(socket)
    assert socket.malformed == 1


async def test_burst_is_delivered_in_order(socket: TxSocket, server: ScriptedServer, listener: Listener) -> None:
    for number in range(2_000):
        server.push("telnyx_rtc.event", number=number)
    await settled(socket)
    assert [request.params["number"] for request in listener.requests] == list(range(2_000))


async def test_frame_beyond_the_limit_ends_the_connection(
    socket: TxSocket, server: ScriptedServer, listener: Listener
) -> None:
    server.push_raw('"' + "x" * (4 * 1024 * 1024) + '"')
    assert "1009" in str(await asyncio.wait_for(listener.lost, 2))


async def test_cancelled_request_leaves_nothing(socket: TxSocket, server: ScriptedServer) -> None:
    server.parts["telnyx_rtc.gatewayState"] = lambda _: None
    pending = asyncio.create_task(socket.request(QUERY, timeout=5))
    await server.received("telnyx_rtc.gatewayState")
    pending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pending
    assert socket._pending == {}


async def test_unreachable_server(listener: Listener) -> None:
    with sockets.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"ws://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(SocketConnectionError, match="cannot connect"):
            await TxSocket.open(address, listener, log=Log("s"), timeout=1, close_timeout=1)


@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 503 Service Unavailable\r\n\r\n", b"SSH-2.0-x\r\n"])
async def test_server_that_is_none(listener: Listener, greeting: bytes) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)

    async with plain_server(greet) as address:
        with pytest.raises(SocketConnectionError, match="cannot connect"):
            await TxSocket.open(address, listener, log=Log("s"), timeout=1, close_timeout=1)


async def test_server_that_says_nothing(listener: Listener) -> None:
    async def stare(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(-1)

    async with plain_server(stare) as address:
        with pytest.raises(SocketConnectionError, match=r"within 0\.1 s"):
            await TxSocket.open(address, listener, log=Log("s"), timeout=0.1, close_timeout=1)
