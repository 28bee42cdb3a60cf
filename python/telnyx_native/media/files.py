"""Audio files as mono 16-bit samples, at the rate a call wants.

NumPy and soundfile are imported on first use: a program that never touches a file does not pay for them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

from telnyx_native import _audio
from telnyx_native.errors import ConfigurationError
from telnyx_native.media.sources import require_source_rate

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Buffer

__all__ = ["WavWriter", "read_audio", "write_wav"]


def read_audio(path: str | Path, sample_rate: int) -> NDArray[np.int16]:
    """Read a sound file (WAV, FLAC, Ogg, MP3, …) as mono 16-bit samples.

    Args:
        path: The file.
        sample_rate: Wanted rate in Hz; the file is resampled to it.

    Returns:
        The samples; the channels of the file are averaged.

    Raises:
        ConfigurationError: The file is missing, or is not audio that libsndfile can read.
    """
    import numpy as np
    import soundfile

    try:
        channels, rate = soundfile.read(os.fsencode(path), dtype="float32", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise ConfigurationError(f"cannot read audio from {str(path)!r}: {error}") from error
    converter = _audio.Converter(require_source_rate(rate), sample_rate)
    converter.feed(channels.mean(axis=1, dtype=np.float32))
    converter.finish()
    return np.frombuffer(converter.take(), np.int16).copy()


def write_wav(path: str | Path, samples: Buffer, sample_rate: int) -> None:
    """Write mono 16-bit samples to a WAV file.

    Args:
        path: The file; it is replaced.
        samples: Any buffer of 16-bit samples.
        sample_rate: Their rate in Hz.

    Raises:
        ConfigurationError: The file cannot be written.
    """
    with WavWriter(path, sample_rate) as writer:
        writer.write(samples)


class WavWriter:
    """A WAV file, mono and 16-bit, that grows.

    Args:
        path: The file; it is replaced.
        sample_rate: Samples a second.

    Raises:
        ConfigurationError: The file cannot be written.
    """

    def __init__(self, path: str | Path, sample_rate: int) -> None:
        import soundfile

        try:
            self._file = soundfile.SoundFile(os.fsencode(path), "w", sample_rate, 1, "PCM_16", format="WAV")
        except (OSError, soundfile.SoundFileError) as error:
            raise ConfigurationError(f"cannot write audio to {str(path)!r}: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def write(self, samples: Buffer) -> None:
        """Append samples: any buffer of 16-bit samples."""
        self._file.buffer_write(memoryview(samples).cast("B"), "int16")

    def close(self) -> None:
        """Complete the file."""
        self._file.close()
