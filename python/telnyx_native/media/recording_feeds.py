"""What a recording takes from a call: the samples of both sides, or the packets of the remote."""

# ruff: noqa: D102 - methods of `Feed` are described there

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

from telnyx_native.errors import ConfigurationError
from telnyx_native.media.ogg_opus import OggOpusWriter
from telnyx_native.media.opus_packets import TICKS_PER_SECOND, OpusTimeline, duration_of
from telnyx_native.media.packets import PacketCodec
from telnyx_native.media.recording_files import CHANNELS, open_stereo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from telnyx_native.media.packets import EncodedPacket, PacketTap
    from telnyx_native.media.recording_files import PartWriter
    from telnyx_native.media.tap import AudioTap

__all__ = ["Feed", "PacketFeed", "SampleFeed"]

Piece = tuple[bytes, int]
"""Something for a file, and how many samples it lasts."""

BLOCK_SECONDS = 1.0
"""Most samples that are handed on at a time."""


class Feed(Protocol):
    """What a recording takes from a call. Positions are of a measure of its own, and grow.

    Attributes:
        rate: Samples a second of its pieces.
        width: Bytes of a sample, where a piece can be divided; 0 where it cannot.
    """

    rate: int
    width: int

    @property
    def end(self) -> int:
        """The position of what comes next."""

    @property
    def ended(self) -> bool:
        """Whether the call is over."""

    @property
    def lost(self) -> float:
        """Seconds lost because they were not taken in time."""

    def open(self, path: Path) -> PartWriter:
        """Begin a file for its pieces."""

    def take(self, position: int) -> Iterable[Piece]:
        """Give what came up to `position`, as far as it is known by then."""

    def finish(self, position: int) -> Iterable[Piece]:
        """Give the rest of what came up to `position`."""

    def leave_out(self, position: int) -> None:
        """Drop what came up to `position`, with its time."""

    def silence(self, position: int) -> Iterable[Piece]:
        """Drop what came up to `position`, and give silence in its place."""

    def close(self) -> None:
        """Take no more."""


class SampleFeed:
    """Both sides as samples; positions are samples of the call's tap."""

    width = 2 * CHANNELS

    def __init__(self, tap: AudioTap) -> None:
        self.rate = tap.sample_rate
        self._tap = tap

    @property
    def end(self) -> int:
        return self._tap.end

    @property
    def ended(self) -> bool:
        return self._tap.ended

    @property
    def lost(self) -> float:
        return self._tap.lost

    def open(self, path: Path) -> PartWriter:
        return open_stereo(path, self.rate)

    def take(self, position: int) -> Iterator[Piece]:
        while (samples := position - self._tap.position) > 0:
            block = self._tap.read_nowait(min(samples, round(BLOCK_SECONDS * self.rate)))
            yield block, len(block) // self.width

    def finish(self, position: int) -> Iterable[Piece]:
        return self.take(position)

    def leave_out(self, position: int) -> None:
        for _ in self.take(position):
            pass

    def silence(self, position: int) -> Iterator[Piece]:
        for block, samples in self.take(position):
            yield bytes(len(block)), samples

    def close(self) -> None:
        self._tap.close()


PREROLL = TICKS_PER_SECOND * 80 // 1000
"""Ticks before a part from which a decoder gets its state (RFC 7845, 4.2)."""


class PacketFeed:
    """What the remote sent as Opus packets, in order; positions are microseconds of `time.monotonic`.

    Args:
        tap: Where they come from.
        on_foreign: Told once of a codec that is not Opus, of which nothing is recorded.
    """

    rate = TICKS_PER_SECOND
    width = 0

    def __init__(self, tap: PacketTap, on_foreign: Callable[[PacketCodec], None]) -> None:
        self._tap = tap
        self._on_foreign = on_foreign
        self._told = False
        self._next: EncodedPacket | None = None
        self._at = self.end
        self._timeline = OpusTimeline(self._at / 1e6)
        self._recent: deque[bytes] = deque()

    @property
    def end(self) -> int:
        return time.monotonic_ns() // 1000

    @property
    def ended(self) -> bool:
        return self._tap.ended

    @property
    def lost(self) -> float:
        return self._tap.lost * duration_of(self._recent[-1]) / TICKS_PER_SECOND if self._recent else 0.0

    def open(self, path: Path) -> PartWriter:
        if path.suffix.lower() not in {".opus", ".ogg"}:
            raise ConfigurationError(f"cannot record packets to {path.name}: the suffixes are .opus, .ogg")
        try:
            return OggOpusWriter(path, tuple(self._recent))
        except OSError as error:
            raise ConfigurationError(f"cannot record to {path}: {error}") from error

    def take(self, position: int) -> Iterator[Piece]:
        for packet in self._arrived(position):
            self._timeline.arrive(packet)
        yield from self._pieces(self._timeline.take(position / 1e6))

    def finish(self, position: int) -> Iterator[Piece]:
        yield from self.take(position)
        yield from self._pieces(self._timeline.finish(position / 1e6))

    def leave_out(self, position: int) -> None:
        before = self._at
        for _ in self._arrived(position):
            pass
        self._timeline.leave_out((position - before) / 1e6)

    def silence(self, position: int) -> Iterator[Piece]:
        for _ in self._arrived(position):
            pass
        self._timeline.interrupt()
        yield from self._pieces(self._timeline.finish(position / 1e6))

    def close(self) -> None:
        self._tap.close()

    def _arrived(self, position: int) -> Iterator[EncodedPacket]:
        while True:
            if self._next is None:
                self._next = self._tap.read_nowait()
            if self._next is None or self._next.arrived * 1e6 >= position:
                break
            packet, self._next = self._next, None
            if packet.codec in {PacketCodec.OPUS, PacketCodec.RED}:
                yield packet
            elif packet.codec not in {PacketCodec.TELEPHONE_EVENT, PacketCodec.COMFORT_NOISE} and not self._told:
                self._told = True
                self._on_foreign(packet.codec)
        self._at = position

    def _pieces(self, packets: Iterable[bytes]) -> Iterator[Piece]:
        for packet in packets:
            ticks = duration_of(packet)
            yield packet, ticks
            self._recent.append(packet)
            while sum(map(duration_of, self._recent)) - duration_of(self._recent[0]) >= PREROLL:
                self._recent.popleft()
