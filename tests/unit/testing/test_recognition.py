"""Whether something was heard."""

from __future__ import annotations

import numpy as np
import pytest

from support.signals import silence
from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway.destinations.sounds import PROMPT
from telnyx_native.media.files import read_audio
from telnyx_native.media.tones import dtmf_tones, tone
from telnyx_native.testing.recognition import SoundPattern, end_of_silence, end_of_speech, end_of_tone

RATE = 16_000
PROMPT_SAMPLES = read_audio(PROMPT, RATE)
GREETING_SAMPLES = read_audio(PROMPT.with_name("bot_greeting.flac"), RATE)
"""The same voice, other words, but for the first."""


def noise(seconds: float, level: float) -> np.ndarray:
    return (np.random.default_rng(1).standard_normal(round(seconds * RATE)) * level).astype(np.int16)


@pytest.mark.parametrize("gain", [0.03, 0.3, 1.0])
@pytest.mark.parametrize("before", [0.0, 0.734])
def test_sound_is_found_at_any_level(gain: float, before: float) -> None:
    heard = np.concatenate([silence(before, RATE), PROMPT_SAMPLES * gain, silence(0.5, RATE)]).astype(np.int16)
    match = SoundPattern(PROMPT_SAMPLES, RATE).find(heard)
    assert match.similarity > 0.85
    assert match.end / RATE == pytest.approx(before + len(PROMPT_SAMPLES) / RATE, abs=0.03)


def test_sound_is_found_in_noise() -> None:
    heard = PROMPT_SAMPLES // 2 + noise(len(PROMPT_SAMPLES) / RATE, 30)[: len(PROMPT_SAMPLES)]
    assert SoundPattern(PROMPT_SAMPLES, RATE).find(heard).similarity > 0.85


def test_sound_is_found_when_a_jitter_buffer_has_stretched_it() -> None:
    heard = PROMPT_SAMPLES
    for at in (0.8, 1.7, 2.9, 3.6):  # seconds, where a piece of 25 ms comes twice
        place, piece = round(at * RATE), round(0.025 * RATE)
        heard = np.concatenate([heard[:place], heard[place - piece : place], heard[place:]])
    assert SoundPattern(PROMPT_SAMPLES, RATE).find(heard).similarity > 0.93


def test_other_words_of_the_same_voice_are_something_else() -> None:
    for wanted, heard in ((PROMPT_SAMPLES, GREETING_SAMPLES), (GREETING_SAMPLES, PROMPT_SAMPLES)):
        assert SoundPattern(wanted, RATE).find(np.tile(heard, 2)).similarity < 0.7


def test_sound_that_has_only_begun_is_not_found_yet() -> None:
    half = PROMPT_SAMPLES[: len(PROMPT_SAMPLES) // 2]
    assert SoundPattern(PROMPT_SAMPLES, RATE).find(half).similarity == 0
    assert SoundPattern(PROMPT_SAMPLES, RATE).find(np.concatenate([silence(3.0, RATE), half])).similarity < 0.8


@pytest.mark.parametrize(
    "sound", [silence(1.0, RATE), tone((440,), 0.05, RATE), tone((440,), 2.0, RATE), np.zeros(0, np.int16)]
)
def test_sounds_that_cannot_be_recognised(sound: np.ndarray) -> None:
    with pytest.raises(ConfigurationError):
        SoundPattern(sound, RATE)


@pytest.mark.parametrize("hz", [350, 440, 1000, 3000])
def test_tone(hz: int) -> None:
    heard = np.concatenate([silence(0.5, RATE), tone((hz,), 0.5, RATE)])
    end = end_of_tone(heard, RATE, hz, 5)
    assert end is not None
    assert 0.5 < end / RATE <= 0.9
    assert end_of_tone(heard, RATE, hz + 20, 5) is None
    assert end_of_tone(heard[: round(0.55 * RATE)], RATE, hz, 5) is None


def test_what_is_no_tone() -> None:
    assert end_of_tone(noise(2.0, 3000), RATE, 440, 5) is None
    assert end_of_tone(dtmf_tones("5", RATE, duration=0.5), RATE, 440, 5) is None
    assert end_of_tone(tone((440,), 1.0, RATE, level_dbfs=-70), RATE, 440, 5) is None


def test_silence() -> None:
    heard = np.concatenate([tone((440,), 0.5, RATE), silence(0.3, RATE), tone((440,), 0.5, RATE), noise(1.0, 20)])
    end = end_of_silence(heard, RATE, 0.4)
    assert end is not None
    assert end / RATE == pytest.approx(1.7, abs=0.03)
    assert end_of_silence(heard, RATE, 0.2) == pytest.approx(0.7 * RATE, abs=0.03 * RATE)
    assert end_of_silence(heard, RATE, 1.5) is None


def test_speech() -> None:
    heard = np.concatenate([silence(1.0, RATE), PROMPT_SAMPLES])
    end = end_of_speech(heard, RATE)
    assert end is not None
    assert 1.0 < end / RATE < 2.0
    assert end_of_speech(silence(3.0, RATE), RATE) is None
    assert end_of_speech(noise(3.0, 20), RATE) is None
