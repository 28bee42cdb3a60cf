"""The audio of one call, as an application writes and reads it.

The contract, both ways: mono, at the rate and in the encoding that the application chose.

- *Playback*: what is written or played is queued natively and sent in real time, 10 ms at a time, whatever the
  application does meanwhile. An empty queue sends silence. `AudioStream.write` waits while the queue is full.
- *Capture*: what is received waits natively until it is read. When the application does not read for longer than the
  queue lasts, the oldest audio is lost and counted.

Nothing of this needs the event loop for audio to flow.
"""

# ruff: noqa: SLF001 - a stream and its layers are parts of one thing

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telnyx_native import _audio
from telnyx_native.errors import ConfigurationError
from telnyx_native.media.detectors import Detectors
from telnyx_native.media.filtering import FilteredAudio
from telnyx_native.media.output import AudioLayer, AudioOutput
from telnyx_native.media.packets import PacketTap
from telnyx_native.media.tap import TAP_SECONDS, Arrivals, AudioDirection, AudioTap

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractContextManager

    from typing_extensions import Buffer

    from telnyx_native.config import AudioConfig
    from telnyx_native.flow import SharedFlow
    from telnyx_native.media.call_progress import CallProgress
    from telnyx_native.media.detectors import DtmfReceived, SoundListener, VoiceActivity
    from telnyx_native.media.filtering import AudioFilter
    from telnyx_native.media.turns import Turn, TurnEvent

__all__ = ["AudioCounters", "AudioStream"]

FRAME_SECONDS = 0.02
"""Length of the frames that iterating a stream gives, the packet time of telephony."""

ANYTHING = ~0
"""All that the media clock reports."""

FULL_SCALE_SQUARE = 32768.0**2
QUIETEST = -127.0
"""dBFS; the level of silence (RFC 6464)."""


@dataclass(frozen=True, slots=True)
class AudioCounters:
    """What happened to the audio of a call since it began, in samples unless said otherwise.

    Attributes:
        played: Handed to the encoder.
        cleared: Dropped by `clear`.
        trimmed: Dropped to keep within `AudioConfig.max_backlog`.
        silence: Sent as silence because nothing was queued.
        underruns: How many times playback ran dry; the end of each utterance is one.
        captured: Received and decoded.
        capture_lost: Received, but not read in time and overwritten by newer audio.
        notices_lost: Keys, tones and changes of speech (how many) that came while the event loop stood still for very
            long.
    """

    played: int
    cleared: int
    trimmed: int
    silence: int
    underruns: int
    captured: int
    capture_lost: int
    notices_lost: int


class AudioStream(AudioOutput):
    """Writes and reads the audio of one call.

    Iterating gives what the remote says in frames of 20 ms, as `bytes`, until the call ends.
    """

    def __init__(self, config: AudioConfig) -> None:
        rate = config.sample_rate
        self._port = _audio.AudioPort(
            rate,
            round(config.playback_buffer * rate),
            round(config.capture_buffer * rate),
            round((config.max_backlog or 0) * rate),
            round(TAP_SECONDS * rate),
        )
        super().__init__(self._port, rate, config.encoding)
        self._config = config
        self._detectors = Detectors(self._port, config)
        self._tapped = Arrivals("the tap", self._port.arm_tapped)
        self._packets = Arrivals("the packet tap", self._port.arm_packets)
        self._layers: list[AudioLayer] = []
        self._readable = asyncio.Event()
        self.on_muted: Callable[[], object] = _nothing
        self._begun = bytearray()  # 16-bit samples, of a read that is longer than the native queue

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"{self.queued:.2f} s queued"
        return f"<AudioStream {self._rate} Hz, {state}>"

    # --- playback --------------------------------------------------------------------------------------------------

    def layer(self, *, volume: float = 1.0, ducked: float = 1.0) -> AudioLayer:
        """Open another queue, which is heard together with this one: music under speech, or the noise of an office.

        The media clock mixes them. There is room for four at a time. `with` closes it, and the end of the call does.

        Args:
            volume: Its volume, which can be changed later.
            ducked: What is left of that while this queue, the one for speech, is playing; it goes down in about 50 ms
                and comes back in half a second.

        Raises:
            AudioClosedError: The call is over.
            ConfigurationError: There are four already, or a value is out of range.
        """
        self._require_open()
        try:
            queue = _audio.PlaybackLayer(self._port)
        except ValueError as error:
            raise ConfigurationError(f"{error}: close one first") from None
        layer = AudioLayer(queue, self._rate, self._config.encoding, self._layers.remove)
        layer.log = self.log
        self._layers.append(layer)
        try:
            layer.volume, layer.ducked = volume, ducked
        except ConfigurationError:
            layer.close()
            raise
        return layer

    @property
    def muted(self) -> bool:
        """Whether silence is sent instead of what is played; the queue goes on playing unheard."""
        return self._port.muted

    @muted.setter
    def muted(self, muted: bool) -> None:
        self._port.muted = muted
        self.on_muted()

    # --- capture ---------------------------------------------------------------------------------------------------

    @property
    def deaf(self) -> bool:
        """Whether silence is read instead of what is received; keys, speech, turns, taps and recordings go on."""
        return self._port.deaf

    @deaf.setter
    def deaf(self, deaf: bool) -> None:
        self._port.deaf = deaf

    async def read(self, samples: int) -> bytes:
        """Return the next `samples` received samples as bytes, in the encoding of the call; wait until they are there.

        When the call is over it returns what is left, and then `b""`. Cancelling loses nothing.

        Raises:
            ConfigurationError: `samples` is less than one.
            RuntimeError: It is awaited in another event loop than the call's.
        """
        return await self._read(samples, self._encoding)

    async def _read(self, samples: int, encoding: int) -> bytes:
        """Return them in another encoding than that of the call, which who adapts calls may not know."""
        self._home.enter()
        if samples <= 0:
            raise ConfigurationError("read at least one sample")
        while (missing := samples - len(self._begun) // 2) > 0:
            portion = min(missing, self._port.capture_size // 2)
            if self._port.readable < portion:
                await self._wait_readable(portion)
            if portion == samples:  # all at once
                return self._port.read(samples, encoding)
            received = self._port.read(portion)
            if not received:
                break
            self._begun += received
        return self._take_begun(samples, encoding)

    def read_nowait(self, samples: int | None = None) -> bytes:
        """Return what is there of the next `samples`, or all that is there; perhaps nothing."""
        waiting = len(self._begun) // 2 + self._port.readable
        samples = waiting if samples is None else min(samples, waiting)
        from_begun = min(samples, len(self._begun) // 2)
        return self._take_begun(from_begun, self._encoding) + self._port.read(samples - from_begun, self._encoding)

    def readinto(self, buffer: Buffer) -> int:
        """Fill a writable buffer with what is there now; return how many samples that were.

        Args:
            buffer: An array of 16-bit integers or 32-bit floats; or bytes, to be filled in the encoding of the call.

        Raises:
            TypeError: It is for something else than samples.
        """
        filled = self._port.readinto(buffer, self._encoding, bytes(self._begun))
        del self._begun[: 2 * filled]
        return filled

    def _take_begun(self, samples: int, encoding: int) -> bytes:
        """Take up to `samples` of what a longer or cancelled read has collected."""
        taken = bytes(self._begun[: 2 * samples])
        del self._begun[: 2 * samples]
        return _audio.encode(taken, encoding)

    @property
    def readable(self) -> float:
        """Seconds of audio received, but not read yet."""
        return (self._port.readable + len(self._begun) // 2) / self._rate

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.frames()

    async def frames(self, seconds: float = FRAME_SECONDS) -> AsyncIterator[bytes]:
        """Give what the remote says in frames of `seconds`, until the call ends; the last one may be shorter."""
        samples = round(seconds * self._rate)
        while frame := await self.read(samples):
            yield frame

    # --- listening -------------------------------------------------------------------------------------------------

    @property
    def dtmf_flow(self) -> SharedFlow[DtmfReceived]:
        """Keys that the remote presses, each once, when it is let go."""
        return self._detectors.dtmf

    @property
    def voice_activity_flow(self) -> SharedFlow[VoiceActivity]:
        """When the remote begins to speak, and when it stops; looked for while somebody collects this."""
        return self._detectors.voice_activity

    @property
    def turn_flow(self) -> SharedFlow[TurnEvent]:
        """Who speaks from when to when, on both sides, and what follows from it; looked for while somebody collects."""
        return self._detectors.turns

    @property
    def call_progress_flow(self) -> SharedFlow[CallProgress]:
        """What the network tells with tones; looked for while somebody collects this."""
        return self._detectors.call_progress

    def _listen(self, threshold: int) -> AbstractContextManager[SoundListener]:
        """Listen to words and tones, for who finds out who answered."""
        return self._detectors.listen(threshold)

    def _received(self) -> float:
        """Seconds of audio that were received."""
        return self._detectors.received()

    def tap(self, direction: AudioDirection = AudioDirection.RECEIVED) -> AudioTap:
        """Listen in on what is received, or sent, or both, from now on, without disturbing who reads and writes."""
        return AudioTap(self._port, self._tapped, AudioDirection(direction))

    def filtered(self, function: AudioFilter) -> FilteredAudio:
        """Hear what is received through a function of your own, from now on, beside all that is read and heard.

        Args:
            function: Takes 10 ms of mono 16-bit samples as bytes, and returns as many. It runs on a thread.
        """
        return FilteredAudio(self.tap(), function, self.log)

    def tap_packets(self) -> PacketTap:
        """Have the encoded packets of the remote as they arrive, from now on, beside all that is read and heard."""
        return PacketTap(_audio.PacketTap(self._port), self._rate, self._packets)

    @property
    def received_level(self) -> float:
        """How loud the remote is, in dB under full scale, over the last tenth of a second; -127 is silence."""
        return _decibels(self._port.received_level)

    @property
    def sent_level(self) -> float:
        """How loud is what is sent, likewise."""
        return _decibels(self._port.sent_level)

    @property
    def counters(self) -> AudioCounters:
        """What happened to the audio so far."""
        return AudioCounters(**self._port.counters())

    # --- for sound devices -----------------------------------------------------------------------------------------

    @property
    def _native_rings(self) -> _audio.AudioPort:
        """The queues themselves, for who moves audio on a thread of its own, and then alone."""
        return self._port

    # --- for the report of a call ---------------------------------------------------------------------------------

    def _unfinished_turns(self) -> list[Turn]:
        """The turns that are not over, as if they were now."""
        return self._detectors.unfinished_turns()

    # --- for the peer ----------------------------------------------------------------------------------------------

    def _native_port(self) -> object:
        """The port as a capsule for the native engine."""
        return self._port.capsule()

    def _on_ready(self, readiness: int) -> None:
        """Wake who waits: the media clock reported that what they wait for holds."""
        if readiness & _audio.READABLE:
            self._readable.set()
        if readiness & _audio.WRITABLE:
            self._on_writable()
        if readiness & _audio.DRAINED:
            self._on_drained()
        if readiness & _audio.LAYERS:
            for layer in self._layers:
                layer._on_writable()
                layer._on_drained()
        if readiness & _audio.TAPPED:
            self._tapped.on_arrived()
        if readiness & _audio.PACKETS:
            self._packets.on_arrived()
        if readiness & _audio.NOTICED:
            self._detectors.take_notices()

    def _wake(self) -> None:
        """Have whoever waits look again."""
        self._on_ready(ANYTHING)

    def _close(self) -> None:
        """End playback for good; what was received can still be read."""
        for layer in tuple(self._layers):
            layer.close()
        super()._close()
        self.on_muted = _nothing
        self._readable.set()
        self._tapped.close()
        self._packets.close()
        self._detectors.close()

    async def _wait_readable(self, samples: int) -> None:
        # It arms the clock, and then looks once more: the clock may have ticked between the first look and the arming.
        while self._port.readable < samples and not self._closed:
            self._readable.clear()
            self._port.arm_readable(samples)
            if self._port.readable < samples:
                await self._readable.wait()


def _nothing() -> None:
    pass


def _decibels(mean_square: float) -> float:
    """The level of a mean square of 16-bit samples, in dB under a square wave of full scale."""
    if mean_square <= 0:
        return QUIETEST
    return max(QUIETEST, 10 * math.log10(mean_square / FULL_SCALE_SQUARE))
