"""A cable between clients and a server that can be pulled, cut and blocked: TCP is relayed until then."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from typing import Self

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: on, for no time; closing sends RST."""


class Cable:
    """Relays connections to a server on this machine, as an async context manager.

    Attributes:
        port: Where to connect to.
    """

    def __init__(self, port: int) -> None:
        self.port = 0
        self._target = port
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._relays: set[asyncio.Task[None]] = set()
        self._free = asyncio.Event()
        self._free.set()
        self._hole: socket.socket | None = None
        self._stuffing: list[socket.socket] = []

    async def __aenter__(self) -> Self:
        await self.plug_in()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._close_hole()
        self.unblock()
        await self.pull()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def plug_in(self) -> None:
        """Take connections, at the same port as before."""
        self._close_hole()
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def swallow(self) -> None:
        """Let nothing through, and lose whatever asks for a connection: nobody is told of anything."""
        assert self._server is not None
        self.block()
        self._server.close()
        self._hole = socket.create_server(("127.0.0.1", self.port), backlog=0)
        waiting = [socket.socket() for _ in range(8)]
        for one in waiting:  # once some wait to be accepted, the kernel drops what else asks
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", self.port))
        self._stuffing = waiting

    def _close_hole(self) -> None:
        for one in (*self._stuffing, self._hole):
            if one is not None:
                one.close()
        self._stuffing, self._hole = [], None

    def lead_to(self, port: int) -> None:
        """From now on, new connections go to another server."""
        self._target = port

    async def pull(self) -> None:
        """Reset all connections and refuse new ones."""
        assert self._server is not None
        self._server.close()
        self.reset()
        await asyncio.gather(*self._relays, return_exceptions=True)

    def reset(self) -> None:
        """Cut all connections with a TCP reset, both ways."""
        for end in self._ends:
            connection: socket.socket = end.get_extra_info("socket")
            with suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            end.transport.abort()

    def block(self) -> None:
        """Let nothing through any more, and tell nobody."""
        self._free.clear()

    def unblock(self) -> None:
        """Let everything through again, what was held up first."""
        self._free.set()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._relays.add(task)
        self._ends.add(writer)
        far_writer: asyncio.StreamWriter | None = None
        try:
            await self._free.wait()
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            self._ends.add(far_writer)
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        except OSError:
            pass
        finally:
            self._relays.discard(task)
            for end in (writer, far_writer):
                if end is not None:
                    self._ends.discard(end)
                    end.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            await self._free.wait()
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError
