"""The rings between threads, and the port around them, at full speed: in C++, since Python's threads take turns."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
HEADERS = HERE.parents[1] / "csrc"


@pytest.mark.skipif(shutil.which("g++") is None, reason="there is no C++ compiler")
@pytest.mark.parametrize("name", ["rings_at_full_speed", "port_at_full_speed"])
def test_what_is_read_is_what_was_written(tmp_path: Path, name: str) -> None:
    program = tmp_path / "rings"
    # The sanitizers that these tests may run under are not meant for the compiler.
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    source = HERE / f"{name}.cc"
    subprocess.run(
        ["g++", "-std=c++20", "-O2", "-pthread", f"-I{HEADERS}", source, "-o", program], check=True, env=environment
    )
    result = subprocess.run([program], capture_output=True, text=True, timeout=140, env=environment, check=False)
    assert result.returncode == 0, result.stdout
