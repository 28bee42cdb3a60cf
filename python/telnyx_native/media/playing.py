"""What is asked of a queue of audio: marks that are heard in their turn, and writes that wait for theirs."""

# ruff: noqa: SLF001 - an output, its player and its marks are parts of one thing

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from telnyx_native.errors import AudioClosedError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["Mark", "Playback", "QueuedWrite", "WriteQueue"]


class Mark:
    """A place in what is played, made by `AudioOutput.mark`.

    It is *heard* once all that was queued before it has been handed to the encoder, to the 10 ms. The remote's ear is
    later by the packet time, the network and its jitter buffer: usually 50 to 150 ms.

    Awaiting it gives whether it was heard; it was not if what is before it was cleared.

    Attributes:
        label: What the application calls it.
        awaited: Whether somebody has awaited it.
    """

    def __init__(self, label: str = "") -> None:
        self.label = label
        self.awaited = False
        self._place: int | None = None  # in samples queued since the call began, when its turn has come
        self._outcome: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def __repr__(self) -> str:
        state = "waiting" if not self.done else "heard" if self.heard else "dropped"
        return f"<{type(self).__name__} {self.label!r} {state}>"

    def __await__(self) -> Generator[object, None, bool]:
        """Wait until it is decided; return whether it was heard.

        Raises:
            AudioClosedError: The call ended first.
        """
        self.awaited = True
        return asyncio.shield(self._outcome).__await__()

    @property
    def done(self) -> bool:
        """Whether it is decided."""
        return self._outcome.done()

    @property
    def heard(self) -> bool:
        """Whether it was heard; `False` as long as that is not decided."""
        return self.done and not self._outcome.exception() and self._outcome.result()

    def _put(self, place: int) -> None:
        """All before it is queued."""
        self._place = place

    def _settle(self, *, heard: bool) -> None:
        """Decide it; only the first time counts."""
        if not self.done:
            self._outcome.set_result(heard)

    def _fail(self, error: Exception) -> None:
        """It cannot be heard any more."""
        if not self.done:
            self._outcome.set_exception(error)
            self._outcome.exception()  # whoever waited for it may be gone


class Playback(Mark):
    """Something that is played, made by `AudioOutput.play`: it begins when all that was queued before it is heard.

    Awaiting it gives whether it was heard to its end; it was not if it was cleared. What could not be read raises.
    """

    def __init__(self, label: str, rate: int, position: Callable[[], int]) -> None:
        super().__init__(label)
        self._rate = rate
        self._position = position
        self._began: int | None = None
        self._heard = 0

    def _begin(self, place: int) -> None:
        """Its samples come from here on."""
        self._began = place

    def _hear(self, reached: int) -> None:
        """What is played is heard up to there; called before it is done."""
        if self._began is not None and not self.done:
            end = reached if self._place is None else min(reached, self._place)
            self._heard = max(self._heard, end - self._began)

    @property
    def seconds_heard(self) -> float:
        """How much of it was heard so far."""
        self._hear(self._position())
        return self._heard / self._rate


class QueuedWrite:
    """A write, or a player, that waits until those before it have finished.

    Attributes:
        dropped: Whether what it has is not to be played any more.
        pending: Seconds that it has not queued yet, as far as that is known.
    """

    def __init__(self, pending: Callable[[], float], on_drop: Callable[[], object]) -> None:
        self.dropped = False
        self.pending = pending
        self._on_drop = on_drop
        self._begun = asyncio.Event()

    async def begun(self) -> None:
        """Wait until it is the first, or dropped."""
        await self._begun.wait()

    def begin(self) -> None:
        """It is the first; for `WriteQueue`."""
        self._begun.set()

    def drop(self) -> None:
        """There is nothing to write any more; for `WriteQueue`."""
        self.dropped = True
        self._begun.set()
        self._on_drop()


def _fail(mark: Mark) -> None:
    mark._fail(AudioClosedError("the call ended before all of its audio was sent"))


class WriteQueue:
    """The writes to a queue of audio, in the order in which they came. Marks between them are put in that order, too.

    Args:
        place: Tells the place of what is written next.
        on_put: Called with each mark that was put.

    Attributes:
        waiting: The writes and marks; the first write is the one that may write.
    """

    def __init__(self, place: Callable[[], int], on_put: Callable[[Mark], None]) -> None:
        self._place = place
        self._on_put = on_put
        self.waiting: deque[QueuedWrite | Mark] = deque()

    @property
    def pending(self) -> float:
        """Seconds that are known to wait."""
        return sum(write.pending() for write in self.waiting if isinstance(write, QueuedWrite))

    def append(self, asked: QueuedWrite | Mark) -> None:
        """Let one wait behind the others."""
        self.waiting.append(asked)
        if len(self.waiting) == 1:
            self._next()

    def remove(self, write: QueuedWrite) -> None:
        """It has finished, or has given up."""
        if write in self.waiting:
            self.waiting.remove(write)
            self._next()

    def drop(self) -> None:
        """None of them is played."""
        waiting, self.waiting = self.waiting, deque()
        for asked in waiting:
            if isinstance(asked, Mark):
                asked._settle(heard=False)
            else:
                asked.drop()

    def close(self) -> None:
        """None of them is played, because the call is over."""
        for asked in self.waiting:
            if isinstance(asked, Mark):
                _fail(asked)
        self.drop()
        self._on_put = _fail  # so that nothing here leads back to the audio: that is freed without the collector

    def _next(self) -> None:
        while self.waiting and isinstance(mark := self.waiting[0], Mark):
            self.waiting.popleft()
            mark._put(self._place())
            self._on_put(mark)
        if self.waiting and isinstance(write := self.waiting[0], QueuedWrite):
            write.begin()
