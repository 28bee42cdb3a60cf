"""The loops of Opus' encoder that are ours, against libopus' own: a program in C++, since neither can be seen."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
HEADERS = HERE.parents[1] / "csrc"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors have libopus' own")
@pytest.mark.skipif(shutil.which("g++") is None, reason="there is no C++ compiler")
def test_what_they_compute_is_the_same_to_the_last_bit(tmp_path: Path) -> None:
    program = tmp_path / "kernels"
    # The sanitizers that these tests may run under are not meant for the compiler.
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    source = HERE / "opus_kernels_agree.cc"
    subprocess.run(
        ["g++", "-std=c++20", "-O2", f"-I{HEADERS}", source, "-o", program, "-l:libopus.a", "-lm"],
        check=True,
        env=environment,
    )
    result = subprocess.run([program], capture_output=True, text=True, timeout=60, env=environment, check=False)
    assert result.returncode == 0, result.stdout
