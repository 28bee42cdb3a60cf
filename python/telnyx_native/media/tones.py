"""Tones of the telephone network, as samples: plain tones, DTMF keys, and what a caller hears while a call is set up.

All functions return mono 16-bit samples. Tones begin and end in 5 ms along a raised cosine, so that nothing clicks, and
the phase goes on through the pauses of a cadence. Levels are those of each single frequency, in dB under a sine of full
scale (dBFS).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from telnyx_native.errors import ConfigurationError
from telnyx_native.media.network_tones import SPECIAL_INFORMATION, Cadence, Signal, ToneRegion, cadence_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "DTMF_FREQUENCIES",
    "Cadence",
    "Signal",
    "ToneRegion",
    "cadence",
    "comfort_noise",
    "dtmf_tones",
    "endless_tone",
    "progress_tone",
    "tone",
]

LEVEL = -12.0
"""dBFS of each frequency, unless said otherwise; about -9 dBm0 on a telephone line."""

EDGE_SECONDS = 0.005
"""How long a tone takes to come and to go."""

COMFORT_LEVEL = -60.0
"""dBFS of comfort noise, unless said otherwise: a quiet room."""

LOUDEST_NOISE = -20.0
"""dBFS; with it, peaks stay under full scale."""

FULL_SCALE = 32767

_ROWS = (697, 770, 852, 941)
_COLUMNS = (1209, 1336, 1477, 1633)

DTMF_FREQUENCIES = {
    key: (_ROWS[row], _COLUMNS[column])
    for row, keys in enumerate(("123A", "456B", "789C", "*0#D"))
    for column, key in enumerate(keys)
}
"""The two frequencies of each key in Hz, low and high (ITU-T Q.23)."""


def tone(
    frequencies: Sequence[float], duration: float, sample_rate: int, level_dbfs: float = LEVEL
) -> NDArray[np.int16]:
    """Return frequencies that sound together.

    Args:
        frequencies: Hz, each under half of `rate`.
        duration: Seconds.
        sample_rate: Samples a second.
        level_dbfs: Level of each frequency.

    Raises:
        ConfigurationError: A frequency cannot be had at this rate, or together they would be louder than full scale.
    """
    return cadence(Cadence(tuple(frequencies)), duration, sample_rate, level_dbfs)


def dtmf_tones(
    keys: str, sample_rate: int, *, duration: float = 0.1, gap: float = 0.05, level_dbfs: float = LEVEL
) -> NDArray[np.int16]:
    """Return the tones of DTMF keys one after another, each with a pause behind it.

    Args:
        keys: Any of 0-9, *, # and A-D.
        sample_rate: Samples a second.
        duration: Seconds each key sounds; receivers need 0.04.
        gap: Seconds between two keys; receivers need 0.04.
        level_dbfs: Level of each of the two frequencies.

    Raises:
        ConfigurationError: There is no such key, or the level would be over full scale.
    """
    unknown = set(keys.upper()) - DTMF_FREQUENCIES.keys()
    if unknown:
        raise ConfigurationError(f"no telephone has the keys {''.join(sorted(unknown))!r}")
    silence = np.zeros(round(gap * sample_rate), np.int16)
    parts = [part for key in keys.upper() for part in (_key(key, duration, sample_rate, level_dbfs), silence)]
    return np.concatenate(parts) if parts else silence[:0]


def progress_tone(
    signal: Signal | str, region: ToneRegion | str, duration: float, sample_rate: int, level_dbfs: float = LEVEL
) -> NDArray[np.int16]:
    """Return what a caller hears of the network, from the beginning of its rhythm on.

    Args:
        signal: Which; SIT and the tones of faxes are the same everywhere.
        region: Whose.
        duration: Seconds.
        sample_rate: Samples a second.
        level_dbfs: Level of each frequency.

    Raises:
        ValueError: There is no such signal or region.
        ConfigurationError: The region has no such tone.
    """
    signal, region = Signal(signal), ToneRegion(region)
    if signal is not Signal.SIT:
        return cadence(cadence_of(signal, region), duration, sample_rate, level_dbfs)
    samples = np.zeros(round(duration * sample_rate), np.int16)
    told = np.concatenate([tone((hz,), seconds, sample_rate, level_dbfs) for hz, seconds in SPECIAL_INFORMATION])
    samples[: told.size] = told[: samples.size]
    return samples


def cadence(pattern: Cadence, duration: float, sample_rate: int, level_dbfs: float = LEVEL) -> NDArray[np.int16]:
    """Return a tone in a rhythm of your own; see `tone` for the arguments and errors."""
    signal = _wave(pattern.frequencies, duration, sample_rate, level_dbfs)
    return np.rint(signal * _envelope(pattern.rhythm, signal.size, sample_rate)).astype(np.int16)


def endless_tone(frequencies: Sequence[int], sample_rate: int, level_dbfs: float = LEVEL) -> NDArray[np.int16]:
    """Return one second that can be repeated without a seam: frequencies of whole Hz, without soft edges.

    See `tone` for the arguments and errors.
    """
    return np.rint(_wave(frequencies, 1.0, sample_rate, level_dbfs)).astype(np.int16)


def comfort_noise(duration: float, sample_rate: int, level_dbfs: float = COMFORT_LEVEL) -> NDArray[np.int16]:
    """Return the quiet noise of a line that is open, so that a pause does not sound like the end of the call.

    It has less of what is higher, 3 dB an octave from 100 Hz on, as rooms do. It can be repeated without a seam.

    Args:
        duration: Seconds; of two and more nobody hears that it is repeated.
        sample_rate: Samples a second.
        level_dbfs: The level of its root mean square.

    Raises:
        ConfigurationError: It would be louder than -20 dBFS, which is no comfort.
    """
    if level_dbfs > LOUDEST_NOISE:
        raise ConfigurationError(f"comfort noise is quieter than {LOUDEST_NOISE:g} dBFS, not {level_dbfs:g}")
    samples = round(duration * sample_rate)
    if samples < 2:
        return np.zeros(samples, np.int16)
    # Made in the frequency domain, it is periodic: its end goes on as its beginning.
    spectrum = np.fft.rfft(np.random.default_rng().standard_normal(samples))
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(samples, 1 / sample_rate), 100))
    spectrum[0] = 0
    noise = np.fft.irfft(spectrum, samples)
    noise *= FULL_SCALE * 10 ** (level_dbfs / 20) / np.sqrt(np.mean(noise**2))
    return np.rint(noise).astype(np.int16)


@lru_cache(maxsize=64)
def _key(key: str, duration: float, sample_rate: int, level_dbfs: float) -> NDArray[np.int16]:
    return tone(DTMF_FREQUENCIES[key], duration, sample_rate, level_dbfs)


def _wave(frequencies: Sequence[float], duration: float, sample_rate: int, level_dbfs: float) -> NDArray[np.float64]:
    if not frequencies or not all(0 < hz < sample_rate / 2 for hz in frequencies):
        raise ConfigurationError(f"a tone has frequencies between 0 and {sample_rate // 2} Hz, not {list(frequencies)}")
    amplitude = FULL_SCALE * 10 ** (level_dbfs / 20)
    if amplitude * len(frequencies) > FULL_SCALE + 1:
        raise ConfigurationError(f"{len(frequencies)} frequencies of {level_dbfs:g} dBFS are louder than full scale")
    time = np.arange(round(duration * sample_rate)) / sample_rate
    wave = np.zeros(time.size)
    for hz in frequencies:
        wave += np.sin(2 * np.pi * hz * time)
    return np.clip(amplitude * wave, -FULL_SCALE, FULL_SCALE)


def _envelope(rhythm: Sequence[float], samples: int, sample_rate: int) -> NDArray[np.float64]:
    """Return 1 where the tone is on and 0 where it is off, with soft edges inside the on times."""
    envelope = np.zeros(samples)
    edge = round(EDGE_SECONDS * sample_rate)
    position, on, turn = 0.0, True, 0
    while round(position * sample_rate) < samples:
        length = rhythm[turn % len(rhythm)] if rhythm else samples / sample_rate
        if on:
            part = envelope[round(position * sample_rate) : round((position + length) * sample_rate)]
            slope = 0.5 - 0.5 * np.cos(np.pi * (np.arange(min(edge, part.size // 2)) + 0.5) / edge)
            part[:] = 1.0
            part[: slope.size] *= slope
            part[part.size - slope.size :] *= slope[::-1]
        position, on, turn = position + length, not on, turn + 1
    return envelope
