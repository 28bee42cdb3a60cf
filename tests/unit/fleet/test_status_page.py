"""The status page: all there is to see, and nothing of it is taken for HTML."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from telnyx_native.fleet.status_page import COLUMNS, page

HOSTILE = "<script>alert('1')</script>&\""


class Reader(HTMLParser):
    """Reads tags, and the text of cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def status(text: str, number: object = 7) -> dict[str, Any]:
    worker = dict.fromkeys(COLUMNS, text) | {"calls": 3, "capacity": number, "lag": 0.25}
    return {
        "fleet": text,
        "capacity": number,
        "waiting": number,
        "wanted": number,
        "workers": [worker, worker],
        "counters": {text: number},
    }


def test_all_there_is_to_see() -> None:
    texts = Reader(page(status("telnyx-fleet"))).texts
    assert texts.count("telnyx-fleet") > 2
    assert "6" in texts  # calls of both workers
    assert {"0.25", *COLUMNS} <= set(texts)


def test_nothing_is_taken_for_html() -> None:
    shown = page(status(HOSTILE, HOSTILE))
    assert "<script" not in shown
    harmless = Reader(page(status("text", "text")))
    assert Reader(shown).tags == harmless.tags


def test_fleet_without_workers() -> None:
    texts = Reader(page(status("telnyx-fleet") | {"workers": []})).texts
    assert "0" in texts
