"""Secrets, and how they stay out of logs, reprs and errors.

What is known to be a secret is a `Secret`, which shows itself to nobody. What comes as text, off the wire or from a
library, is searched for the shapes in which secrets travel.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from typing import Any, Self

from telnyx_native.untrusted_text import clean

__all__ = ["MASK", "Secret", "digest", "keep_secret", "mask", "redact", "same_secret"]

MASK = "***"
"""What stands in place of a secret."""


class Secret(str):
    """A text that is printed, formatted and logged as `***`, and compared, encoded, and written as JSON, as what it is.

    What calls `str` on it, gets the stars, too: `reveal` gives the text for use in a header or an address.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Keep `text`, which may be a secret already."""
        return super().__new__(cls, str.__str__(text))

    def __repr__(self) -> str:
        return repr(MASK)

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def reveal(self) -> str:
        """The text as a plain `str`."""
        return str.__str__(self)


def keep_secret(instance: object, *names: str) -> None:
    """Make `Secret`s of texts that a frozen dataclass was given; for its `__post_init__`."""
    for name in names:
        object.__setattr__(instance, name, Secret(getattr(instance, name)))


_ENDINGS = ("passwd", "password", "passphrase", "token", "secret", "apikey", "credential", "credentials")
_NAMES = frozenset({"jwt", "authorization", "proxyauthorization", "cookie", "pwd", "dtmf"})
"""The ends, and the whole names, by which secrets go, without `_` and `-`. What a caller keys in may be a PIN."""

_NAME = (
    r"[\w.-]{0,40}?"
    r"(?:passwd|password|passphrase|token|secret|api[_-]?key|credentials?|jwt|authorization|cookie|pwd|dtmf)"
)

_PATTERNS = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), replacement)
    for pattern, replacement in (
        (r"(a=ice-pwd:\s*)[^\s\\\"]+", rf"\1{MASK}"),
        # A member of JSON, cut off in the middle maybe; of JSON inside of JSON; of the repr of a dict or an object.
        (rf'("{_NAME}"\s*:\s*)(?:"(?:[^"\\]|\\.)*"?|[^\s,}}\]]+)', rf'\1"{MASK}"'),
        (rf'((\\{{1,16}})"{_NAME}\2"\s*:\s*\2")(?:(?!(?<!\\)\2").)*', rf"\1{MASK}"),
        (rf"('{_NAME}'\s*:\s*)(?:'(?:[^'\\]|\\.)*'?|\"(?:[^\"\\]|\\.)*\"?|[^\s,}}\]'\"]+)", rf"\1'{MASK}'"),
        (rf"(\b{_NAME}=)(?:'(?:[^'\\]|\\.)*'?|\"(?:[^\"\\]|\\.)*\"?|[^\s&;,)\]}}'\"]+)", rf"\1{MASK}"),
        (r"\b((?:Bearer|Basic)\s+)[\w.~+/=:-]{4,}", rf"\1{MASK}"),
        (r"(\b[a-z][a-z0-9+.-]{0,20}://)[^/\s@'\"]+@", rf"\1{MASK}@"),
    )
)


_HINT = re.compile("pass|token|secret|api|credential|jwt|authorization|cookie|pwd|dtmf|bearer|basic|://", re.IGNORECASE)
"""One of these is in every text that a pattern finds something in; to look for them takes a tenth of the time."""


def mask(text: str) -> str:
    """Return `text` without secrets in the shapes in which they travel.

    Those are members of JSON and of a `dict`'s repr that are named like one, parameters of addresses, `Bearer` and
    `Basic` authorization, users and passwords in addresses, and the passwords of ICE.
    """
    if not _HINT.search(text):
        return text
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def redact(frame: str | bytes) -> str:
    """Return a frame of the wire as text without its secrets, and without control characters.

    Passwords, login and push tokens, TURN credentials and the passwords of ICE are masked, wherever they
    are nested; a frame that is not JSON, for example one cut off in the middle of a secret, is masked by pattern.
    """
    text = frame.decode("utf-8", "replace") if isinstance(frame, bytes) else frame
    try:
        return json.dumps(_masked(json.loads(text)), separators=(",", ":"))
    except (ValueError, RecursionError):
        return clean(mask(text))


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: MASK if _is_secret(name) and item else _masked(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return _masked_text(value) if isinstance(value, str) else value


def _masked_text(text: str) -> str:
    """A text, which may be JSON of its own."""
    if text[:1] in ("{", "["):
        try:
            return json.dumps(_masked(json.loads(text)), separators=(",", ":"))
        except (ValueError, RecursionError):
            pass
    return mask(text)


def _is_secret(name: str) -> bool:
    plain = name.lower().replace("_", "").replace("-", "")
    return plain.endswith(_ENDINGS) or plain in _NAMES


_KEY = secrets.token_bytes(32)


def same_secret(given: str, known: str) -> bool:
    """Return whether two secrets are the same, in a time that depends on neither, nor on where they differ.

    Their lengths do not show either: what is compared are digests, under a key that nobody knows.
    """
    return hmac.compare_digest(digest(given), digest(known))


def digest(text: str) -> bytes:
    """Return the digest by which a secret is looked up; its key is random, so that nobody outside can predict it."""
    return hashlib.blake2b(text.encode(errors="surrogatepass"), key=_KEY).digest()
