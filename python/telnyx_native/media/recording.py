"""Recording a call, on a thread of its own, to files that are valid at any time."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from telnyx_native.config import PausedAudio, RecordingConfig
from telnyx_native.errors import MediaError
from telnyx_native.event_loop import run_blocking
from telnyx_native.media.consent_beep import ConsentBeeper
from telnyx_native.media.part_delivery import PartDelivery
from telnyx_native.media.recording_feeds import PacketFeed, SampleFeed
from telnyx_native.media.recording_files import RecordingFiles
from telnyx_native.media.tap import AudioDirection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from telnyx_native.config import RecordedPart
    from telnyx_native.logs import Log
    from telnyx_native.media.packets import PacketCodec
    from telnyx_native.media.recording_feeds import Feed, Piece
    from telnyx_native.media.stream import AudioStream

__all__ = ["Recording", "begin_packet_recording", "begin_recording"]

INTERVAL = 0.25
"""Seconds between two visits of the thread; what is lost when the process is killed."""

STOP_LIMIT = 10.0
"""Seconds that stopping waits for a disk that does not take the rest."""


class Recording:
    """A recording of a call, made by `Call.record` or `Call.record_packets`.

    Nothing of it passes through the event loop: a thread takes what there is from a tap of the call. While the disk
    stands still for longer than a tap holds (10 s of samples, more of packets), audio is lost and counted.

    Args:
        path: The file, or the name of which those of the parts are made.
        feed: What it takes from the call.
        config: How it is recorded.
        log: Where it is noted that it cannot go on.
        loop: The event loop of the call; this is made on another thread, since it opens the file.

    Attributes:
        path: The file, or the name of which those of the parts are made.
    """

    def __init__(
        self, path: Path, feed: Feed, config: RecordingConfig, log: Log, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.path = path
        self._feed = feed
        self._log = log
        self._keeps_time = config.paused_audio is PausedAudio.SILENT
        self._delivery = None if config.on_complete is None else PartDelivery(config.on_complete, log)
        self._loop = loop
        self._files = RecordingFiles(
            path, config, rate=feed.rate, width=feed.width, open_part=feed.open, on_part=self._on_part
        )
        self._beeper: ConsentBeeper | None = None
        self._turns: deque[int] = deque()  # positions at which it pauses or resumes
        self._paused = False  # as asked for
        self._skipping = False  # as the thread has come to it
        self._error: Exception | None = None
        self._stopping = threading.Event()
        self._stopped_at: int | None = None
        self._thread = threading.Thread(target=self._run, name="telnyx-recording", daemon=True)

    def __repr__(self) -> str:
        state = "recording" if self._thread.is_alive() else "done"
        return f"<Recording {self.path} {self.duration:.1f} s, {'paused' if self._paused else state}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop()

    @property
    def duration(self) -> float:
        """Seconds written so far, in all parts."""
        return self._files.written / self._feed.rate

    @property
    def dropped(self) -> float:
        """Seconds lost because the disk did not keep up."""
        return self._feed.lost

    @property
    def failed(self) -> bool:
        """Whether it ended early, because the file could not be written; `stop` says why."""
        return self._error is not None

    @property
    def paused(self) -> bool:
        """Whether nothing is recorded now."""
        return self._paused

    def pause(self) -> None:
        """Leave out what is said from now on, for example a card number; does nothing when it is paused.

        `RecordingConfig.paused_audio` says whether its time is left out, too.
        """
        self._turn(paused=True)

    def resume(self) -> None:
        """Go on; does nothing when it is not paused."""
        self._turn(paused=False)

    async def complete(self) -> None:
        """Write what is left, and complete the file. Idempotent; the end of the call does it, too.

        Raises:
            MediaError: The file could not be written, or the disk has not taken the rest within 10 seconds.
        """
        if self._stopped_at is None:
            self._stopped_at = self._feed.end
        self._stopping.set()
        await run_blocking(self._thread.join, STOP_LIMIT)
        if self._thread.is_alive():
            raise MediaError(f"{self.path} takes no more audio; it is completed when it does")
        self._on_end()
        if self._error is not None:
            raise MediaError(f"{self.path} could not be recorded: {self._error}") from self._error

    async def stop(self) -> None:
        """Do what `complete` does, and wait until `RecordingConfig.on_complete` has done its part. Idempotent.

        Raises:
            MediaError: The file could not be written, or the disk has not taken the rest within 10 seconds.
        """
        try:
            await self.complete()
        finally:
            if self._delivery is not None:
                await self._delivery.done()

    # --- for those who make it -------------------------------------------------------------------------------------

    def begin(self, beeper: ConsentBeeper | None) -> None:
        """Record from now on."""
        self._beeper = beeper
        self._thread.start()

    def abandon(self) -> None:
        """Close the file of one that never began."""
        self._files.abandon()

    # --- inside ----------------------------------------------------------------------------------------------------

    def _turn(self, *, paused: bool) -> None:
        if paused is not self._paused:
            self._paused = paused
            self._turns.append(self._feed.end)
            if self._beeper is not None:
                self._beeper.silent = paused

    def _on_part(self, part: RecordedPart) -> None:
        if self._delivery is not None:
            self._tell(self._delivery.add, part)

    def _on_end(self) -> None:
        if self._beeper is not None:
            self._beeper.close()
        self._feed.close()

    def _tell(self, function: Callable[..., object], *args: object) -> None:
        """Have the event loop call something, unless it is over."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *args)

    # --- on its thread ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not (self._stopping.wait(INTERVAL) or self._feed.ended):
                self._catch_up(self._feed.end)
                self._files.flush()
            end = self._feed.end if self._stopped_at is None else self._stopped_at
            self._catch_up(end)
            if not self._skipping:
                self._write(self._feed.finish(end))
            self._files.close()
        except Exception as error:  # noqa: BLE001 - a full disk must not cost the call; `stop` tells
            self._error = error
            self._log.unretrieved(f"the recording {self._files.part} ends here: {error}")
            with suppress(Exception):
                self._files.abandon()
        self._tell(self._on_end)

    def _catch_up(self, now: int) -> None:
        """Write all that came so far."""
        while self._turns and self._turns[0] <= now:
            turn = self._turns.popleft()
            self._advance(turn)
            if not self._skipping:
                self._write(self._feed.finish(turn))
            self._skipping = not self._skipping
        self._advance(now)

    def _advance(self, position: int) -> None:
        if not self._skipping:
            self._write(self._feed.take(position))
        elif self._keeps_time:
            self._write(self._feed.silence(position))
        else:
            self._feed.leave_out(position)

    def _write(self, pieces: Iterable[Piece]) -> None:
        for data, samples in pieces:
            self._files.write(data, samples)


async def begin_recording(path: str | Path, audio: AudioStream, config: RecordingConfig | None = None) -> Recording:
    """Open the file and record both directions of `audio` from now on.

    Raises:
        ConfigurationError: There is no such kind of file, it cannot have this rate, or cannot be written; or another
            recording of the call beeps already.
    """
    return await _begin(Path(path), SampleFeed(audio.tap(AudioDirection.BOTH)), audio, config or RecordingConfig())


async def begin_packet_recording(
    path: str | Path, audio: AudioStream, config: RecordingConfig | None = None
) -> Recording:
    """Open the file and record the Opus packets that `audio` receives from now on.

    Raises:
        ConfigurationError: It is no `.opus` or `.ogg`, or cannot be written; or another recording of the call beeps
            already.
    """

    def on_foreign(codec: PacketCodec) -> None:
        audio.log.unretrieved(f"the recording {path} has silence for what the remote sends as {codec.value or 'other'}")

    return await _begin(Path(path), PacketFeed(audio.tap_packets(), on_foreign), audio, config or RecordingConfig())


async def _begin(path: Path, feed: Feed, audio: AudioStream, config: RecordingConfig) -> Recording:
    loop = asyncio.get_running_loop()
    making = asyncio.ensure_future(run_blocking(Recording, path, feed, config, audio.log, loop))
    try:
        recording = await asyncio.shield(making)
        recording.begin(None if config.beep is None else ConsentBeeper(audio, config.beep))
    except BaseException:
        making.add_done_callback(_abandon)
        feed.close()
        raise
    return recording


def _abandon(making: asyncio.Future[Recording]) -> None:
    """Close the file of a recording for which nobody waited, or that cannot beep."""
    if not making.cancelled() and making.exception() is None:
        making.result().abandon()
