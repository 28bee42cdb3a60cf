"""Draws the state machines of the package into the documentation, from their tables.

A page asks for a diagram with a comment before it, and this module writes what follows::

    <!-- state diagram: telnyx_native.signaling.machine -->

A machine is a module with an enum `State` and a `TABLE`: from a state and the class of an event to an edge, or to
several with conditions. An edge has a `target`, or `targets`.

    python -m state_diagram docs/architecture.md            # writes the diagrams of the page
    python -m state_diagram --check docs/architecture.md    # fails if one of them is not up to date
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SEVERAL = 5
"""From so many states with the same targets on, an event is drawn once, for all of them."""

_PLACE = re.compile(r"(<!-- state diagram: (?P<module>[\w.]+) -->\n)(?:\n?```mermaid\n.*?```\n)?", re.DOTALL)


def targets(edges: Any) -> tuple[str, ...]:
    """The names of the states that an edge, or several, can lead to, without repetition."""
    several = edges if isinstance(edges, tuple | list) else (edges,)
    ends = (end for edge in several for end in (edge.targets if hasattr(edge, "targets") else (edge.target,)))
    return tuple(dict.fromkeys(end.name for end in ends))


def diagram(machine: Any) -> str:
    """The diagram of a machine, in Mermaid's language."""
    states: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (state, event), edges in machine.TABLE.items():
        states[event.__name__, targets(edges)].append(state.name)
    arrows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (event, ends), origins in states.items():
        drawn = ["several"] if len(origins) >= SEVERAL else origins
        label = f"{event} ({len(origins)} states)" if drawn is not origins else event
        for origin in drawn:
            for end in ends:
                arrows[origin, end].append(label)
    lines = ["stateDiagram-v2", f"    [*] --> {next(iter(machine.State)).name}"]
    if any(origin == "several" for origin, _ in arrows):
        lines.append('    state "several states" as several')
    lines += [f"    {origin} --> {end}: {', '.join(events)}" for (origin, end), events in arrows.items()]
    return "\n".join(lines) + "\n"


def drawn(page: str) -> str:
    """The page with its diagrams as they are now."""

    def place(match: re.Match[str]) -> str:
        return f"{match[1]}\n```mermaid\n{diagram(import_module(match['module']))}```\n"

    return _PLACE.sub(place, page)


def stale(pages: list[Path]) -> Iterator[Path]:
    """Those pages whose diagrams are not what the tables say."""
    return (page for page in pages if drawn(page.read_text()) != page.read_text())


def main(arguments: list[str]) -> int:
    """Write, or check, the diagrams of the pages that are named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, and fail if a diagram is not up to date")
    parser.add_argument("pages", nargs="+", type=Path)
    options = parser.parse_args(arguments)
    old = list(stale(options.pages))
    for page in old:
        if options.check:
            sys.stderr.write(f"{page}: a state diagram is not up to date: python -m state_diagram {page}\n")
        else:
            page.write_text(drawn(page.read_text()))
    return int(options.check and bool(old))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
