"""The report of a call for people: a web page, and a picture (extra `[report]`)."""

from __future__ import annotations

import math
from dataclasses import astuple, fields
from html import escape
from pathlib import Path
from statistics import median
from string import Template
from typing import TYPE_CHECKING

from telnyx_native.errors import ConfigurationError
from telnyx_native.media.quality import CallQuality
from telnyx_native.report.chart import DARK, LEFT, LIGHT, WIDTH, drawings
from telnyx_native.report.reading import Moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from telnyx_native.report.chart import Drawing
    from telnyx_native.report.reading import Reading

__all__ = ["details", "page", "picture", "subtitle", "tiles", "title", "told"]

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


SCALE = 2.0
"""Pixels of the picture for one of the drawing, so that it is sharp."""

GAP = 14
HEADER_HEIGHT = 96
FONT = "'DejaVu Sans', 'Liberation Sans', Arial, sans-serif"


def picture(reading: Reading) -> bytes:
    """Return the report as a PNG picture, light; its text needs a font of the system.

    Raises:
        ConfigurationError: The package `resvg-py` is not installed.
    """
    try:
        import resvg_py
    except ImportError:
        message = 'a picture needs the extra: pip install "telnyx-native[report]"'
        raise ConfigurationError(message) from None
    parts, y = [_header(reading)], HEADER_HEIGHT
    for drawing in drawings(reading, LIGHT):
        parts.append(f'<g transform="translate(0 {y})">{drawing.content}</g>')
        y += drawing.height + GAP
    size = f'width="{WIDTH}" height="{y}"'
    background = f'<rect {size} style="fill:{LIGHT["surface"]}"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}">{background}{"".join(parts)}</svg>'
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=SCALE, sans_serif_family="DejaVu Sans"))


def _header(reading: Reading) -> str:
    parts = [_label(LEFT, 26, title(reading), "ink", "18px"), _label(LEFT, 44, subtitle(reading), "faint", "12px")]
    x = LEFT
    for name, value, kind in tiles(reading):
        parts += [_label(x, 66, name, "faint", "11px"), _label(x, 84, value, kind or "ink", "14px")]
        x += max(88, 9 * len(value) + 16)
    return "".join(parts)


def _label(x: int, y: int, text: str, colour: str, size: str) -> str:
    weight = 400 if colour == "faint" else 600
    style = f"fill:{LIGHT[colour]};font-size:{size};font-weight:{weight}"
    return f'<text x="{x}" y="{y}" style="{style}">{escape(text)}</text>'


def tiles(reading: Reading) -> list[tuple[str, str, str]]:
    """What is most wanted: name, value, colour."""
    mos = _average(moment.mos for moment in reading.moments)
    quality = CallQuality.from_mos(mos)
    kind = {CallQuality.EXCELLENT: "good", CallQuality.GOOD: "good", CallQuality.FAIR: "warning"}.get(quality, "bad")
    kind = "" if quality is CallQuality.UNKNOWN else kind
    return [
        ("Quality", f"{mos:.2f} {quality.value}" if math.isfinite(mos) else "unknown", kind),
        ("Duration", f"{reading.duration:.1f} s", ""),
        ("Set-up", _milliseconds(reading.milestones.get("active")), ""),
        ("Round trip", f"{told(_average(m.rtt for m in reading.moments), 0)} ms", ""),
        ("Jitter", f"{told(_average(m.jitter_in for m in reading.moments), 1)} ms", ""),
        ("Loss", f"{told(_average(m.loss_in for m in reading.moments), 1)} %", ""),
        *_answers(reading),
        ("Codec", reading.codec.removeprefix("audio/") or "unknown", ""),
    ]


def _answers(reading: Reading) -> Iterator[tuple[str, str, str]]:
    """The median time that answers took, if there were any."""
    if reading.responses:
        latency = median(response.latency for response in reading.responses)
        yield ("Answers in", _milliseconds(latency), "")


def title(reading: Reading) -> str:
    """Say who was called, or who called."""
    summary = reading.summary
    inbound = summary.get("direction") == "inbound"
    number = summary.get("callerNumber") if inbound else summary.get("destinationNumber")
    return f"Call {'from' if inbound else 'to'} {number or 'unknown'}"


def subtitle(reading: Reading) -> str:
    """Say when, and how it ended."""
    begun = str(reading.summary["startTimestamp"]).partition(".")[0].replace("T", " ")
    return f"{begun} UTC, ended by {_reason(reading)}"


def _reason(reading: Reading) -> str:
    reason = reading.summary.get("terminationReason") or {}
    parts = (reason.get("cause"), reason.get("cause_code"), reason.get("sip_code") and f"SIP {reason['sip_code']}")
    known = " ".join(str(part) for part in parts if part is not None)
    return ", ".join(filter(None, (known, reason.get("sip_reason")))) or "no reason given"


def details(reading: Reading) -> Iterator[tuple[str, str]]:
    """Yield what else is known, by its name."""
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


def _average(values: Iterable[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return sum(known) / len(known) if known else math.nan


def told(value: float, decimals: int) -> str:
    """Say a number, if it was measured."""
    return f"{value:.{decimals}f}" if math.isfinite(value) else "-"


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1000 * seconds:.0f} ms"
