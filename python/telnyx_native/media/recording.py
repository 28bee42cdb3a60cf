"""Recording a call: stereo, in time with itself, on a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Self

from telnyx_native.background import in_background
from telnyx_native.errors import MediaError
from telnyx_native.media.stereo_files import CHANNELS, open_stereo
from telnyx_native.media.tap import AudioDirection

if TYPE_CHECKING:
    from telnyx_native.logs import Log
    from telnyx_native.media.stereo_files import StereoWriter
    from telnyx_native.media.stream import AudioStream
    from telnyx_native.media.tap import AudioTap

__all__ = ["Recording", "begin_recording"]

INTERVAL = 0.25
"""Seconds between two visits of the thread; what is lost when the process is killed."""

BLOCK_SECONDS = 1.0
"""Most that is written at a time."""

STOP_LIMIT = 10.0
"""Seconds that stopping waits for a disk that does not take the rest."""


class Recording:
    """A file with both sides of a call: left what was received, right what was sent. Made by `Call.record`.

    Nothing of it passes through the event loop: a thread takes audio from the call's tap. While the disk stands still
    for longer than a tap holds (10 s), audio is lost and counted.

    Args:
        path: The file.
        tap: Both directions of the call.
        writer: What writes the file.
        log: Where it is noted that it cannot go on.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path, tap: AudioTap, writer: StereoWriter, log: Log) -> None:
        self.path = path
        self._tap = tap
        self._writer = writer
        self._log = log
        self._turns: deque[int] = deque()  # positions at which it pauses or resumes
        self._paused = False  # as asked for
        self._skipping = False  # as the thread has come to it
        self._written = 0
        self._error: Exception | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telnyx-recording", daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        state = "recording" if self._thread.is_alive() else "done"
        return f"<Recording {self.path} {self.duration:.1f} s, {'paused' if self._paused else state}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop()

    @property
    def duration(self) -> float:
        """Seconds written so far."""
        return self._written / self._tap.sample_rate

    @property
    def dropped(self) -> float:
        """Seconds lost because the disk did not keep up."""
        return self._tap.lost

    @property
    def failed(self) -> bool:
        """Whether it ended early, because the file could not be written; `stop` says why."""
        return self._error is not None

    @property
    def paused(self) -> bool:
        """Whether nothing is recorded now."""
        return self._paused

    def pause(self) -> None:
        """Leave out what is said from now on, for example a card number; does nothing when it is paused."""
        self._turn(paused=True)

    def resume(self) -> None:
        """Go on; does nothing when it is not paused."""
        self._turn(paused=False)

    async def stop(self) -> None:
        """Write what is left, and complete the file. Idempotent; the end of the call does it, too.

        Raises:
            MediaError: The file could not be written, or the disk has not taken the rest within 10 seconds.
        """
        self._stopping.set()
        await in_background(self._thread.join, STOP_LIMIT)
        if self._thread.is_alive():
            raise MediaError(f"{self.path} takes no more audio; it is completed when it does")
        self._tap.close()
        if self._error is not None:
            raise MediaError(f"{self.path} could not be recorded: {self._error}") from self._error

    def _turn(self, *, paused: bool) -> None:
        if paused is not self._paused:
            self._paused = paused
            self._turns.append(self._tap.end)

    def _run(self) -> None:
        try:
            while not (self._stopping.wait(INTERVAL) or self._tap.ended):
                self._catch_up()
            self._catch_up()
        except Exception as error:  # noqa: BLE001 - a full disk must not cost the call; `stop` tells
            self._error = error
            self._log.unretrieved(f"the recording {self.path} ends here: {error}")
        try:
            self._writer.close()
        except Exception as error:  # noqa: BLE001 - as above
            self._error = self._error or error

    def _catch_up(self) -> None:
        """Write all that was heard so far."""
        now = self._tap.end
        while self._turns and self._turns[0] <= now:
            self._advance(self._turns.popleft())
            self._skipping = not self._skipping
        self._advance(now)

    def _advance(self, position: int) -> None:
        """Take what was heard up to `position`."""
        while (samples := position - self._tap.position) > 0:
            block = self._tap.read_nowait(min(samples, round(BLOCK_SECONDS * self._tap.sample_rate)))
            if not self._skipping:
                self._writer.write(block)
                self._written += len(block) // (2 * CHANNELS)


async def begin_recording(path: str | Path, audio: AudioStream) -> Recording:
    """Open the file and record both directions of `audio` from now on.

    Raises:
        ConfigurationError: There is no such kind of file, it cannot have this rate, or cannot be written.
    """
    path, tap = Path(path), audio.tap(AudioDirection.BOTH)
    opening = asyncio.ensure_future(in_background(open_stereo, path, tap.sample_rate))
    try:
        return Recording(path, tap, await asyncio.shield(opening), audio.log)
    except BaseException:
        tap.close()
        opening.add_done_callback(_close_unwanted)
        raise


def _close_unwanted(opening: asyncio.Future[StereoWriter]) -> None:
    """Close a file that was opened for somebody who did not wait."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
