"""Who answered, and which tone is a beep: by hand-made words and tones, and in sound."""

from __future__ import annotations

import numpy as np
import pytest

from support.signals import silence
from telnyx_native.config import AnswerDetectionConfig
from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway.destinations.sounds import PROMPT, VOICEMAIL, hold_music
from telnyx_native.media.answer_detection import (
    AnswerDetection,
    AnswerDetector,
    AnswerJudge,
    AnswerReason,
    AnswerVerdict,
    Beep,
    Greeting,
    Word,
)
from telnyx_native.media.call_progress import SteadyTone, TonePhase
from telnyx_native.media.files import read_audio
from telnyx_native.media.network_tones import Signal
from telnyx_native.media.tones import dtmf_tones, progress_tone, tone

RATE = 16_000
RATES = [8_000, 16_000, 24_000, 32_000, 48_000]


# --- the judge -------------------------------------------------------------------------------------------------------


def judged(
    heard: list[Word | SteadyTone], until: float = 20.0, *, answered: float | None = None, **limits: int
) -> AnswerDetection | None:
    """What is decided on what is heard, which is told when it ends."""
    judge = AnswerJudge(AnswerDetectionConfig(**limits), 0.0, answered)
    waiting = sorted(heard, key=_told_at)
    for tick in range(round(100 * until)):
        now = tick / 100
        while waiting and _told_at(waiting[0]) <= now:
            judge.take(waiting.pop(0))
        if (found := judge.decide(now)) is not None:
            return found
    return None


def _told_at(heard: Word | SteadyTone) -> float:
    return heard.at if isinstance(heard, Word) else heard.end


def words(*spans: tuple[float, float]) -> list[Word | SteadyTone]:
    return [Word(began, at) for span in spans for began, at in zip((True, False), span, strict=True)]


def ended(at: float, duration: float, *frequencies: int) -> list[Word | SteadyTone]:
    began = SteadyTone(TonePhase.BEGAN, at, min(0.08, duration), frequencies)
    return [began, SteadyTone(TonePhase.ENDED, at, duration, frequencies)]


def test_a_short_greeting_and_silence_is_a_human() -> None:
    found = judged(words((0.5, 0.9)), after_greeting_silence_millis=700)
    assert found is not None
    assert (found.verdict, found.reason) == (AnswerVerdict.HUMAN, AnswerReason.SHORT_GREETING)
    assert found.after_answer == pytest.approx(1.6, abs=0.02)
    assert found.words == ((0.5, 0.9),)
    assert found.greeting == pytest.approx(0.4)
    assert 0.5 < found.confidence <= 1


def test_the_longer_a_greeting_the_longer_the_silence_behind_it() -> None:
    short, long = judged(words((0.5, 1.0))), judged(words((0.5, 1.0), (1.2, 2.1)))
    assert short is not None
    assert long is not None
    assert long.verdict is AnswerVerdict.HUMAN
    assert long.after_answer - 2.1 > short.after_answer - 1.0 + 0.2


def test_speech_that_goes_on_is_a_machine() -> None:
    spans = [(0.5 + 0.5 * n, 0.9 + 0.5 * n) for n in range(10)]
    found = judged(words(*spans), greeting_duration_millis=1800, maximum_number_of_words=20)
    assert found is not None
    assert (found.verdict, found.reason) == (AnswerVerdict.MACHINE, AnswerReason.LONG_GREETING)
    assert found.after_answer == pytest.approx(2.32, abs=0.05)


def test_many_words_are_a_machine() -> None:
    found = judged(words(*[(0.5 + 0.2 * n, 0.6 + 0.2 * n) for n in range(10)]), maximum_number_of_words=4)
    assert found is not None
    assert (found.verdict, found.reason) == (AnswerVerdict.MACHINE, AnswerReason.MANY_WORDS)


def test_a_long_word_is_a_machine() -> None:
    found = judged([Word(True, 0.3)], maximum_word_length_millis=1000)
    assert found is not None
    assert (found.verdict, found.reason) == (AnswerVerdict.MACHINE, AnswerReason.LONG_WORD)
    assert found.after_answer == pytest.approx(1.31, abs=0.02)


def test_pauses_shorter_than_between_words_are_none() -> None:
    spans = [(0.5 + 0.15 * n, 0.59 + 0.15 * n) for n in range(4)]
    found = judged(words(*spans), between_words_silence_millis=100)
    assert found is not None
    assert found.words == ((0.5, pytest.approx(1.04)),)


def test_nothing_is_silence_and_clicks_are_nothing() -> None:
    found = judged(words((0.5, 0.55), (2.0, 2.06)), initial_silence_millis=3000)
    assert found is not None
    assert (found.verdict, found.reason) == (AnswerVerdict.SILENCE, AnswerReason.NO_SPEECH)
    assert found.after_answer == pytest.approx(3.0, abs=0.02)


def test_out_of_time_is_unknown() -> None:
    found = judged([Word(True, 3.3)], total_analysis_time_millis=4000, initial_silence_millis=4000)
    assert found is not None
    assert (found.verdict, found.reason) == (AnswerVerdict.UNKNOWN, AnswerReason.OUT_OF_TIME)


def test_times_are_counted_from_the_answer() -> None:
    found = judged(words((0.5, 0.9)), answered=-2.0, after_greeting_silence_millis=700)
    assert found is not None
    assert found.words == ((2.5, 2.9),)
    assert found.after_answer == pytest.approx(3.6, abs=0.02)


def test_a_beep_is_a_machine() -> None:
    found = judged([*words((0.5, 0.9), (1.0, 1.05)), *ended(1.0, 0.3, 1000)])
    assert found is not None
    assert (found.verdict, found.reason) == (AnswerVerdict.MACHINE, AnswerReason.BEEP)
    assert found.beep == Beep(1.0, 0.3, (1000,))
    assert found.words == ((0.5, 0.9),)  # what was taken for a word was the beep


@pytest.mark.parametrize(
    ("signal", "verdict"),
    [
        (Signal.FAX_CED, AnswerVerdict.FAX),
        (Signal.FAX_CNG, AnswerVerdict.FAX),
        (Signal.SIT, AnswerVerdict.MACHINE),
        (Signal.BUSY, AnswerVerdict.UNKNOWN),
        (Signal.CONGESTION, AnswerVerdict.UNKNOWN),
        (Signal.DIAL, AnswerVerdict.UNKNOWN),
    ],
)
@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_tones_of_networks_and_fax_machines(signal: Signal, verdict: AnswerVerdict, rate: int) -> None:
    detector = AnswerDetector(rate)
    found = detector.feed(np.concatenate([silence(0.6, rate), progress_tone(signal, "us", 4.0, rate)]))
    assert found is not None
    assert (found.verdict, found.signal) == (verdict, signal)
    assert found.words == ()
    assert detector.beeps == []


def test_a_call_that_is_forwarded_rings_first() -> None:
    ring = progress_tone("ringback", "us", 6.0, RATE)
    sound = np.concatenate([ring, ring, hello(RATE), silence(2, RATE)])
    found = AnswerDetector(RATE).feed(sound)
    assert found is not None
    assert found.verdict is AnswerVerdict.HUMAN
    assert found.after_answer > 12


# --- beeps -----------------------------------------------------------------------------------------------------------


def beep_in(heard: list[Word | SteadyTone]) -> Beep | None:
    greeting = Greeting(0.05)
    found = [beep for one in heard if (beep := greeting.take(one))]
    return found[0] if found else None


@pytest.mark.parametrize(
    ("duration", "frequencies"), [(0.1, (850,)), (0.5, (1400,)), (1.5, (2000,)), (0.4, (440, 590)), (0.3, (500,))]
)
def test_what_is_a_beep(duration: float, frequencies: tuple[int, ...]) -> None:
    assert beep_in(ended(2.0, duration, *frequencies)) == Beep(2.0, duration, frequencies)


@pytest.mark.parametrize(
    ("duration", "frequencies"),
    [
        (0.06, (850,)),
        (2.5, (1400,)),
        (0.3, (320,)),
        (0.4, (697, 1209)),
        (0.3, (425,)),
        (0.5, (480, 620)),
        (0.15, (500, 750)),
    ],
)
def test_what_is_none(duration: float, frequencies: tuple[int, ...]) -> None:
    assert beep_in(ended(2.0, duration, *frequencies)) is None


def test_a_tone_of_the_network_is_a_beep_after_speech() -> None:
    assert beep_in([*words((0.5, 1.5)), *ended(2.0, 0.5, 440)]) is not None
    assert beep_in([*words((0.5, 1.5)), *ended(5.0, 0.5, 440)]) is None


def test_notes_one_after_another_are_no_beeps_but_for_the_first() -> None:
    notes = [*ended(1.0, 0.3, 660), *ended(1.3, 0.3, 880), *ended(1.6, 0.3, 990)]
    greeting = Greeting(0.05)
    assert [beep.at for one in notes if (beep := greeting.take(one))] == [1.0]


# --- sounds ----------------------------------------------------------------------------------------------------------


def hello(rate: int) -> np.ndarray:
    """The word with which the machine begins."""
    return read_audio(VOICEMAIL, rate)[: round(0.5 * rate)]


@pytest.mark.parametrize("rate", RATES)
def test_a_human_says_hello(rate: int) -> None:
    found = AnswerDetector(rate).feed(np.concatenate([silence(0.6, rate), hello(rate), silence(2, rate)]))
    assert found is not None
    assert found.verdict is AnswerVerdict.HUMAN
    assert 1.5 < found.after_answer < 2.0


@pytest.mark.parametrize("rate", RATES)
def test_a_machine_greets_and_beeps(rate: int) -> None:
    greeting = read_audio(VOICEMAIL, rate)
    sound = np.concatenate([silence(0.4, rate), greeting, silence(0.5, rate), tone((1000,), 0.4, rate)])
    detector = AnswerDetector(rate)
    found = detector.feed(sound)
    assert found is not None
    assert found.verdict is AnswerVerdict.MACHINE
    assert detector.beeps == []
    detector.feed(silence(0.1, rate))
    (beep,) = detector.beeps
    assert beep.frequencies == (pytest.approx(1000, abs=2),)
    assert beep.at == pytest.approx(0.9 + len(greeting) / rate, abs=0.03)
    assert beep.duration == pytest.approx(0.4, abs=0.02)


def test_speech_music_and_keys_have_no_beeps() -> None:
    detector = AnswerDetector(RATE)
    for sound in (read_audio(PROMPT, RATE), read_audio(VOICEMAIL, RATE), dtmf_tones("0123456789*#", RATE)):
        detector.feed(np.concatenate([sound, silence(1, RATE)]))
    assert detector.beeps == []


def test_music_is_no_human() -> None:
    found = AnswerDetector(RATE).feed(hold_music(RATE))
    assert found is not None
    assert found.verdict is not AnswerVerdict.HUMAN


def test_samples_may_come_in_any_pieces() -> None:
    sound = np.concatenate([silence(0.6, RATE), hello(RATE), silence(2, RATE)]).tobytes()
    detector = AnswerDetector(RATE)
    for i in range(0, len(sound), 246):
        found = detector.feed(sound[i : i + 246])
    assert found == AnswerDetector(RATE).feed(sound)


def test_what_the_detector_refuses() -> None:
    with pytest.raises(ConfigurationError, match="44100"):
        AnswerDetector(44_100)
    with pytest.raises(TypeError, match="16-bit"):
        AnswerDetector(RATE).feed(np.zeros(160, np.float32))


@pytest.mark.parametrize(
    "wrong",
    [
        {"total_analysis_time_millis": 0},
        {"after_greeting_silence_millis": 0.7},
        {"initial_silence_millis": True},
        {"maximum_number_of_words": 0},
        {"silence_threshold": 40_000},
    ],
)
def test_settings_that_cannot_be(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        AnswerDetectionConfig(**wrong)


def test_settings_are_named_as_telnyx_names_them() -> None:
    params = pytest.importorskip("telnyx.types.call_dial_params").AnsweringMachineDetectionConfig
    assert set(vars(AnswerDetectionConfig())) <= set(params.__annotations__)
