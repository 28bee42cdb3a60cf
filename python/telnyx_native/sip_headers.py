"""Headers of SIP, whose names may come several times."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["joined_headers"]


def joined_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers by name, in their order.

    The values of one name, in whatever case, are one, with commas between (RFC 3261, 7.3.1). Its first spelling counts.
    """
    by_name: dict[str, tuple[str, str]] = {}
    for name, value in headers:
        spelling, before = by_name.get(name.lower(), (name, ""))
        by_name[name.lower()] = spelling, f"{before}, {value}" if name.lower() in by_name else value
    return dict(by_name.values())
