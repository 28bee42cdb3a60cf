"""What follows from who speaks when, without audio."""

from __future__ import annotations

import pytest

from telnyx_native.media.turns import (
    BargeIn,
    DeadAir,
    DoubleTalk,
    Edge,
    Response,
    Speaker,
    Turn,
    TurnEvent,
    Turns,
)

THEY, WE = Speaker.REMOTE, Speaker.LOCAL
BEGINS = {THEY: Edge.REMOTE_BEGINS, WE: Edge.LOCAL_BEGINS}
ENDS = {THEY: Edge.REMOTE_ENDS, WE: Edge.LOCAL_ENDS}


@pytest.mark.parametrize(
    ("edges", "events"),
    [
        pytest.param([(BEGINS[THEY], 1.0), (ENDS[THEY], 2.0)], [Turn(THEY, 1.0, 2.0)], id="they speak"),
        pytest.param([(BEGINS[WE], 1.0), (ENDS[WE], 2.0)], [Turn(WE, 1.0, 2.0)], id="we greet"),
        pytest.param(
            [(BEGINS[THEY], 1.0), (ENDS[THEY], 2.0), (BEGINS[WE], 2.75), (ENDS[WE], 3.0)],
            [Turn(THEY, 1.0, 2.0), Response(0.75, 2.75), Turn(WE, 2.75, 3.0)],
            id="an answer",
        ),
        pytest.param(
            [(BEGINS[THEY], 1.0), (BEGINS[WE], 2.25), (ENDS[THEY], 2.0), (ENDS[WE], 3.0)],
            [Turn(THEY, 1.0, 2.0), Response(0.25, 2.25), Turn(WE, 2.25, 3.0)],
            id="an answer so fast that it is told before the end of what it answers",
        ),
        pytest.param(
            [(BEGINS[THEY], 1.0), (ENDS[THEY], 2.0), (BEGINS[WE], 3.0), (ENDS[WE], 4.0), (BEGINS[WE], 5.0)],
            [Turn(THEY, 1.0, 2.0), Response(1.0, 3.0), Turn(WE, 3.0, 4.0)],
            id="only the first that is said is the answer",
        ),
        pytest.param(
            [(BEGINS[THEY], 1.0), (ENDS[THEY], 2.0), (BEGINS[THEY], 3.0), (ENDS[THEY], 4.0), (BEGINS[WE], 4.5)],
            [Turn(THEY, 1.0, 2.0), Turn(THEY, 3.0, 4.0), Response(0.5, 4.5)],
            id="what is answered is the latest",
        ),
        pytest.param(
            [(BEGINS[WE], 1.0), (BEGINS[THEY], 2.0), (ENDS[WE], 2.25), (ENDS[THEY], 4.0)],
            [Turn(WE, 1.0, 2.25), DoubleTalk(2.0, 2.25), BargeIn(2.0, 0.25), Turn(THEY, 2.0, 4.0)],
            id="an interruption",
        ),
        pytest.param(
            [(BEGINS[WE], 1.0), (BEGINS[THEY], 2.0), (ENDS[THEY], 2.5), (ENDS[WE], 4.0)],
            [Turn(THEY, 2.0, 2.5), DoubleTalk(2.0, 2.5), Turn(WE, 1.0, 4.0)],
            id="a word in between interrupts nobody",
        ),
        pytest.param(
            [(BEGINS[THEY], 1.0), (BEGINS[WE], 1.5), (ENDS[WE], 2.0), (ENDS[THEY], 3.0)],
            [Turn(WE, 1.5, 2.0), DoubleTalk(1.5, 2.0), Turn(THEY, 1.0, 3.0)],
            id="we spoke while they did",
        ),
        pytest.param(
            [(BEGINS[WE], 1.0), (BEGINS[THEY], 2.5), (ENDS[WE], 2.25), (ENDS[THEY], 4.0)],
            [Turn(WE, 1.0, 2.25), Turn(THEY, 2.5, 4.0)],
            id="they spoke after our end, before that was told",
        ),
        pytest.param([(Edge.DEAD_AIR, 7.0)], [DeadAir(7.0)], id="nobody speaks"),
        pytest.param([(ENDS[THEY], 1.0), (ENDS[WE], 1.0)], [], id="they had begun before anybody asked"),
    ],
)
def test_what_follows(edges: list[tuple[Edge, float]], events: list[TurnEvent]) -> None:
    turns = Turns()
    assert [event for edge, at in edges for event in turns.take(edge, at)] == events


def test_the_end_of_the_call_ends_a_turn() -> None:
    turns = Turns()
    for edge, at in ((BEGINS[THEY], 1.0), (ENDS[THEY], 2.0), (BEGINS[WE], 3.0)):
        turns.take(edge, at)
    assert turns.finish(4.5) == [Turn(WE, 3.0, 4.5)]
