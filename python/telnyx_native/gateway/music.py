"""Music for who waits, made of sines."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["waiting_music"]

BEAT = 0.5
"""Seconds; 120 beats a minute."""

CHORDS = (("A2", "C4", "E4", "A4"), ("F2", "C4", "F4", "A4"), ("C3", "C4", "E4", "G4"), ("G2", "B3", "D4", "G4"))
"""Bass and three notes, for four beats each: Am F C G."""

MELODY = "E5 - D5 C5  A4 - C5 D5  E5 G5 E5 D5  B4 - D5 -"
"""A note a beat; a dash holds the last one."""

PARTIALS = (1.0, 0.35, 0.12)
"""Amplitudes of the harmonics of a note."""

PEAK = 8_000

_SEMITONES = {"C": -9, "D": -7, "E": -5, "F": -4, "G": -2, "A": 0, "B": 2}


@lru_cache(maxsize=4)
def waiting_music(rate: int) -> NDArray[np.int16]:
    """Return eight seconds of music, to be repeated without a seam.

    Args:
        rate: Samples a second.
    """
    beats = 4 * len(CHORDS)
    music = np.zeros(round(beats * BEAT * rate))
    for bar, (bass, *chord) in enumerate(CHORDS):
        _add(music, rate, bass, beat=4 * bar, beats=4, level=0.5)
        for beat in range(4):
            for step, note in enumerate(chord):
                _add(music, rate, note, beat=4 * bar + beat + step / 3, beats=1, level=0.25)
    notes = MELODY.split()
    for beat, note in enumerate(notes):
        if note != "-":
            held = next((i for i, after in enumerate(notes[beat + 1 :], 1) if after != "-"), len(notes) - beat)
            _add(music, rate, note, beat=beat, beats=held, level=0.6)
    samples: NDArray[np.int16] = np.rint(music * (PEAK / np.abs(music).max())).astype(np.int16)
    samples.setflags(write=False)
    return samples


def _add(music: NDArray[np.float64], rate: int, note: str, *, beat: float, beats: float, level: float) -> None:
    """Add a plucked note; what sounds beyond the end goes on at the beginning."""
    hz = 440.0 * 2 ** ((_SEMITONES[note[0]] + 12 * (int(note[1]) - 4)) / 12)
    time = np.arange(round((beats * BEAT + 0.4) * rate)) / rate
    envelope = np.minimum(time / 0.01, 1.0) * np.exp(-2.0 * time) * np.clip((time[-1] - time) / 0.1, 0.0, 1.0)
    wave = sum(share * np.sin(2 * np.pi * hz * (n + 1) * time) for n, share in enumerate(PARTIALS))
    places = (round(beat * BEAT * rate) + np.arange(time.size)) % music.size
    music[places] += level * envelope * wave
