"""Who answered: a human, a machine, a fax or nobody; and when the beep of a machine has sounded.

Native code says when words begin and end (`csrc/rtc/word_detector.h`), and when a steady tone does. `AnswerJudge`
decides by that, and `Greeting` knows which tone is a beep. Both are pure: what they are told has the time with it, in
seconds of received audio. Nothing is understood of what is said. A human greets and waits; a machine speaks on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from telnyx_native.config import AnswerDetectionConfig
from telnyx_native.media.call_progress import (
    ProgressMatcher,
    SteadyTone,
    SteadyTones,
    TonePhase,
    frames_of,
    is_near,
)
from telnyx_native.media.network_tones import CADENCES, SPECIAL_INFORMATION, Signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Buffer

__all__ = [
    "AnswerDetection",
    "AnswerDetector",
    "AnswerJudge",
    "AnswerReason",
    "AnswerVerdict",
    "Beep",
    "Greeting",
    "GreetingEnd",
    "Word",
]


class AnswerVerdict(StrEnum):
    """Who answered."""

    HUMAN = "human"
    MACHINE = "machine"
    FAX = "fax"
    SILENCE = "silence"
    UNKNOWN = "unknown"


class AnswerReason(StrEnum):
    """What decided it; the parameter of `AnswerDetectionConfig` that does is named."""

    SHORT_GREETING = "short-greeting"
    """A greeting, and then silence (`after_greeting_silence_millis`): human."""
    LONG_GREETING = "long-greeting"
    """It went on (`greeting_duration_millis`): machine."""
    MANY_WORDS = "many-words"
    """There were too many (`maximum_number_of_words`): machine."""
    LONG_WORD = "long-word"
    """Sound without a pause (`maximum_word_length_millis`), speech or music: machine."""
    BEEP = "beep"
    """A beep: machine."""
    FAX_TONE = "fax-tone"
    """CNG or CED: fax."""
    ANNOUNCEMENT = "announcement"
    """Special information tones (SIT), before an announcement of the network: machine."""
    NETWORK_TONE = "network-tone"
    """Busy, congestion or a dial tone, although the call is answered: unknown."""
    NO_SPEECH = "no-speech"
    """Nothing was said (`initial_silence_millis`): silence."""
    OUT_OF_TIME = "out-of-time"
    """None of these came true in time (`total_analysis_time_millis`): unknown."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word, or what sounds like one, began or ended.

    Attributes:
        began: Which of both.
        at: Where, in seconds of received audio.
    """

    began: bool
    at: float


@dataclass(frozen=True, slots=True)
class Beep:
    """The beep of an answering machine.

    Attributes:
        at: Where it began, in seconds of received audio since the call began.
        duration: Seconds.
        frequencies: Hz, one or two.
    """

    at: float
    duration: float
    frequencies: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AnswerDetection:
    """Who answered a call, and what spoke for it.

    Attributes:
        verdict: Who.
        confidence: The share of verdicts for that reason that were right in the measurements of
            docs/answer-detection.md, 0 to 1; synthetic voices made them.
        after_answer: Seconds after the answer at which it was decided.
        reason: What decided it.
        words: Seconds after the answer where each word began and ended; one that had not ended ends with the verdict.
        beep: The beep, if that decided it.
        signal: The tone of the network or a fax machine, if that decided it.
    """

    verdict: AnswerVerdict
    confidence: float
    after_answer: float
    reason: AnswerReason
    words: tuple[tuple[float, float], ...] = ()
    beep: Beep | None = None
    signal: Signal | None = None

    @property
    def greeting(self) -> float:
        """Seconds from the first word to the end of the last one; 0 if there were none."""
        return self.words[-1][1] - self.words[0][0] if self.words else 0.0


@dataclass(frozen=True, slots=True)
class GreetingEnd:
    """The greeting of a machine is over: speak now.

    Attributes:
        beep: The beep that ended it. `None` if there was none, but a long pause or no time left.
        after_answer: Seconds after the answer at which that was clear.
    """

    beep: Beep | None
    after_answer: float


BEEP_FREQUENCIES = 395, 2200
"""Hz."""

BEEP_LENGTHS = {1: (0.09, 2.0), 2: (0.2, 2.0)}
"""Seconds, as they are measured, of beeps of one frequency and of two; vowels can have two of them for 0.15 s."""

ALONE, NOTE = 1.0, 0.12
"""Seconds before a beep in which no note was: a tone of another frequency, and of at least that length."""

AFTER_SPEECH = 3.0
"""Seconds after a word in which a tone that the network could have sent is a beep."""

_NETWORK_FREQUENCIES = {cadence.frequencies for cadence in CADENCES.values()} | {
    (hz,) for hz in (1100, 2100, SPECIAL_INFORMATION[0][0])
}
_DTMF_ROWS, _DTMF_COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)


def beep_of(tone: SteadyTone, last_word: float | None, last_tone: SteadyTone | None) -> Beep | None:
    """Return the beep that a tone was.

    A beep has one frequency or two, 395 to 2,200 Hz, lasts 0.1 to 2 s, and is no note of several. A tone that could as
    well be one of the network or of a fax machine is a beep if it comes within 3 s after a word. The tones of a key
    (DTMF) never are.

    Args:
        tone: What is new of it; only one that has ended is a beep.
        last_word: Where the last word before it ended, if there was one.
        last_tone: The last tone before it, if there was one.
    """
    shortest, longest = BEEP_LENGTHS[len(tone.frequencies)]
    if tone.phase is not TonePhase.ENDED or not shortest <= tone.duration <= longest:
        return None
    if _is_note_after(tone, last_tone):
        return None
    if not all(BEEP_FREQUENCIES[0] <= hz <= BEEP_FREQUENCIES[1] for hz in tone.frequencies) or _is_key(tone):
        return None
    after_speech = last_word is not None and tone.at - last_word <= AFTER_SPEECH
    if _is_of_network(tone) and not after_speech:
        return None
    return Beep(tone.at, tone.duration, tone.frequencies)


def _is_note_after(tone: SteadyTone, last_tone: SteadyTone | None) -> bool:
    return (
        last_tone is not None
        and last_tone.duration >= NOTE
        and tone.at - last_tone.end < ALONE
        and not _sounds_like(tone, last_tone.frequencies)
    )


def _is_key(tone: SteadyTone) -> bool:
    return (
        len(tone.frequencies) == 2
        and any(is_near(tone.frequencies[0], hz) for hz in _DTMF_ROWS)
        and any(is_near(tone.frequencies[1], hz) for hz in _DTMF_COLUMNS)
    )


def _is_of_network(tone: SteadyTone) -> bool:
    return any(_sounds_like(tone, frequencies) for frequencies in _NETWORK_FREQUENCIES)


def _sounds_like(tone: SteadyTone, frequencies: Sequence[float]) -> bool:
    return len(tone.frequencies) == len(frequencies) and all(map(is_near, tone.frequencies, frequencies))


SHORT, SUSPICION = 0.5, 0.8
"""Seconds of a greeting that needs only `after_greeting_silence_millis` behind it, and the share more for each second
beyond."""

RING_PAUSE = 5.0
"""Seconds between two rings, at most."""

SHORTEST_WORD = 0.08
"""Seconds; what is shorter is a click."""

TONE_EDGE = 0.1
"""Seconds before a tone in which it may have been taken for the beginning of a word, and after it, for its end."""


class Greeting:
    """What was heard since the answer: words, without those that were a tone, and beeps.

    Args:
        pause: Seconds that separate two words.

    Attributes:
        words: Where each began and ended, in seconds of received audio; one that goes on has no end.
    """

    def __init__(self, pause: float) -> None:
        self.words: list[tuple[float, float | None]] = []
        self._sounding = False
        self._pause = pause
        self._tone: SteadyTone | None = None
        self._last_tone: SteadyTone | None = None  # that has ended

    def take(self, heard: Word | SteadyTone) -> Beep | None:
        """Take what was heard; return the beep, if it was one."""
        if isinstance(heard, SteadyTone):
            self._tone = heard
            self._end_word(heard.at, TONE_EDGE)  # what was a word since the tone began was none
            beep = beep_of(heard, self.words[-1][1] if self.words else None, self._last_tone)
            if heard.phase is TonePhase.ENDED:
                if self._sounding:  # it goes on as something else: a voice, or music
                    self.words.append((heard.end, None))
                self._last_tone = heard
            return beep
        self._sounding = heard.began
        if not heard.began:
            self._end_word(heard.at, SHORTEST_WORD)
        elif self._tone is None or heard.at >= self._silent_until(self._tone):
            if self.words and (end := self.words[-1][1]) is not None and heard.at - end < self._pause:
                self.words[-1] = (self.words[-1][0], None)
            else:
                self.words.append((heard.at, None))
        return None

    @property
    def speaking(self) -> bool:
        """Whether a word goes on."""
        return bool(self.words) and self.words[-1][1] is None

    @property
    def sounds(self) -> bool:
        """Whether a word or a tone goes on."""
        return self.speaking or (self._tone is not None and self._tone.phase is not TonePhase.ENDED)

    def end(self, now: float) -> float:
        """Where the last word ended; one that goes on ends now, and if there is none, everything did."""
        end = self.words[-1][1] if self.words else None
        return now if end is None else end

    def silence(self, now: float) -> float:
        """Seconds since the last word or tone; 0 while one goes on."""
        heard = self.end(now) if self._last_tone is None else max(self.end(now), self._last_tone.end)
        return 0.0 if self.sounds or not self.words else now - heard

    def interrupt(self, now: float) -> None:
        """Nobody listens from now on: how a word or a tone ends will not be heard."""
        self._end_word(now, SHORTEST_WORD)
        self._sounding = False
        self._tone = None

    def _end_word(self, at: float, shortest: float) -> None:
        if not self.speaking:
            return
        began = self.words.pop()[0]
        if at - began >= shortest:
            self.words.append((began, at))

    @staticmethod
    def _silent_until(tone: SteadyTone) -> float:
        return tone.end + TONE_EDGE if tone.phase is TonePhase.ENDED else math.inf


CONFIDENCE = {
    AnswerReason.SHORT_GREETING: 0.92,
    AnswerReason.LONG_GREETING: 0.97,
    AnswerReason.MANY_WORDS: 0.95,
    AnswerReason.LONG_WORD: 0.98,
    AnswerReason.BEEP: 0.99,
    AnswerReason.FAX_TONE: 0.99,
    AnswerReason.ANNOUNCEMENT: 0.99,
    AnswerReason.NETWORK_TONE: 0.99,
    AnswerReason.NO_SPEECH: 0.92,
    AnswerReason.OUT_OF_TIME: 0.5,
}
"""The share of right verdicts by reason, on the tuning set of `benchmarks/answer_detection.py`: at most 0.99; a guess
for those by which nothing was decided there (many words, a beep, out of time)."""

_NETWORK_SIGNALS = {
    Signal.FAX_CNG: (AnswerVerdict.FAX, AnswerReason.FAX_TONE),
    Signal.FAX_CED: (AnswerVerdict.FAX, AnswerReason.FAX_TONE),
    Signal.SIT: (AnswerVerdict.MACHINE, AnswerReason.ANNOUNCEMENT),
    Signal.BUSY: (AnswerVerdict.UNKNOWN, AnswerReason.NETWORK_TONE),
    Signal.CONGESTION: (AnswerVerdict.UNKNOWN, AnswerReason.NETWORK_TONE),
    Signal.DIAL: (AnswerVerdict.UNKNOWN, AnswerReason.NETWORK_TONE),
}


class AnswerJudge:
    """Decides who answered, by words and tones.

    Args:
        config: The limits.
        begun: Since when it listens, in seconds of received audio.
        answered: When the call was answered, likewise; by default then.
    """

    def __init__(self, config: AnswerDetectionConfig, begun: float = 0.0, answered: float | None = None) -> None:
        self._config = config
        self._begun = begun
        self._answered = begun if answered is None else answered
        self.greeting = Greeting(config.between_words_silence_millis / 1000)
        self._progress = ProgressMatcher()
        self._beep: Beep | None = None
        self._signal: Signal | None = None
        self._since = begun
        self._ring: tuple[int, ...] | None = None

    def take(self, heard: Word | SteadyTone) -> Beep | None:
        """Take what was heard, in its order; return the beep, if it was one."""
        beep = self.greeting.take(heard)
        self._beep = self._beep or beep
        if isinstance(heard, SteadyTone):
            progress = self._progress.take(heard)
            if progress is not None and progress.signal is not Signal.RINGBACK:
                self._signal = progress.signal
            self._ring = progress.frequencies if progress is not None else self._ring
            if self._ring is not None and _sounds_like(heard, self._ring):
                self._since = heard.end + RING_PAUSE  # it was forwarded, and rings elsewhere: the time begins anew
        return beep

    def decide(self, now: float) -> AnswerDetection | None:
        """Return who answered, if that is clear by now."""
        config, greeting = self._config, self.greeting
        if self._signal is not None:
            return self._verdict(now, *_NETWORK_SIGNALS[self._signal])
        if self._beep is not None:
            return self._verdict(now, AnswerVerdict.MACHINE, AnswerReason.BEEP)
        if greeting.speaking and now - greeting.words[-1][0] > config.maximum_word_length_millis / 1000:
            return self._verdict(now, AnswerVerdict.MACHINE, AnswerReason.LONG_WORD)
        if greeting.words and greeting.end(now) - greeting.words[0][0] > config.greeting_duration_millis / 1000:
            return self._verdict(now, AnswerVerdict.MACHINE, AnswerReason.LONG_GREETING)
        if len(greeting.words) > config.maximum_number_of_words:
            return self._verdict(now, AnswerVerdict.MACHINE, AnswerReason.MANY_WORDS)
        if greeting.words and greeting.silence(now) >= self._silence_wanted(now):
            return self._verdict(now, AnswerVerdict.HUMAN, AnswerReason.SHORT_GREETING)
        if not greeting.sounds and not greeting.words and now - self._since >= config.initial_silence_millis / 1000:
            return self._verdict(now, AnswerVerdict.SILENCE, AnswerReason.NO_SPEECH)
        if now - self._since >= config.total_analysis_time_millis / 1000:
            return self._verdict(now, AnswerVerdict.UNKNOWN, AnswerReason.OUT_OF_TIME)
        return None

    def _silence_wanted(self, now: float) -> float:
        """Seconds of silence that make a human: the more was said, the more, for a machine rests between sentences."""
        said = self.greeting.end(now) - self.greeting.words[0][0]
        return self._config.after_greeting_silence_millis / 1000 * (1 + SUSPICION * max(0.0, said - SHORT))

    def _verdict(self, now: float, verdict: AnswerVerdict, reason: AnswerReason) -> AnswerDetection:
        zero = self._answered
        words = tuple((began - zero, (now if end is None else end) - zero) for began, end in self.greeting.words)
        return AnswerDetection(verdict, CONFIDENCE[reason], now - zero, reason, words, self._beep, self._signal)


class AnswerDetector:
    """Tells who answered, from samples; a call does it by itself, see `Call.detect_answer`.

    Args:
        sample_rate: Samples a second: 8, 16, 24, 32 or 48 thousand.
        config: The limits.

    Raises:
        ConfigurationError: The rate is none of these.

    Attributes:
        detection: Who answered, once that is clear.
        beeps: The beeps that were heard so far.
    """

    def __init__(self, sample_rate: int, config: AnswerDetectionConfig | None = None) -> None:
        self._config = config or AnswerDetectionConfig()
        self._tones = SteadyTones(sample_rate)
        from telnyx_native import _webrtc  # loads libwebrtc: not before it is needed

        self._words = _webrtc.WordDetector(sample_rate)
        self._frame = sample_rate // 100
        self._rest = bytearray()
        self._judge = AnswerJudge(self._config)
        self.detection: AnswerDetection | None = None
        self.beeps: list[Beep] = []

    def feed(self, pcm: Buffer) -> AnswerDetection | None:
        """Take the next samples, from the answer on; return who answered, if that is clear by now.

        Args:
            pcm: Any buffer of mono 16-bit samples, of any length. Beeps are looked for after the verdict, too.

        Raises:
            TypeError: `pcm` holds something else than 16-bit samples.
        """
        for frame in frames_of(self._rest, pcm, self._frame):
            for heard in self._listen(frame):
                if beep := self._judge.take(heard):
                    self.beeps.append(beep)
            if self.detection is None:
                self.detection = self._judge.decide(self._tones.now)
        return self.detection

    def _listen(self, frame: bytes) -> list[Word | SteadyTone]:
        tone = self._tones.take(frame)
        heard: list[Word | SteadyTone] = []
        if (edge := self._words.process(frame, self._config.silence_threshold)) is not None:
            began, ago = edge
            heard.append(Word(began, self._tones.now - ago / 100))
        if tone is not None:
            heard.append(tone)
        return heard
