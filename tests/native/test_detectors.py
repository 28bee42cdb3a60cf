"""What is a key, by the limits of ITU-T Q.24, and what is not: above all speech."""

from __future__ import annotations

import numpy as np
import pytest

from telnyx_native.gateway.destinations.sounds import PROMPT
from telnyx_native.media.detectors import DtmfDetector
from telnyx_native.media.files import read_audio
from telnyx_native.media.tones import DTMF_FREQUENCIES, dtmf_tones

ALL_KEYS = "".join(DTMF_FREQUENCIES)


def heard(samples: np.ndarray, rate: int) -> str:
    clipped = np.rint(np.clip(samples, -32768, 32767)).astype(np.int16)
    return "".join(received.key for received in DtmfDetector(rate).feed(clipped))


def share_heard(
    *, seconds: float = 0.04, off: float = 0.0, low: float = -14, high: float = -14, snr: float | None = None
) -> float:
    """How many of all keys, each eight times at another time and phase, are heard as themselves and once.

    Levels are in dBFS, the noise in dB under each tone.
    """
    random, rate, right = np.random.default_rng(24), 8000, 0
    for key in ALL_KEYS * 8:
        t = np.arange(round(seconds * rate)) / rate
        sound = sum(
            10 ** (level / 20) * np.sin(2 * np.pi * hz * (1 + off) * t + random.uniform(0, 2 * np.pi))
            for hz, level in zip(DTMF_FREQUENCIES[key], (low, high), strict=True)
        )
        signal = np.concatenate([np.zeros(random.integers(100, 300)), sound, np.zeros(rate // 20)])
        if snr is not None:
            signal += random.normal(0, 10 ** ((min(low, high) - 3 - snr) / 20), len(signal))
        right += heard(32767 * signal, rate) == key
    return right / (8 * len(ALL_KEYS))


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 32_000, 48_000])
@pytest.mark.parametrize("length", [0.04, 0.1])
def test_keys_of_40_ms_with_pauses_of_40_ms_are_heard_at_every_rate(rate, length):
    assert heard(dtmf_tones(ALL_KEYS * 2, rate, duration=length, gap=0.04), rate) == ALL_KEYS * 2


def test_a_key_tells_how_long_it_was_held():
    (received,) = DtmfDetector(16_000).feed(dtmf_tones("5", 16_000, duration=0.3, gap=0.1))
    assert received.duration == pytest.approx(0.3, abs=0.02)


def test_samples_may_come_in_any_pieces():
    samples = dtmf_tones("159", 8_000).tobytes()
    detector = DtmfDetector(8_000)
    pieces = [samples[i : i + 246] for i in range(0, len(samples), 246)]
    assert "".join(received.key for piece in pieces for received in detector.feed(piece)) == "159"


@pytest.mark.parametrize("off", [0.015, -0.015])
def test_frequencies_may_be_one_and_a_half_percent_off(off):
    assert share_heard(off=off) == 1


@pytest.mark.parametrize("off", [0.035, -0.035, 0.06])
def test_frequencies_three_and_a_half_percent_off_are_no_key(off):
    assert share_heard(off=off, seconds=0.2) == 0


@pytest.mark.parametrize("twist", [4, -8])
def test_the_high_tone_may_be_4_db_louder_or_8_db_less_loud(twist):
    assert share_heard(low=-16, high=-16 + twist) == 1


@pytest.mark.parametrize("twist", [7, -12])
def test_more_than_that_is_no_key(twist):
    assert share_heard(low=-16, high=-16 + twist, seconds=0.2) == 0


@pytest.mark.parametrize(("level", "expected"), [(-7, 1), (-27, 1), (-40, 0)])
def test_keys_are_heard_down_to_the_level_of_a_long_line(level, expected):
    assert share_heard(low=level, high=level) == expected


def test_23_ms_are_no_key():
    assert share_heard(seconds=0.023) == 0


def test_a_break_of_10_ms_is_part_of_the_key():
    samples = dtmf_tones("8", 8_000, duration=0.2, gap=0.1)
    samples[800:880] = 0
    assert heard(samples, 8_000) == "8"


def test_keys_are_heard_through_noise():
    assert share_heard(snr=15) == 1
    assert share_heard(snr=12, seconds=0.1) == 1


def test_a_single_tone_is_no_key():
    for hz in (697, 941, 1209, 1633):
        t = np.arange(8000) / 8000
        assert heard(8000 * np.sin(2 * np.pi * hz * t), 8_000) == ""


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
@pytest.mark.parametrize("speed", [0.6, 0.7, 0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.25, 1.4, 1.6])
def test_speech_is_no_key_whatever_the_voice(rate, speed):
    """Voices from deep to high, by playing one slower and faster."""
    speech = read_audio(PROMPT, rate)
    voice = np.interp(np.arange(0, len(speech) - 1, speed), np.arange(len(speech)), speech)
    assert heard(voice, rate) == ""


def test_noise_and_music_are_no_keys():
    random, rate = np.random.default_rng(1), 8_000
    assert heard(random.normal(0, 6000, 60 * rate), rate) == ""
    t = np.arange(rate // 4) / rate
    scale = 220 * 2 ** (np.arange(36) / 12)
    chords = [
        sum(2500 * np.sin(2 * np.pi * hz * harmonic * t) / harmonic for hz in (root, root * 1.26, root * 1.498)
            for harmonic in (1, 2, 3))
        for root in scale
    ]  # fmt: skip
    assert heard(np.concatenate(chords), rate) == ""
