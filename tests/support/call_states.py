"""Which states of a call may follow each other, as applications see them: what the table of the machine allows."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from telnyx_native.call.machine import TABLE, Machine, Rules, call_state
from telnyx_native.call.machine_terms import Announce, ConnectionLost, State, TimeUp
from telnyx_native.states import CallDirection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telnyx_native.states import CallState


def _steps() -> set[tuple[str, str]]:
    """Pairs of names, found by going along every edge."""
    call = Machine(Rules(1, 1), CallDirection.OUTBOUND)
    steps: set[tuple[str, str]] = set()
    reached, todo = set(), [(State.NEW, "NEW")]
    while todo:
        state, seen = todo.pop()
        if (state, seen) in reached:
            continue
        reached.add((state, seen))
        for (origin, event), edges in TABLE.items():
            is_lost = issubclass(event, ConnectionLost) or (event, state) == (TimeUp, State.RECONNECTING)
            for edge in edges if origin is state else ():
                shown = call_state(replace(call, state=edge.target))
                between = ["DROPPED" if is_lost else "ERROR"] if Announce in edge.actions else []
                names = [seen, *between, shown.name if shown else seen]
                steps |= {pair for pair in itertools.pairwise(names) if pair[0] != pair[1] or edge.target is not state}
                todo.append((edge.target, names[-1]))
    return steps | {("RECONNECTING", "RECONNECTING")}


LEGAL = _steps()


def are_legal(states: Iterable[CallState]) -> bool:
    """Whether a call can go through these states one after the other."""
    return all((old.name, new.name) in LEGAL for old, new in itertools.pairwise(states))
