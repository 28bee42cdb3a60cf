"""Recognising what a call receives: a known sound, a tone, speech, silence."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from telnyx_native.errors import ConfigurationError
from telnyx_native.event_loop import run_blocking
from telnyx_native.media.detectors import VoiceActivityDetector

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_native.media.stream import AudioStream

__all__ = ["ReceivedAudio", "Samples", "SoundPattern", "end_of_silence", "end_of_speech", "end_of_tone"]


Samples = NDArray[np.int16]

FRAME = 0.01
"""Seconds between two spectra of a sound."""

WINDOW = 0.025
"""Seconds that a spectrum is made of."""

BANDS = np.geomspace(125, 3700, 19)
"""Hz: the bounds of the bands of a spectrum, in what telephones carry."""

DEPTH = 50.0
"""dB under the loudest band of a sound, below which nothing is looked at."""

LEAST_CONTRAST = 3.0
"""dB by which the bands of a sound must change; one that is always the same has nothing to be known by."""

PIECE = 0.6
"""Seconds of a sound that are looked for as one."""

DRIFT = 0.05
"""Seconds that a piece may be off its place."""

TONE_WINDOW = 0.2
"""Seconds of a tone that are needed to hear it."""

TONE_SHARE = 0.5
"""Part of the power that must be in the tone."""

SILENCE_LEVEL = 10 ** (-50 / 20) * 32768
"""Effective value of samples under which they are silence: -50 dBFS."""

SPEECH_FRAMES = 20
"""Frames of 10 ms in a row, but for short gaps, that make speech."""

SPEECH_GAP = 5


@dataclass(frozen=True)
class Match:
    """Where a sound was found.

    Attributes:
        end: Samples up to its end.
        similarity: How similar it is there, 1 for the same.
    """

    end: int
    similarity: float


class SoundPattern:
    """A sound to be recognised, whatever its level: the loudness of its bands over time, which codecs keep.

    Args:
        samples: The sound.
        rate: Samples a second.

    Raises:
        ConfigurationError: It is silent, too short, or the same all the time.
    """

    def __init__(self, samples: Samples, rate: int) -> None:
        self._rate = rate
        if len(samples) < 0.1 * rate or not np.any(samples):
            raise ConfigurationError("a sound to be recognised has a tenth of a second, and is not silent")
        bands = _bands(samples, rate)
        pieces = np.array_split(bands, max(1, round(len(bands) * FRAME / PIECE)))
        self._shapes = [piece - piece.mean(axis=0) for piece in pieces]
        self._weights = np.array([np.sum(shape**2) for shape in self._shapes])
        if float(np.sqrt(np.sum(self._weights) / bands.size)) < LEAST_CONTRAST:
            raise ConfigurationError("that sound is the same all the time: to hear a tone, use hears_tone")
        self._frames = len(bands)
        self.length = len(samples)

    def find(self, heard: Samples) -> Match:
        """Return where the sound is most likely to be in what was heard, whole.

        A jitter buffer stretches sounds a little, so each piece may be somewhat off its place behind the one before.
        """
        bands = _bands(heard, self._rate)
        if len(bands) < self._frames:
            return Match(0, 0.0)
        drift = round(DRIFT / FRAME)
        chained = np.zeros(len(bands) + 1)  # how similar the pieces before are, if they end at a frame
        for shape, weight in zip(self._shapes, self._weights, strict=True):
            similar = _similarities(bands, shape, weight)
            best = sliding_window_view(np.pad(chained, drift, constant_values=-np.inf), 2 * drift + 1).max(axis=1)
            chained = np.full(len(bands) + 1, -np.inf)
            chained[len(shape) :] = similar + best[: len(similar)]
        end = int(np.argmax(chained))
        samples = min(round((end - self._frames) * FRAME * self._rate) + self.length, len(heard))
        return Match(samples, float(chained[end] / self._weights.sum()))


def _similarities(bands: NDArray[np.float64], shape: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """Pearson's correlation of a piece with what was heard from each frame on, about the mean of each band in each.

    Times the `weight`, which is the sum of the squares of the piece.
    """
    frames = len(shape)
    products = np.einsum("lbt,tb->l", sliding_window_view(bands, frames, axis=0), shape)
    energies = np.sum(_moving_sums(bands**2, frames) - _moving_sums(bands, frames) ** 2 / frames, axis=1)
    similar: NDArray[np.float64] = products * np.sqrt(weight / np.maximum(energies, LEAST_CONTRAST**2 * shape.size))
    return similar


def _moving_sums(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    sums = np.cumsum(np.concatenate([np.zeros((1, values.shape[1])), values]), axis=0)
    moving: NDArray[np.float64] = sums[length:] - sums[:-length]
    return moving


def _bands(samples: Samples, rate: int) -> NDArray[np.float64]:
    """Return the level of each band in dB, a row for each frame."""
    powers = _powers(samples, rate)
    floor = max(1.0, float(powers.max(initial=0.0)) * 10 ** (-DEPTH / 10))
    levels: NDArray[np.float64] = 10 * np.log10(np.maximum(powers, floor))
    return levels


def _powers(samples: Samples, rate: int) -> NDArray[np.float64]:
    window, step = round(WINDOW * rate), round(FRAME * rate)
    if len(samples) < window:
        return np.zeros((0, len(BANDS) - 1))
    frames = sliding_window_view(samples.astype(np.float64), window)[::step] * np.hanning(window)
    spectra = np.abs(np.fft.rfft(frames, 1 << (window - 1).bit_length(), axis=1)) ** 2
    bins = np.round(BANDS / rate * 2 * (spectra.shape[1] - 1)).astype(int)
    powers: NDArray[np.float64] = np.add.reduceat(spectra[:, : bins[-1]], bins[:-1], axis=1)
    return powers


def end_of_tone(heard: Samples, rate: int, hz: float, tolerance: float) -> int | None:
    """Look for a tone.

    Args:
        heard: The samples.
        rate: Samples a second.
        hz: Its frequency.
        tolerance: How far off the frequency may be, in Hz.
    """
    window = round(TONE_WINDOW * rate) // 4 * 4
    frequencies = np.fft.rfftfreq(4 * window, 1 / rate)
    # A window of 0.2 s spreads a tone over 10 Hz on either side.
    near = np.abs(frequencies - hz) <= tolerance + 10
    for start in range(0, len(heard) - window + 1, window // 4):
        part = heard[start : start + window].astype(np.float64)
        quarters = [_effective(quarter) for quarter in part.reshape(4, -1)]
        if min(quarters) < max(SILENCE_LEVEL, 0.3 * max(quarters)):  # it begins or ends here
            continue
        spectrum = np.abs(np.fft.rfft(part * np.hanning(window), 4 * window)) ** 2
        loudest = frequencies[int(np.argmax(spectrum))]
        if abs(loudest - hz) <= tolerance and spectrum[near].sum() >= TONE_SHARE * spectrum.sum():
            return start + window
    return None


def end_of_silence(heard: Samples, rate: int, seconds: float) -> int | None:
    """Look for a time of silence."""
    step = rate // 100
    frames = heard[: len(heard) // step * step].reshape(-1, step).astype(np.float64)
    run = 0
    for index, quiet in enumerate(np.sqrt(np.mean(frames**2, axis=1)) < SILENCE_LEVEL):
        run = run + 1 if quiet else 0
        if run * step >= seconds * rate:
            return (index + 1) * step
    return None


def end_of_speech(heard: Samples, rate: int) -> int | None:
    """Look for speech; it is enough that it has begun."""
    detector = VoiceActivityDetector(rate, aggressiveness=3)
    step = rate // 100
    spoken = silent = 0
    for start in range(0, len(heard) - step + 1, step):
        if detector.is_speech(heard[start : start + step].data):
            spoken, silent = spoken + 1, 0
        else:
            silent += 1
        if silent > SPEECH_GAP:
            spoken = 0
        if spoken >= SPEECH_FRAMES:
            return start + step
    return None


def _effective(samples: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(samples**2)))


PORTION = 0.1
"""Seconds of audio that are taken at a time."""

MEMORY = 600.0
"""Seconds that are remembered."""

LOOK_INTERVAL = 0.2
"""Seconds of new audio before another look: looking takes time."""


class ReceivedAudio:
    """Hears a call, from now on until it ends."""

    def __init__(self, audio: AudioStream) -> None:
        self._rate = audio.sample_rate
        self._heard = bytearray()
        self._forgotten = 0  # samples that were heard before those
        self._mark = 0  # samples, from the beginning, that an expectation has used up
        self._grown = asyncio.Event()
        self._over = False
        self._listening = asyncio.create_task(self._listen(audio))

    @property
    def heard(self) -> Samples:
        """All that is remembered."""
        return np.frombuffer(bytes(self._heard), np.int16)

    async def expect(self, look: Callable[[Samples], int | None], within: float) -> bool:
        """Wait until something is heard in what no earlier expectation has used up; return whether it was.

        Args:
            look: Returns how many samples it has used up when it has found what it looks for.
            within: Seconds of waiting.
        """
        deadline = asyncio.get_running_loop().time() + within
        while True:
            over, length = self._over, self._forgotten + len(self._heard) // 2
            unused = np.frombuffer(bytes(self._heard[2 * max(0, self._mark - self._forgotten) :]), np.int16)
            used = await run_blocking(look, unused)
            if used is not None:
                self._mark = length - len(unused) + used
                return True
            if over or not await self._more(length, deadline):
                return False

    async def close(self) -> None:
        """Stop listening. What was heard is still there."""
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)

    def summary(self) -> str:
        """Say in a few words what was heard."""
        heard = self.heard.astype(np.float64)
        frames = heard[: len(heard) // 160 * 160].reshape(-1, 160)
        loud = int(np.sum(np.sqrt(np.mean(frames**2, axis=1)) > SILENCE_LEVEL)) * 160 / self._rate
        return f"In {len(heard) / self._rate:.1f} s of audio, {loud:.1f} s were not silent"

    async def _more(self, length: int, deadline: float) -> bool:
        """Wait for enough new audio for another look, or the end of the call; return whether it came in time."""
        try:
            async with asyncio.timeout_at(deadline):
                while not self._over and self._forgotten + len(self._heard) // 2 < length + LOOK_INTERVAL * self._rate:
                    self._grown.clear()
                    await self._grown.wait()
        except TimeoutError:
            return False
        return True

    async def _listen(self, audio: AudioStream) -> None:
        async for portion in audio.frames(PORTION):
            self._heard += portion
            surplus = max(0, len(self._heard) // 2 - round(MEMORY * self._rate))
            del self._heard[: 2 * surplus]
            self._forgotten += surplus
            self._grown.set()
        self._over = True
        self._grown.set()
