"""The report of a call as a picture (extra `[report]`)."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from telnyx_native.errors import ConfigurationError
from telnyx_native.report.chart import LEFT, WIDTH
from telnyx_native.report.drawings import LIGHT, drawings
from telnyx_native.report.facts import subtitle, tiles, title

if TYPE_CHECKING:
    from telnyx_native.report.reading import Reading

__all__ = ["picture"]

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
