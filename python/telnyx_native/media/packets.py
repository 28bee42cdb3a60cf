"""The encoded packets of a call as they arrive: what the remote sent, without decoding it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from telnyx_native import _audio
from telnyx_native.media.tap import Tap

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from telnyx_native.media.tap import Arrivals

__all__ = ["EncodedPacket", "PacketCodec", "PacketTap"]


class PacketCodec(Enum):
    """What a packet holds; the value is the name of the format in session descriptions."""

    OTHER = ""
    OPUS = "opus"
    PCMU = "PCMU"
    PCMA = "PCMA"
    G722 = "G722"
    TELEPHONE_EVENT = "telephone-event"
    RED = "red"
    COMFORT_NOISE = "CN"


_CODECS = tuple(PacketCodec)
"""In the order of `telnyx::PacketCodec`."""


@dataclass(frozen=True, slots=True)
class EncodedPacket:
    """One packet of the remote, as it arrived (RFC 3550).

    Attributes:
        payload: What is encoded. Of `RED` (RFC 2198) it is several, of which `media.opus_packets` makes one each.
        codec: How it is encoded.
        payload_type: The number of that in this call.
        clock_rate: Ticks a second of `timestamp`; of G.722 it is 8,000, for historical reasons.
        sequence_number: Grows by one with each packet that is sent, in 16 bits. What is missing is lost or late.
        timestamp: When the packet's audio begins, in 32 bits, by the clock of the remote. It jumps where the remote
            sent nothing (DTX), and begins anywhere.
        ssrc: Which source the numbers are of; another one begins them anew.
        arrived: When it arrived, as `time.monotonic` tells it.
        at: Seconds of received audio since the call began that had been played out when it arrived, as
            `VoiceActivity.at`. Its own audio is played out a little later, when the jitter buffer gives it.
    """

    payload: bytes = field(repr=False)
    codec: PacketCodec
    payload_type: int
    clock_rate: int
    sequence_number: int
    timestamp: int
    ssrc: int
    arrived: float
    at: float


class PacketTap(Tap[_audio.PacketTap]):
    """The encoded packets of one call in the order of their arrival, made by `AudioStream.tap_packets`.

    Iterating gives them until the call ends, or the tap is closed, which `with` does. It keeps 256 kB, 20 seconds of
    Opus at 64 kbit/s: who falls behind loses the oldest, see `lost`.
    """

    def __init__(self, native: _audio.PacketTap, sample_rate: int, arrivals: Arrivals) -> None:
        super().__init__(native, arrivals)
        self._rate = sample_rate

    def __repr__(self) -> str:
        return f"<PacketTap {'closed' if self._closed else 'open'}, {self.lost} lost>"

    async def __aiter__(self) -> AsyncIterator[EncodedPacket]:
        while (packet := await self.read()) is not None:
            yield packet

    async def read(self) -> EncodedPacket | None:
        """Return the next packet, and wait for it; `None` when there will be none. Cancelling loses nothing."""
        await self._arrivals.wait_for(self._native.position + 1, self)
        return self.read_nowait()

    def read_nowait(self) -> EncodedPacket | None:
        """Return the next packet if it is there; also outside the event loop, by one thread at a time."""
        packet = self._native.read()
        if packet is None:
            return None
        payload, codec, payload_type, clock_rate, sequence_number, timestamp, ssrc, arrived, position = packet
        return EncodedPacket(
            payload,
            _CODECS[codec],
            payload_type,
            clock_rate,
            sequence_number,
            timestamp,
            ssrc,
            arrived / 1e6,
            position / self._rate,
        )

    @property
    def lost(self) -> int:
        """Packets that were not read in time. What the network lost shows in the sequence numbers."""
        return self._native.lost
