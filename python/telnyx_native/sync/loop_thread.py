"""An event loop on a thread of its own, for callers that have none."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import queue
import threading
from concurrent.futures import thread as _executors  # noqa: F401 - must end after the loop thread: see `_call_at_exit`
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from telnyx_native.client import TelnyxClient

__all__ = ["LoopThread", "loop_thread"]

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger(__name__)

CLEAN_UP_LIMIT = 10.0
"""Seconds that what was interrupted, for example by Ctrl-C, may take to clean up."""

LOST_SIGNAL_LIMIT = 0.5
"""Seconds until Ctrl-C is noticed if Linux gave it to another thread, for example one that just began or ended."""

EXIT_LIMIT = 5.0
"""Seconds that closing what was left open may take when the program ends."""


class LoopThread:
    """Runs coroutines for other threads, which wait for them."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._open: WeakSet[TelnyxClient] = WeakSet()
        self._callbacks: _Callbacks | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="telnyx-sync", daemon=True)
        self._thread.start()
        self._ready.wait()

    def run(self, function: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what an async function returns. An exception in here (Ctrl-C) cancels it; its clean-up is awaited.

        Raises:
            RuntimeError: It would wait for itself or for an event loop of the caller's, or its loop is gone.
        """
        self._require_other_thread()
        step = _Step(self._loop, partial(function, *args, **kwargs))
        try:
            value: T = step.wait()
        except BaseException:
            step.cancel()
            raise
        return value

    def call(self, function: Callable[[], T]) -> T:
        """Return what a function returns that has to be called on the loop's thread, and does not wait."""
        if threading.get_ident() == self._thread.ident:
            return function()

        async def call() -> T:
            return function()

        return self.run(call)

    def call_back(self, listener: Callable[..., object], *values: object) -> None:
        """Have a function of the application called, after those before it, on a thread where it may wait."""
        if self._callbacks is None:
            self._callbacks = _Callbacks()
        self._callbacks.call_back(listener, *values)

    def close_at_exit(self, client: TelnyxClient) -> None:
        """Close a client when the program ends, if it still exists."""
        self._open.add(client)

    def close(self) -> None:
        """Close what is open, and let the thread end; bounded in time."""
        if os.getpid() != self._process or not self._thread.is_alive():
            return
        with suppress(Exception):  # the program ends anyway
            self.run(self._close_all)
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(EXIT_LIMIT)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._ready.set()
        await self._over.wait()

    async def _close_all(self) -> None:
        closing = [asyncio.create_task(client.close()) for client in list(self._open)]
        if closing:
            await asyncio.wait(closing, timeout=EXIT_LIMIT)

    def _require_other_thread(self) -> None:
        if os.getpid() != self._process:
            raise RuntimeError("this was made before the process forked: make a new TelnyxClient after the fork")
        if threading.get_ident() == self._thread.ident:
            raise RuntimeError("this would wait for itself: it is called by what runs on the SDK's own thread")
        if asyncio._get_running_loop() is not None:  # noqa: SLF001 - the public one raises, which costs
            raise RuntimeError("this thread has an event loop that runs: use telnyx_native, not telnyx_native.sync")


class _Step:
    """One coroutine on the loop, and a thread that waits for it.

    Ctrl-C may come between any two lines of that thread. So the coroutine is made on the loop's: nobody would await it
    otherwise. And a `threading.Event` is not made for that: interrupted at the wrong moment it keeps its lock. A plain
    lock is either taken or not.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._loop = loop
        self._work = work
        self._context = contextvars.copy_context()
        self._task: asyncio.Task[Any] | None = None
        self._over = False
        self._running = threading.Lock()
        self._running.acquire()

    def wait(self) -> Any:
        """Run it; return what it returns, or raise what it raises."""
        self._loop.call_soon_threadsafe(self._start)
        # A signal interrupts this only in the main thread, where Python handles it, and only if it came to that one.
        limit = LOST_SIGNAL_LIMIT if threading.current_thread() is threading.main_thread() else -1
        while not self._running.acquire(timeout=limit):
            pass
        assert self._task is not None  # noqa: S101 - it is over, so it was begun
        if self._task.cancelled():
            raise RuntimeError("the program ends, or the client was closed, while this was waited for")
        return self._task.result()

    def cancel(self) -> None:
        """Cancel it, if it is not over, and wait for its clean-up."""
        if self._over:
            return
        try:
            self._loop.call_soon_threadsafe(self._cancel)
        except RuntimeError:  # the loop is gone
            return
        if not self._running.acquire(timeout=CLEAN_UP_LIMIT):
            logger.warning("%r did not clean up within %g s", self._work, CLEAN_UP_LIMIT)

    def _start(self) -> None:
        self._task = self._loop.create_task(self._run(), context=self._context)
        self._task.add_done_callback(self._finish)

    async def _run(self) -> Any:
        return await self._work()

    def _finish(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled():
            task.exception()  # the thread that waited for it may be gone
        self._end()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
        else:  # interrupted before it was begun
            self._end()

    def _end(self) -> None:
        self._over = True
        self._running.release()


class _Callbacks:
    """Calls functions of the application, one after the other."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[tuple[Callable[..., object], tuple[object, ...]]] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="telnyx-callbacks", daemon=True).start()

    def call_back(self, listener: Callable[..., object], *values: object) -> None:
        self._waiting.put((listener, values))

    def _run(self) -> None:
        while True:
            listener, values = self._waiting.get()
            try:
                listener(*values)
            except Exception:
                logger.exception("%r failed", listener)


_threads: list[LoopThread] = []
_threads_lock = threading.Lock()
os.register_at_fork(before=_threads_lock.acquire, after_in_parent=_threads_lock.release)


def loop_thread() -> LoopThread:
    """Return the process's loop thread, started when it is first wanted."""
    with _threads_lock:
        if not _threads:
            _threads.append(LoopThread())
            _call_at_exit(_threads[0].close)
        return _threads[0]


def _forget_threads() -> None:
    """A forked child has none of the parent's threads: it begins anew."""
    _threads.clear()
    _threads_lock.release()


os.register_at_fork(after_in_child=_forget_threads)


def _call_at_exit(end: Callable[[], None]) -> None:
    """Call `end` when the main thread is over, and before the executors of `concurrent.futures` are.

    `atexit` would be too late: from then on no thread can be started, and hanging up calls needs some. This is
    what `concurrent.futures` itself uses, and what is registered later is called earlier.
    """
    threading._register_atexit(end)  # type: ignore[attr-defined]  # noqa: SLF001
