"""A queue of audio that is sent in real time, as an application fills it.

`AudioStream`, the audio of a call, is one: for speech. `AudioStream.layer` opens others beside it. Writes and sounds
are heard in the order in which they were asked for; `AudioOutput.clear` drops them all.
"""

# ruff: noqa: SLF001 - an output, its player and its marks are parts of one thing

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from telnyx_native import _audio
from telnyx_native.config import AudioEncoding
from telnyx_native.errors import AudioClosedError, ConfigurationError
from telnyx_native.event_loop import OwnerLoop
from telnyx_native.logs import Log, LogLevel
from telnyx_native.media.playing import Mark, Playback, QueuedWrite, WriteQueue
from telnyx_native.media.sources import Playable, Source, open_source, require_source_rate
from telnyx_native.untrusted_text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

__all__ = ["NATIVE_ENCODINGS", "AudioLayer", "AudioOutput", "Cleared"]

WRITE_WAKE_SECONDS = 0.1
"""A writer that waits for room is woken when at least this much is free, not for every 10 ms."""

UNAWAITED_AFTER = 1.0
"""Seconds after which a failure that nobody has awaited is logged."""

MAX_VOLUME = 8.0
"""18 dB more than it was; what is over full scale is clipped."""

NATIVE_ENCODINGS = {
    AudioEncoding.INT16: _audio.INT16,
    AudioEncoding.FLOAT32: _audio.FLOAT32,
    AudioEncoding.ULAW: _audio.ULAW,
    AudioEncoding.ALAW: _audio.ALAW,
}


@dataclass(frozen=True, slots=True)
class Cleared:
    """What `AudioOutput.clear` did, in seconds.

    Attributes:
        heard: Audio that was sent since the last `clear` or finished `drain`: how much of an interrupted utterance the
            remote got.
        dropped: Audio that will never be sent, as far as it is known how much there was: of a file, what comes after
            what was read; of a loop, the rest of the round; of an async iterator, what it has given.
    """

    heard: float
    dropped: float


class AudioOutput:
    """A queue of audio that is sent in real time.

    Args:
        queue: The native queue.
        rate: Samples a second.
        encoding: How samples in bytes are written down.

    Attributes:
        log: Where failures are noted that nobody awaits.
    """

    def __init__(self, queue: _audio.PlaybackQueue, rate: int, encoding: AudioEncoding) -> None:
        self.log = Log("media", LogLevel.ALL)
        self._queue = queue
        self._rate = rate
        self._encoding = NATIVE_ENCODINGS[encoding]
        self._write_wake = min(round(WRITE_WAKE_SECONDS * rate), queue.playback_size // 2)
        self._writable = asyncio.Event()
        self._home = OwnerLoop("the audio")
        self._writes = WriteQueue(lambda: queue.write_position, self._await_heard)
        self._marks: list[Mark] = []  # that are put, and not heard yet
        self._players: set[asyncio.Task[None]] = set()
        self._playing: Playback | None = None
        self._utterance_start = 0
        self._closed = False

    @property
    def sample_rate(self) -> int:
        """Samples a second."""
        return self._rate

    @property
    def closed(self) -> bool:
        """Whether nothing can be written any more."""
        return self._closed

    async def write(self, pcm: Buffer) -> None:
        """Queue audio to be sent; wait while the queue is full, or somebody else is writing or playing.

        Args:
            pcm: Samples of one channel, of any length: bytes in the encoding of the call (`AudioConfig.encoding`), or
                an array of 16-bit integers or 32-bit floats, such as `array("h")` or `numpy.float32`.

        A `clear` meanwhile drops the rest, and this returns. Cancelling keeps what was queued so far.

        Raises:
            AudioClosedError: The call is over.
            TypeError: `pcm` holds something else than samples.
            RuntimeError: It is awaited in another event loop than the call's.
        """
        self._home.enter()
        total = _audio.samples_in(pcm, self._encoding)
        written = self.write_nowait(pcm)
        if written == total:
            return
        write = QueuedWrite(lambda: (total - written) / self._rate, self._writable.set)
        self._writes.append(write)
        try:
            await write.begun()
            while written < total and not write.dropped:
                await self._wait_room(min(total - written, self._write_wake), write)
                if not write.dropped:
                    written += self._queue.write(pcm, written, self._encoding)
            if write.dropped:
                self._require_open()
        finally:
            self._writes.remove(write)

    def write_nowait(self, pcm: Buffer) -> int:
        """Queue as much of `pcm` as there is room for; return how many samples that were.

        That is nothing while somebody else is writing or playing, whose audio comes first.

        Raises:
            AudioClosedError: The call is over.
            TypeError: `pcm` holds something else than samples.
        """
        self._require_open()
        if self._writes.waiting:
            return 0
        return self._queue.write(pcm, 0, self._encoding)

    def play(
        self,
        what: Playable,
        *,
        volume: float = 1.0,
        loop: bool = False,
        fade_in: float = 0.0,
        fade_out: float = 0.0,
        sample_rate: int | None = None,
        encoding: AudioEncoding | None = None,
    ) -> Playback:
        """Have something played in the background, after what is queued, and whatever rate and encoding it has.

        Args:
            what: A sound file, by its name or opened for reading: WAV, FLAC, Ogg, MP3 and more. A pipe, by its name or
                opened, or anything else that can be read, such as the answer to `urlopen`: with a sound file in it, or
                with raw samples if `encoding` is given. Samples in memory, as `write` takes them. Or an async iterator
                of such samples, say of a speech service: bytes may be cut anywhere in it. It is iterated over when its
                turn comes, and closed when it is cleared.
            volume: Its samples are multiplied by this.
            loop: Whether it begins again at its end, until it is cleared; not for iterators and pipes.
            fade_in: Seconds in which it comes.
            fade_out: Seconds in which it goes, at its end.
            sample_rate: Of samples, iterators and pipes of samples, if it is not that of the call.
            encoding: Of bytes in samples and iterators, if it is not that of the call; of a pipe of samples.

        Returns:
            What may be awaited, to know whether it was heard to its end.

        Raises:
            AudioClosedError: The call is over.
            ConfigurationError: There is no such file, or an argument is out of range.
            TypeError: It cannot be played.
        """
        self._home.enter()
        self._require_open()
        if encoding not in {None, *AudioEncoding}:
            raise ConfigurationError(f"encoding {encoding!r} is not one of {', '.join(AudioEncoding)}")
        if sample_rate is not None:
            require_source_rate(sample_rate)
        source_encoding = self._encoding if encoding is None else NATIVE_ENCODINGS[encoding]
        rate, raw = sample_rate or self._rate, encoding is not None
        source = open_source(what, sample_rate=rate, encoding=source_encoding, raw=raw)
        if not 0 <= volume <= MAX_VOLUME or not 0 <= fade_in <= 60 or not 0 <= fade_out <= 60:
            raise ConfigurationError(f"a volume is between 0 and {MAX_VOLUME:g}, and a fade between 0 and 60 seconds")
        if loop and not source.repeatable:
            raise ConfigurationError("async iterators and pipes cannot be played in a loop: they give samples once")

        def converter() -> _audio.Converter:
            fades = round(fade_in * self._rate), round(fade_out * self._rate)
            return _audio.Converter(source.rate, self._rate, volume, *fades)

        playback = Playback(_label_of(what), self._rate, lambda: self._queue.play_position)
        player = _Player(self, playback, source, source_encoding, converter, loop=loop)
        self._writes.append(player.write)
        self._players.add(player.task)
        player.task.add_done_callback(self._players.discard)
        return playback

    def mark(self, label: str = "") -> Mark:
        """Mark the end of all that was asked for so far; awaiting the mark tells when it is heard.

        Raises:
            AudioClosedError: The call is over.
        """
        self._home.enter()
        self._require_open()
        mark = Mark(label)
        self._writes.append(mark)
        return mark

    async def drain(self) -> None:
        """Wait until all that was asked for so far has been sent (or dropped).

        Raises:
            AudioClosedError: The call ended first.
        """
        await self.mark()
        self._utterance_start = self._queue.played

    def clear(self) -> Cleared:
        """Fall silent within 10 ms: drop all that is queued, and all that still waits to be written or played.

        Async iterators that are being played are closed.
        """
        waiting = self._writes.pending
        queued = self._queue.clear()
        cut = self._queue.write_position - queued
        self._settle_marks(cut)
        if self._playing is not None:
            self._playing._hear(cut)
            self._playing = None
        self._writes.drop()
        heard = self._queue.played - self._utterance_start
        self._utterance_start += heard
        return Cleared(heard / self._rate, queued / self._rate + waiting)

    def pause(self) -> None:
        """Fall silent within 10 ms, and keep what is queued. Nothing is heard until `resume`."""
        self._queue.paused = True

    def resume(self) -> None:
        """Go on where `pause` stopped."""
        self._queue.paused = False

    @property
    def paused(self) -> bool:
        """Whether it is paused."""
        return self._queue.paused

    @property
    def volume(self) -> float:
        """By what samples are multiplied when they are sent; a change takes 10 ms, and concerns what is queued, too."""
        return self._queue.volume

    @volume.setter
    def volume(self, volume: float) -> None:
        self._queue.volume = _require_gain("a volume", volume, MAX_VOLUME)

    @property
    def queued(self) -> float:
        """Seconds of audio queued, but not sent yet."""
        return self._queue.queued / self._rate

    @property
    def played(self) -> float:
        """Seconds of queued audio sent since the call began."""
        return self._queue.played / self._rate

    # --- for the player --------------------------------------------------------------------------------------------

    async def _queue_converted(self, converter: _audio.Converter, write: QueuedWrite) -> None:
        """Queue what a converter has ready; wait while there is no room."""
        while converter.ready and not write.dropped:
            await self._wait_room(min(converter.ready, self._write_wake), write)
            if not write.dropped:
                self._queue.write_converted(converter)

    def _begin(self, playback: Playback) -> None:
        """Something is played from here on."""
        self._playing = playback
        playback._begin(self._queue.write_position)

    def _finish(self, playback: Playback) -> None:
        """All of it is queued: it is heard when that is."""
        playback._put(self._queue.write_position)
        self._await_heard(playback)

    def _leave(self, playback: Playback, write: QueuedWrite) -> None:
        """Let the next one begin."""
        if self._playing is playback:
            self._playing = None
        self._writes.remove(write)

    def _watch_over(self, playback: Playback, error: Exception) -> None:
        """Log why something could not be played, if nobody asks for it."""

        def tell() -> None:
            if not playback.awaited:
                self.log.unretrieved(f"{playback.label} could not be played: {error}")

        asyncio.get_running_loop().call_later(UNAWAITED_AFTER, tell)

    # --- for the stream --------------------------------------------------------------------------------------------

    def _on_writable(self) -> None:
        """There may be room for a writer that waits."""
        self._writable.set()

    def _on_drained(self) -> None:
        """Playback may have reached what somebody waits for."""
        self._settle_marks(None)

    def _close(self) -> None:
        """End playback for good."""
        self._closed = True
        error = AudioClosedError("the call ended before all of its audio was sent")
        marks, self._marks = self._marks, []
        for mark in marks:
            if isinstance(mark, Playback):
                mark._hear(self._queue.play_position)
            mark._fail(error)
        if self._playing is not None:
            self._playing._hear(self._queue.play_position)
        self._writes.close()

    # --- inside ----------------------------------------------------------------------------------------------------

    def _require_open(self) -> None:
        if self._closed:
            raise AudioClosedError("the call is over: its audio cannot be written any more")

    def _await_heard(self, mark: Mark) -> None:
        self._marks.append(mark)
        self._settle_marks(None)

    def _settle_marks(self, cut: int | None) -> None:
        """Settle what was heard: up to where playback is, or where it was `cut`, with which the others are dropped.

        It arms the clock for the next one, and then looks once more: the clock may have ticked in between.
        """
        while self._marks:
            reached = self._queue.play_position if cut is None else cut
            for mark in self._marks:
                assert mark._place is not None  # noqa: S101 - it is put
                if mark._place <= reached or cut is not None:
                    if isinstance(mark, Playback):
                        mark._hear(reached)
                    mark._settle(heard=mark._place <= reached)
            self._marks = [mark for mark in self._marks if not mark.done]
            next_place = min((mark._place for mark in self._marks if mark._place), default=0)
            self._queue.arm_drained(next_place)
            if self._queue.play_position < next_place or not next_place:
                return

    async def _wait_room(self, samples: int, write: QueuedWrite) -> None:
        while self._queue.space < samples and not write.dropped:
            self._writable.clear()
            self._queue.arm_writable(samples)
            if self._queue.space < samples and not write.dropped:
                await self._writable.wait()


class AudioLayer(AudioOutput):
    """A queue beside that for speech, made by `AudioStream.layer`: both are heard at once. `with` closes it."""

    def __init__(
        self,
        queue: _audio.PlaybackLayer,
        rate: int,
        encoding: AudioEncoding,
        on_close: Callable[[AudioLayer], None],
    ) -> None:
        super().__init__(queue, rate, encoding)
        self._layer = queue
        self._on_close = on_close

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"{self.queued:.2f} s queued"
        return f"<AudioLayer {self._rate} Hz, {state}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @property
    def ducked(self) -> float:
        """How loud it is while there is speech, of its volume."""
        return self._layer.ducked

    @ducked.setter
    def ducked(self, gain: float) -> None:
        self._layer.ducked = _require_gain("ducked", gain, 1.0)

    def close(self) -> None:
        """Fall silent, and be no more. Idempotent."""
        if self._closed:
            return
        self.clear()
        self._close()
        self._layer.close()
        self._on_close(self)


class _Player:
    """Carries a source into a queue, when its turn comes.

    Attributes:
        write: What waits for its turn.
        task: What does it.
    """

    def __init__(
        self,
        output: AudioOutput,
        playback: Playback,
        source: Source,
        encoding: int,
        make_converter: Callable[[], _audio.Converter],
        *,
        loop: bool,
    ) -> None:
        self._output = output
        self._playback = playback
        self._source = source
        self._encoding = encoding
        self._make_converter = make_converter
        self._loop = loop
        self._converter: _audio.Converter | None = None
        self.write = QueuedWrite(self._pending, self._on_drop)
        self.task = asyncio.create_task(self._run(), name=f"telnyx-play-{playback.label}")

    def _pending(self) -> float:
        ready = self._converter.ready if self._converter is not None else 0
        return ready / self._output.sample_rate + self._source.remaining

    def _on_drop(self) -> None:
        if self._output.closed:
            self._playback._fail(AudioClosedError("the call ended before all of its audio was sent"))
        self._playback._settle(heard=False)
        self._source.close()
        self.task.cancel()

    async def _run(self) -> None:
        try:
            await self.write.begun()
            self._output._begin(self._playback)
            await self._carry()
            if not self.write.dropped:
                self._output._finish(self._playback)
        except Exception as error:  # noqa: BLE001 - whatever a source raises is for who awaits the playback
            self._playback._fail(error)
            self._output._watch_over(self._playback, error)
        except BaseException:
            self._playback._settle(heard=False)
            raise
        finally:
            self._source.close()
            self._output._leave(self._playback, self.write)

    async def _carry(self) -> None:
        while True:
            any_piece = False
            async with aclosing(self._source.pieces()) as pieces:
                async for piece in pieces:
                    any_piece = True
                    if self._converter is None:
                        self._converter = self._make_converter()
                    if self.write.dropped:  # and the source did not heed that it was cancelled
                        return
                    self._converter.feed(piece, self._encoding)
                    await self._output._queue_converted(self._converter, self.write)
                    await asyncio.sleep(0)  # a long piece of work otherwise, if there is much room
            if not (self._loop and any_piece):
                break
        if self._converter is not None:
            self._converter.finish()
            await self._output._queue_converted(self._converter, self.write)


def _label_of(what: object) -> str:
    return one_line(what) if isinstance(what, str) else type(what).__name__


def _require_gain(name: str, gain: float, limit: float) -> float:
    if not 0 <= gain <= limit:
        raise ConfigurationError(f"{name} is between 0 and {limit:g}, not {gain}")
    return gain
