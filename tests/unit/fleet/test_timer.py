"""Deadlines that are all the same time ahead."""

from __future__ import annotations

from telnyx_native.fleet.timer import Timer


def test_what_was_started_first_is_due_first() -> None:
    timer = Timer(10.0)
    assert timer.deadline is None
    for name, now in (("a", 0.0), ("b", 1.0), ("c", 2.0)):
        timer.start(name, now)
    timer.stop("b")
    timer.stop("nobody")
    assert timer.deadline == 10.0
    assert list(timer.due(9.9)) == []
    assert list(timer.due(12.0)) == ["a", "c"]
    assert timer.deadline is None


def test_started_anew() -> None:
    timer = Timer(10.0)
    timer.start("a", 0.0)
    timer.start("b", 1.0)
    timer.start("a", 5.0)
    assert "a" in timer
    assert list(timer.due(11.0)) == ["b"]
    assert timer.deadline == 15.0
