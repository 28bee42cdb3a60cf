"""Opus packets without decoding them: how long they are, what stands for one that is missing, and their order in time.

RFC 6716 says how a packet is built, RFC 7587 how it goes into RTP, RFC 7845 how a stream of them is kept in a file.
Times are in ticks of 48 kHz, whatever bandwidth the sound has.
"""

from __future__ import annotations

import heapq
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING

from telnyx_native.media.packets import PacketCodec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telnyx_native.media.packets import EncodedPacket

__all__ = ["TICKS_PER_SECOND", "OpusTimeline", "concealing", "duration_of", "opus_payloads"]

TICKS_PER_SECOND = 48_000

SHORTEST = 120
"""Ticks of the shortest frame, 2.5 ms: gaps are filled to that precision."""

LONGEST = 5_760
"""Ticks of the longest packet, 120 ms (RFC 6716, R5)."""

_SILK = (480, 960, 1_920, 2_880)
_HYBRID = (480, 960)
_CELT = (120, 240, 480, 960)

SILENT_TOC = 9 << 3
"""SILK, wideband, 20 ms: for silence before the first packet, of which a decoder makes zeros."""


def duration_of(packet: bytes) -> int:
    """Return how long a packet sounds, in ticks.

    Raises:
        ValueError: It is no Opus packet.
    """
    if not packet:
        raise ValueError("an Opus packet has at least one octet")
    toc, code = packet[0], packet[0] & 3
    if code == 3 and len(packet) < 2:
        raise ValueError("an Opus packet of many frames says how many")
    if code == 1 and len(packet) % 2 == 0:
        raise ValueError("two Opus frames of one length have an even number of octets")
    frames = (1, 2, 2, packet[1] & 0x3F if code == 3 else 0)[code]
    ticks = frames * _frame_of(toc)
    if not 0 < ticks <= LONGEST:
        raise ValueError(f"an Opus packet is up to 120 ms long, not {ticks / 48:g}")
    return ticks


def concealing(toc: int, ticks: int) -> Iterator[bytes]:
    """Give packets for which a decoder conceals a loss, or is silent, for `ticks`, rounded down to 2.5 ms.

    They are frames of no octets (RFC 7845, 4.1), of the mode of the packet before, as many in a packet as there may be.

    Args:
        toc: The first octet of the packet before.
        ticks: How long.
    """
    frame = _frame_of(toc)
    while ticks >= frame:
        frames = min(ticks, LONGEST) // frame
        yield bytes([toc & 0xFC]) if frames == 1 else bytes([toc & 0xFC | 3, frames])
        ticks -= frames * frame
    for size in reversed(_CELT):  # the only mode with frames under 10 ms
        while ticks >= size:
            yield bytes([(_celt_of(toc) + _CELT.index(size)) << 3 | toc & 4])
            ticks -= size


def _frame_of(toc: int) -> int:
    """Ticks of a frame (RFC 6716, table 2)."""
    config = toc >> 3
    if config < 12:
        return _SILK[config & 3]
    return _HYBRID[config & 1] if config < 16 else _CELT[config & 3]


def _celt_of(toc: int) -> int:
    """The first configuration of CELT with the bandwidth of a packet; medium band becomes wideband."""
    config = toc >> 3
    if config >= 16:
        return config & ~3
    if config >= 12:
        return 24 if config < 14 else 28
    return 16 if config < 4 else 20


def opus_payloads(packet: EncodedPacket) -> list[tuple[int, bytes]]:
    """Return the Opus packets in one of a call, with their timestamps: one, those that RED repeats first, or none.

    Of RED (RFC 2198), a header of four octets for each that is repeated says how long ago and how large it was; a
    last one of one octet ends them.
    """
    if packet.codec is PacketCodec.OPUS:
        return [(packet.timestamp, packet.payload)]
    if packet.codec is not PacketCodec.RED or packet.clock_rate != TICKS_PER_SECOND:
        return []
    payload, at, blocks = packet.payload, 0, []
    while at + 3 < len(payload) and payload[at] & 0x80:
        header = int.from_bytes(payload[at + 1 : at + 4], "big")
        blocks.append((header >> 10, header & 0x3FF))
        at += 4
    at += 1
    found = []
    for offset, size in blocks:
        found.append(((packet.timestamp - offset) % 2**32, payload[at : at + size]))
        at += size
    return [*((timestamp, block) for timestamp, block in found if block), (packet.timestamp, payload[at:])]


class OpusTimeline:
    """Puts what arrives in order of time, and something that is heard as silence where nothing came. Time is given.

    Where a packet belongs is said by its timestamp. It is held back while one before it may still come. Another source,
    or timestamps that cannot be, begin anew where their first packet arrived. So do those that stood still while the
    remote sent nothing, as they do at some servers while a call is on hold.

    Args:
        began: When time began, in seconds of the clock by which packets arrive.

    Attributes:
        end: Ticks that were given out so far.
    """

    PATIENCE = 0.4
    """Seconds that a packet waits for the one before it; later ones are lost to the jitter buffer of a call, too."""

    QUIET = 2.0
    """Seconds behind, from which on silence is given out though something may come late; half of them stay open."""

    FUTURE, PAST = 2.0, 10.0
    """Seconds that a timestamp may be before its time or behind it: more is not the network."""

    LATE, LONG = 0.4, 1.0
    """Seconds that timestamps may be behind their time for seconds on end: that is a remote that stood still."""

    def __init__(self, began: float) -> None:
        self.end = 0
        self._began = began
        self._toc = SILENT_TOC
        self._source: tuple[int, int, int] | None = None  # SSRC, a timestamp, and its place
        self._late_since: float | None = None
        self._last: int | None = None  # the sequence number that was given out last
        self._waiting: list[tuple[int, int, int, EncodedPacket, bytes]] = []  # by place and order; with their length
        self._order = count()
        self._skip_next = False

    def arrive(self, packet: EncodedPacket) -> None:
        """Take a packet, whatever its order. One that is not Opus, or too late, is none."""
        payloads = opus_payloads(packet)
        if not payloads:
            return
        if self._skip_next:  # it may repeat, in its FEC, what was said before
            self._skip_next = False
            return
        place = self._place_of(packet)
        for timestamp, payload in payloads:
            at = place + _difference(timestamp, packet.timestamp)
            with suppress(ValueError):
                heapq.heappush(self._waiting, (at, next(self._order), duration_of(payload), packet, payload))

    def take(self, now: float) -> Iterator[bytes]:
        """Give what can be told by `now`, without gaps."""
        while self._waiting and self._is_due(now):
            yield from self._give(*heapq.heappop(self._waiting))
        behind = self._time_of(now) - self.end
        if not self._waiting and behind > self.QUIET * TICKS_PER_SECOND:
            yield from self._fill(behind - round(self.QUIET / 2 * TICKS_PER_SECOND))

    def finish(self, now: float) -> Iterator[bytes]:
        """Give all that has arrived, and silence up to `now`."""
        while self._waiting:
            yield from self._give(*heapq.heappop(self._waiting))
        yield from self._fill(self._time_of(now) - self.end)

    def leave_out(self, seconds: float) -> None:
        """Time stood still for so long, after `finish`; the first packet afterwards is left out, too."""
        self._began += seconds
        self.interrupt()

    def interrupt(self) -> None:
        """What comes next has nothing to do with what was before, and its first packet is left out."""
        self._source, self._last, self._skip_next = None, None, True

    def _time_of(self, moment: float) -> int:
        return round((moment - self._began) * TICKS_PER_SECOND) // SHORTEST * SHORTEST

    def _place_of(self, packet: EncodedPacket) -> int:
        arrived = self._time_of(packet.arrived)
        if self._source is not None and self._source[0] == packet.ssrc:
            _, timestamp, newest = self._source
            place = newest + _difference(packet.timestamp, timestamp)
            if place <= newest and place - arrived >= -self.PAST * TICKS_PER_SECOND:
                return place  # another one has overtaken it
            if self._is_possible(place, arrived, packet.arrived):
                self._source = packet.ssrc, packet.timestamp, place
                return place
        self._late_since = None
        place = max(arrived, self.end, *(at + ticks for at, _, ticks, *_ in self._waiting))
        self._source = packet.ssrc, packet.timestamp, place
        return place

    def _is_possible(self, place: int, arrived: int, moment: float) -> bool:
        """Whether the newest packet may be of where its timestamp says, and not of where it arrived."""
        late = (arrived - place) / TICKS_PER_SECOND
        if late <= self.LATE:
            self._late_since = None
        elif self._late_since is None:
            self._late_since = moment
        if place + SHORTEST <= self.end:  # there is silence already
            return False
        return -self.FUTURE <= late <= self.PAST and (self._late_since is None or moment - self._late_since < self.LONG)

    def _is_due(self, now: float) -> bool:
        at, _, _, packet, _ = self._waiting[0]
        if at < self.end + SHORTEST or now - packet.arrived >= self.PATIENCE:
            return True
        return self._last is None or packet.sequence_number == (self._last + 1) % 2**16

    def _give(self, at: int, _order: int, ticks: int, packet: EncodedPacket, payload: bytes) -> Iterator[bytes]:
        if at + SHORTEST <= self.end:  # it came twice, or too late
            return
        yield from self._fill(at - self.end)
        yield payload
        self._toc = payload[0]
        self.end += ticks
        self._last = packet.sequence_number

    def _fill(self, ticks: int) -> Iterator[bytes]:
        if ticks < SHORTEST:
            return
        for packet in concealing(self._toc, ticks):
            self.end += duration_of(packet)
            yield packet


def _difference(timestamp: int, other: int) -> int:
    """By how much a timestamp is later than another one."""
    return (timestamp - other + 2**31) % 2**32 - 2**31
