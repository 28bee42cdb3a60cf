"""What can be played: files, pipes, samples, and streams of samples, in pieces of any rate and encoding."""

from __future__ import annotations

import asyncio
import os
import stat
import threading
import wave
from collections.abc import AsyncGenerator, AsyncIterable
from os import PathLike, fspath
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Protocol, Union, cast

from telnyx_native import _audio
from telnyx_native.errors import ConfigurationError
from telnyx_native.event_loop import run_blocking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Buffer

__all__ = ["Playable", "Source", "open_source", "require_source_rate"]

PIECE_SECONDS = 0.2
"""How much is converted at a time, so that the event loop is not held up."""

MIN_SOURCE_RATE = 1_000
MAX_SOURCE_RATE = 384_000
"""Hz of samples to be played."""

PIPE_READ = 4096
"""Bytes of raw samples read at a time."""

PIPE_PIECES = 8
"""Pieces of a pipe that wait to be played; what writes it waits, too, then."""

MOST_SPOOLED = 512 << 20
"""Bytes of a sound file in a pipe that is no plain WAV: it has to be there as a whole before it is played."""

Playable = Union[str, "PathLike[str]", BinaryIO, "Buffer", "AsyncIterable[Buffer]"]
"""A file by its name or opened, a pipe, samples, or an async iterator of samples."""


class Source(Protocol):
    """Where samples come from."""

    rate: int
    """Hz; known with the first piece."""

    remaining: float
    """Seconds that are known to come still."""

    repeatable: bool
    """Whether it gives its samples again when it is asked again."""

    def pieces(self) -> AsyncGenerator[Buffer, None]:
        """Give the samples, from the beginning on; may be asked for again, if it is repeatable."""

    def close(self) -> None:
        """Let go of what it reads from, at once: nothing is asked of it any more."""


def open_source(playable: Playable, *, sample_rate: int, encoding: int, raw: bool) -> Source:
    """Find out what somebody wants to play.

    Args:
        playable: It.
        sample_rate: Of samples and streams; files know their own.
        encoding: Of bytes in samples and streams.
        raw: Whether a pipe is known to have samples, and not a sound file.

    Raises:
        ConfigurationError: There is no such file.
        TypeError: It cannot be played, or its samples are of no known kind.
    """
    if isinstance(playable, str | PathLike):
        return _open_path(fspath(playable), sample_rate if raw else None)
    if isinstance(playable, AsyncIterable):
        return StreamSource(playable, sample_rate)
    if callable(getattr(playable, "read", None)):
        seekable = getattr(playable, "seekable", None)
        can_seek = seekable() if callable(seekable) else hasattr(playable, "seek")
        return FileSource(playable) if can_seek else PipeSource(playable, sample_rate if raw else None)
    return SampleSource(cast("Buffer", playable), sample_rate, encoding)


def require_source_rate(rate: int) -> int:
    """Return a sample rate that can be converted.

    Raises:
        ConfigurationError: It is none.
    """
    if not MIN_SOURCE_RATE <= rate <= MAX_SOURCE_RATE:
        raise ConfigurationError(f"a sample rate is between {MIN_SOURCE_RATE} and {MAX_SOURCE_RATE} Hz, not {rate}")
    return rate


def _open_path(path: str, raw_rate: int | None) -> FileSource | PipeSource:
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - the name may be no text
    except (OSError, ValueError):
        mode = 0
    if stat.S_ISREG(mode):
        return FileSource(path)
    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
        return PipeSource(path, raw_rate)
    raise ConfigurationError(f"there is no file {path!r} to be played")


class SampleSource:
    """Samples in memory."""

    repeatable = True

    def __init__(self, samples: Buffer, rate: int, encoding: int) -> None:
        self.rate = rate
        self._count = _audio.samples_in(samples, encoding)
        self._view: memoryview | None = memoryview(samples)
        self._piece = self._view[:0]
        self._per_item = self._count / len(self._view) if len(self._view) else 1
        self.remaining = self._count / rate

    async def pieces(self) -> AsyncGenerator[Buffer, None]:
        """Give the samples in pieces."""
        step = max(round(PIECE_SECONDS * self.rate / self._per_item), 8)
        start = 0
        while self._view is not None and start < (total := len(self._view)):
            end = min(start + step, total)
            self.remaining = (total - end) * self._per_item / self.rate
            self._piece = self._view[start:end]
            yield self._piece
            self._piece.release()
            start = end

    def close(self) -> None:
        """Let go of the samples: whose memory it is may change it again, or give it back."""
        view, self._view = self._view, None
        self._piece.release()
        if view is not None:
            view.release()


class FileSource:
    """A sound file that libsndfile can read, its channels averaged. It is read on another thread."""

    repeatable = True

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
        while (piece := await run_blocking(next, pieces, None)) is not None:
            yield piece

    def close(self) -> None:
        """Let go of the file; whoever opened it closes it."""
        self._file = None

    def _read(self) -> Iterator[Buffer]:
        for rate, remaining, piece in _pieces_of_sound(self._file):
            self.rate, self.remaining = rate, remaining
            yield piece


class PipeSource:
    """What can be read once, from the front to the back: a pipe, a socket, the answer of a web server.

    It is read on a thread of its own, which may stand still for as long as nothing comes.

    Args:
        pipe: It, opened for reading; or the name of a pipe.
        raw_rate: Hz, if it has raw samples; a sound file says it itself. A plain WAV is played as it comes.
    """

    repeatable = False
    remaining = 0.0

    def __init__(self, pipe: Any, raw_rate: int | None) -> None:
        self.rate = raw_rate or 0
        self._raw = raw_rate is not None
        self._pipe = pipe

    async def pieces(self) -> AsyncGenerator[Buffer, None]:
        """Give the samples as they come.

        Raises:
            ConfigurationError: It is no sound file, or cannot be read.
        """
        loop = asyncio.get_running_loop()
        arrived: asyncio.Queue[Buffer | Exception | None] = asyncio.Queue()
        room, stopped = threading.Semaphore(PIPE_PIECES), threading.Event()

        def hand_over(thing: Buffer | Exception | None) -> bool:
            if stopped.is_set():
                return False
            try:
                loop.call_soon_threadsafe(arrived.put_nowait, thing)
            except RuntimeError:  # the loop is closed
                return False
            return True

        def read() -> None:
            try:
                for piece in self._read():
                    room.acquire()
                    if not hand_over(piece):
                        return
                hand_over(None)
            except Exception as error:  # noqa: BLE001 - whatever a pipe raises is for who awaits the playback
                hand_over(error)

        threading.Thread(target=read, name="telnyx-pipe", daemon=True).start()
        try:
            while (thing := await arrived.get()) is not None:
                if isinstance(thing, Exception):
                    raise thing
                yield thing
                room.release()
        finally:
            stopped.set()
            room.release()

    def close(self) -> None:
        """Let go of the pipe; whoever opened it closes it."""
        self._pipe = None

    def _read(self) -> Iterator[Buffer]:
        if isinstance(self._pipe, str):
            with open(self._pipe, "rb") as pipe:  # noqa: PTH123 - the name may be no text
                yield from self._read_from(pipe)
        else:
            yield from self._read_from(self._pipe)

    def _read_from(self, pipe: Any) -> Iterator[Buffer]:
        if self._raw:
            read = getattr(pipe, "read1", pipe.read)  # what is there, instead of a certain amount
            while piece := read(PIPE_READ):
                yield piece
            return
        head: Any = _Head(pipe)
        try:
            sound = wave.open(head)  # noqa: SIM115 - the pipe is closed by who opened it
        except (wave.Error, EOFError):
            with SpooledTemporaryFile(8 << 20) as spool:
                spool.write(head.seen)
                _spool(pipe, spool)
                for self.rate, _, piece in _pieces_of_sound(spool):
                    yield piece
        else:
            head.seen.clear()
            yield from self._read_wav(sound)

    def _read_wav(self, sound: wave.Wave_read) -> Iterator[Buffer]:
        import numpy as np

        self.rate = require_source_rate(sound.getframerate())
        width, step = sound.getsampwidth(), max(round(PIECE_SECONDS * self.rate), 1)
        while data := sound.readframes(step):
            # As the highest bytes of 32-bit integers; those of one byte are unsigned.
            wide = np.zeros((len(data) // width, 4), np.uint8)
            wide[:, 4 - width :] = np.frombuffer(data[: len(data) // width * width], np.uint8).reshape(-1, width)
            if width == 1:
                wide[:, 3] ^= 0x80
            samples = wide.view("<i4")[:, 0].astype(np.float32) / np.float32(2**31)
            whole = len(samples) // sound.getnchannels() * sound.getnchannels()
            yield samples[:whole].reshape(-1, sound.getnchannels()).mean(axis=1, dtype="float32")


class StreamSource:
    """Samples that somebody makes while they are played; cut anywhere."""

    repeatable = False
    remaining = 0.0

    def __init__(self, stream: AsyncIterable[Buffer], rate: int) -> None:
        self.rate = rate
        self._stream: AsyncIterable[Buffer] | None = stream

    async def pieces(self) -> AsyncGenerator[Buffer, None]:
        """Give the samples as they come, long pieces in several; closes an async generator in the end."""
        stream = self._stream
        assert stream is not None  # noqa: S101 - it is asked once
        step = max(round(PIECE_SECONDS * self.rate), 8)
        try:
            async for piece in stream:
                with memoryview(piece) as view:
                    for start in range(0, len(view), step):
                        with view[start : start + step] as part:
                            yield part
        finally:
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()

    def close(self) -> None:
        """Let go of the iterator."""
        self._stream = None


class _Head:
    """A pipe that remembers what was read of it."""

    def __init__(self, pipe: Any) -> None:
        self._pipe = pipe
        self.seen = bytearray()

    def read(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size and (more := self._pipe.read(size - len(data))):
            data += more
        if len(self.seen) < 1 << 16:
            self.seen += data
        return bytes(data)


def _spool(pipe: Any, spool: IO[bytes]) -> None:
    left = MOST_SPOOLED
    while data := pipe.read(1 << 16):
        left -= len(data)
        if left < 0:
            raise ConfigurationError(f"a pipe can be played up to {MOST_SPOOLED >> 20} MiB, unless it is a plain WAV")
        spool.write(data)


def _pieces_of_sound(file: Any) -> Iterator[tuple[int, float, Buffer]]:
    """The rate, the seconds that come still, and the samples of a sound file, its channels averaged, in pieces."""
    import soundfile

    try:
        if isinstance(file, str):
            file = os.fsencode(file)  # a name that is no text
        else:
            file.seek(0)
        with soundfile.SoundFile(file) as sound:
            rate = require_source_rate(sound.samplerate)
            step, left = max(round(PIECE_SECONDS * rate), 1), sound.frames
            while len(channels := sound.read(step, dtype="float32", always_2d=True)):
                left -= len(channels)  # not from where it is: some codecs of voice mail cannot tell
                yield rate, max(0, left) / rate, channels.mean(axis=1, dtype="float32")
    except (OSError, soundfile.SoundFileError) as error:
        raise ConfigurationError(f"cannot play {file!r}: {error}") from error
