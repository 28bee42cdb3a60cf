from __future__ import annotations

import numpy as np
import pytest

from support.signals import dominant_frequency, rms
from telnyx_native.errors import ConfigurationError
from telnyx_native.media.tones import (
    DTMF_FREQUENCIES,
    Cadence,
    Signal,
    ToneRegion,
    cadence,
    comfort_noise,
    dtmf_tones,
    endless_tone,
    progress_tone,
    tone,
)

RATE = 16_000


def spectrum(samples: np.ndarray, rate: int) -> list[float]:
    """The frequencies that are within 6 dB of the loudest."""
    magnitudes = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    peaks = [
        i
        for i in range(1, len(magnitudes) - 1)
        if magnitudes[i] > magnitudes.max() / 2 and magnitudes[i - 1] <= magnitudes[i] > magnitudes[i + 1]
    ]
    return [i * rate / len(samples) for i in peaks]


def sounding(samples: np.ndarray, rate: int) -> list[tuple[bool, float]]:
    """When it sounds and when it does not, in seconds, to 10 ms."""
    frame = rate // 100
    on = np.abs(samples[: len(samples) // frame * frame].reshape(-1, frame)).max(axis=1) > 300
    edges = np.flatnonzero(np.diff(on)) + 1
    return [(bool(part[0]), round(len(part) / 100, 2)) for part in np.split(on, edges)]


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 48_000])
@pytest.mark.parametrize("level", [-6.0, -20.0])
def test_a_tone_has_its_frequency_its_length_and_its_level(rate, level):
    samples = tone((1000,), 0.5, rate, level)
    assert (samples.dtype, len(samples)) == (np.int16, rate // 2)
    assert dominant_frequency(samples, rate) == pytest.approx(1000, abs=2)
    middle = samples[rate // 10 : -rate // 10]
    assert 20 * np.log10(rms(middle) * 2**0.5 / 32767) == pytest.approx(level, abs=0.05)


def test_a_tone_comes_and_goes_without_a_click():
    samples = tone((1000,), 0.2, RATE, -6).astype(int)
    inside = np.abs(np.diff(samples)).max()
    assert abs(samples[0]) < 20
    assert abs(samples[-1]) < 20
    # What is steeper than the tone itself is a click: the energy outside its band stays 60 dB under it.
    padded = np.concatenate([np.zeros(800), samples, np.zeros(800)])
    power = np.abs(np.fft.rfft(padded)) ** 2
    hz = np.fft.rfftfreq(len(padded), 1 / RATE)
    assert np.abs(np.diff(padded)).max() <= inside
    assert power[np.abs(hz - 1000) > 1000].sum() < 1e-6 * power.sum()


@pytest.mark.parametrize("key", list(DTMF_FREQUENCIES))
def test_a_key_is_its_two_frequencies(key):
    assert spectrum(dtmf_tones(key, RATE, duration=0.2, gap=0), RATE) == pytest.approx(DTMF_FREQUENCIES[key], abs=5)


def test_keys_follow_each_other_with_pauses():
    samples = dtmf_tones("12#", RATE, duration=0.1, gap=0.05)
    assert sounding(samples, RATE) == [(True, 0.1), (False, 0.05)] * 3
    assert len(dtmf_tones("", RATE)) == 0


def test_small_letters_are_keys_too():
    assert np.array_equal(dtmf_tones("a", RATE), dtmf_tones("A", RATE))


def test_what_is_no_key_is_refused():
    with pytest.raises(ConfigurationError, match="'x'".upper()):
        dtmf_tones("12x", RATE)


@pytest.mark.parametrize(
    ("signal", "region", "frequencies", "rhythm"),
    [
        ("ringback", "us", [440, 480], [(True, 2.0), (False, 4.0), (True, 2.0)]),
        ("busy", "us", [480, 620], [(True, 0.5), (False, 0.5)] * 4),
        ("congestion", "us", [480, 620], [(True, 0.25), (False, 0.25)] * 8),
        ("dial", "us", [350, 440], [(True, 8.0)]),
        (Signal.RINGBACK, ToneRegion.UK, [400, 450], [(True, 0.4), (False, 0.2), (True, 0.4), (False, 2.0)]),
        ("busy", "uk", [400], [(True, 0.38), (False, 0.37), (True, 0.38)]),
        ("dial", "uk", [350, 440], [(True, 8.0)]),
        ("ringback", "eu", [425], [(True, 1.0), (False, 4.0), (True, 1.0)]),
        ("busy", "eu", [425], [(True, 0.5), (False, 0.5)] * 4),
        ("dial", "eu", [425], [(True, 8.0)]),
    ],
)
def test_progress_tones_are_those_of_the_country(signal, region, frequencies, rhythm):
    samples = progress_tone(signal, region, 8.0, RATE)
    heard = sounding(samples, RATE)
    assert [on for on, _ in heard[: len(rhythm)]] == [on for on, _ in rhythm]
    assert [length for _, length in heard[: len(rhythm)]] == pytest.approx([length for _, length in rhythm], abs=0.011)
    first = samples[: round(rhythm[0][1] * RATE)]
    assert spectrum(first, RATE) == pytest.approx(frequencies, abs=5)


def test_special_information_is_three_tones_one_after_another():
    samples = progress_tone("sit", "us", 2.0, RATE)
    third = round(0.33 * RATE)
    for number, hz in enumerate((950, 1400, 1800)):
        assert spectrum(samples[number * third : (number + 1) * third], RATE) == pytest.approx([hz], abs=3)
    assert (len(samples), rms(samples[3 * third :])) == (2 * RATE, 0)


def test_tones_of_fax_machines():
    calling = progress_tone(Signal.FAX_CNG, "us", 4.0, RATE)
    assert [on for on, _ in sounding(calling, RATE)] == [True, False, True]
    assert spectrum(calling[: RATE // 2], RATE) == pytest.approx([1100], abs=3)
    assert spectrum(progress_tone(Signal.FAX_CED, "uk", 1.0, RATE), RATE) == pytest.approx([2100], abs=3)


def test_a_tone_that_a_region_has_not():
    with pytest.raises(ConfigurationError, match="congestion"):
        progress_tone("congestion", "br", 1.0, RATE)
    with pytest.raises(ValueError, match="engaged"):
        progress_tone("engaged", "uk", 1.0, RATE)


def test_the_phase_goes_on_through_the_pauses():
    steady = tone((425,), 1.0, RATE)
    broken = cadence(Cadence((425,), (0.2, 0.1)), 1.0, RATE)
    middle = slice(round(0.35 * RATE), round(0.45 * RATE))
    assert np.array_equal(steady[middle], broken[middle])


def test_an_endless_tone_repeats_without_a_seam():
    twice = np.tile(endless_tone((440, 1001), RATE), 2).astype(int)
    seam = np.abs(np.diff(twice, 2))[RATE - 3 : RATE + 3].max()
    assert seam <= np.abs(np.diff(twice, 2))[: RATE // 2].max()


@pytest.mark.parametrize("frequencies", [(), (0,), (4000,), (-5,)])
def test_frequencies_that_cannot_be(frequencies):
    with pytest.raises(ConfigurationError, match="frequencies"):
        tone(frequencies, 0.1, 8000)


def test_louder_than_full_scale_is_refused():
    assert np.abs(tone((1000,), 0.1, 8000, 0.0)).max() >= 32760
    with pytest.raises(ConfigurationError, match="full scale"):
        tone((1000, 1200), 0.1, 8000, -3.0)


def test_comfort_noise_is_as_loud_as_wanted_falls_with_frequency_and_has_no_seam():
    noise = comfort_noise(2.0, 16_000, -50).astype(float)
    assert 20 * np.log10(np.sqrt(np.mean(noise**2)) / 32767) == pytest.approx(-50, abs=0.2)
    power = np.abs(np.fft.rfft(noise)) ** 2
    octaves = [10 * np.log10(power[2 * hz : 4 * hz].mean()) for hz in (250, 500, 1000, 2000)]
    assert np.diff(octaves) == pytest.approx([-3, -3, -3], abs=1)
    assert abs(noise[0] - noise[-1]) < 6 * np.std(np.diff(noise))


def test_comfort_noise_is_quiet():
    assert len(comfort_noise(0, 8000)) == 0
    with pytest.raises(ConfigurationError, match="quieter"):
        comfort_noise(1, 8000, 0)
