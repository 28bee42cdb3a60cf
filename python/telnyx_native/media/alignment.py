"""Finding a known sound in a recording: where it starts, and how much of it survived.

NumPy is imported on first use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Alignment", "align"]

PIECE = 0.25
"""Seconds of the reference that are compared at a time."""

DRIFT = 0.06
"""Seconds a piece may lie off where the whole was found: a jitter buffer stretches and squeezes time."""


@dataclass(frozen=True)
class Alignment:
    """Where a reference was found in a recording.

    Attributes:
        offset: Seconds from the start of the recording to the start of the reference.
        correlation: How alike they are, 0 to 1: the normalised cross-correlation of the aligned pieces,
            each piece weighted by its energy.
    """

    offset: float
    correlation: float


def align(reference: Any, recording: Any, sample_rate: int) -> Alignment:
    """Find `reference` in `recording` by cross-correlation, exact to a sample.

    Args:
        reference: The known sound, `int16` or float samples.
        recording: What was recorded, at the same rate.
        sample_rate: Samples a second of both.
    """
    import numpy as np

    wanted = np.asarray(reference, dtype=np.float64)
    heard = np.asarray(recording, dtype=np.float64)
    if not wanted.any() or not heard.any():
        return Alignment(offset=0.0, correlation=0.0)
    lag = int(np.argmax(_correlate(heard, wanted))) - (wanted.size - 1)
    return Alignment(lag / sample_rate, _likeness(wanted, heard, lag, sample_rate))


def _correlate(heard: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the full cross-correlation; index `wanted.size - 1` is lag zero."""
    import numpy as np

    length = heard.size + wanted.size - 1
    size = 1 << (length - 1).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.fft.rfft(wanted[::-1], size)
    return np.fft.irfft(spectrum, size)[:length]


def _likeness(wanted: NDArray[np.float64], heard: NDArray[np.float64], lag: int, sample_rate: int) -> float:
    import numpy as np

    piece, drift = int(PIECE * sample_rate), int(DRIFT * sample_rate)
    # Padding, so that every piece can be looked for on both sides of where it should be.
    margin = wanted.size + drift
    padded = np.pad(heard, margin)
    total = weight = 0.0
    for start in range(0, wanted.size, piece):
        part = wanted[start : start + piece]
        energy = float(part @ part)
        around = padded[margin + lag + start - drift :][: part.size + 2 * drift]
        if energy:
            total += energy * _peak(part, around)
            weight += energy
    return total / weight


def _peak(part: NDArray[np.float64], around: NDArray[np.float64]) -> float:
    """Return the highest normalised correlation of `part` with any stretch of `around` as long as it."""
    import numpy as np

    products = _correlate(around, part)[part.size - 1 : around.size]
    sums = np.concatenate([[0.0], np.cumsum(around**2)])
    energies = sums[part.size :] - sums[: -part.size]
    norms = np.sqrt(np.maximum(energies, 1e-9) * float(part @ part))
    return float(np.max(products / norms, initial=0.0))
