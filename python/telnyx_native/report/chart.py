"""What is drawn of a call: plots over time, as SVG."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from telnyx_native.media.turns import Speaker
from telnyx_native.report.reading import QUIETEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from telnyx_native.report.reading import Reading

__all__ = [
    "DARK",
    "HEIGHT",
    "LANES_HEIGHT",
    "LEFT",
    "LIGHT",
    "STRIP_HEIGHT",
    "WIDTH",
    "Chart",
    "Drawing",
    "Line",
    "draw_chart",
    "draw_milestones",
    "draw_states",
    "draw_turns",
    "drawings",
    "summarised",
]

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
    if reading.turns:
        heard, said = (sum(t.speaker is speaker for t in reading.turns) for speaker in (Speaker.REMOTE, Speaker.LOCAL))
        words = f"Who spoke when: {heard} turns received, {said} sent, {len(reading.responses)} answers"
        yield Drawing(draw_turns(reading, palette), LANES_HEIGHT, words)
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


WIDTH, HEIGHT = 760, 168
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 34, 24
"""Margins around the plot: numbers on the left, title and legend above, seconds below."""

STRIP_HEIGHT = 66
ROW_HEIGHT = 22

LANE = 20
LANES_HEIGHT = 26 + 3 * LANE + 20
_LANES = {
    Speaker.REMOTE: ("received", 26, "first"),
    Speaker.LOCAL: ("sent", 26 + 2 * LANE, "second"),
}
"""Of the picture of turns: name, place and colour; between them are the answers."""

STATE_COLOURS = {
    "NEW": "faint",
    "CONNECTING": "faint",
    "RINGING": "second",
    "ACTIVE": "first",
    "HELD": "third",
    "RENEGOTIATING": "warning",
    "TRANSFERRING": "third",
    "RECONNECTING": "warning",
    "DROPPED": "bad",
    "ERROR": "bad",
}


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        name: What it shows.
        values: One for each moment; NaN for none.
        colour: Its name in the palette.
        dashed: Whether it is dashed, so that colours are not all that tells lines apart.
    """

    name: str
    values: Sequence[float]
    colour: str = "first"
    dashed: bool = False

    @property
    def known(self) -> list[float]:
        """The values that were measured."""
        return [value for value in self.values if math.isfinite(value)]


@dataclass(frozen=True)
class Chart:
    """What is plotted over the time of a call.

    Attributes:
        title: What it shows, with its unit.
        lines: One or two.
        lowest: The least value on the axis.
        highest: The greatest; more if the lines need it.
        decimals: Digits after the point in what is told.
        bands: Ranges to be tinted: from, to, colour.
    """

    title: str
    lines: Sequence[Line]
    lowest: float
    highest: float
    decimals: int = 0
    bands: Sequence[tuple[float, float, str]] = ()


def summarised(chart: Chart) -> str:
    """Say a chart in words."""
    told = [
        f"{line.name}: {min(line.known):.{chart.decimals}f} to {max(line.known):.{chart.decimals}f}, "
        f"on average {sum(line.known) / len(line.known):.{chart.decimals}f}"
        for line in chart.lines
        if line.known
    ]
    return f"{chart.title}. {'; '.join(told) or 'Nothing was measured'}."


def draw_chart(chart: Chart, times: Sequence[float], duration: float, palette: Mapping[str, str]) -> str:
    """Return the chart as the content of an `svg` element of `WIDTH` by `HEIGHT`."""
    top = max([chart.highest, *(value for line in chart.lines for value in line.known)])
    steps = _steps(chart.lowest, top)
    scale = _Scale(duration, chart.lowest, max(top, steps[-1]))
    parts = [_text(LEFT, 16, chart.title, palette["ink"], weight=600)]
    parts += _legend(chart.lines, palette)
    for low, high, colour in chart.bands:
        y, bottom = scale.y(min(high, scale.highest)), scale.y(max(low, scale.lowest))
        parts.append(_rectangle(LEFT, y, WIDTH - LEFT - RIGHT, bottom - y, palette[colour], opacity=0.12))
    for step in steps:
        parts.append(_rule(LEFT, scale.y(step), WIDTH - RIGHT, scale.y(step), palette["grid"]))
        parts.append(_text(LEFT - 8, scale.y(step) + 4, _short(step), palette["faint"], anchor="end"))
    parts += _seconds(scale, HEIGHT - 8, palette)
    for line in chart.lines:
        parts += _curve(line, times, scale, palette[line.colour])
    parts += _tips(chart, times, scale)
    return "".join(parts)


def draw_states(states: Sequence[tuple[float, str]], duration: float, palette: Mapping[str, str]) -> str:
    """Return the states of a call as a coloured strip of `WIDTH` by `STRIP_HEIGHT`."""
    scale = _Scale(duration, 0, 1)
    parts = [_text(LEFT, 16, "States of the call", palette["ink"], weight=600)]
    for (begin, name), (end, _) in pairwise([*states, (duration, "")]):
        if name not in STATE_COLOURS:
            continue
        x, width = scale.x(begin), max(1.0, scale.x(min(end, duration)) - scale.x(begin))
        title = f"<title>{escape(f'{name}, {begin:.1f} to {end:.1f} s')}</title>"
        parts.append(_rectangle(x, 26, width, 20, palette[STATE_COLOURS[name]], opacity=0.85, content=title))
    x = float(WIDTH - RIGHT)
    for name in reversed(list(dict.fromkeys(name for _, name in states if name in STATE_COLOURS))):
        x -= 7 * len(name) + 8
        parts.append(_text(x, 16, name.lower(), palette["ink"]))
        x -= 16
        parts.append(_rectangle(x, 6, 11, 11, palette[STATE_COLOURS[name]], opacity=0.85))
        x -= 8
    parts += _seconds(scale, STRIP_HEIGHT - 4, palette)
    return "".join(parts)


def draw_turns(reading: Reading, palette: Mapping[str, str]) -> str:
    """Return who spoke when: two lanes, `WIDTH` by `LANES_HEIGHT`, with the latency of each answer between them."""
    scale = _Scale(reading.duration, 0, 1)
    parts = [_text(LEFT, 16, "Who spoke when, and how long answers took (ms)", palette["ink"], weight=600)]
    for speaker, (name, y, colour) in _LANES.items():
        parts.append(_text(LEFT - 8, y + 15, name, palette["faint"], anchor="end"))
        for turn in reading.turns:
            if turn.speaker is speaker:
                x, width = scale.x(turn.began), max(1.0, scale.x(turn.ended) - scale.x(turn.began))
                title = f"<title>{name}, {turn.began:.2f} to {turn.ended:.2f} s</title>"
                parts.append(_rectangle(x, y, width, LANE, palette[colour], opacity=0.85, content=title))
    free = 0.0
    for response in reading.responses:
        x = scale.x(response.at)
        if x >= free:  # where answers are close together, some have no number
            parts.append(_text(x, 26 + LANE + 15, f"{1000 * response.latency:.0f}", palette["ink"], anchor="middle"))
            free = x + 30
    parts += _seconds(scale, LANES_HEIGHT - 4, palette)
    return "".join(parts)


def draw_milestones(milestones: Mapping[str, float], palette: Mapping[str, str]) -> str:
    """Return how long each step took, one row each, `WIDTH` wide and as high as it takes: see `milestones_height`."""
    longest = max([*milestones.values(), 0.001])
    parts = [_text(LEFT, 16, "From placing the call to each step (ms)", palette["ink"], weight=600)]
    left, room = 190, WIDTH - 190 - 90
    for row, (name, seconds) in enumerate(sorted(milestones.items(), key=lambda item: item[1])):
        y = 30 + ROW_HEIGHT * row
        width = max(2.0, room * seconds / longest)
        parts.append(_text(left - 10, y + 11, name.replace("_", " "), palette["ink"], anchor="end"))
        parts.append(_rectangle(left, y + 2, width, 11, palette["first"], opacity=0.85))
        parts.append(_text(left + width + 8, y + 11, f"{1000 * seconds:.0f}", palette["faint"]))
    return "".join(parts)


def milestones_height(milestones: Mapping[str, float]) -> int:
    """How high the plot of the milestones is."""
    return 36 + ROW_HEIGHT * len(milestones)


class _Scale:
    """Where in the picture a second and a value are."""

    def __init__(self, duration: float, lowest: float, highest: float) -> None:
        self.duration = max(duration, 0.001)
        self.lowest = lowest
        self.highest = max(highest, lowest + 0.001)

    def x(self, time: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * min(max(time / self.duration, 0.0), 1.0)

    def y(self, value: float) -> float:
        share = (value - self.lowest) / (self.highest - self.lowest)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(max(share, 0.0), 1.0)


def _steps(lowest: float, highest: float, count: int = 4) -> list[float]:
    """Round numbers for an axis, with at most `count` steps between them."""
    raw = (highest - lowest) / count
    magnitude = 10 ** math.floor(math.log10(raw))
    step = next(m * magnitude for m in (1, 2, 2.5, 5, 10) if m * magnitude >= raw * 0.999)
    needed = math.ceil(round((highest - lowest) / step, 6))
    return [lowest + step * number for number in range(needed + 1)]


def _seconds(scale: _Scale, y: float, palette: Mapping[str, str]) -> Iterator[str]:
    for second in _steps(0, scale.duration, 8):
        if second <= scale.duration * 1.001:
            yield _text(scale.x(second), y, f"{_short(second)} s", palette["faint"], anchor="middle")


def _legend(lines: Sequence[Line], palette: Mapping[str, str]) -> Iterator[str]:
    if len(lines) < 2:
        return
    x = float(WIDTH - RIGHT)
    for line in reversed(lines):
        x -= 7 * len(line.name) + 8
        yield _text(x, 16, line.name, palette["ink"])
        dash = ' stroke-dasharray="5 3"' if line.dashed else ""
        yield _rule(x - 28, 12, x - 6, 12, palette[line.colour], width=2, extra=dash)
        x -= 44


def _curve(line: Line, times: Sequence[float], scale: _Scale, colour: str) -> Iterator[str]:
    dash = ' stroke-dasharray="5 3"' if line.dashed else ""
    for run in _runs(line.values, times):
        points = " ".join(f"{scale.x(time):.1f},{scale.y(value):.1f}" for time, value in run)
        if len(run) == 1:
            yield f'<circle cx="{scale.x(run[0][0]):.1f}" cy="{scale.y(run[0][1]):.1f}" r="2" style="fill:{colour}"/>'
        else:
            style = f"fill:none;stroke:{colour};stroke-width:2;stroke-linejoin:round"
            yield f'<polyline points="{points}" style="{style}"{dash}/>'


def _runs(values: Sequence[float], times: Sequence[float]) -> Iterator[list[tuple[float, float]]]:
    """The stretches in which something was measured."""
    run: list[tuple[float, float]] = []
    for time, value in zip(times, values, strict=True):
        if math.isfinite(value):
            run.append((time, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _tips(chart: Chart, times: Sequence[float], scale: _Scale) -> Iterator[str]:
    """What a pointer is told at each moment; browsers show titles by themselves."""
    for number, (begin, end) in enumerate(pairwise([0.0, *times])):
        values = ", ".join(
            f"{line.name} {line.values[number]:.{chart.decimals}f}"
            for line in chart.lines
            if math.isfinite(line.values[number])
        )
        x = scale.x(begin)
        tip = f"<title>{escape(f'{end:.1f} s: {values}')}</title>"
        yield _rectangle(x, TOP, scale.x(end) - x, HEIGHT - TOP - BOTTOM, "transparent", content=tip)


def _text(x: float, y: float, text: str, colour: str, *, anchor: str = "start", weight: int = 400) -> str:
    style = f"fill:{colour};font-size:12px;font-weight:{weight};text-anchor:{anchor}"
    return f'<text x="{x:.1f}" y="{y:.1f}" style="{style}">{escape(text)}</text>'


def _rule(x1: float, y1: float, x2: float, y2: float, colour: str, *, width: float = 1, extra: str = "") -> str:
    style = f"stroke:{colour};stroke-width:{width}"
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" style="{style}"{extra}/>'


def _rectangle(
    x: float, y: float, width: float, height: float, colour: str, *, opacity: float = 1, content: str = ""
) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}"'
    return f'<rect {place} style="fill:{colour};fill-opacity:{opacity}">{content}</rect>'


def _short(number: float) -> str:
    return f"{number:.10g}" if abs(number) >= 1 or number == 0 else f"{number:.2g}"
