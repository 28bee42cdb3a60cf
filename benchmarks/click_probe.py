"""What calls carry in a comparison, and how it is recognized at the other end.

Speech or a tone, with a click about once a second: 10 ms of 1 kHz, louder than all else. The sender notes when it hands
over a frame that begins with a click, the receiver when the first loud sample of one comes out. Both read
CLOCK_MONOTONIC, which the processes of a machine share.
"""

from __future__ import annotations

import random
import time

import numpy as np
from numpy.typing import NDArray

CLICK_HZ, CLICK_AMPLITUDE, CLICK_SECONDS = 1000, 26_000, 0.01
CARRIED_PEAK = 9_000
"""So that clicks stand out."""
LOUD = 12_000
DEAF_SECONDS = 0.3
"""After a click, so that one is not heard twice."""
TONE_HZ = 200


def tone(rate: int) -> NDArray[np.int16]:
    """Return a second of a tone that may be repeated without a seam."""
    return _sine(TONE_HZ, CARRIED_PEAK, rate, rate)


def _sine(hertz: float, amplitude: int, rate: int, samples: int) -> NDArray[np.int16]:
    return (amplitude * np.sin(2 * np.pi * hertz * (np.arange(samples) + 0.5) / rate)).astype(np.int16)


class Source:
    """Gives the frames that one end of a call sends."""

    def __init__(self, seed: int, carried: NDArray[np.int16], rate: int, frame_ms: int, channels: int) -> None:
        size = rate * frame_ms // 1000
        quiet = (carried * (CARRIED_PEAK / np.abs(carried.astype(np.int32)).max())).astype(np.int16)
        click = np.zeros(size, np.int16)
        beep = _sine(CLICK_HZ, CLICK_AMPLITUDE, rate, min(size, round(CLICK_SECONDS * rate)))
        click[: beep.size] = beep
        self._click = click.repeat(channels).tobytes()
        frames = [quiet[i : i + size] for i in range(0, quiet.size - size + 1, size)]
        self._frames = [frame.repeat(channels).tobytes() for frame in frames]
        self._sounds = [bool(frame.any()) for frame in frames]
        self._frame_ms = frame_ms
        self._random = random.Random(seed)
        self._at = self._random.randrange(len(self._frames))
        self._until_click = self._pause()
        self.clicks: list[float] = []

    def next(self) -> bytes:
        self._until_click -= 1
        self._at = (self._at + 1) % len(self._frames)
        if self._until_click <= 0 and self._sounds[self._at]:
            self._until_click = self._pause()
            self.clicks.append(time.monotonic())
            return self._click
        return self._frames[self._at]

    def _pause(self) -> int:
        return round(self._random.uniform(800, 1200) / self._frame_ms)


class Listener:
    """Hears the clicks at the other end, and how much audio comes."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.clicks: list[float] = []
        self.seconds = 0.0
        self._deaf_until = 0.0

    def hear(self, pcm: bytes, rate: int, channels: int) -> None:
        now = time.monotonic()
        samples = np.frombuffer(pcm, np.int16)
        self.seconds += samples.size / (rate * channels)
        if now > self._deaf_until and samples.max() > LOUD:
            self._deaf_until = now + DEAF_SECONDS
            self.clicks.append(now + int((samples > LOUD).argmax()) / (rate * channels))
