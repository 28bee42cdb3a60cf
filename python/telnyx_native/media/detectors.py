"""What is found in received audio: DTMF keys, whether somebody speaks, words, and the tones of the network."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from telnyx_native import _audio
from telnyx_native.config import VoiceActivityConfig, require_sample_rate
from telnyx_native.flow import SharedFlow
from telnyx_native.media.answer_detection import Word
from telnyx_native.media.call_progress import CallProgress, ProgressMatcher, SteadyTone, TonePhase
from telnyx_native.media.turns import Edge, Turn, TurnEvent, Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typing_extensions import Buffer

    from telnyx_native.config import AudioConfig
    from telnyx_native.flow import Collector

__all__ = [
    "DTMF_KEYS",
    "Detectors",
    "DtmfDetector",
    "DtmfReceived",
    "DtmfSource",
    "SoundListener",
    "VoiceActivity",
    "VoiceActivityDetector",
]

DTMF_KEYS = "0123456789*#ABCD"
"""The keys of a telephone (ITU-T Q.23)."""

TICKS_PER_SECOND = 100
"""Of the media clock."""


class DtmfSource(StrEnum):
    """How a key came."""

    TELEPHONE_EVENT = "telephone-event"
    TONE = "tone"


@dataclass(frozen=True, slots=True)
class DtmfReceived:
    """A key that was pressed and let go.

    Attributes:
        key: One of 0-9, *, #, A-D.
        duration: Seconds it was held.
        source: Whether it came beside the sound (RFC 4733) or was found in it.
    """

    key: str
    duration: float
    source: DtmfSource


class DtmfDetector:
    """Finds DTMF keys in samples, within the limits of ITU-T Q.24; a call does it by itself, see `Call.dtmf_flow`.

    A key is heard from 40 ms on, with 1.5 % of error in its frequencies, 4 dB more in the high or 8 dB more in the low
    one, and 12 dB of noise under it; never under 23 ms, or with 3.5 % of error.

    Args:
        sample_rate: Samples a second: 8, 16, 24, 32 or 48 thousand.

    Raises:
        ValueError: It is none of these.
    """

    def __init__(self, sample_rate: int) -> None:
        self._native = _audio.DtmfDetector(sample_rate)

    def feed(self, pcm: Buffer) -> list[DtmfReceived]:
        """Take the next samples; return the keys that were let go in them.

        Args:
            pcm: Any buffer of mono 16-bit samples, of any length.

        Raises:
            TypeError: `pcm` holds something else than 16-bit samples.
        """
        return [DtmfReceived(key, held / 1000, DtmfSource.TONE) for key, held in self._native.feed(pcm)]


@dataclass(frozen=True, slots=True)
class VoiceActivity:
    """The remote has begun to speak, or has stopped.

    Attributes:
        speaking: Which of both.
        at: Seconds of received audio since the call began, up to where speech or silence began. That is earlier than
            this event, by about the onset or the hangover of `VoiceActivityConfig`.
    """

    speaking: bool
    at: float


class VoiceActivityDetector:
    """libwebrtc's voice activity detector; a call does it by itself, see `Call.voice_activity_flow`.

    It compares six bands of frequencies with what it knows of speech and has learnt of the noise so far, so frames
    have to come in order, and one detector listens to one voice.

    Args:
        sample_rate: Samples a second: 8, 16, 24, 32 or 48 thousand.
        aggressiveness: 0 rarely misses speech, up to 3, which rarely takes noise for speech.

    Raises:
        ConfigurationError: The rate is none of these.
        ConfigurationError: The aggressiveness is out of range.
    """

    def __init__(self, sample_rate: int, aggressiveness: int = 2) -> None:
        require_sample_rate(sample_rate)
        from telnyx_native import _webrtc  # loads libwebrtc: not before it is needed

        self._native = _webrtc.VoiceDetector(sample_rate)
        self._native.set_aggressiveness(VoiceActivityConfig(aggressiveness).aggressiveness)

    def is_speech(self, frame: Buffer) -> bool:
        """Take the next frame; return whether there is speech in it.

        Args:
            frame: A buffer of mono 16-bit samples, 10 ms long or a multiple of that.

        Raises:
            ValueError: It is of another length.
            TypeError: It holds something else than 16-bit samples.
        """
        return self._native.is_speech(frame)


T = TypeVar("T")

_SOURCES = {_audio.KEY_EVENT: DtmfSource.TELEPHONE_EVENT, _audio.KEY_TONE: DtmfSource.TONE}


def _nothing() -> None:
    """What there is to do when a flow that is closed gets a collector."""


class _WantedFlow(SharedFlow[T]):
    """A flow that tells when somebody begins to collect it.

    Args:
        on_wanted: Called then.
    """

    def __init__(self, on_wanted: Callable[[], None]) -> None:
        super().__init__()
        self._on_wanted = on_wanted

    def collect(self) -> Collector[T]:
        collector = super().collect()
        self._on_wanted()
        return collector

    def close(self) -> None:
        """End the flow. Nobody has to be told any more."""
        super().close()
        self._on_wanted = _nothing


MOST_SOUNDS = 1024
"""Sounds that wait for who listens to an answer; there are some twenty a second at most."""


class SoundListener:
    """The words and steady tones of a call while somebody listens to them.

    Args:
        take_notices: Brings what was found natively up to now.
        received: Returns how many seconds of audio were received.

    Attributes:
        over: Whether the call has ended.
    """

    def __init__(self, take_notices: Callable[[], None], received: Callable[[], float]) -> None:
        self._take_notices = take_notices
        self._received = received
        self._heard: deque[Word | SteadyTone] = deque(maxlen=MOST_SOUNDS)
        self._news = asyncio.Event()
        self.over = False

    @property
    def now(self) -> float:
        """Seconds of audio that were received."""
        return self._received()

    def take(self) -> list[Word | SteadyTone]:
        """Return what was heard since the last time."""
        self._take_notices()
        heard = list(self._heard)
        self._heard.clear()
        return heard

    async def wait(self, seconds: float) -> None:
        """Return when something new was heard, or the call has ended, or after that many seconds."""
        self._news.clear()
        if self._heard or self.over:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()

    def hear(self, sound: Word | SteadyTone) -> None:
        """Something was heard."""
        self._heard.append(sound)
        self._news.set()

    def end(self) -> None:
        """Nothing more will be heard."""
        self.over = True
        self._news.set()


class Detectors:
    """What the clock found in the audio of one port, as flows.

    Args:
        port: Where they come from.
        config: What to listen for, and how.

    Attributes:
        dtmf: Keys.
        voice_activity: When somebody begins to speak, and stops; looked for while somebody collects it.
        turns: Who speaks from when to when, on both sides; likewise.
        call_progress: The tones of the network; looked for while somebody collects it.
    """

    def __init__(self, port: _audio.AudioPort, config: AudioConfig) -> None:
        self.dtmf: SharedFlow[DtmfReceived] = SharedFlow()
        self.voice_activity: SharedFlow[VoiceActivity] = _WantedFlow(self._listen_for_speech)
        self.turns: SharedFlow[TurnEvent] = _WantedFlow(self._follow_turns)
        self._turns = Turns()
        self.call_progress: SharedFlow[CallProgress] = _WantedFlow(self._listen_for_tones)
        self._listeners: list[SoundListener] = []
        self._progress = ProgressMatcher()
        self._port = port
        self._config = config.voice_activity
        self._closed = False
        port.listen_for_tones(config.dtmf_tones)

    def take_notices(self) -> None:
        """Tell what was heard since the last time."""
        rate = self._port.sample_rate
        for kind, value, milliseconds, position, low, high in self._port.take_notices():
            if kind == _audio.TURN:
                for event in self._turns.take(Edge(value), position / rate):
                    self.turns.emit(event)
            elif kind == _audio.SPEECH:
                self.voice_activity.emit(VoiceActivity(bool(value), position / rate))
            elif kind == _audio.WORD:
                self._hear(Word(bool(value), position / rate))
            elif kind == _audio.TONE:
                frequencies = (low, high) if high else (low,)
                self._hear(SteadyTone(TonePhase(value), position / rate, milliseconds / 1000, frequencies))
            else:
                self.dtmf.emit(DtmfReceived(chr(value), milliseconds / 1000, _SOURCES[kind]))
        if not self.turns.collected:
            self._follow_turns(wanted=False)
        if not (self.voice_activity.collected or self.turns.collected):
            self._listen_for_speech(wanted=False)
        self._listen_for_tones()

    @contextmanager
    def listen(self, threshold: int) -> Iterator[SoundListener]:
        """Listen to words and steady tones until the context ends.

        Args:
            threshold: The least mean amplitude of a word, of 32,767; of two who listen, the last one's counts.
        """
        listener = SoundListener(self.take_notices, self.received)
        if self._closed:
            listener.end()
        self._listeners.append(listener)
        self._port.listen_for_words(True, threshold)
        self._listen_for_tones()
        try:
            yield listener
        finally:
            self._listeners.remove(listener)
            if not self._listeners:
                self._port.listen_for_words(False, 0)
            self._listen_for_tones()

    def unfinished_turns(self) -> list[Turn]:
        """The turns that are not over, as if they were now."""
        counters = self._port.counters()
        return self._turns.finish((counters["played"] + counters["silence"]) / self._port.sample_rate)

    def close(self) -> None:
        """Tell what is left; nothing more will be heard."""
        self.take_notices()
        for turn in self.unfinished_turns():
            self.turns.emit(turn)
        self._closed = True
        self.dtmf.close()
        self.voice_activity.close()
        self.turns.close()
        self.call_progress.close()
        for listener in self._listeners:
            listener.end()

    def received(self) -> float:
        """Seconds of audio that were received since the call began."""
        return self._port.counters()["captured"] / self._port.sample_rate

    def _hear(self, sound: Word | SteadyTone) -> None:
        for listener in self._listeners:
            listener.hear(sound)
        if isinstance(sound, SteadyTone) and (progress := self._progress.take(sound)) is not None:
            self.call_progress.emit(progress)

    def _listen_for_tones(self) -> None:
        self._port.listen_for_steady_tones(self.call_progress.collected or bool(self._listeners))

    def _follow_turns(self, *, wanted: bool = True) -> None:
        config = self._config
        ticks = (round(seconds * TICKS_PER_SECOND) for seconds in (config.hangover, config.dead_air))
        self._port.follow_turns(wanted, *ticks)
        if wanted:
            self._listen_for_speech()
        else:
            self._turns = Turns()

    def _listen_for_speech(self, *, wanted: bool = True) -> None:
        self._port.listen_for_speech(
            wanted,
            self._config.aggressiveness,
            round(self._config.onset * TICKS_PER_SECOND),
            round(self._config.hangover * TICKS_PER_SECOND),
            round((self._config.barge_in or self._config.onset) * TICKS_PER_SECOND),
            round(self._config.echo_loss),
        )
