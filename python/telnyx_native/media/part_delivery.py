"""Tells an application of the files of a recording that are complete, one after another, beside everything else."""

from __future__ import annotations

import asyncio
from collections import deque
from inspect import isawaitable
from typing import TYPE_CHECKING

from telnyx_native.event_loop import run_blocking

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from telnyx_native.config import RecordedPart
    from telnyx_native.logs import Log

__all__ = ["PartDelivery"]


class PartDelivery:
    """Calls a function of the application for each part, in order. What it raises is logged, and the next one comes.

    Args:
        deliver: An `async` function, or one that may block: that runs on a thread.
        log: Where its failures go.
    """

    def __init__(self, deliver: Callable[[RecordedPart], Awaitable[None] | None], log: Log) -> None:
        self._deliver = deliver
        self._log = log
        self._parts: deque[RecordedPart] = deque()
        self._task: asyncio.Task[None] | None = None

    def add(self, part: RecordedPart) -> None:
        """A part is complete."""
        self._parts.append(part)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="telnyx-recording-parts")

    async def done(self) -> None:
        """Wait until the application has had all parts; cancelling cuts nothing off."""
        if self._task is not None:
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        while self._parts:
            part = self._parts.popleft()
            try:
                if asyncio.iscoroutinefunction(self._deliver):
                    await self._deliver(part)
                else:
                    result = await run_blocking(self._deliver, part)
                    if isawaitable(result):
                        await result
            except Exception as error:  # noqa: BLE001 - an upload that fails must cost neither call nor recording
                self._log.unretrieved(f"on_complete failed for {part.path}: {error!r}")
