"""Listening in on a call: what it receives and what it sends, without disturbing who reads and writes it."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from telnyx_native import _audio
from telnyx_native.errors import ConfigurationError
from telnyx_native.event_loop import OwnerLoop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

__all__ = ["Arrivals", "AudioDirection", "AudioTap", "Tap"]

TAP_SECONDS = 10.0
"""How far a tap may fall behind before it loses the oldest audio."""

FRAME_SECONDS = 0.02
"""Length of the frames that iterating a tap gives."""


class AudioDirection(StrEnum):
    """Which side of a call.

    `SENT` is what the encoder gets, with all that was mixed in and muted out. `BOTH` is stereo, the same moment left
    (received) and right (sent).
    """

    RECEIVED = "received"
    SENT = "sent"
    BOTH = "both"


_CHANNELS = {AudioDirection.RECEIVED: 0, AudioDirection.SENT: 1, AudioDirection.BOTH: 2}


class Arrivals:
    """Wakes the readers of one kind of thing: what a call's taps see, or the packets that it receives.

    Args:
        what: Who waits, for an error.
        arm: Has the media clock report when a position is reached.
    """

    def __init__(self, what: str, arm: Callable[[int], None]) -> None:
        self._arm = arm
        self._arrived = asyncio.Event()
        self._home = OwnerLoop(what)
        self._waited_for: list[int] = []  # positions
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the call is over."""
        return self._closed

    def on_arrived(self) -> None:
        """Wake who waits: the media clock reported that what they wait for is there."""
        self._arrived.set()

    def close(self) -> None:
        """Nothing more will come; what came can still be read."""
        self._closed = True
        self._arm = _nothing  # so that nothing here leads back to the audio
        self._arrived.set()

    async def wait_for(self, position: int, reader: Tap[Any]) -> None:
        """Return once `reader` reaches up to `position`, or nothing more comes from it."""
        self._home.enter()
        self._waited_for.append(position)
        try:
            while reader.end < position and not (self._closed or reader.closed):
                self._arrived.clear()
                self._arm(min(self._waited_for))
                if reader.end < position:  # the clock may have ticked before it was armed
                    await self._arrived.wait()
        finally:
            self._waited_for.remove(position)


def _nothing(_position: int) -> None:
    pass


NativeT = TypeVar("NativeT", _audio.Tap, _audio.PacketTap)


class Tap(Generic[NativeT]):
    """Reads what a call receives or sends, from now on, without disturbing anybody. `with` closes it.

    Args:
        native: What reads.
        arrivals: What wakes it.
    """

    def __init__(self, native: NativeT, arrivals: Arrivals) -> None:
        self._native: NativeT = native
        self._arrivals = arrivals
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @property
    def end(self) -> int:
        """Where in the call what comes next will be: in samples, or, of packets, in a measure of its own."""
        return self._native.end

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    @property
    def ended(self) -> bool:
        """Whether the call is over; what came before can still be read."""
        return self._arrivals.closed

    def close(self) -> None:
        """Read no more."""
        self._closed = True
        self._native.close()
        self._arrivals.on_arrived()


class AudioTap(Tap[_audio.Tap]):
    """A bounded stream of one or both directions of a call, made by `AudioStream.tap`.

    Time does not stop in it: where nothing arrives, `RECEIVED` has silence. Who falls behind by more than 10 seconds
    loses the oldest audio, see `lost`. Iterating gives frames of 20 ms until the call ends.

    Attributes:
        direction: What it listens to.
        sample_rate: Samples a second and channel.
    """

    def __init__(self, port: _audio.AudioPort, arrivals: Arrivals, direction: AudioDirection) -> None:
        super().__init__(_audio.Tap(port, _CHANNELS[direction]), arrivals)
        self.direction = direction
        self.sample_rate: int = port.sample_rate

    def __repr__(self) -> str:
        return f"<AudioTap {self.direction} {self.sample_rate} Hz>"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while frame := await self.read(round(FRAME_SECONDS * self.sample_rate)):
            yield frame

    async def read(self, samples: int) -> bytes:
        """Return the next `samples` of each channel as 16-bit PCM, interleaved if it is stereo; wait for them.

        When the call is over it returns what is left, and then `b""`; also when the tap is closed. Cancelling loses
        nothing.

        Raises:
            ConfigurationError: `samples` is less than one, or more than a tap holds.
        """
        if not 0 < samples <= TAP_SECONDS * self.sample_rate / 2:
            raise ConfigurationError(f"read between one sample and {TAP_SECONDS / 2:g} seconds at a time")
        await self._arrivals.wait_for(self.position + samples, self)
        return self.read_nowait(samples)

    def read_nowait(self, samples: int) -> bytes:
        """Return what is there of the next `samples`; also outside the event loop, by one thread at a time."""
        return self._native.read(samples)

    @property
    def position(self) -> int:
        """Where in the call what is read next is, in samples; it jumps where audio was lost."""
        return self._native.position

    @property
    def lost(self) -> float:
        """Seconds of audio that were lost because they were not read in time."""
        return self._native.lost / self.sample_rate
