"""The status of a fleet as a web page, which loads itself anew."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["page"]

COLUMNS = (
    "name",
    "state",
    "calls",
    "capacity",
    "reserved",
    "user",
    "node",
    "pid",
    "resumed",
    "failed",
    "refused",
    "lag",
)

STYLE = """
:root { color-scheme: light dark; font: 15px system-ui, sans-serif }
body { margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid #8884; padding: .3rem .6rem; text-align: left }
td.number { font-variant-numeric: tabular-nums; text-align: right }
meter { width: 6rem }
dl { display: grid; grid-template-columns: max-content auto; gap: .1rem 1rem }
"""


def page(status: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        status: What `FleetControl.status` gives.
    """
    workers = status["workers"]
    used = sum(worker["calls"] for worker in workers)
    rows = "".join(_row(worker) for worker in workers)
    counters = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in status["counters"].items()
    )
    heads = "".join(f"<th>{name}</th>" for name in COLUMNS)
    name, capacity, waiting, wanted = (escape(str(status[key])) for key in ("fleet", "capacity", "waiting", "wanted"))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="2">'
        f"<title>{name}</title><style>{STYLE}</style></head><body><h1>{name}</h1>"
        f"<p><strong>{used}</strong> calls in {capacity} slots, <strong>{waiting}</strong> wait; "
        f"{len(workers)} workers, {wanted} wanted.</p>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        f"<details><summary>Counters</summary><dl>{counters}</dl></details></body></html>"
    )


def _row(worker: Mapping[str, Any]) -> str:
    cells = []
    for name in COLUMNS:
        value = str(worker[name])[:12] if name == "node" else worker[name]
        number = isinstance(value, int | float)
        cells.append(f"<td{' class=number' if number else ''}>{escape(str(value))}</td>")
    return f"<tr>{''.join(cells)}</tr>"
