"""What this process holds, and running Python in another one."""

from __future__ import annotations

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
