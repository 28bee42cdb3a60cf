from __future__ import annotations

from time import monotonic

from rich.console import Console

from telnyx_native.cli.live import LiveCall, LiveCalls


def drawn(**calls: LiveCall) -> str:
    table = LiveCalls()
    table.calls.update(calls)
    console = Console(width=110, record=True, color_system=None)
    console.print(table)
    return console.export_text()


def test_a_call_that_is_measured() -> None:
    measured = {"mos": 4.412, "rtt": 0.031, "jitter": 0.004, "loss": 0.015, "level_in": 0.1, "level_out": 0.0}
    row = drawn(a=LiveCall("echo", "ACTIVE", monotonic() - 65, measured))
    for text in ("Calls: 1", "echo", "active", "1:05", "4.41", "31 ms", "4 ms", "1.5 %"):
        assert text in row
    assert "████████░░░░" in row  # -20 dBFS, two thirds of the way up from -60
    assert "░" * 12 in row


def test_a_call_of_which_nothing_is_known() -> None:
    row = drawn(a=LiveCall("bob", "RINGING", measured={"mos": float("nan"), "rtt": None}))
    assert "ringing" in row
    assert "nan" not in row


def test_how_fast_the_latest_answer_was() -> None:
    row = drawn(a=LiveCall("bob", "ACTIVE", response=0.42), b=LiveCall("carol", "ACTIVE"))
    assert "answer" in row
    assert "420 ms" in row
    assert "answer" not in drawn(b=LiveCall("carol", "ACTIVE"))
