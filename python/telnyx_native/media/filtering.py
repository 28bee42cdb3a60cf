"""What a call receives, through a filter of the application: RNNoise, say, or a model that separates voices."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from telnyx_native.errors import ConfigurationError
from telnyx_native.event_loop import run_blocking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from telnyx_native.logs import Log
    from telnyx_native.media.tap import AudioTap

__all__ = ["AudioFilter", "FilteredAudio"]

AudioFilter = Callable[[bytes], bytes]
"""Takes 10 ms of mono 16-bit samples at the rate of the call, and returns as many; frame after frame, in order."""

FRAME_SECONDS = 0.01
ITERATED_FRAMES = 2
"""Frames in what iterating gives, which is 20 ms."""

MOST_FRAMES = 100
"""Frames that are filtered in one go, if the reader was late."""


class FilteredAudio:
    """What a call receives, filtered by a function of the application; made by `AudioStream.filtered`.

    The function runs on a thread, frame after frame, never two at a time: neither the event loop nor the media clock
    waits for it. Who reads waits for whole frames, for the function, and for the way to the thread and back. Nobody
    else hears what is filtered: not recordings, taps, detectors, nor `AudioStream.read`.

    If the function raises, or returns another length, that is logged once, and the audio goes on unfiltered from that
    frame on. Who does not read for 10 seconds loses the oldest audio, see `lost`. Iterating gives frames of 20 ms until
    the call ends.

    Attributes:
        sample_rate: Samples a second.
    """

    def __init__(self, tap: AudioTap, function: AudioFilter, log: Log) -> None:
        self.sample_rate: int = tap.sample_rate
        self._tap = tap
        self._function: AudioFilter | None = function
        self._log = log
        self._frame = round(FRAME_SECONDS * tap.sample_rate)
        self._ready = bytearray()
        self._filtering: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<FilteredAudio {self.sample_rate} Hz{'' if self.filters else ', unfiltered'}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while frame := await self.read(ITERATED_FRAMES * self._frame):
            yield frame

    @property
    def filters(self) -> bool:
        """Whether the function is still in use."""
        return self._function is not None

    @property
    def lost(self) -> float:
        """Seconds of audio that were lost because nobody read them in time."""
        return self._tap.lost

    async def read(self, samples: int) -> bytes:
        """Return the next `samples` as mono 16-bit PCM; wait for them. One reads at a time.

        When the call is over it returns what is left, and then `b""`; also when this is closed. Cancelling loses
        nothing.

        Raises:
            ConfigurationError: `samples` is less than one, or more than five seconds.
        """
        if not 0 < samples <= 5 * self.sample_rate:
            raise ConfigurationError("read between one sample and 5 seconds at a time")
        while (missing := samples - len(self._ready) // 2) > 0:
            if self._filtering is None:
                frames = min(-(-missing // self._frame), MOST_FRAMES)
                taken = await self._tap.read(frames * self._frame)
                if not taken:
                    break
                self._filtering = asyncio.create_task(self._filter(taken), name="telnyx-filter")
            await asyncio.shield(self._filtering)
            self._filtering = None
        taken = bytes(self._ready[: 2 * samples])
        del self._ready[: 2 * samples]
        return taken

    def close(self) -> None:
        """Filter no more."""
        self._tap.close()

    async def _filter(self, pcm: bytes) -> None:
        self._ready += await run_blocking(self._filtered, pcm)

    def _filtered(self, pcm: bytes) -> bytes:
        """On a thread: the same, frame by frame through the function. The end of a call may be shorter than a frame."""
        width, whole = 2 * self._frame, bytearray()
        for at in range(0, len(pcm), width):
            frame = pcm[at : at + width]
            whole += frame if self._function is None or len(frame) < width else self._one(self._function, frame)
        return bytes(whole)

    def _one(self, function: AudioFilter, frame: bytes) -> bytes:
        try:
            filtered = function(frame)
            if len(filtered) == len(frame):
                return filtered
            trouble = f"it made {len(filtered)} bytes of {len(frame)}"
        except Exception as error:  # noqa: BLE001 - whatever it is, the call is heard
            trouble = repr(error)
        self._function = None
        self._log.unretrieved(f"the filter {function!r} is left out from now on: {trouble}")
        return frame
