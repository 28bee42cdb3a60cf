"""Ogg files of Opus packets (RFC 3533, RFC 7845), which are written as they are."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING

from telnyx_native.media.opus_packets import TICKS_PER_SECOND, duration_of
from telnyx_native.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["OggOpusWriter"]

LOOKAHEAD = 312
"""Ticks by which the sound comes out of a decoder later than it went into libopus' encoder, as it reports them."""

FIRST, LAST = 2, 4
"""Flags of a page (RFC 3533, 6)."""

MOST_LACES = 255


class OggOpusWriter:
    """Writes Opus packets into a file that is valid after each call of `flush`.

    Args:
        path: The file; it is replaced.
        before: Packets that were before the first one: a decoder gets its state from them, and they are not heard.

    Raises:
        OSError: It cannot be written.
    """

    def __init__(self, path: Path, before: Sequence[bytes] = ()) -> None:
        self._file = path.open("wb", buffering=0)
        self._serial = int.from_bytes(os.urandom(4), "big")
        self._pages = 0
        self._granule = 0
        self._packets: list[bytes] = []
        # What is heard begins behind the packets before; without them, with the first sample that was encoded.
        pre_skip = sum(map(duration_of, before)) or LOOKAHEAD
        head = b"OpusHead" + bytes([1, 1]) + pre_skip.to_bytes(2, "little") + TICKS_PER_SECOND.to_bytes(4, "little")
        vendor = f"telnyx-native {__version__}".encode()
        tags = b"OpusTags" + len(vendor).to_bytes(4, "little") + vendor + bytes(4)
        try:
            self._write_page([head + bytes(3)], FIRST)
            self._write_page([tags], 0)
            for packet in before:
                self.write(packet)
        except BaseException:
            self._file.close()
            raise

    def write(self, packet: bytes) -> None:
        """Append a packet."""
        laces = sum(len(waiting) // 255 + 1 for waiting in self._packets)
        if laces + len(packet) // 255 + 1 > MOST_LACES:
            self.flush()
        self._packets.append(packet)
        self._granule += duration_of(packet)

    def flush(self) -> None:
        """Make a page of what was appended."""
        if self._packets:
            packets, self._packets = self._packets, []
            self._write_page(packets, 0)

    def close(self) -> None:
        """Complete the file."""
        try:
            packets, self._packets = self._packets, []
            self._write_page(packets, LAST)
        finally:
            self._file.close()

    def _write_page(self, packets: Sequence[bytes], flags: int) -> None:
        laces = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
        begin = b"OggS\x00" + bytes([flags]) + self._granule.to_bytes(8, "little")
        begin += self._serial.to_bytes(4, "little") + self._pages.to_bytes(4, "little")
        rest = bytes([len(laces)]) + laces + b"".join(packets)
        checksum = _crc(begin + bytes(4) + rest)
        page = begin + checksum.to_bytes(4, "little") + rest
        while page:
            page = page[self._file.write(page) :]
        self._pages += 1


_REVERSED = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))


def _crc(page: bytes) -> int:
    """The checksum of a page (RFC 3533, 6): that of zlib with its bits the other way round, and nothing inverted."""
    reflected = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{reflected:032b}"[::-1], 2)
