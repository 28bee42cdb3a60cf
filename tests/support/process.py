"""What this process holds, and running Python in another one."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path


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
