"""WebSocket and HTTP on one port, and what speaks neither."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import asynccontextmanager
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp
import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import InvalidMessage
from websockets.server import ServerProtocol

from support.limit import LIMIT
from telnyx_native.gateway import GatewayLimits
from telnyx_native.gateway.web.port import ClientSocket


@pytest.fixture
def limits():
    return GatewayLimits(close_time=2.0, open_time=1.0, http_connections=2, connections=1)


@pytest.fixture
def open_raw(gateway):
    """Opens a TCP connection to the gateway, for `async with`."""

    @asynccontextmanager
    async def open_one():
        address = urlsplit(gateway.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            yield reader, writer
        finally:
            writer.close()

    return open_one


async def end_of(reader):
    """Read until the gateway closes the connection."""
    async with asyncio.timeout(LIMIT):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


async def test_one_byte_at_a_time(open_raw):
    async with open_raw() as (reader, writer):
        for byte in b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n":
            writer.write(bytes([byte]))
            await writer.drain()
        assert b"telnyx-native's gateway" in await end_of(reader)


async def test_who_says_nothing_is_sent_away(open_raw):
    async with open_raw() as (reader, _):
        assert await end_of(reader) == b""


async def test_who_comes_while_the_gateway_closes_is_not_kept(open_raw, gateway):
    gateway._web_server._pending.close()  # and a connection that was accepted before comes only now
    async with open_raw() as (reader, _):
        assert await asyncio.wait_for(end_of(reader), gateway.limits.open_time / 2) == b""


@pytest.mark.parametrize(
    "noise", [b"\x16\x03\x01\x02\x00" * 10, b"\r\n\r\n", b"x" * 40_000, b"GET\r\n\r\n", b"\x00" * 200]
)
async def test_noise_is_survived(open_raw, gateway, noise):
    async with open_raw() as (reader, writer):
        writer.write(noise)
        answer = await end_of(reader)
        assert answer == b"" or (answer.startswith(b"HTTP/1.") and b" 400 " in answer)
    async with connect(gateway.url):
        pass


async def test_too_many_http_connections(open_raw, gateway):
    request = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    async with open_raw() as (one, first), open_raw() as (two, second), open_raw() as (three, third):
        for reader, writer in ((one, first), (two, second)):
            writer.write(request)
            assert b"200" in await asyncio.wait_for(reader.readline(), LIMIT)
        third.write(request)
        assert await end_of(three) == b""
    assert gateway.counters.refused_connections == 1


async def test_too_many_silent_connections(open_raw, gateway):
    async with open_raw(), open_raw(), open_raw(), open_raw() as (reader, _):
        assert await end_of(reader) == b""
        assert gateway.counters.refused_connections == 1


async def test_what_is_not_there(gateway):
    async with aiohttp.ClientSession() as http, http.get(gateway.url.replace("ws:", "http:") + "/nothing") as response:
        assert response.status == HTTPStatus.NOT_FOUND


async def test_closing_does_not_wait_for_silent_or_idle_connections(gateway, open_raw):
    async with open_raw() as (silent, _), open_raw() as (idle, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await asyncio.wait_for(idle.readline(), LIMIT)
        async with asyncio.timeout(LIMIT):
            await gateway.close()
        assert await end_of(silent) == b""


async def test_an_upgrade_that_is_none(open_raw):
    async with open_raw() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n\r\n")
        assert b" 4" in (await end_of(reader))[:16]


async def test_a_gateway_that_is_gone_refuses(gateway):
    url = gateway.url
    await gateway.close()
    with pytest.raises((OSError, InvalidMessage)):
        await connect(url)


def test_websockets_is_what_our_socket_needs():
    """If this fails with a new version of the library, read what `ClientSocket` relies on."""
    callbacks = ("connection_made", "data_received", "eof_received", "connection_lost")
    assert issubclass(ServerConnection, asyncio.Protocol)
    assert [name for name in callbacks if getattr(ServerConnection, name) is getattr(asyncio.Protocol, name)] == []
    assert "create_connection" in inspect.signature(serve).parameters
    # The library's private names that ClientSocket would hide from it, or it from ClientSocket.
    own = {"_pending", "_head", "_entering", "_open_timer", "_is_websocket", "_held_back", "_link", "frozen", "abort"}
    own |= {"reset", "freeze", "thaw", "refuse", "_stop_waiting", "_hand_over", "_pieces", "take_messages_up_to"}
    own |= {"_take", "_count", "_second", "_frames", "_controls"}
    # `process_event` is there to be overridden, and gets every frame; the size of messages can be changed.
    assert {name for name in vars(ClientSocket) if not name.startswith("__")} - own <= {*callbacks, "process_event"}
    assert ServerProtocol(max_size=7).max_message_size == 7
    assert [name for name in own if hasattr(ServerConnection, name)] == []


class TestSilence:
    @pytest.fixture
    def limits(self):
        return GatewayLimits(close_time=2.0, ping_interval=0.05, pong_time=0.1)

    async def test_a_client_that_is_gone_without_a_word_is_cut(self, alice, gateway, until):
        alice.socket.transport.pause_reading()
        await until(lambda: not gateway.connections)

    async def test_a_client_that_answers_stays(self, alice, gateway):
        for _ in range(6):
            await alice.expect("telnyx_rtc.ping")
        assert [connection.user_name for connection in gateway.connections] == ["alice"]

    async def test_one_that_the_gateway_has_frozen_stays(self, alice, gateway):
        gateway.faults.freeze("alice")
        await asyncio.sleep(0.4)
        assert [connection.user_name for connection in gateway.connections] == ["alice"]
        gateway.faults.thaw("alice")
        assert (await alice.ask("telnyx_rtc.ping"))["result"]["message"] == "PONG"


async def test_loopback_is_where_it_listens_by_default(gateway):
    assert gateway.url.startswith("ws://127.0.0.1:")
    sockets = gateway._web_server._server.sockets
    assert [socket.getsockname()[0] for socket in sockets] == ["127.0.0.1"]
