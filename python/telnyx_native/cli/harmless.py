"""What others wrote, on the terminal: it neither steers it nor is taken for markup of ours."""

from __future__ import annotations

import logging
from collections import defaultdict
from time import monotonic

from rich.markup import escape

from telnyx_native.untrusted_text import clean, one_line

__all__ = ["HarmlessFormatter", "SparingFilter", "plain"]

LINES_PER_SECOND = 50
"""Lines of one kind that are shown in a second."""


def plain(text: object) -> str:
    """Return `text` for rich's markup, where it is shown as it is, on one line, without control characters."""
    return escape(one_line(str(text)))


class HarmlessFormatter(logging.Formatter):
    """Formats records of any content for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the message, with its traceback, without control characters and halves of characters."""
        return clean(super().format(record))


class SparingFilter(logging.Filter):
    """Lets so many records of a kind through in a second: whoever fills a log from outside does not hold up the rest.

    Records are of a kind if their messages have the same pattern.
    """

    def __init__(self) -> None:
        super().__init__()
        self._second = 0
        self._shown: defaultdict[str, int] = defaultdict(int)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is shown; the last one of a second says that there may be more."""
        if (second := int(monotonic())) != self._second:
            self._second = second
            self._shown.clear()
        kind = str(record.msg)
        self._shown[kind] += 1
        if self._shown[kind] == LINES_PER_SECOND:
            record.msg, record.args = f"{record.getMessage()} (and more of the kind)", ()
        return self._shown[kind] <= LINES_PER_SECOND
