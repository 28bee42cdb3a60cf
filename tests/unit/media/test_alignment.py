from __future__ import annotations

import numpy as np
import pytest

from support.signals import chirp, silence, tone
from telnyx_native.media.alignment import align

RATE = 16_000
SIGNAL = np.concatenate([chirp(1.0, RATE), silence(0.3, RATE), chirp(1.0, RATE, 3000, 300)])


@pytest.mark.parametrize("offset", [0, 1, 777, 8000])
def test_found_to_the_sample(offset):
    recording = np.concatenate([np.zeros(offset), 0.3 * SIGNAL, np.zeros(4000)])
    found = align(SIGNAL, recording, RATE)
    assert found.offset * RATE == pytest.approx(offset)
    assert found.correlation == pytest.approx(1, abs=0.001)


def test_stretched_time_is_followed():
    recording = np.concatenate([np.zeros(800), SIGNAL[:18_000], np.zeros(320), SIGNAL[18_000:], np.zeros(1000)])
    assert align(SIGNAL, recording, RATE).correlation > 0.95


def test_noise_lowers_the_correlation():
    noise = np.random.default_rng(1).normal(0, np.std(SIGNAL), len(SIGNAL))
    assert 0.5 < align(SIGNAL, SIGNAL + noise, RATE).correlation < 0.85


def test_half_of_it_is_missing():
    recording = np.concatenate([SIGNAL[: len(SIGNAL) // 2], np.zeros(len(SIGNAL) // 2)])
    assert 0.3 < align(SIGNAL, recording, RATE).correlation < 0.7


@pytest.mark.parametrize(
    "recording", [tone(440, 2.0, RATE), np.random.default_rng(1).normal(0, 3000, 40_000), silence(2.0, RATE), []]
)
def test_something_else_is_not_it(recording):
    assert align(SIGNAL, recording, RATE).correlation < 0.4
