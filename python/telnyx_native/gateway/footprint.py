"""How much memory a client's words take: a few bytes on the wire can be many here."""

from __future__ import annotations

from sys import getsizeof

__all__ = ["footprint", "looks_convoluted"]


def footprint(value: object) -> int:
    """Return the bytes that a value of JSON takes in memory, with all that is in it."""
    total, waiting = 0, [value]
    while waiting:
        each = waiting.pop()
        total += getsizeof(each)
        if isinstance(each, dict):
            waiting += each.keys()
            waiting += each.values()
        elif isinstance(each, list | tuple):
            waiting += each
    return total


def looks_convoluted(text: str | bytes, most: int) -> bool:
    """Return whether a JSON text may hold more than `most` values; told without reading it.

    What is counted begins a value or stands between two. In texts it counts too, which no honest message has that
    many of: a megabyte of base64 has none.
    """
    if len(text) <= most:
        return False
    if isinstance(text, bytes):
        return sum(map(text.count, (b",", b"[", b"{"))) > most
    return sum(map(text.count, (",", "[", "{"))) > most
