"""The files of a recording: one, or parts with numbers, each valid at any time."""

from __future__ import annotations

import errno
import os
import wave
from typing import TYPE_CHECKING, Protocol

from telnyx_native.config import RecordedPart
from telnyx_native.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from telnyx_native.config import RecordingConfig

__all__ = ["CHANNELS", "PartWriter", "RecordingFiles", "open_stereo"]

CHANNELS = 2


class PartWriter(Protocol):
    """A file to write to."""

    def write(self, data: bytes) -> None:
        """Append 16-bit samples, left and right in turn; or a packet."""

    def flush(self) -> None:
        """Have what was appended survive the end of the process."""

    def close(self) -> None:
        """Complete the file."""


class RecordingFiles:
    """Writes one file after another, as a configuration wants it. Of one thread at a time.

    Args:
        path: The file. If there are parts, each has its number before the suffix: `call-001.wav`.
        config: When a part is full.
        rate: Samples a second of what is written.
        width: Bytes of a sample, where what is written can be divided between two parts; 0 where it cannot.
        open_part: Begins a file.
        on_part: Told of each that is complete.

    Raises:
        ConfigurationError: The first file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        config: RecordingConfig,
        *,
        rate: int,
        width: int,
        open_part: Callable[[Path], PartWriter],
        on_part: Callable[[RecordedPart], None],
    ) -> None:
        self.written = 0
        self._path = path
        self._rate = rate
        self._width = width
        self._part_samples = None if config.part_seconds is None else round(config.part_seconds * rate)
        self._part_bytes = config.part_bytes
        self._open_part = open_part
        self._on_part = on_part
        self._number = 0
        self._watched = -1  # a descriptor of the file that is open
        self._begin()

    def write(self, data: bytes, samples: int) -> None:
        """Append something that lasts so many samples; nothing of it is lost between two parts.

        Raises:
            OSError: The file cannot be written, or somebody has removed it.
        """
        while samples:
            if self._is_full():
                self._end()
                self._begin()
            fit = samples
            if self._width and self._part_samples is not None:
                fit = min(samples, self._part_samples - self._in_part)
            piece = data[: fit * self._width] if self._width else data
            data = data[fit * self._width :]
            self._writer.write(piece)
            self._in_part += fit
            self.written += fit
            samples -= fit

    def flush(self) -> None:
        """Have what was appended survive the end of the process.

        Raises:
            OSError: The file cannot be written, or somebody has removed it.
        """
        self._writer.flush()
        if os.fstat(self._watched).st_nlink == 0:
            raise OSError(errno.ENOENT, "somebody has removed the file")

    def close(self) -> None:
        """Complete the last part."""
        self._end()

    def abandon(self) -> None:
        """Close the file that is open, if there is one; nobody is told of it."""
        watched, self._watched = self._watched, -1
        if watched >= 0:
            os.close(watched)
            self._writer.close()

    @property
    def part(self) -> Path:
        """The file that is being written."""
        if self._part_samples is None and self._part_bytes is None:
            return self._path
        return self._path.with_name(f"{self._path.stem}-{self._number:03}{self._path.suffix}")

    def _begin(self) -> None:
        self._number += 1
        self._in_part = 0
        self._writer = self._open_part(self.part)
        self._watched = os.open(self.part, os.O_RDONLY | os.O_CLOEXEC)

    def _is_full(self) -> bool:
        if self._part_samples is not None and self._in_part >= self._part_samples:
            return True
        return self._part_bytes is not None and os.fstat(self._watched).st_size >= self._part_bytes

    def _end(self) -> None:
        self.abandon()
        self._on_part(RecordedPart(self.part, self._number, self._in_part / self._rate))


def open_stereo(path: Path, sample_rate: int) -> PartWriter:
    """Begin a file of the kind that its suffix says; it is replaced if there is one.

    Args:
        path: `.wav` (16-bit PCM), `.flac`, or `.opus` or `.ogg` (Opus in Ogg).
        sample_rate: Samples a second and channel.

    Raises:
        ConfigurationError: There is no such kind, it cannot have this rate, or the file cannot be written.
    """
    kinds: dict[str, Callable[[Path, int], PartWriter]] = {
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

    def write(self, data: bytes) -> None:
        self._wave.writeframes(data)

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        try:
            self._wave.close()
        finally:
            self._file.close()


class _OpusWriter:
    """An Ogg file is whole after each of its pages, which libsndfile writes about once a second."""

    def __init__(self, path: Path, sample_rate: int) -> None:
        import soundfile

        self._file = soundfile.SoundFile(os.fsencode(path), "w", sample_rate, CHANNELS, "OPUS", format="OGG")

    def write(self, data: bytes) -> None:
        self._file.buffer_write(data, "int16")

    def flush(self) -> None:
        """Pages come by themselves."""

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

    def write(self, data: bytes) -> None:
        self._file.buffer_write(data, "int16")
        self._written += len(data) // (2 * CHANNELS)

    def flush(self) -> None:
        frame = int.from_bytes(os.pread(self._header, 2, self.FRAME_SIZE_AT), "big")
        if frame and self._written > frame:
            # The encoder holds a frame back until it has seen one sample more.
            complete = (self._written - 1) // frame * frame
            os.pwrite(self._header, (complete % 2**32).to_bytes(4, "big"), self.SAMPLES_AT)

    def close(self) -> None:
        os.close(self._header)
        self._file.close()
