"""What this process holds, and running Python in another one."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from telnyx_native import event_loop

THREADS = 8
"""Of the executor that asyncio uses by default."""


def native_threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def run_python(code: str, *, timeout: float = 30) -> subprocess.CompletedProcess[str]:
    """Run `code` in a fresh interpreter, which must end by itself within `timeout` seconds."""
    return subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", code], capture_output=True, text=True, timeout=timeout, check=False
    )


async def holdings(expected: tuple[int, int]) -> tuple[int, int]:
    """Threads and open files of this process, as soon as they are `expected`, or what they are after a second.

    The kernel takes a moment to reap a thread that has been joined.
    """
    for _ in range(100):
        if (native_threads(), open_files()) == expected:
            break
        await asyncio.sleep(0.01)
    return native_threads(), open_files()


def held() -> tuple[int, int, int]:
    """Threads, open files and tasks of this process."""
    return native_threads(), open_files(), len(asyncio.all_tasks())


async def let_go(before: tuple[int, int, int]) -> None:
    """Return once no more is held than before; reports of calls are posted after their end, but must be soon."""
    async with asyncio.timeout(5):
        while any(now > then for now, then in zip(held(), before, strict=True)):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)


def start_threads_of_the_executor() -> None:
    """Start all threads for blocking work: an executor starts one more whenever none is idle."""
    default = ThreadPoolExecutor(THREADS)
    asyncio.get_running_loop().set_default_executor(default)
    event_loop._executor = ThreadPoolExecutor(event_loop.MOST_THREADS, thread_name_prefix="telnyx-background")
    for executor, threads in ((default, THREADS), (event_loop._executor, event_loop.MOST_THREADS)):
        all_there = Barrier(threads)
        list(executor.map(lambda _, barrier=all_there: barrier.wait(), range(threads)))
