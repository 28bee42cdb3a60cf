"""Audio files as mono 16-bit samples, at the rate a call wants.

NumPy and soundfile are imported on first use: a program that never touches a file does not pay for them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Self

from telnyx_native.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Buffer

__all__ = ["WavWriter", "read_audio", "resample", "write_wav"]

HALF_WIDTH = 24
"""Zero crossings of the sinc on either side of its centre: the length of the low-pass filter."""

KAISER_BETA = 9.0
"""Shape of the window on the sinc: about 90 dB of stop-band attenuation."""

PASSBAND = 0.94
"""Share of the lower Nyquist frequency that is kept; the rest is the filter's slope."""


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
        channels, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise ConfigurationError(f"cannot read audio from {path}: {error}") from error
    mono = resample(channels.mean(axis=1), rate, sample_rate)
    return np.rint(np.clip(mono * 32768.0, -32768, 32767)).astype(np.int16)


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
            self._file = soundfile.SoundFile(path, "w", sample_rate, 1, "PCM_16", format="WAV")
        except (OSError, soundfile.SoundFileError) as error:
            raise ConfigurationError(f"cannot write audio to {path}: {error}") from error

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


def resample(samples: NDArray[Any], from_rate: int, to_rate: int) -> NDArray[np.float64]:
    """Change the rate of a signal with a polyphase windowed-sinc filter, without delay.

    Args:
        samples: The signal, one channel.
        from_rate: Its rate in Hz.
        to_rate: The wanted rate in Hz.

    Returns:
        The signal at the new rate: `ceil(len(samples) * to_rate / from_rate)` samples.
    """
    import numpy as np
    from numpy.lib.stride_tricks import sliding_window_view

    signal = np.asarray(samples, dtype=np.float64)
    if from_rate == to_rate or not signal.size:
        return signal
    divisor = math.gcd(from_rate, to_rate)
    up, down = to_rate // divisor, from_rate // divisor
    cutoff = PASSBAND * min(1.0, to_rate / from_rate)
    half = math.ceil(HALF_WIDTH / cutoff)
    padded = np.concatenate([np.zeros(half), signal, np.zeros(half + down)])
    windows = sliding_window_view(padded, 2 * half)
    output = np.empty(-(-signal.size * up // down))
    for first in range(min(up, output.size)):
        # Outputs `up` apart fall between the same two input samples at the same fraction: one filter for all.
        base, phase = divmod(first * down, up)
        kernel = _kernel(phase / up, half, cutoff)
        outputs = output[first::up]
        outputs[:] = windows[base + 1 :: down][: outputs.size] @ kernel
    return output


def _kernel(fraction: float, half: int, cutoff: float) -> NDArray[np.float64]:
    """Return the filter for an output that lies `fraction` of a sample after input `half - 1`."""
    import numpy as np

    distance = np.arange(2 * half) - (half - 1) - fraction
    window = np.i0(KAISER_BETA * np.sqrt(np.clip(1 - (distance / half) ** 2, 0, 1))) / np.i0(KAISER_BETA)
    kernel = np.sinc(distance * cutoff) * window
    normalised: NDArray[np.float64] = kernel / kernel.sum()
    return normalised
