"""The demo, as a user runs it."""

from __future__ import annotations

import subprocess
import sys

from telnyx_native.gateway.sounds import PROMPT
from telnyx_native.media.alignment import align
from telnyx_native.media.files import read_audio

LIMIT = 15.0
"""Seconds the demo may take."""


def run(*arguments, cwd, timeout=LIMIT):
    command = [sys.executable, "-m", "telnyx_native", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False)


def test_demo_returns_what_was_said(tmp_path):
    result = run("demo", "--output", "heard.wav", cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    for row in ("Set-up time", "Round-trip audio latency", "Packets", "Jitter", "MOS", "Match with the prompt"):
        assert row in result.stdout
    prompt = read_audio(PROMPT, 16_000)
    assert align(prompt, read_audio(tmp_path / "heard.wav", 16_000), 16_000).correlation >= 0.8
    assert "-m telnyx_native gateway --open" in result.stdout
    assert result.stderr == ""


def test_demo_with_nowhere_to_write(tmp_path):
    result = run("demo", "--output", "no/such/folder/heard.wav", cwd=tmp_path)
    assert result.returncode == 2
    assert "cannot write audio" in result.stderr
    assert "Traceback" not in result.stderr
