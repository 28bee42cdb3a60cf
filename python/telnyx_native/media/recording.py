"""Recording a call: stereo, in time with itself, on a thread of its own, to a file that is valid at any time."""

from __future__ import annotations

import asyncio
import os
import threading
import wave
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from telnyx_native.errors import ConfigurationError, MediaError
from telnyx_native.event_loop import run_blocking
from telnyx_native.media.tap import AudioDirection

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_native.logs import Log
    from telnyx_native.media.stream import AudioStream
    from telnyx_native.media.tap import AudioTap

__all__ = ["Recording", "StereoWriter", "begin_recording", "open_stereo"]

INTERVAL = 0.25
"""Seconds between two visits of the thread; what is lost when the process is killed."""

BLOCK_SECONDS = 1.0
"""Most that is written at a time."""

STOP_LIMIT = 10.0
"""Seconds that stopping waits for a disk that does not take the rest."""


class Recording:
    """A file with both sides of a call: left what was received, right what was sent. Made by `Call.record`.

    Nothing of it passes through the event loop: a thread takes audio from the call's tap. While the disk stands still
    for longer than a tap holds (10 s), audio is lost and counted.

    Args:
        path: The file.
        tap: Both directions of the call.
        writer: What writes the file.
        log: Where it is noted that it cannot go on.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path, tap: AudioTap, writer: StereoWriter, log: Log) -> None:
        self.path = path
        self._tap = tap
        self._writer = writer
        self._log = log
        self._turns: deque[int] = deque()  # positions at which it pauses or resumes
        self._paused = False  # as asked for
        self._skipping = False  # as the thread has come to it
        self._written = 0
        self._error: Exception | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telnyx-recording", daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        state = "recording" if self._thread.is_alive() else "done"
        return f"<Recording {self.path} {self.duration:.1f} s, {'paused' if self._paused else state}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop()

    @property
    def duration(self) -> float:
        """Seconds written so far."""
        return self._written / self._tap.sample_rate

    @property
    def dropped(self) -> float:
        """Seconds lost because the disk did not keep up."""
        return self._tap.lost

    @property
    def failed(self) -> bool:
        """Whether it ended early, because the file could not be written; `stop` says why."""
        return self._error is not None

    @property
    def paused(self) -> bool:
        """Whether nothing is recorded now."""
        return self._paused

    def pause(self) -> None:
        """Leave out what is said from now on, for example a card number; does nothing when it is paused."""
        self._turn(paused=True)

    def resume(self) -> None:
        """Go on; does nothing when it is not paused."""
        self._turn(paused=False)

    async def stop(self) -> None:
        """Write what is left, and complete the file. Idempotent; the end of the call does it, too.

        Raises:
            MediaError: The file could not be written, or the disk has not taken the rest within 10 seconds.
        """
        self._stopping.set()
        await run_blocking(self._thread.join, STOP_LIMIT)
        if self._thread.is_alive():
            raise MediaError(f"{self.path} takes no more audio; it is completed when it does")
        self._tap.close()
        if self._error is not None:
            raise MediaError(f"{self.path} could not be recorded: {self._error}") from self._error

    def _turn(self, *, paused: bool) -> None:
        if paused is not self._paused:
            self._paused = paused
            self._turns.append(self._tap.end)

    def _run(self) -> None:
        try:
            while not (self._stopping.wait(INTERVAL) or self._tap.ended):
                self._catch_up()
            self._catch_up()
        except Exception as error:  # noqa: BLE001 - a full disk must not cost the call; `stop` tells
            self._error = error
            self._log.unretrieved(f"the recording {self.path} ends here: {error}")
        try:
            self._writer.close()
        except Exception as error:  # noqa: BLE001 - as above
            self._error = self._error or error

    def _catch_up(self) -> None:
        """Write all that was heard so far."""
        now = self._tap.end
        while self._turns and self._turns[0] <= now:
            self._advance(self._turns.popleft())
            self._skipping = not self._skipping
        self._advance(now)

    def _advance(self, position: int) -> None:
        """Take what was heard up to `position`."""
        while (samples := position - self._tap.position) > 0:
            block = self._tap.read_nowait(min(samples, round(BLOCK_SECONDS * self._tap.sample_rate)))
            if not self._skipping:
                self._writer.write(block)
                self._written += len(block) // (2 * CHANNELS)


async def begin_recording(path: str | Path, audio: AudioStream) -> Recording:
    """Open the file and record both directions of `audio` from now on.

    Raises:
        ConfigurationError: There is no such kind of file, it cannot have this rate, or cannot be written.
    """
    path, tap = Path(path), audio.tap(AudioDirection.BOTH)
    opening = asyncio.ensure_future(run_blocking(open_stereo, path, tap.sample_rate))
    try:
        return Recording(path, tap, await asyncio.shield(opening), audio.log)
    except BaseException:
        tap.close()
        opening.add_done_callback(_close_unwanted)
        raise


def _close_unwanted(opening: asyncio.Future[StereoWriter]) -> None:
    """Close a file that was opened for somebody who did not wait."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


CHANNELS = 2


class StereoWriter(Protocol):
    """A file to write to."""

    def write(self, pcm: bytes) -> None:
        """Append 16-bit samples, left and right in turn."""

    def close(self) -> None:
        """Complete the file."""


def open_stereo(path: Path, sample_rate: int) -> StereoWriter:
    """Begin a file of the kind that its suffix says; it is replaced if there is one.

    Args:
        path: `.wav` (16-bit PCM), `.flac`, or `.opus` or `.ogg` (Opus in Ogg).
        sample_rate: Samples a second and channel.

    Raises:
        ConfigurationError: There is no such kind, it cannot have this rate, or the file cannot be written.
    """
    kinds: dict[str, Callable[[Path, int], StereoWriter]] = {
        ".wav": _WavWriter,
        ".flac": _FlacWriter,
        ".opus": _OpusWriter,
        ".ogg": _OpusWriter,
    }
    kind = kinds.get(path.suffix.lower())
    if kind is None:
        raise ConfigurationError(f"cannot record to {path.name}: the suffixes are {', '.join(kinds)}")
    try:
        return kind(path, sample_rate)
    except (OSError, RuntimeError) as error:  # soundfile's own error is a RuntimeError
        raise ConfigurationError(f"cannot record to {path} at {sample_rate} Hz: {error}") from error


class _WavWriter:
    """The standard library's `wave` brings the sizes in the header up to date with every block."""

    def __init__(self, path: Path, sample_rate: int) -> None:
        self._file = path.open("wb")
        self._wave = wave.open(self._file, "wb")  # noqa: SIM115 - closed by close
        self._wave.setparams((CHANNELS, 2, sample_rate, 0, "NONE", "not compressed"))
        self.write(b"")

    def write(self, pcm: bytes) -> None:
        self._wave.writeframes(pcm)
        self._file.flush()

    def close(self) -> None:
        self._wave.close()
        self._file.close()


class _OpusWriter:
    """An Ogg file is whole after each of its pages, which libsndfile writes about once a second."""

    def __init__(self, path: Path, sample_rate: int) -> None:
        import soundfile

        self._file = soundfile.SoundFile(os.fsencode(path), "w", sample_rate, CHANNELS, "OPUS", format="OGG")

    def write(self, pcm: bytes) -> None:
        self._file.buffer_write(pcm, "int16")

    def close(self) -> None:
        self._file.close()


class _FlacWriter:
    """A FLAC file without its end lacks only the number of samples in its header, so that is kept up to date here."""

    # RFC 9639, section 8.2: behind "fLaC" and the block's header come the size of a frame, in samples, and later the
    # lower 32 bits of the number of all samples; the 4 bits above are used after 12 hours at 96 kHz.
    FRAME_SIZE_AT = 8
    SAMPLES_AT = 22

    def __init__(self, path: Path, sample_rate: int) -> None:
        import soundfile

        self._file = soundfile.SoundFile(os.fsencode(path), "w", sample_rate, CHANNELS, "PCM_16", format="FLAC")
        self._header = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._written = 0

    def write(self, pcm: bytes) -> None:
        self._file.buffer_write(pcm, "int16")
        self._written += len(pcm) // (2 * CHANNELS)
        frame = int.from_bytes(os.pread(self._header, 2, self.FRAME_SIZE_AT), "big")
        if frame and self._written > frame:
            # The encoder holds a frame back until it has seen one sample more.
            complete = (self._written - 1) // frame * frame
            os.pwrite(self._header, (complete % 2**32).to_bytes(4, "big"), self.SAMPLES_AT)

    def close(self) -> None:
        os.close(self._header)
        self._file.close()
