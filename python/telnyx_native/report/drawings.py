"""What is drawn of a call, in which order and colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from telnyx_native.report.chart import (
    HEIGHT,
    STRIP_HEIGHT,
    Chart,
    Line,
    draw_chart,
    draw_milestones,
    draw_states,
    milestones_height,
    summarised,
)
from telnyx_native.report.reading import QUIETEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from telnyx_native.report.reading import Reading

__all__ = ["DARK", "LIGHT", "Drawing", "drawings"]

LIGHT = {
    "surface": "#ffffff",
    "ink": "#1b2430",
    "faint": "#5b6673",
    "grid": "#e3e7ec",
    "first": "#0a66c2",
    "second": "#b4540a",
    "third": "#6a4fb3",
    "good": "#1e7d3c",
    "warning": "#a86400",
    "bad": "#b3261e",
}
DARK = {
    "surface": "#14181f",
    "ink": "#e8ecf1",
    "faint": "#9aa5b1",
    "grid": "#2b323c",
    "first": "#6cb2ff",
    "second": "#f0a35e",
    "third": "#b7a3f5",
    "good": "#63cf86",
    "warning": "#e6b450",
    "bad": "#ff8a80",
}
"""Each has at least the contrast of 4.5 with its surface that WCAG 2.2 asks for (1.4.3)."""


@dataclass(frozen=True)
class Drawing:
    """One of them.

    Attributes:
        content: What is in its `svg` element, which is as wide as `chart.WIDTH`.
        height: How high it is.
        words: What it shows, for who does not see it.
    """

    content: str
    height: int
    words: str


def drawings(reading: Reading, palette: Mapping[str, str]) -> Iterator[Drawing]:
    """Draw a call in the colours of a palette, which are CSS."""
    duration, times = reading.duration, [moment.time for moment in reading.moments]
    words = ", ".join(f"{name.lower()} from {begin:.1f} s" for begin, name in reading.states)
    yield Drawing(draw_states(reading.states, duration, palette), STRIP_HEIGHT, f"States of the call: {words}")
    for chart in _charts(reading):
        yield Drawing(draw_chart(chart, times, duration, palette), HEIGHT, summarised(chart))
    if reading.milestones:
        words = ", ".join(f"{name} after {1000 * seconds:.0f} ms" for name, seconds in reading.milestones.items())
        yield Drawing(draw_milestones(reading.milestones, palette), milestones_height(reading.milestones), words)


def _charts(reading: Reading) -> list[Chart]:
    def line(name: str, attribute: str, colour: str = "first", *, dashed: bool = False) -> Line:
        return Line(name, [getattr(moment, attribute) for moment in reading.moments], colour, dashed=dashed)

    def both(attribute: str) -> list[Line]:
        return [
            line("received", f"{attribute}_in"),
            line("sent", f"{attribute}_out", "second", dashed=True),
        ]

    bands = [(4.1, 5.0, "good"), (3.1, 4.1, "warning"), (1.0, 3.1, "bad")]
    return [
        Chart("Quality (mean opinion score, 1 to 5)", [line("MOS", "mos")], 1, 5, 2, bands),
        Chart("Round-trip time (ms)", [line("round trip", "rtt")], 0, 40, 0),
        Chart("Jitter (ms)", both("jitter"), 0, 10, 1),
        Chart("Packets lost (%)", both("loss"), 0, 4, 1),
        Chart("Level (dBFS)", both("level"), QUIETEST, 0, 0),
        Chart("Bit rate (kbit/s)", both("rate"), 0, 40, 0),
    ]
