"""Text that a remote wrote, made harmless where it comes in: for logs, terminals, files and native code alike."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["clean", "clean_json", "is_call_id", "joined_headers", "one_line"]

_HARMFUL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters (C0, DEL, C1) but tab and line ends, and halves of characters (lone surrogates)."""

_LINE_ENDS = re.compile(r"[\t\r\n\u2028\u2029]+")

_MAYBE_HARMFUL = re.compile("\\\\[ubf]|[\x7f-\x9f\ud800-\udfff]")
"""What JSON text has if any of its strings may be harmful; it can have control characters by escapes only."""

_CALL_ID = re.compile(r"\w[\w.@:+-]{0,127}", re.ASCII)


def clean(text: str) -> str:
    """Return `text` with U+FFFD for control characters and lone surrogates; tabs and line ends stay."""
    return _HARMFUL.sub("\ufffd", text)


def one_line(text: str) -> str:
    """Return `text` as `clean` does, on one line: a space stands for line ends and tabs. For names, reasons, logs."""
    return _LINE_ENDS.sub(" ", clean(text))


def clean_json(value: Any, source: str) -> Any:
    """Return a JSON value in which all strings and names are as `clean` makes them.

    Args:
        value: The value.
        source: The text it was read from; most need nothing to be done.

    Raises:
        RecursionError: It is nested too deeply.
    """
    return _cleaned(value) if _MAYBE_HARMFUL.search(source) else value


def is_call_id(text: str) -> bool:
    """Whether `text` can be the id of a call: 1 to 128 ASCII letters, digits and `._@:+-`, not a `.` first.

    So it is fit for a file's name, a header and a log.
    """
    return _CALL_ID.fullmatch(text) is not None


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {clean(name): _cleaned(item) for name, item in value.items()}
    return value


def joined_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers by name, in their order.

    The values of one name, in whatever case, are one, with commas between (RFC 3261, 7.3.1). Its first spelling counts.
    """
    by_name: dict[str, tuple[str, str]] = {}
    for name, value in headers:
        spelling, before = by_name.get(name.lower(), (name, ""))
        by_name[name.lower()] = spelling, f"{before}, {value}" if name.lower() in by_name else value
    return dict(by_name.values())
