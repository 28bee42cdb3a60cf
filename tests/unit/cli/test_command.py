"""What others wrote, on our terminal."""

from __future__ import annotations

import io
import logging
import sys
from pathlib import Path

import pytest
from rich.console import Console
from rich.logging import RichHandler

from telnyx_native.cli import command
from telnyx_native.cli.command import RateLimitFilter, SanitizingFormatter, own_command, plain
from telnyx_native.cli.live import LiveCall, LiveCalls

HOSTILE = [
    "\x1b[31mred",
    "\x1b]0;title\x07",
    "\x9b31m",
    "half \ud83d",
    "nul \x00",
    "[red]markup[/red]",
    "[/bold]",
    "[link=http://x]y[/link]",
    "back\\",
    "\\[bold]",
    "two\r\nlines",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_are_shown_as_they_are_and_steer_nothing(text: str) -> None:
    out = io.StringIO()
    Console(file=out, width=200).print(f"[bold]{plain(text)}[/bold] after")
    shown = out.getvalue()
    shown.encode()
    assert shown.count("\n") == 1
    assert shown.endswith(" after\n")
    assert not set("\x00\x07\x1b\x9b\r") & set(shown)
    if "[" in text and "\x1b" not in text:
        assert text in shown


@pytest.mark.parametrize("text", HOSTILE)
def test_so_are_the_rows_of_calls_and_lines_of_the_log(text: str) -> None:
    out = io.StringIO()
    console = Console(file=out, width=200)
    calls = LiveCalls()
    calls.calls["1"] = LiveCall(text, "active")
    console.print(calls)
    handler = RichHandler(console=console, show_path=False)
    handler.setFormatter(SanitizingFormatter())
    record = logging.LogRecord("x", logging.WARNING, "x.py", 1, "%s calls %s", (text, "+1555"), None)
    handler.handle(record)
    shown = out.getvalue()
    shown.encode()
    assert "calls +1555" in shown
    assert not set("\x00\x07\x1b\x9b") & set(shown)


def test_a_log_that_somebody_fills_shows_so_many_lines_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "monotonic", lambda: 7.0)
    sparing = RateLimitFilter()

    def shown(message: str) -> list[str]:
        records = [logging.LogRecord("x", logging.INFO, "x.py", 1, message, (n,), None) for n in range(100)]
        return [record.getMessage() for record in records if sparing.filter(record)]

    first = shown("a frame %s")
    assert (len(first), first[-1]) == (50, "a frame 49 (and more of the kind)")
    assert shown("a frame %s") == []
    assert len(shown("a call %s")) == 50, "other lines are not held up"
    monkeypatch.setattr(command, "monotonic", lambda: 8.0)
    assert len(shown("a frame %s")) == 50


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
