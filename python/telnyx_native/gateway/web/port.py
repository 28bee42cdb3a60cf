"""The gateway's port: the first request of each connection tells WebSocket from HTTP."""

from __future__ import annotations

import asyncio
import functools
import logging
import re
import struct
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from socket import SO_LINGER, SOL_SOCKET
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from aiohttp import web
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.frames import DATA_OPCODES, Frame

from telnyx_native.errors import ConfigurationError, SocketConnectionError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from ssl import SSLContext

    from websockets.http11 import Request, Response
    from websockets.protocol import Event

    from telnyx_native.gateway.limits import Counters, GatewayLimits

__all__ = ["ClientSocket", "Origins", "WebServer", "is_loopback", "names_in"]

LONGEST_HEAD = 16_384
"""Bytes in which the head of the first request must end."""

MOST_PIECES = 1024
"""Frames that one message may come in: empty ones take memory, too."""

MOST_FRAMES = 5000
"""Frames of a connection in a second; one with more is cut."""

MOST_CONTROLS = 100
"""Of these, frames that are no part of a message: pings and pongs."""

SLICE = 4096
"""Bytes that are read at a time."""

MOST_UNSENT = 4 << 20
"""Bytes that may wait for a client to take them: one that asks, by pings for example, and takes no answer, is cut."""

_UPGRADE = re.compile(rb"^GET [^\r\n]*\r\n(?:[^\r\n]+\r\n)*?upgrade:[ \t]*websocket[ \t]*\r\n", re.IGNORECASE)
"""The head of a request that opens a WebSocket (RFC 6455, section 4.1)."""


@dataclass(eq=False)
class PendingSockets:
    """The connections of one port that have not sent a complete request, and what all of them share.

    Attributes:
        http: Makes the protocol of a connection that turns out to speak HTTP.
        waiting: Connections that have not said yet which protocol they speak.
        closed: Whether new connections are closed.
    """

    http: web.Server
    limits: GatewayLimits
    counters: Counters
    waiting: set[ClientSocket] = field(default_factory=set)
    closed: bool = False

    @property
    def full(self) -> bool:
        """Whether one more connection would be too many."""
        return len(self.waiting) >= self.limits.connections + self.limits.http_connections

    @property
    def http_full(self) -> bool:
        """Whether one more connection that speaks HTTP would be too many."""
        return len(self.http.connections) >= self.limits.http_connections

    def close(self) -> None:
        """Close the connections that have not said what they speak, and those that were accepted and come only now."""
        self.closed = True
        for socket in list(self.waiting):
            socket.refuse()


class ClientSocket(ServerConnection):
    """A connection to the port, which collects its first bytes until they tell WebSocket from HTTP.

    A WebSocket becomes this object, as `websockets` made it: the library learns of the connection only then. Anything
    else is handed to the HTTP server, and this object is forgotten.

    `websockets` lets applications subclass its connections. All that is relied on here is that they are an
    `asyncio.Protocol`, whose callbacks may come late, and may come from this class instead of the transport.

    Attributes:
        frozen: Whether nothing is read.
    """

    def __init__(self, protocol: Any, server: Any, *, pending: PendingSockets, **settings: Any) -> None:
        super().__init__(protocol, server, **settings)
        self._pending = pending
        self._head = bytearray()
        self._entering: asyncio.Transport | None = None
        self._open_timer: asyncio.TimerHandle | None = None
        self._is_websocket = False
        self._held_back = bytearray()
        self._pieces = 0
        self._second = self._frames = self._controls = 0
        self.frozen = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first request, for a limited time."""
        self._link = cast("asyncio.Transport", transport)
        if self._pending.closed or self._pending.full:
            self._pending.counters.refused_connections += 1
            self._link.abort()
            return
        self._entering = self._link
        self._pending.waiting.add(self)
        self._open_timer = asyncio.get_running_loop().call_later(self._pending.limits.open_time, self.refuse)

    def data_received(self, data: bytes) -> None:
        """Collect the head of the first request, then hand the connection over."""
        if self._is_websocket:
            if self.frozen:  # the library may have gone on reading
                self._held_back += data
            else:
                self._take(data)
            return
        if self._entering is None:
            return
        # Empty lines ahead of a request are to be ignored (RFC 9112, section 2.2).
        self._head += data if self._head else data.lstrip(b"\r\n")
        if b"\r\n\r\n" in self._head or len(self._head) > LONGEST_HEAD:
            self._hand_over(self._stop_waiting())

    def eof_received(self) -> None:
        """Close a connection that ends before its first request."""
        if self._is_websocket:
            super().eof_received()

    def connection_lost(self, error: Exception | None) -> None:
        """Forget a connection that is gone before its first request."""
        if self._entering is not None:
            self._stop_waiting()
        elif self._is_websocket:
            super().connection_lost(error)

    def _take(self, data: bytes) -> None:
        """Read what has come, a little at a time: nothing more of it when that has shown too much of something."""
        for begin in range(0, len(data), SLICE):
            if self._link.is_closing():
                return
            super().data_received(data[begin : begin + SLICE])
            if self._link.get_write_buffer_size() > MOST_UNSENT:
                self.abort()

    def process_event(self, event: Event) -> None:
        """Take a frame, unless there are too many: the library answers pings itself, and collects pieces."""
        if isinstance(event, Frame):
            self._count(event)
        if not self._link.is_closing():
            super().process_event(event)

    def _count(self, frame: Frame) -> None:
        second = int(monotonic())
        if second != self._second:
            self._second, self._frames, self._controls = second, 0, 0
        self._frames += 1
        if frame.opcode in DATA_OPCODES:
            self._pieces = 0 if frame.fin else self._pieces + 1
        else:
            self._controls += 1
        if self._pieces > MOST_PIECES or self._frames > MOST_FRAMES or self._controls > MOST_CONTROLS:
            self.abort()

    def take_messages_up_to(self, size: int) -> None:
        """Take messages of so many bytes from now on."""
        self.protocol.max_message_size = size

    def abort(self) -> None:
        """Cut a WebSocket."""
        self._link.abort()

    def reset(self) -> None:
        """Cut a WebSocket with a TCP reset."""
        # Lingering for no time is what makes a close a reset (socket(7)).
        self._link.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        self._link.abort()

    def freeze(self) -> None:
        """Read nothing more of a WebSocket."""
        self.frozen = True
        self._link.pause_reading()

    def thaw(self) -> None:
        """Go on with a WebSocket that was frozen."""
        self.frozen = False
        held_back, self._held_back = bytes(self._held_back), bytearray()
        if held_back:
            self._take(held_back)
        self._link.resume_reading()

    def refuse(self) -> None:
        """Close a connection that has not said what it speaks."""
        if self._entering is not None:
            self._stop_waiting().abort()

    def _stop_waiting(self) -> asyncio.Transport:
        assert self._entering is not None  # noqa: S101 - checked by the callers
        assert self._open_timer is not None  # noqa: S101 - set with it
        transport, self._entering = self._entering, None
        self._open_timer.cancel()
        self._pending.waiting.discard(self)
        return transport

    def _hand_over(self, transport: asyncio.Transport) -> None:
        head = bytes(self._head)
        self._head.clear()
        if _UPGRADE.match(head):
            self._is_websocket = True
            super().connection_made(transport)
            super().data_received(head)
        elif self._pending.http_full:
            self._pending.counters.refused_connections += 1
            transport.abort()
        else:
            http = self._pending.http()
            transport.set_protocol(http)
            http.connection_made(transport)
            http.data_received(head)


# At DEBUG the websockets library logs whole frames, passwords included.
_sockets_logger = logging.getLogger("telnyx_native.gateway.sockets")
_sockets_logger.setLevel(logging.WARNING)


class WebServer:
    """WebSocket and HTTP on one port.

    Args:
        site: What is served over HTTP.
        serve_socket: Serves one WebSocket.
        check_socket: Refuses a WebSocket with the response it returns, or lets it in with `None`.
        tls: How to encrypt; plain text without it.
    """

    def __init__(
        self,
        site: web.Application,
        *,
        serve_socket: Callable[[ClientSocket], Awaitable[None]],
        check_socket: Callable[[ServerConnection, Request], Response | None],
        limits: GatewayLimits,
        counters: Counters,
        tls: SSLContext | None = None,
    ) -> None:
        self._runner = web.AppRunner(
            site,
            handle_signals=False,
            access_log=None,
            keepalive_timeout=limits.open_time,
            shutdown_timeout=limits.close_time / 2,
        )
        self._serve_socket = serve_socket
        self._check_socket = check_socket
        self._limits = limits
        self._counters = counters
        self._tls = tls
        self._server: Server | None = None
        self._pending: PendingSockets | None = None

    async def open(self, host: str, port: int) -> int:
        """Begin to listen; return the port, which is a free one for port 0.

        Raises:
            SocketConnectionError: The address cannot be bound.
        """
        await self._runner.setup()
        assert self._runner.server is not None  # noqa: S101 - made by the set-up
        self._pending = PendingSockets(self._runner.server, self._limits, self._counters)
        try:
            self._server = await serve(
                self._serve_socket,  # type: ignore[arg-type]  # every connection is a ClientSocket
                host,
                port,
                process_request=self._check_socket,
                create_connection=functools.partial(ClientSocket, pending=self._pending),  # type: ignore[arg-type]
                max_size=min(self._limits.login_frame_size, self._limits.frame_size),
                max_queue=2,  # messages that wait; a client that sends more is not read meanwhile
                open_timeout=self._limits.open_time,
                close_timeout=self._limits.close_time,
                ping_interval=None,  # connections do that
                compression=None,
                logger=_sockets_logger,
                ssl=self._tls,
                ssl_handshake_timeout=self._limits.open_time if self._tls else None,
            )
        except OSError as error:
            await self._runner.cleanup()
            raise SocketConnectionError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def close(self) -> None:
        """Stop listening, and close every connection."""
        if self._server is not None and self._pending is not None:
            self._server.close()
            self._pending.close()
            await self._runner.cleanup()
            await self._server.wait_closed()


_AUTHORITY = r"(?:\[[0-9a-f:.]{2,45}(?:%[\w.-]{1,32})?\]|[\w.-]{1,253})(?::\d{1,5})?"
_HOST = re.compile(_AUTHORITY, re.IGNORECASE)
_ORIGIN = re.compile(rf"(?P<scheme>https?|wss?)://(?P<authority>{_AUTHORITY})", re.IGNORECASE)

_USUAL_PORTS = {"http": ":80", "ws": ":80", "https": ":443", "wss": ":443"}


@dataclass(frozen=True)
class Origins:
    """Tells requests of pages that may use the gateway from those that may not.

    Args:
        allowed: Origins that are let in beside the gateway's own and those of this machine, such as
            `"https://app.example.com"`, or `"null"` for pages without one.
        names: Names under which the gateway is reached, beside `localhost` and every IP address.

    Raises:
        ConfigurationError: An origin or a name is written in another way.
    """

    allowed: Sequence[str] = ()
    names: Sequence[str] = ()

    def __post_init__(self) -> None:
        for origin in self.allowed:
            if origin != "null" and not _ORIGIN.fullmatch(origin):
                raise ConfigurationError(f'{origin!r} is no origin: write one like "https://app.example.com"')
        for name in self.names:
            if not re.fullmatch(r"[\w.-]{1,253}", name):
                raise ConfigurationError(f'{name!r} is no name of a host: write one like "gateway.example.com"')

    def refusal(self, hosts: Sequence[str], origins: Sequence[str]) -> str | None:
        """Return why a request is not taken, or `None` if it is.

        Args:
            hosts: The values of its `Host` headers.
            origins: The values of its `Origin` headers.
        """
        if len(hosts) > 1 or len(origins) > 1:
            return "It has several Host or Origin headers."
        host = hosts[0].strip().lower() if hosts else ""
        if host and not (_HOST.fullmatch(host) and self._is_ours(_name_of(host))):
            return "The gateway is not known by this name; the option `names` (--name) makes it known."
        if origins and not self._lets_in(origins[0].strip().lower(), host):
            return "Pages of this origin are kept out; the option `origins` (--origin) lets them in."
        return None

    def _is_ours(self, name: str) -> bool:
        # An address in place of a name was not looked up, so nobody can have pointed it here.
        return is_loopback(name) or _is_address(name) or name in _in_lower_case(self.names)

    def _lets_in(self, origin: str, host: str) -> bool:
        if origin in _in_lower_case(self.allowed):
            return True
        match = _ORIGIN.fullmatch(origin)
        if match is None:
            return False
        usual = _USUAL_PORTS[match["scheme"]]
        own = match["authority"].removesuffix(usual) == host.removesuffix(usual)
        return own or is_loopback(_name_of(match["authority"]))


def _name_of(authority: str) -> str:
    """Return the host of an authority without its port, and without brackets, zone and trailing dot."""
    return re.sub(r":\d{1,5}$", "", authority).strip("[]").partition("%")[0].removesuffix(".")


def is_loopback(name: str) -> bool:
    """Whether a name or an address is that of this machine."""
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761, section 6.3
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _in_lower_case(texts: Iterable[str]) -> set[str]:
    return {text.lower() for text in texts}


def names_in(host: str) -> list[str]:
    """Return the name in the setting of an address to listen on, if it is one."""
    return [host] if host and not _is_address(host) else []
