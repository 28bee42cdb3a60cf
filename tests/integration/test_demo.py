"""The demo, as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from support.limit import LIMIT
from telnyx_native.gateway.destinations.sounds import PROMPT
from telnyx_native.media.alignment import align
from telnyx_native.media.files import read_audio

pytestmark = pytest.mark.sound


def run(*arguments, cwd, timeout=LIMIT, **environment):
    command, variables = [sys.executable, "-m", "telnyx_native", *arguments], os.environ | environment
    return subprocess.run(
        command, cwd=cwd, env=variables, capture_output=True, text=True, errors="replace", timeout=timeout, check=False
    )


def test_demo_returns_what_was_said(tmp_path):
    result = run("demo", "--output", "heard.wav", cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    for row in ("Set-up time", "Round-trip audio latency", "Packets", "Jitter", "MOS", "Match with the prompt"):
        assert row in result.stdout
    prompt = read_audio(PROMPT, 16_000)
    assert align(prompt, read_audio(tmp_path / "heard.wav", 16_000), 16_000).correlation >= 0.8
    assert "-m telnyx_native gateway --open" in result.stdout
    assert result.stderr == ""


def test_demo_on_a_terminal_that_knows_few_characters(tmp_path):
    few = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    result = run("demo", "--output", "heard.wav", cwd=tmp_path, timeout=40, **few)
    assert "Recording: heard.wav" in result.stdout
    assert result.stderr == ""


def test_demo_with_nowhere_to_write(tmp_path):
    result = run("demo", "--output", "no/such/folder/heard.wav", cwd=tmp_path)
    assert result.returncode == 2
    assert "cannot write audio" in result.stderr
    assert "Traceback" not in result.stderr
