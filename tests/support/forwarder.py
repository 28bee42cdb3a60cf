"""A network between two peers on this machine that can be cut: UDP is forwarded until then."""

from __future__ import annotations

import asyncio
import re
from typing import Any

Address = tuple[str, int]


class _Side(asyncio.DatagramProtocol):
    """One socket of a forwarder; hands what it receives to the other side."""

    def __init__(self) -> None:
        self.transport: asyncio.DatagramTransport
        self.other: _Side
        self.far: Address | None = None
        self.cut = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, sender: Any) -> None:
        self.far = sender
        if not self.cut and self.other.far is not None:
            self.other.transport.sendto(data, self.other.far)


class Forwarder:
    """Made by `open`; whoever sends to `port` is led to the target, and gets what the target answers."""

    def __init__(self, front: _Side, back: _Side) -> None:
        self._sides = (front, back)
        self.port: int = front.transport.get_extra_info("sockname")[1]

    @classmethod
    async def open(cls, target: Address) -> Forwarder:
        loop = asyncio.get_running_loop()
        front, back = [(await loop.create_datagram_endpoint(_Side, local_addr=("127.0.0.1", 0)))[1] for _ in range(2)]
        front.other, back.other, back.far = back, front, target
        return cls(front, back)

    def inject(self, packet: bytes, *, into_target: bool) -> None:
        """Send a packet of our own from the address that the receiver knows as the one of its remote side.

        Args:
            packet: What is sent.
            into_target: Whether the target gets it, or who sends to `port`.
        """
        side = self._sides[into_target]
        assert side.far is not None
        side.transport.sendto(packet, side.far)

    def cut(self) -> None:
        for side in self._sides:
            side.cut = True

    def close(self) -> None:
        for side in self._sides:
            side.transport.close()


class Network:
    """Everything between two peers goes through forwarders: one for each description that passes."""

    def __init__(self) -> None:
        self.paths: list[Forwarder] = []

    async def lead_through(self, description: str) -> str:
        """Put a new forwarder before the peer that is described."""
        port = re.search(r"a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+) ", description)
        assert port is not None
        path = await Forwarder.open(("127.0.0.1", int(port[1])))
        self.paths.append(path)
        candidate = f"a=candidate:1 1 udp 2122063615 127.0.0.1 {path.port} typ host generation 0\r\n"
        return unreachable(description).replace("a=ice-ufrag:", f"{candidate}a=ice-ufrag:", 1)

    def close(self) -> None:
        for path in self.paths:
            path.close()


def unreachable(description: str) -> str:
    """A description without candidates."""
    return re.sub(r"a=candidate:.*\r\n", "", description)
