"""Audio with a known content, and how to find it again in what came back. All signals are mono int16 arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]


def tone(hz: float, seconds: float, rate: int, amplitude: int = 8000) -> Pcm:
    t = np.arange(round(seconds * rate)) / rate
    return (amplitude * np.sin(2 * np.pi * hz * t)).astype(np.int16)


def chirp(seconds: float, rate: int, low: float = 300, high: float = 3000, amplitude: int = 10000) -> Pcm:
    """A tone that rises from `low` to `high` Hz: its correlation with itself has one sharp peak."""
    t = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * (low * t + (high - low) / (2 * seconds) * t**2)
    return (amplitude * np.sin(phase)).astype(np.int16)


def silence(seconds: float, rate: int) -> Pcm:
    return np.zeros(round(seconds * rate), np.int16)


def pcm(data: bytes) -> Pcm:
    return np.frombuffer(data, np.int16)


def find(needle: Pcm, haystack: Pcm) -> tuple[int, float]:
    """Where `needle` is in `haystack` (in samples), and how alike they are there (1 is identical up to volume)."""
    a, b = needle.astype(float), haystack.astype(float)
    size = len(a) + len(b)
    product = np.fft.irfft(np.fft.rfft(b, size) * np.conj(np.fft.rfft(a, size)), size)[: len(b) - len(a) + 1]
    energy = np.convolve(b**2, np.ones(len(a)), "valid")
    alike = product / np.sqrt(np.maximum(energy, 1) * np.sum(a**2))
    where = int(np.argmax(alike))
    return where, float(alike[where])


def likeness(needle: Pcm, haystack: Pcm) -> float:
    """How well `needle` was heard: the median over its eighths, since the jitter buffer may stretch one of them."""
    return float(np.median([find(part, haystack)[1] for part in np.array_split(needle, 8)]))


def dominant_frequency(samples: Pcm, rate: int) -> float:
    """The loudest frequency in Hz."""
    windowed = samples.astype(float) * np.hanning(len(samples))
    return float(np.argmax(np.abs(np.fft.rfft(windowed))) * rate / len(samples))


def rms(samples: Pcm) -> float:
    return float(np.sqrt(np.mean(samples.astype(float) ** 2))) if len(samples) else 0.0


def holes(samples: Pcm, rate: int, floor: float = 300) -> int:
    """How many whole 10 ms of a steady signal are missing, as silence, inside it."""
    frame = rate // 100
    levels = [rms(samples[i : i + frame]) for i in range(0, len(samples) - frame + 1, frame)]
    loud = [i for i, level in enumerate(levels) if level > floor]
    return sum(level <= floor for level in levels[loud[0] : loud[-1]]) if loud else len(levels)
