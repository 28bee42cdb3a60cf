"""What others wrote, on our terminal."""

from __future__ import annotations

import io
import logging

import pytest
from rich.console import Console
from rich.logging import RichHandler

from telnyx_native.cli import harmless
from telnyx_native.cli.harmless import HarmlessFormatter, SparingFilter, plain
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
    handler.setFormatter(HarmlessFormatter())
    record = logging.LogRecord("x", logging.WARNING, "x.py", 1, "%s calls %s", (text, "+1555"), None)
    handler.handle(record)
    shown = out.getvalue()
    shown.encode()
    assert "calls +1555" in shown
    assert not set("\x00\x07\x1b\x9b") & set(shown)


def test_a_log_that_somebody_fills_shows_so_many_lines_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harmless, "monotonic", lambda: 7.0)
    sparing = SparingFilter()

    def shown(message: str) -> list[str]:
        records = [logging.LogRecord("x", logging.INFO, "x.py", 1, message, (n,), None) for n in range(100)]
        return [record.getMessage() for record in records if sparing.filter(record)]

    first = shown("a frame %s")
    assert (len(first), first[-1]) == (50, "a frame 49 (and more of the kind)")
    assert shown("a frame %s") == []
    assert len(shown("a call %s")) == 50, "other lines are not held up"
    monkeypatch.setattr(harmless, "monotonic", lambda: 8.0)
    assert len(shown("a frame %s")) == 50
