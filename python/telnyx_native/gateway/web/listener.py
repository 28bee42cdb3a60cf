"""The gateway's port: a WebSocket and an HTTP server behind one socket."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING

from aiohttp import web
from websockets.asyncio.server import Server, ServerConnection, serve

from telnyx_native.errors import SocketConnectionError
from telnyx_native.gateway.web.socket import ClientSocket, PendingSockets

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from ssl import SSLContext

    from websockets.http11 import Request, Response

    from telnyx_native.gateway.limits import Counters, Limits

__all__ = ["Listener"]

# At DEBUG the websockets library logs whole frames, passwords included.
_sockets_logger = logging.getLogger("telnyx_native.gateway.sockets")
_sockets_logger.setLevel(logging.WARNING)


class Listener:
    """WebSocket and HTTP on one port.

    Args:
        site: What is served over HTTP.
        serve_socket: Serves one WebSocket.
        check_socket: Refuses a WebSocket with the response it returns, or lets it in with `None`.
        limits: What bounds the connections.
        counters: Where they are counted.
        tls: How to encrypt; plain text without it.
    """

    def __init__(
        self,
        site: web.Application,
        *,
        serve_socket: Callable[[ClientSocket], Awaitable[None]],
        check_socket: Callable[[ServerConnection, Request], Response | None],
        limits: Limits,
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
            SocketConnectionError: The address is not to be had.
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
