"""Commands to copy work where they are read."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from telnyx_native.cli.invocation import own_command


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program, in a folder that is not on the PATH; the test runs beside it."""
    path = tmp_path / "bin" / "telnyx-native"
    path.parent.mkdir()
    path.touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    return path


def test_by_its_path(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [str(program)])
    assert own_command() == "bin/telnyx-native"


def test_by_its_name(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [str(program)])
    monkeypatch.setenv("PATH", str(program.parent))
    assert own_command() == "telnyx-native"


def test_as_a_module(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/x/telnyx_native/__main__.py"])
    monkeypatch.setattr(sys, "executable", str(program.parent / "python"))
    assert own_command() == "bin/python -m telnyx_native"
    monkeypatch.chdir(program.parent)
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    assert own_command() == "/usr/bin/python3 -m telnyx_native"
