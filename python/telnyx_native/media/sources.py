"""What can be played: files, samples, and streams of samples, in pieces of any rate and encoding."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, Union

from telnyx_native import _audio
from telnyx_native.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Buffer

__all__ = ["Playable", "Source", "open_source"]

PIECE_SECONDS = 0.2
"""How much is converted at a time, so that the event loop is not held up."""

Playable = Union[str, "PathLike[str]", BinaryIO, "Buffer", "AsyncIterable[Buffer]"]
"""A file by its name or opened, samples, or an async iterator of samples."""


class Source(Protocol):
    """Where samples come from."""

    rate: int
    """Hz; known with the first piece."""

    remaining: float
    """Seconds that are known to come still."""

    def pieces(self) -> AsyncGenerator[Buffer, None]:
        """Give the samples, from the beginning on; may be asked for again, unless it is a stream."""


def open_source(playable: Playable, *, sample_rate: int, encoding: int) -> Source:
    """Find out what somebody wants to play.

    Args:
        playable: It.
        sample_rate: Of samples and streams; files know their own.
        encoding: Of bytes in samples and streams.

    Raises:
        ConfigurationError: There is no such file.
        TypeError: It cannot be played, or its samples are of no known kind.
    """
    if isinstance(playable, str | PathLike):
        if not Path(playable).is_file():
            raise ConfigurationError(f"there is no file {fspath(playable)!r} to be played")
        return FileSource(fspath(playable))
    if isinstance(playable, AsyncIterable):
        return StreamSource(playable, sample_rate)
    if hasattr(playable, "read") and hasattr(playable, "seek"):
        return FileSource(playable)
    return SampleSource(playable, sample_rate, encoding)


class SampleSource:
    """Samples in memory."""

    def __init__(self, samples: Buffer, rate: int, encoding: int) -> None:
        self.rate = rate
        self._count = _audio.samples_in(samples, encoding)
        self._view = memoryview(samples)
        self._per_item = self._count / len(self._view) if len(self._view) else 1
        self.remaining = self._count / rate

    async def pieces(self) -> AsyncGenerator[Buffer, None]:
        """Give the samples in pieces."""
        step = max(round(PIECE_SECONDS * self.rate / self._per_item), 8)
        for start in range(0, len(self._view), step):
            end = min(start + step, len(self._view))
            self.remaining = (len(self._view) - end) * self._per_item / self.rate
            yield self._view[start:end]


class FileSource:
    """A sound file that libsndfile can read, its channels averaged. It is read on another thread."""

    def __init__(self, file: Any) -> None:
        self.rate = 0
        self.remaining = 0.0
        self._file = file

    async def pieces(self) -> AsyncGenerator[Buffer, None]:
        """Give the samples in pieces, as floats.

        Raises:
            ConfigurationError: The file cannot be read.
        """
        pieces = self._read()  # closes the file when it is let go of, which may be on the other thread
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece

    def _read(self) -> Iterator[Buffer]:
        import soundfile

        try:
            if not isinstance(self._file, str):
                self._file.seek(0)
            with soundfile.SoundFile(self._file) as sound:
                self.rate = sound.samplerate
                step = max(round(PIECE_SECONDS * self.rate), 1)
                while len(channels := sound.read(step, dtype="float32", always_2d=True)):
                    self.remaining = (sound.frames - sound.tell()) / self.rate
                    yield channels.mean(axis=1, dtype="float32")
        except (OSError, soundfile.SoundFileError) as error:
            raise ConfigurationError(f"cannot play {self._file}: {error}") from error


class StreamSource:
    """Samples that somebody makes while they are played; cut anywhere."""

    remaining = 0.0

    def __init__(self, stream: AsyncIterable[Buffer], rate: int) -> None:
        self.rate = rate
        self._stream = stream

    async def pieces(self) -> AsyncGenerator[Buffer, None]:
        """Give the samples as they come; closes an async generator in the end, whatever that is."""
        try:
            async for piece in self._stream:
                yield piece
        finally:
            if isinstance(self._stream, AsyncGenerator):
                await self._stream.aclose()
