"""The audio of one call, as an application writes and reads it.

The contract, both ways: mono, signed 16-bit, at the rate the application chose.

- *Playback*: what is written is queued natively and sent in real time, 10 ms at a time, whatever the application does
  meanwhile. An empty queue sends silence. `AudioStream.write` waits while the queue is full.
- *Capture*: what is received waits natively until it is read. When the application does not read for longer than the
  queue lasts, the oldest audio is lost and counted.

Nothing of this needs the event loop for audio to flow.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telnyx_native import _audio
from telnyx_native.errors import AudioClosedError
from telnyx_native.media.hearing import Hearing
from telnyx_native.media.tap import TAP_SECONDS, AudioDirection, AudioTap, Taps

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from typing_extensions import Buffer

    from telnyx_native.config import AudioConfig
    from telnyx_native.flow import SharedFlow
    from telnyx_native.media.dtmf import DtmfReceived
    from telnyx_native.media.voice_activity import VoiceActivity

__all__ = ["AudioCounters", "AudioStream", "Cleared"]

FRAME_SECONDS = 0.02
"""Length of the frames that iterating a stream gives, the packet time of telephony."""

WRITE_WAKE_SECONDS = 0.1
"""A writer that waits for room is woken when at least this much is free, not for every 10 ms."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """What `AudioStream.clear` did, in seconds.

    Attributes:
        heard: Audio that was sent since the last `clear` or finished `drain`: how much of an interrupted utterance the
            far end got.
        dropped: Audio that will never be sent.
    """

    heard: float
    dropped: float


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
        notices_lost: Keys and changes of speech (how many) that came while the event loop stood still for very long.
    """

    played: int
    cleared: int
    trimmed: int
    silence: int
    underruns: int
    captured: int
    capture_lost: int
    notices_lost: int


class AudioStream:
    """Writes and reads the audio of one call.

    Iterating gives what the far end says in frames of 20 ms, as `bytes`, until the call ends.
    """

    def __init__(self, config: AudioConfig) -> None:
        rate = config.sample_rate
        self._rate = rate
        self._port = _audio.AudioPort(
            rate,
            round(config.playback_buffer * rate),
            round(config.capture_buffer * rate),
            round((config.max_backlog or 0) * rate),
            round(TAP_SECONDS * rate),
        )
        self._hearing = Hearing(self._port, config)
        self._taps = Taps(self._port)
        self._write_wake = min(round(WRITE_WAKE_SECONDS * rate), self._port.playback_size // 2)
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()
        self._drained = asyncio.Event()
        self._writing = asyncio.Lock()
        self._begun = bytearray()  # of a read that is longer than the native queue
        self._marks: list[int] = []  # play positions that somebody waits for
        self._pending = 0  # samples of a write that wait for room
        self._clears = 0
        self._utterance_start = 0
        self._closed = False

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"{self.queued:.2f} s queued"
        return f"<AudioStream {self._rate} Hz, {state}>"

    @property
    def sample_rate(self) -> int:
        """Samples a second, both ways."""
        return self._rate

    @property
    def closed(self) -> bool:
        """Whether the call is over. What was received before can still be read."""
        return self._closed

    # --- playback --------------------------------------------------------------------------------------------------

    async def write(self, pcm: Buffer) -> None:
        """Queue audio to be sent; wait while the queue is full.

        Args:
            pcm: Any buffer of 16-bit samples, of any length: `bytes`, `memoryview`, `array("h")`, `numpy.int16`.

        A `clear` meanwhile drops the rest, and this returns. Cancelling keeps what was queued so far.

        Raises:
            AudioClosedError: The call is over.
            TypeError: `pcm` holds something else than 16-bit samples.
        """
        async with self._writing:
            total = memoryview(pcm).nbytes // 2
            clears = self._clears
            written = self.write_nowait(pcm)
            try:
                while written < total:
                    self._pending = total - written
                    await self._wait_room(min(self._pending, self._write_wake), clears)
                    if self._closed:
                        raise AudioClosedError("the call ended while its audio was being written")
                    if self._clears != clears:
                        return
                    written += self._port.write(pcm, written)
            finally:
                self._pending = 0

    def write_nowait(self, pcm: Buffer) -> int:
        """Queue as much of `pcm` as there is room for; return how many samples that were.

        Raises:
            AudioClosedError: The call is over.
            TypeError: `pcm` holds something else than 16-bit samples.
        """
        if self._closed:
            raise AudioClosedError("the call is over: its audio cannot be written any more")
        return self._port.write(pcm)

    def clear(self) -> Cleared:
        """Stop playback within 10 ms: drop all that is queued, and all that a `write` still waits to queue."""
        dropped = self._port.clear() + self._pending
        heard = self._port.played - self._utterance_start
        self._utterance_start += heard
        self._clears += 1
        self._writable.set()
        return Cleared(heard / self._rate, dropped / self._rate)

    async def drain(self) -> None:
        """Wait until all that was written has been sent (or dropped).

        Raises:
            AudioClosedError: The call ended first.
        """
        async with self._writing:
            mark = self._port.write_position
        await self._wait_played(mark)
        self._utterance_start = self._port.played

    @property
    def queued(self) -> float:
        """Seconds of audio written, but not sent yet."""
        return self._port.queued / self._rate

    @property
    def played(self) -> float:
        """Seconds of written audio sent since the call began."""
        return self._port.played / self._rate

    @property
    def muted(self) -> bool:
        """Whether silence is sent instead of what is written; the queue goes on playing unheard."""
        return self._port.muted

    @muted.setter
    def muted(self, muted: bool) -> None:
        self._port.muted = muted

    # --- capture ---------------------------------------------------------------------------------------------------

    async def read(self, samples: int) -> bytes:
        """Return the next `samples` received samples as bytes (two a sample); wait until they are there.

        When the call is over it returns what is left, and then `b""`. Cancelling loses nothing.
        """
        if samples <= 0:
            raise ValueError("read at least one sample")
        while (missing := samples - len(self._begun) // 2) > 0:
            portion = min(missing, self._port.capture_size // 2)
            if self._port.readable < portion:
                await self._wait_readable(portion)
            received = self._port.read(portion)
            if portion == samples or not received:  # all at once, or the end
                return self._take_begun(samples) + received
            self._begun += received
        return self._take_begun(samples)

    def read_nowait(self, samples: int) -> bytes:
        """Return what is there now of the next `samples`."""
        begun = self._take_begun(samples)
        return begun + self._port.read(samples - len(begun) // 2)

    def readinto(self, buffer: Buffer) -> int:
        """Fill a writable buffer of 16-bit samples with what is there now; return how many samples that were."""
        if not self._begun:
            return self._port.readinto(buffer)
        view = memoryview(buffer).cast("B")
        begun = self._take_begun(len(view) // 2)
        view[: len(begun)] = begun
        return len(begun) // 2

    def _take_begun(self, samples: int) -> bytes:
        """Take up to `samples` of what a longer or cancelled read has collected."""
        taken = bytes(self._begun[: 2 * samples])
        del self._begun[: 2 * samples]
        return taken

    @property
    def readable(self) -> float:
        """Seconds of audio received, but not read yet."""
        return (self._port.readable + len(self._begun) // 2) / self._rate

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.frames()

    async def frames(self, seconds: float = FRAME_SECONDS) -> AsyncIterator[bytes]:
        """Give what the far end says in frames of `seconds`, until the call ends; the last one may be shorter."""
        samples = round(seconds * self._rate)
        while frame := await self.read(samples):
            yield frame

    # --- listening -------------------------------------------------------------------------------------------------

    @property
    def dtmf_flow(self) -> SharedFlow[DtmfReceived]:
        """Keys that the far end presses, each once, when it is let go."""
        return self._hearing.dtmf

    @property
    def voice_activity_flow(self) -> SharedFlow[VoiceActivity]:
        """When the far end begins to speak, and when it stops; looked for while somebody collects this."""
        return self._hearing.voice_activity

    def tap(self, direction: AudioDirection = AudioDirection.RECEIVED) -> AudioTap:
        """Listen in on what is received, or sent, or both, from now on, without disturbing who reads and writes."""
        return self._taps.open(AudioDirection(direction))

    @property
    def counters(self) -> AudioCounters:
        """What happened to the audio so far."""
        return AudioCounters(**self._port.counters())

    # --- for sound devices -----------------------------------------------------------------------------------------

    @property
    def native_rings(self) -> _audio.AudioPort:
        """The queues themselves, for who moves audio on a thread of its own, and then alone."""
        return self._port

    # --- for the peer ----------------------------------------------------------------------------------------------

    def native_port(self) -> object:
        """The port as a capsule for the native engine."""
        return self._port.capsule()

    def on_ready(self, readiness: int) -> None:
        """Wake who waits: the media clock reported that what they wait for holds."""
        if readiness & _audio.READABLE:
            self._readable.set()
        if readiness & _audio.WRITABLE:
            self._writable.set()
        if readiness & _audio.DRAINED:
            self._drained.set()
        if readiness & _audio.TAPPED:
            self._taps.on_tapped()
        if readiness & _audio.NOTICED:
            self._hearing.take_notices()

    def wake(self) -> None:
        """Have whoever waits look again."""
        self.on_ready(_audio.READABLE | _audio.WRITABLE | _audio.DRAINED | _audio.TAPPED | _audio.NOTICED)

    def close(self) -> None:
        """End playback for good; what was received can still be read."""
        self._closed = True
        self.wake()
        self._taps.close()
        self._hearing.close()

    # --- waiting ---------------------------------------------------------------------------------------------------

    # Each arms the clock, and then looks once more: the clock may have ticked between the first look and the arming.

    async def _wait_readable(self, samples: int) -> None:
        while self._port.readable < samples and not self._closed:
            self._readable.clear()
            self._port.arm_readable(samples)
            if self._port.readable < samples:
                await self._readable.wait()

    async def _wait_room(self, samples: int, clears: int) -> None:
        while self._port.space < samples and not self._closed and self._clears == clears:
            self._writable.clear()
            self._port.arm_writable(samples)
            if self._port.space < samples:
                await self._writable.wait()

    async def _wait_played(self, mark: int) -> None:
        self._marks.append(mark)
        try:
            while self._port.play_position < mark:
                if self._closed:
                    raise AudioClosedError("the call ended before all of its audio was sent")
                self._drained.clear()
                self._port.arm_drained(min(self._marks))
                if self._port.play_position < mark:
                    await self._drained.wait()
        finally:
            self._marks.remove(mark)
