"""The report of a call as a web page."""

from __future__ import annotations

from dataclasses import astuple, fields
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from telnyx_native.report.chart import WIDTH
from telnyx_native.report.drawings import DARK, LIGHT, drawings
from telnyx_native.report.facts import details, subtitle, tiles, title, told
from telnyx_native.report.reading import Moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from telnyx_native.report.drawings import Drawing
    from telnyx_native.report.reading import Reading

__all__ = ["page"]

TEMPLATE = Path(__file__).parents[1] / "assets" / "report.html"

THEMED = {name: f"var(--{name})" for name in LIGHT}
"""Colours that follow the theme of the page."""

HEADS = tuple(field.name.replace("_", " ") for field in fields(Moment))


def page(reading: Reading) -> str:
    """Return the report as one HTML page, which needs nothing else: light and dark, for screens, paper and readers."""
    return Template(TEMPLATE.read_text()).substitute(
        title=escape(title(reading)),
        subtitle=escape(subtitle(reading)),
        light=_variables(LIGHT),
        dark=_variables(DARK),
        tiles="".join(_tile(*tile) for tile in tiles(reading)),
        figures="\n".join(map(_figure, drawings(reading, THEMED))),
        details=_rows(details(reading)),
        heads="".join(f"<th scope=col>{escape(head)}</th>" for head in HEADS),
        moments="".join(_row(moment) for moment in reading.moments),
    )


def _tile(name: str, value: str, kind: str) -> str:
    return f'<div class="tile"><dt>{escape(name)}</dt><dd class="{kind}">{escape(value)}</dd></div>'


def _figure(drawing: Drawing) -> str:
    view = f'viewBox="0 0 {WIDTH} {drawing.height}" role="img" aria-label="{escape(drawing.words)}"'
    return f"<figure><svg {view}>{drawing.content}</svg></figure>"


def _variables(palette: Mapping[str, str]) -> str:
    return ";".join(f"--{name}:{colour}" for name, colour in palette.items())


def _rows(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<tr><th scope=row>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in pairs)


def _row(moment: Moment) -> str:
    return "<tr>" + "".join(f"<td>{told(value, 2)}</td>" for value in astuple(moment)) + "</tr>"
