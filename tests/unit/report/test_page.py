from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from telnyx_native.media.turns import Speaker, Turn
from telnyx_native.report.chart import DARK, LIGHT, Chart, Line, _steps, draw_chart, summarised
from telnyx_native.report.page import page, picture
from telnyx_native.report.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping


def reading(summary: Mapping[str, Any] | None = None) -> Reading:
    begun = {"startTimestamp": "2026-08-21T10:00:00.000Z"}
    return Reading({**begun, **(summary or {})}, (), ((0.0, "ACTIVE"),), {}, 3.0)


def test_what_was_never_measured_is_drawn_too() -> None:
    assert "Nothing was measured" in page(reading())


def test_whatever_a_report_says_stays_text() -> None:
    evil = '<script>alert("x")</script>'
    drawn = page(reading({"destinationNumber": evil, "callId": evil, "terminationReason": {"cause": evil}}))
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn


def test_the_page_needs_nothing_else() -> None:
    drawn = page(reading())
    assert "default-src 'none'" in drawn
    assert not re.search(r"(src|href)=|url\(|@import|https?://", drawn)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_everything_can_be_read(palette: Mapping[str, str]) -> None:
    for name, colour in palette.items():
        if name not in ("surface", "grid"):
            assert contrast(colour, palette["surface"]) >= 4.5, name


def test_a_gap_in_what_was_measured_is_a_gap_in_the_line() -> None:
    chart = Chart("Jitter (ms)", [Line("jitter", [1.0, 2.0, float("nan"), 4.0])], 0, 10, 1)
    drawn = draw_chart(chart, [1.0, 2.0, 3.0, 4.0], 4.0, LIGHT)
    assert (drawn.count("<polyline"), drawn.count("<circle")) == (1, 1)
    assert summarised(chart) == "Jitter (ms). jitter: 1.0 to 4.0, on average 2.3."


@pytest.mark.parametrize(
    ("highest", "steps"), [(40, [0, 10, 20, 30, 40]), (7, [0, 2, 4, 6, 8]), (0.3, [0, 0.1, 0.2, 0.3])]
)
def test_axes_have_round_numbers(highest: float, steps: list[float]) -> None:
    assert _steps(0, highest) == pytest.approx(steps)


def test_picture() -> None:
    pytest.importorskip("resvg_py", reason="an extra: pip install 'telnyx-native[report]'")
    assert picture(reading()).startswith(b"\x89PNG\r\n")


def contrast(one: str, other: str) -> float:
    """The contrast of two colours (WCAG 2.2)."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_turns_are_two_lanes_with_the_answers_between() -> None:
    they, we = Speaker.REMOTE, Speaker.LOCAL
    turns = (Turn(they, 0.5, 1.0), Turn(we, 1.25, 1.5), Turn(they, 1.75, 2.0), Turn(we, 2.5, 2.75))
    told = replace(reading(), turns=turns)
    drawn = page(told)
    assert [response.latency for response in told.responses] == [0.25, 0.5]
    assert "Who spoke when: 2 turns received, 2 sent, 2 answers" in drawn
    assert "<title>received, 0.50 to 1.00 s</title>" in drawn
    assert ">250</text>" in drawn
    assert '<dt>Answers in</dt><dd class="">375 ms</dd>' in drawn
    assert "Who spoke when" not in page(reading())
