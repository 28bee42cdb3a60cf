"""How a call goes, by the tones of the network: ringback, busy, congestion, special information, fax machines.

Native code finds tones that keep their frequencies (`csrc/audio/steady_tone_detector.h`), and says when one begins,
lasts, and ends. `ProgressMatcher` compares them with the table of `media/network_tones.py`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from telnyx_native import _audio
from telnyx_native.config import require_sample_rate
from telnyx_native.media.network_tones import CADENCES, SPECIAL_INFORMATION, Signal, ToneRegion

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from typing_extensions import Buffer

    from telnyx_native.media.network_tones import Cadence

__all__ = ["CallProgress", "CallProgressDetector", "ProgressMatcher", "SteadyTone", "TonePhase", "frames_of", "is_near"]


class TonePhase(IntEnum):
    """What is new of a steady tone; the numbers are those of the native detector."""

    BEGAN = _audio.TONE_BEGAN
    LASTS = _audio.TONE_LASTS
    ENDED = _audio.TONE_ENDED


@dataclass(frozen=True, slots=True)
class SteadyTone:
    """A tone that keeps its frequencies, as far as it was heard.

    Attributes:
        phase: What is new of it.
        at: Where it began, in seconds of received audio.
        duration: Seconds so far, or in all when it has ended.
        frequencies: Hz, one or two.
    """

    phase: TonePhase
    at: float
    duration: float
    frequencies: tuple[int, ...]

    @property
    def end(self) -> float:
        """Up to where it was heard."""
        return self.at + self.duration


@dataclass(frozen=True, slots=True)
class CallProgress:
    """The network, or a fax machine, tells something with a tone.

    Attributes:
        signal: What it means; where that differs, what it means in most of the regions that have it.
        at: Where the tone, or its rhythm, began, in seconds of received audio since the call began.
        frequencies: Hz, as they were heard; of SIT those of the last tone.
        meanings: Regions, and what it means there: 425 Hz four times a second are congestion in most of Europe, and
            busy in Brazil. Empty for SIT and for fax machines, which are the same everywhere.
    """

    signal: Signal
    at: float
    frequencies: tuple[int, ...]
    meanings: tuple[tuple[ToneRegion, Signal], ...] = ()

    def signal_in(self, region: ToneRegion | str) -> Signal | None:
        """Return what it means in a region; `None` if that has no such tone."""
        return dict(self.meanings).get(ToneRegion(region)) if self.meanings else self.signal


FREQUENCY_TOLERANCE = 0.02
"""Of a frequency; networks keep theirs to 1 or 2 %."""

RHYTHM_TOLERANCE, RHYTHM_SLACK = 0.12, 0.02
"""Of the length of a tone or a pause, and seconds besides."""

DIAL_TIME = 2.5
"""Seconds without a pause that are longer than any ringback tone."""

SIT_FREQUENCY_TOLERANCE, SIT_LENGTHS, SIT_GAP = 0.06, (0.2, 0.45), 0.1
"""E.180, clause 8, and the shorter and longer ones of North America (ANSI T1.401)."""

CNG_FREQUENCY_TOLERANCE, CNG_LENGTHS = 38 / 1100, (0.425, 0.575)
"""T.30: 1100 Hz within 38 Hz, 0.5 s within 15 %."""

CED_FREQUENCY_TOLERANCE, CED_TIME = 15 / 2100, 0.4
"""T.30: 2100 Hz within 15 Hz. A modem turns its phase every 450 ms (V.8), where it begins anew."""

SAME_SIGNAL = 7.0
"""Seconds of silence after which a signal that comes again is told again."""


def is_near(heard: float, nominal: float, tolerance: float = FREQUENCY_TOLERANCE) -> bool:
    """Whether a frequency is one of the table."""
    return abs(heard - nominal) <= tolerance * nominal


def _sounds_like(heard: Sequence[int], nominal: Sequence[float]) -> bool:
    return len(heard) == len(nominal) and all(map(is_near, heard, nominal))


def _misfit(heard: Sequence[float], nominal: Sequence[float]) -> float | None:
    """How far lengths are from those of a rhythm, in all; `None` if one is too far."""
    off = [abs(a - b) for a, b in zip(heard, nominal, strict=True)]
    fits = all(o <= RHYTHM_TOLERANCE * b + RHYTHM_SLACK for o, b in zip(off, nominal, strict=True))
    return sum(off) if fits else None


class ProgressMatcher:
    """Makes signals of steady tones. Pure: what it is told has the time with it.

    A ringback tone is known by its first ring, busy and congestion when their second tone begins, SIT with its third
    tone, a dial tone after 2.5 s. A signal that goes on is told once.
    """

    def __init__(self) -> None:
        self._heard: deque[SteadyTone] = deque(maxlen=3)
        self._told: Signal | None = None
        self._last = 0.0

    def take(self, tone: SteadyTone) -> CallProgress | None:
        """Take what is new of a tone; return the signal that it makes, if that is a new one."""
        if tone.at - self._last > SAME_SIGNAL:
            self._told = None
        self._last = tone.end
        found = self._everywhere(tone) or self._somewhere(tone)
        if tone.phase is TonePhase.ENDED:
            self._heard.append(tone)
        if found is None or found.signal is self._told:
            return None
        self._told = found.signal
        return found

    def _everywhere(self, tone: SteadyTone) -> CallProgress | None:
        if len(tone.frequencies) != 1:
            return None
        (hz,) = tone.frequencies
        if is_near(hz, 2100, CED_FREQUENCY_TOLERANCE) and tone.duration >= CED_TIME:
            return CallProgress(Signal.FAX_CED, tone.at, tone.frequencies)
        if (
            tone.phase is TonePhase.ENDED
            and is_near(hz, 1100, CNG_FREQUENCY_TOLERANCE)
            and CNG_LENGTHS[0] <= tone.duration <= CNG_LENGTHS[1]
        ):
            return CallProgress(Signal.FAX_CNG, tone.at, tone.frequencies)
        if tone.phase is TonePhase.BEGAN and self._is_third_of_sit(tone):
            return CallProgress(Signal.SIT, self._heard[-2].at, tone.frequencies)
        return None

    def _is_third_of_sit(self, tone: SteadyTone) -> bool:
        tones = [*list(self._heard)[-2:], tone]
        return (
            len(tones) == len(SPECIAL_INFORMATION)
            and all(
                len(heard.frequencies) == 1 and is_near(heard.frequencies[0], hz, SIT_FREQUENCY_TOLERANCE)
                for heard, (hz, _) in zip(tones, SPECIAL_INFORMATION, strict=True)
            )
            and all(SIT_LENGTHS[0] <= heard.duration <= SIT_LENGTHS[1] for heard in tones[:-1])
            and all(after.at - before.end <= SIT_GAP for before, after in pairwise(tones))
        )

    def _somewhere(self, tone: SteadyTone) -> CallProgress | None:
        candidates = {key: c for key, c in CADENCES.items() if _sounds_like(tone.frequencies, c.frequencies)}
        match tone.phase:
            case TonePhase.LASTS if tone.duration >= DIAL_TIME:
                fitting = {key: 0.0 for key, cadence in candidates.items() if not cadence.rhythm}
            case TonePhase.BEGAN if self._heard and self._heard[-1].frequencies:
                before = self._heard[-1]
                heard = (before.duration, tone.at - before.end)
                alike = {key: c for key, c in candidates.items() if _sounds_like(before.frequencies, c.frequencies)}
                fitting = dict(_fitting(alike, heard))
                return _best(fitting, before.at, tone.frequencies)
            case TonePhase.ENDED:
                fitting = dict(_fitting(candidates, (tone.duration,)))
                if any(signal is not Signal.RINGBACK for signal, _ in fitting):
                    return None  # its pause will tell
            case _:
                return None
        return _best(fitting, tone.at, tone.frequencies)


def _fitting(
    candidates: dict[tuple[Signal, ToneRegion], Cadence], heard: Sequence[float]
) -> Iterator[tuple[tuple[Signal, ToneRegion], float]]:
    """The rhythms that have these lengths one after another, with how far they are off."""
    for key, cadence in candidates.items():
        turns = [cadence.rhythm[i : i + len(heard)] for i in range(0, len(cadence.rhythm), 2)]
        off = [misfit for turn in turns if (misfit := _misfit(heard, turn)) is not None]
        if off:
            yield key, min(off)


def _best(
    fitting: dict[tuple[Signal, ToneRegion], float], at: float, frequencies: tuple[int, ...]
) -> CallProgress | None:
    """The signal of the nearest rhythms; of equally near ones, what most regions mean by them."""
    if not fitting:
        return None
    nearest = min(fitting.values())
    signals = [signal for (signal, _), off in fitting.items() if off <= nearest + RHYTHM_SLACK / 2]
    meanings: dict[ToneRegion, tuple[float, Signal]] = {}
    for (signal, region), off in fitting.items():
        if region not in meanings or off < meanings[region][0]:
            meanings[region] = (off, signal)
    return CallProgress(
        max(signals, key=signals.count),
        at,
        frequencies,
        tuple((region, signal) for region, (_, signal) in sorted(meanings.items())),
    )


def frames_of(rest: bytearray, pcm: Buffer, size: int) -> Iterator[bytes]:
    """Put samples behind what is left of earlier ones, and take off whole frames of `size` samples.

    Raises:
        TypeError: `pcm` holds something else than 16-bit samples.
    """
    _audio.samples_in(pcm, _audio.INT16)
    view = memoryview(pcm)
    if view.format == "f":
        raise TypeError("the detector takes 16-bit samples")
    rest += view.tobytes()
    while len(rest) >= 2 * size:
        frame = bytes(rest[: 2 * size])
        del rest[: 2 * size]
        yield frame


class SteadyTones:
    """Finds steady tones in frames of 10 ms; `now` is counted by them.

    Args:
        sample_rate: Samples a second.
    """

    def __init__(self, sample_rate: int) -> None:
        require_sample_rate(sample_rate)
        self._native = _audio.SteadyToneDetector(sample_rate)
        self.now = 0.0

    def take(self, frame: bytes) -> SteadyTone | None:
        """Take the next frame; return what is new of a tone."""
        self.now = round(self.now + 0.01, 2)
        found = self._native.process(frame)
        if found is None:
            return None
        phase, ago, duration, low, high = found
        return SteadyTone(TonePhase(phase), self.now - ago / 1000, duration / 1000, (low, high) if high else (low,))


class CallProgressDetector:
    """Finds call-progress tones in samples; a call does it by itself, see `Call.call_progress_flow`.

    Tones may be 2 % off, 40 dB under full scale and 4 dB over the noise.

    Args:
        sample_rate: Samples a second: 8, 16, 24, 32 or 48 thousand.

    Raises:
        ConfigurationError: It is none of these.
    """

    def __init__(self, sample_rate: int) -> None:
        self._tones = SteadyTones(sample_rate)
        self._matcher = ProgressMatcher()
        self._frame = sample_rate // 100
        self._rest = bytearray()

    def feed(self, pcm: Buffer) -> list[CallProgress]:
        """Take the next samples; return the signals that became clear in them.

        Args:
            pcm: Any buffer of mono 16-bit samples, of any length.

        Raises:
            TypeError: `pcm` holds something else than 16-bit samples.
        """
        found = []
        for frame in frames_of(self._rest, pcm, self._frame):
            tone = self._tones.take(frame)
            progress = self._matcher.take(tone) if tone else None
            if progress is not None:
                found.append(progress)
        return found
