"""What ``import telnyx_native`` costs, as installed."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from wheels.build import BuildError

if TYPE_CHECKING:
    from pathlib import Path

TIME_LIMIT = 0.020
"""Seconds that the import may take, where websockets is loaded already."""

MEMORY_LIMIT = 20_000
"""Kilobytes that an interpreter may occupy afterwards, resident, which has loaded nothing else."""

TRIES = 9
"""Of so many starts the fastest counts: what the machine does besides only ever adds."""

TIME = """
import time, websockets.asyncio.client
start = time.perf_counter()
import telnyx_native
print(time.perf_counter() - start)
"""
MEMORY = """
import telnyx_native
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS:")))
"""


def check_startup(python: Path) -> str:
    """Measure the import in the environment of `python`: what it costs, in words.

    Raises:
        BuildError: It is more than the limits allow.
    """
    seconds = min(float(answer(python, TIME)) for _ in range(TRIES))
    kilobytes = min(int(answer(python, MEMORY)) for _ in range(TRIES))
    told = f"import telnyx_native takes {seconds * 1e3:.1f} ms, and the interpreter {kilobytes / 1e3:.1f} MB"
    if seconds > TIME_LIMIT or kilobytes > MEMORY_LIMIT:
        raise BuildError(f"{told}: more than {TIME_LIMIT * 1e3:.0f} ms or {MEMORY_LIMIT / 1e3:.0f} MB")
    return told


def answer(python: Path, question: str) -> str:
    """What a new interpreter prints, that runs outside of any project."""
    return subprocess.run([python, "-I", "-c", question], capture_output=True, text=True, check=True).stdout
