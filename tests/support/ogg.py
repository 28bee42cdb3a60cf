"""Ogg files taken apart (RFC 3533), with another checksum than the one that writes them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

POLYNOMIAL = 0x04C11DB7


@dataclass
class Page:
    flags: int
    granule: int
    number: int
    packets: list[bytes]
    """Those that end in it."""


def pages(path: Path) -> list[Page]:
    data, found, begun = path.read_bytes(), [], b""
    while data:
        assert data[:5] == b"OggS\0"
        laces = data[27 : 27 + data[26]]
        size = 27 + len(laces) + sum(laces)
        page = data[:size]
        assert checksum(page[:22] + bytes(4) + page[26:]) == int.from_bytes(page[22:26], "little")
        number = int.from_bytes(page[18:22], "little")
        packets, begun = _packets(begun, page[27 + len(laces) :], laces)
        found.append(Page(page[5], int.from_bytes(page[6:14], "little"), number, packets))
        data = data[size:]
    return found


def opus_packets(path: Path) -> list[bytes]:
    """The packets of an Opus stream, without its two headers."""
    packets = [packet for page in pages(path) for packet in page.packets]
    assert packets[0][:8] == b"OpusHead"
    assert packets[1][:8] == b"OpusTags"
    return packets[2:]


def checksum(page: bytes) -> int:
    """Bit by bit, as RFC 3533 describes it."""
    register = 0
    for octet in page:
        register ^= octet << 24
        for _ in range(8):
            register = (register << 1) ^ (POLYNOMIAL if register & 0x80000000 else 0)
            register &= 0xFFFFFFFF
    return register


def _packets(begun: bytes, body: bytes, laces: bytes) -> tuple[list[bytes], bytes]:
    """The packets that end in a page, and the beginning of one that does not."""
    packets = []
    for lace in laces:
        begun, body = begun + body[:lace], body[lace:]
        if lace < 255:
            packets.append(begun)
            begun = b""
    return packets, begun
