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


@pytest.mark.parametrize(
    ("elsewhere", "named", "instead"),
    [
        ("sys.platform = 'darwin'", "macOS", "a virtual machine"),
        ("sys.platform = 'win32'", "Windows", "WSL 2"),
        ("sysconfig.get_config_vars()['HOST_GNU_TYPE'] = 'x86_64-alpine-linux-musl'", "musl", "python:3.13-slim"),
    ],
)
def test_on_another_system_it_is_said_what_to_do_instead(elsewhere: str, named: str, instead: str) -> None:
    imports = "import runpy, setuptools.command.build_ext, subprocess, sys, sysconfig"
    code = f"{imports}; {elsewhere}; runpy.run_path('setup.py')"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "telnyx-native does not run on" in result.stderr
    assert named in result.stderr
    assert instead in result.stderr
    assert "Traceback" not in result.stderr
