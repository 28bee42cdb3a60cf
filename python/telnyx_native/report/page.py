"""The report of a call as a web page and as a picture."""

from __future__ import annotations

import math
from dataclasses import astuple, fields
from html import escape
from typing import TYPE_CHECKING

from telnyx_native.errors import ConfigurationError
from telnyx_native.media.quality import CallQuality
from telnyx_native.report.chart import (
    HEIGHT,
    STRIP_HEIGHT,
    WIDTH,
    Chart,
    Line,
    draw_chart,
    draw_milestones,
    draw_states,
    milestones_height,
    summarised,
)
from telnyx_native.report.reading import QUIETEST, Moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from telnyx_native.report.reading import Reading

__all__ = ["page", "picture"]

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

THEMED = {name: f"var(--{name})" for name in LIGHT}

FONT = "system-ui, 'DejaVu Sans', 'Liberation Sans', Arial, sans-serif"

PICTURE_SCALE = 2.0
"""Pixels of the picture for one of the page, so that it is sharp."""

GAP = 14
HEADER_HEIGHT = 96


def page(reading: Reading) -> str:
    """Return the report as one HTML page, which needs nothing else: light and dark, for screens, paper and readers."""
    charts = _charts(reading)
    tiles = "".join(
        f'<div class="tile"><dt>{escape(name)}</dt><dd class="{kind}">{escape(value)}</dd></div>'
        for name, value, kind in _tiles(reading)
    )
    figures = [
        _figure(draw_states(reading.states, reading.duration, THEMED), STRIP_HEIGHT, _states_in_words(reading)),
        *(
            _figure(draw_chart(chart, _times(reading), reading.duration, THEMED), HEIGHT, summarised(chart))
            for chart in charts
        ),
    ]
    if reading.milestones:
        words = ", ".join(f"{name} after {1000 * seconds:.0f} ms" for name, seconds in reading.milestones.items())
        height = milestones_height(reading.milestones)
        figures.append(_figure(draw_milestones(reading.milestones, THEMED), height, words))
    return _TEMPLATE.format(
        title=escape(_title(reading)),
        subtitle=escape(_subtitle(reading)),
        light=_variables(LIGHT),
        dark=_variables(DARK),
        font=FONT,
        tiles=tiles,
        figures="\n".join(figures),
        details=_rows(_details(reading)),
        heads="".join(f"<th scope=col>{escape(head)}</th>" for head in _HEADS),
        moments="".join(_row(moment) for moment in reading.moments),
    )


def picture(reading: Reading) -> bytes:
    """Return the report as a PNG picture, light.

    Raises:
        ConfigurationError: The package `resvg-py` is not installed (extra `[report]`).
    """
    try:
        import resvg_py
    except ImportError:
        message = 'a picture needs the extra: pip install "telnyx-native[report]"'
        raise ConfigurationError(message) from None
    parts, y = [_header(reading)], HEADER_HEIGHT
    for content, height in _drawings(reading):
        parts.append(f'<g transform="translate(0 {y})">{content}</g>')
        y += height + GAP
    background = f'<rect width="{WIDTH}" height="{y}" style="fill:{LIGHT["surface"]}"/>'
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" font-family="{FONT}">'
        f"{background}{''.join(parts)}</svg>"
    )
    return bytes(resvg_py.svg_to_bytes(svg_string=drawing, zoom=PICTURE_SCALE, sans_serif_family="DejaVu Sans"))


def _drawings(reading: Reading) -> Iterator[tuple[str, int]]:
    yield draw_states(reading.states, reading.duration, LIGHT), STRIP_HEIGHT
    for chart in _charts(reading):
        yield draw_chart(chart, _times(reading), reading.duration, LIGHT), HEIGHT
    if reading.milestones:
        yield draw_milestones(reading.milestones, LIGHT), milestones_height(reading.milestones)


def _header(reading: Reading) -> str:
    parts = [_label(56, 26, _title(reading), "ink", "18px"), _label(56, 44, _subtitle(reading), "faint", "12px")]
    x = 56
    for name, value, kind in _tiles(reading):
        parts += [_label(x, 66, name, "faint", "11px"), _label(x, 84, value, kind or "ink", "14px")]
        x += max(88, 9 * len(value) + 16)
    return "".join(parts)


def _label(x: int, y: int, text: str, colour: str, size: str) -> str:
    weight = 400 if colour == "faint" else 600
    style = f"fill:{LIGHT[colour]};font-size:{size};font-weight:{weight}"
    return f'<text x="{x}" y="{y}" style="{style}">{escape(text)}</text>'


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


def _times(reading: Reading) -> list[float]:
    return [moment.time for moment in reading.moments]


def _tiles(reading: Reading) -> list[tuple[str, str, str]]:
    """What is most wanted: name, value, colour."""
    mos = _average(moment.mos for moment in reading.moments)
    quality = CallQuality.from_mos(mos)
    kind = {CallQuality.EXCELLENT: "good", CallQuality.GOOD: "good", CallQuality.FAIR: "warning"}.get(quality, "bad")
    kind = "" if quality is CallQuality.UNKNOWN else kind
    return [
        ("Quality", f"{mos:.2f} {quality.value}" if math.isfinite(mos) else "unknown", kind),
        ("Duration", f"{reading.duration:.1f} s", ""),
        ("Set-up", _milliseconds(reading.milestones.get("active")), ""),
        ("Round trip", f"{_told(_average(m.rtt for m in reading.moments), 0)} ms", ""),
        ("Jitter", f"{_told(_average(m.jitter_in for m in reading.moments), 1)} ms", ""),
        ("Loss", f"{_told(_average(m.loss_in for m in reading.moments), 1)} %", ""),
        ("Codec", reading.codec.removeprefix("audio/") or "unknown", ""),
    ]


def _title(reading: Reading) -> str:
    summary = reading.summary
    inbound = summary.get("direction") == "inbound"
    number = summary.get("callerNumber") if inbound else summary.get("destinationNumber")
    return f"Call {'from' if inbound else 'to'} {number or 'unknown'}"


def _subtitle(reading: Reading) -> str:
    begun = str(reading.summary["startTimestamp"]).partition(".")[0].replace("T", " ")
    return f"{begun} UTC, ended by {_reason(reading)}"


def _reason(reading: Reading) -> str:
    reason = reading.summary.get("terminationReason") or {}
    parts = (reason.get("cause"), reason.get("cause_code"), reason.get("sip_code") and f"SIP {reason['sip_code']}")
    told = " ".join(str(part) for part in parts if part is not None)
    return ", ".join(filter(None, (told, reason.get("sip_reason")))) or "no reason given"


def _details(reading: Reading) -> Iterator[tuple[str, str]]:
    summary = reading.summary
    for name, key in (
        ("Call", "callId"),
        ("Telnyx session", "telnyxSessionId"),
        ("Telnyx leg", "telnyxLegId"),
        ("From", "callerNumber"),
        ("To", "destinationNumber"),
        ("SDK", "sdkVersion"),
    ):
        if summary.get(key):
            yield name, str(summary[key])
    yield "Ended by", _reason(reading)
    for end in ("local", "remote"):
        if candidate := reading.path.get(end):
            kind, protocol = candidate.get("candidateType", "?"), candidate.get("protocol", "?")
            yield f"Audio, {end} end", f"{candidate.get('address', '?')}:{candidate.get('port', '?')} {kind}/{protocol}"


def _states_in_words(reading: Reading) -> str:
    return "States: " + ", ".join(f"{name.lower()} from {begin:.1f} s" for begin, name in reading.states)


def _figure(content: str, height: int, words: str) -> str:
    return (
        f'<figure><svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(words)}">{content}</svg></figure>'
    )


def _variables(palette: Mapping[str, str]) -> str:
    return ";".join(f"--{name}:{colour}" for name, colour in palette.items())


def _rows(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<tr><th scope=row>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in pairs)


def _row(moment: Moment) -> str:
    return "<tr>" + "".join(f"<td>{_told(value, 2)}</td>" for value in astuple(moment)) + "</tr>"


_HEADS = tuple(field.name.replace("_", " ") for field in fields(Moment))


def _average(values: Iterable[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return sum(known) / len(known) if known else math.nan


def _told(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}" if math.isfinite(value) else "-"


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1000 * seconds:.0f} ms"


_TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; {light} }}
@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}
* {{ box-sizing: border-box }}
body {{ margin: 0 auto; max-width: 860px; padding: 24px 20px 48px; background: var(--surface); color: var(--ink);
  font: 15px/1.5 {font} }}
h1 {{ font-size: 24px; margin: 0 }}
h2 {{ font-size: 17px; margin: 32px 0 8px }}
p.subtitle {{ margin: 2px 0 18px; color: var(--faint) }}
dl.tiles {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(104px, 1fr)); gap: 8px; margin: 0 0 20px }}
.tile {{ border: 1px solid var(--grid); border-radius: 8px; padding: 8px 12px }}
.tile dt {{ color: var(--faint); font-size: 12px }}
.tile dd {{ margin: 0; font-weight: 600; font-variant-numeric: tabular-nums }}
.good {{ color: var(--good) }} .warning {{ color: var(--warning) }} .bad {{ color: var(--bad) }}
figure {{ margin: 0 0 14px; break-inside: avoid }}
svg {{ display: block; width: 100%; height: auto; font-family: {font}; font-variant-numeric: tabular-nums }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; padding: 4px 12px 4px 0; border-bottom: 1px solid var(--grid); overflow-wrap: anywhere }}
details {{ margin-top: 24px }}
summary {{ cursor: pointer; font-weight: 600 }}
.scroll {{ overflow-x: auto }}
.scroll th, .scroll td {{ text-align: right; font-size: 13px; font-variant-numeric: tabular-nums; white-space: nowrap }}
</style>
</head>
<body>
<header><h1>{title}</h1><p class="subtitle">{subtitle}</p></header>
<main>
<dl class="tiles">{tiles}</dl>
{figures}
<h2>Details</h2>
<table>{details}</table>
<details><summary>All measurements</summary>
<div class="scroll" tabindex="0" role="region" aria-label="All measurements">
<table><thead><tr>{heads}</tr></thead><tbody>{moments}</tbody></table>
</div>
</details>
</main>
</body>
</html>
"""
