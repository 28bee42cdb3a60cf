"""What a build says when it cannot be done."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("setuptools")

ROOT = Path(__file__).parents[2]


def build(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "setup.py", "--quiet", "build_ext", "--build-lib", str(tmp_path)]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("environment", "missing"),
    [({"LIBWEBRTC_ROOT": "/nonexistent"}, "the header tg_owt/"), ({"CXX": "/nonexistent/c++"}, "a C++ compiler")],
)
def test_what_is_missing_is_named_with_the_command_that_installs_it(
    tmp_path: Path, environment: dict[str, str], missing: str
) -> None:
    result = build(tmp_path, **environment)
    assert result.returncode != 0
    assert f"telnyx-native cannot be built: {missing}" in result.stderr
    assert "sudo apt-get install g++ libtgowt-dev" in result.stderr
    assert "Traceback" not in result.stderr
