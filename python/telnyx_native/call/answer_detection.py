"""Finds out who answered a call, and waits for the beep of a machine: listens, and asks what to make of it."""

# ruff: noqa: SLF001 - who hears what is between the audio and the call

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from telnyx_native.errors import CallError, WaitTimeoutError
from telnyx_native.media.answer_detection import AnswerJudge, Beep, Greeting, GreetingEnd

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_native.call.lifecycle import Lifecycle
    from telnyx_native.config import AnswerDetectionConfig
    from telnyx_native.media.answer_detection import AnswerDetection, Word
    from telnyx_native.media.call_progress import SteadyTone
    from telnyx_native.media.stream import AudioStream

__all__ = ["AnswerDetections"]

LOOK = 0.02
"""Seconds after which time may have decided something although nothing was heard."""

T = TypeVar("T")


class AnswerDetections:
    """Listens to what one call hears after it was answered. Its clock is the received audio.

    Args:
        life: The call's life.
    """

    def __init__(self, life: Lifecycle) -> None:
        self._life = life
        self._detecting = False
        self._greeting: Greeting | None = None
        self._beep: Beep | None = None  # that was heard, and that nobody was told of who waited for it

    async def detect(self, audio: AudioStream, config: AnswerDetectionConfig) -> AnswerDetection:
        """Find out who answered; see `Call.detect_answer`."""
        if self._detecting:
            raise CallError("who answered is being found out already: wait for that, or cancel it")
        self._detecting = True
        try:
            now = audio._received()
            judge = AnswerJudge(config, now, now - self._since_answer())
            self._greeting, self._beep = judge.greeting, None
            return await self._listen(audio, config, judge.take, judge.decide)
        finally:
            self._detecting = False

    async def wait_for_beep(self, audio: AudioStream, config: AnswerDetectionConfig, timeout: float | None) -> Beep:
        """Wait for a beep; see `Call.wait_for_beep`."""
        begun = audio._received()

        def decide(now: float) -> Beep | None:
            beep, self._beep = self._beep, None
            if beep is None and timeout is not None and now - begun >= timeout:
                raise WaitTimeoutError(f"there was no beep within {timeout:g} s")
            return beep

        return await self._listen(audio, config, self._heard_greeting(config).take, decide)

    async def wait_greeting_ended(self, audio: AudioStream, config: AnswerDetectionConfig) -> GreetingEnd:
        """Wait until a machine may be spoken to; see `Call.wait_greeting_ended`."""
        begun = audio._received()
        answered = begun - self._since_answer()
        greeting = self._heard_greeting(config)

        def decide(now: float) -> GreetingEnd | None:
            beep, self._beep = self._beep, None
            silent_since = now if greeting.sounds else max(begun, greeting.end(begun))
            paused = now - silent_since >= config.greeting_silence_duration_millis / 1000
            out_of_time = now - begun >= config.greeting_total_analysis_time_millis / 1000
            return GreetingEnd(beep, now - answered) if beep is not None or paused or out_of_time else None

        return await self._listen(audio, config, greeting.take, decide)

    def _since_answer(self) -> float:
        """Seconds since the call was answered."""
        answered = self._life.timings.answered or self._life.timings.active
        return monotonic() - answered if answered is not None else 0.0

    def _heard_greeting(self, config: AnswerDetectionConfig) -> Greeting:
        """What was heard of the greeting so far."""
        if self._greeting is None:
            self._greeting = Greeting(config.between_words_silence_millis / 1000)
        return self._greeting

    async def _listen(
        self,
        audio: AudioStream,
        config: AnswerDetectionConfig,
        take: Callable[[Word | SteadyTone], Beep | None],
        decide: Callable[[float], T | None],
    ) -> T:
        """Hand on what is heard until something is decided.

        Raises:
            CallError: The call ended first.
        """
        with audio._listen(config.silence_threshold) as listener:
            try:
                while True:
                    now = listener.now
                    for sound in listener.take():
                        self._beep = take(sound) or self._beep
                    if (found := decide(now)) is not None:
                        return found
                    if listener.over:
                        raise CallError(f"the call ended meanwhile: {self._life.reason}")
                    await listener.wait(LOOK)
            finally:
                if self._greeting is not None:
                    self._greeting.interrupt(listener.now)
