"""The event loop that something belongs to, tasks that end with their starter, and threads for blocking work."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable

__all__ = ["OwnerLoop", "Tasks", "cancel_all", "run_blocking", "running"]


class OwnerLoop:
    """The event loop that something was made in, or is used in first; another one, once that is closed.

    Whoever waits in another loop would wait for ever, since asyncio's events and futures wake their own loop only.

    Args:
        what: What it is, for the error.
    """

    __slots__ = ("_loop", "_what")

    def __init__(self, what: str) -> None:
        self._what = what
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None

    def enter(self) -> None:
        """Check that the running loop is the one.

        Raises:
            RuntimeError: It is another one; or none is running.
        """
        running = asyncio.get_running_loop()
        if self._loop is running:
            return
        if self._loop is not None and not self._loop.is_closed():
            raise RuntimeError(
                f"{self._what} belongs to the event loop {self._loop!r}, and is used in {running!r}: hand the work "
                "over with asyncio.run_coroutine_threadsafe, or use telnyx_native.sync"
            )
        self._loop = running


MOST_THREADS = 16
"""They begin as they are needed. A disk that stands still holds those that write to it."""

P = ParamSpec("P")
T = TypeVar("T")

_executor: ThreadPoolExecutor | None = None


async def run_blocking(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what `work` returns, which runs on another thread meanwhile, in the same context.

    Raises:
        RuntimeError: The interpreter is about to end, and begins no more work.
    """
    global _executor
    if _executor is None:
        _executor = ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="telnyx-background")
    call = partial(copy_context().run, work, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_executor, call)


def _forget() -> None:
    """A forked child has none of the parent's threads."""
    global _executor
    _executor = None


os.register_at_fork(after_in_child=_forget)


class Tasks:
    """Tasks that run until they are done, or this is closed."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run something; return its task."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def wait(self) -> None:
        """Wait until all that runs now is done."""
        if self._running:
            await asyncio.wait(list(self._running))

    async def close(self) -> None:
        """Cancel what still runs, and wait for its end."""
        await cancel_all(self._running)


async def cancel_all(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and wait for their end."""
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def running(work: Coroutine[Any, Any, Any]) -> AsyncIterator[None]:
    """Run something until the context ends."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        await cancel_all([task])
