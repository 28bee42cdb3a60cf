"""Stereo sound files that grow, and can be played whenever the process is killed."""

from __future__ import annotations

import os
import wave
from typing import TYPE_CHECKING, Protocol

from telnyx_native.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["StereoWriter", "open_stereo"]

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
