"""One way to write an address: what people and programs write for the same number is the same here."""

from __future__ import annotations

import re
from urllib.parse import unquote

__all__ = ["address_of"]

_BRACKETED = re.compile(r"[^<>]*<([^<>]*)>.*", re.DOTALL)
_SIP_URI = re.compile(r"sips?:(?P<user>[^@;?]*)", re.IGNORECASE)
_TEL_URI = re.compile(r"tel:(?P<number>[^;?]*)", re.IGNORECASE)

_SEPARATORS = re.compile(r"[-.()/\s\u00ad\u2010-\u2015\u2212\u200b-\u200f\u202a-\u202e\u2060\ufeff]+")
"""What is put into numbers for the eye (RFC 3966, section 5.1.1), and what comes along when they are pasted."""

_NUMBER = re.compile(r"\+?[0-9*#]{3,32}")


def address_of(destination: str) -> str:
    """Return the user or number that a destination means.

    `sip:alice@example.com` is `alice`; `sip:%2B15550100@host`, `tel:+1-555-0100` and `+1 (555) 0100` are `+15550100`
    (RFC 3261, section 19.1.4; RFC 3966, section 5.1.1). What is no number stays as it is.
    """
    destination = destination.strip()
    if bracketed := _BRACKETED.fullmatch(destination):  # a name-addr (RFC 3261, section 25.1)
        destination = bracketed[1].strip()
    if sip := _SIP_URI.match(destination):
        destination = _unescaped(sip["user"])
    elif tel := _TEL_URI.match(destination):
        destination = _unescaped(tel["number"])
    bare = _SEPARATORS.sub("", destination)
    return bare if _NUMBER.fullmatch(bare) else destination


def _unescaped(text: str) -> str:
    """Return a part of a URI without its escapes, unless they hide what no name has."""
    plain = unquote(text)
    return plain if plain.isprintable() else text
