"""Asking a STUN server for one's own address (RFC 8489, the part that this takes)."""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
from ipaddress import ip_address
from typing import Any

__all__ = ["mapped_address"]

BINDING_REQUEST, BINDING_RESPONSE = 0x0001, 0x0101
MAGIC_COOKIE = 0x2112A442
XOR_MAPPED_ADDRESS = 0x0020

PAUSES = (0.5, 1.0, 2.0)
"""Seconds to wait for an answer before the request is repeated, or given up (RFC 8489, 6.2.1: doubled each time)."""


async def mapped_address(host: str, port: int) -> str | None:
    """Return the address and port that a STUN server sees behind a UDP socket of this machine; `None` for no answer.

    Raises:
        OSError: The name does not resolve, or nothing can be sent there.
    """
    transaction = secrets.token_bytes(12)
    loop = asyncio.get_running_loop()
    transport, answer = await loop.create_datagram_endpoint(lambda: _Answer(transaction), remote_addr=(host, port))
    try:
        for pause in PAUSES:
            transport.sendto(struct.pack("!HHI", BINDING_REQUEST, 0, MAGIC_COOKIE) + transaction)
            done, _ = await asyncio.wait({answer.address}, timeout=pause)
            if done:
                return answer.address.result()
        return None
    finally:
        transport.close()


class _Answer(asyncio.DatagramProtocol):
    """Waits for the answer to a request."""

    def __init__(self, transaction: bytes) -> None:
        self.address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._transaction = transaction

    def datagram_received(self, data: bytes, _sender: Any) -> None:
        address = parse_response(data, self._transaction)
        if address is not None and not self.address.done():
            self.address.set_result(address)

    def error_received(self, error: Exception) -> None:
        if not self.address.done():
            self.address.set_exception(error)


def parse_response(data: bytes, transaction: bytes) -> str | None:
    """Read the address in an answer; `None` if it is not the answer to `transaction`."""
    if len(data) < 20 or data[8:20] != transaction:
        return None
    kind, _, cookie = struct.unpack_from("!HHI", data)
    if (kind, cookie) != (BINDING_RESPONSE, MAGIC_COOKIE):
        return None
    position = 20
    while position + 4 <= len(data):
        attribute, length = struct.unpack_from("!HH", data, position)
        value = data[position + 4 : position + 4 + length]
        if attribute == XOR_MAPPED_ADDRESS and len(value) == length:
            return _unmask(value, transaction)
        position += 4 + length + -length % 4
    return None


def _unmask(value: bytes, transaction: bytes) -> str | None:
    """Undo the masking of an address (RFC 8489, 14.2)."""
    size = {1: 4, 2: 16}.get(value[1]) if len(value) >= 4 else None
    if size is None or len(value) != 4 + size:
        return None
    mask = struct.pack("!I", MAGIC_COOKIE) + transaction
    port = struct.unpack_from("!H", value, 2)[0] ^ MAGIC_COOKIE >> 16
    address = ip_address(bytes(a ^ b for a, b in zip(value[4:], mask, strict=False)))
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    return f"[{address}]:{port}" if family is socket.AF_INET6 else f"{address}:{port}"
