"""State diagrams in the documentation are drawn from the tables, and up to date."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import SimpleNamespace

from state_diagram import SEVERAL, diagram, main, stale

PAGE = Path(__file__).parents[3] / "docs" / "architecture.md"


class Go: ...


class Stop: ...


@dataclass(frozen=True)
class Edge:
    target: Enum


def test_page_shows_what_the_tables_say() -> None:
    assert "<!-- state diagram: telnyx_native.signaling.machine -->" in PAGE.read_text()
    assert list(stale([PAGE])) == []


def test_edges_between_the_same_states_are_one_arrow() -> None:
    state = Enum("state", "HERE THERE")
    table = {
        (state.HERE, Go): (Edge(state.THERE), Edge(state.HERE), Edge(state.THERE)),
        (state.HERE, Stop): Edge(state.THERE),
    }
    assert diagram(SimpleNamespace(State=state, TABLE=table)).splitlines() == [
        "stateDiagram-v2",
        "    [*] --> HERE",
        "    HERE --> THERE: Go, Stop",
        "    HERE --> HERE: Go",
    ]


def test_what_leads_to_the_same_from_many_states_is_drawn_once() -> None:
    state = Enum("state", [f"S{number}" for number in range(SEVERAL)])
    text = diagram(SimpleNamespace(State=state, TABLE={(origin, Stop): Edge(state.S0) for origin in state}))
    assert f"several --> S0: Stop ({SEVERAL} states)" in text


def test_page_that_is_not_up_to_date(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Before\n\n<!-- state diagram: telnyx_native.signaling.machine -->\n\nAfter\n")
    assert main(["--check", str(page)]) == 1
    assert main([str(page)]) == 0
    assert "DISCONNECTED --> CONNECTING: Connect" in page.read_text()
    assert page.read_text().endswith("```\n\nAfter\n")
    assert main(["--check", str(page)]) == 0
