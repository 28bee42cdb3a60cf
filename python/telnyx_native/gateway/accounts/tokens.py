"""Login tokens: JSON Web Tokens (RFC 7519) that the gateway signs itself, with HMAC-SHA-256."""

from __future__ import annotations

import binascii
import hmac
import json
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

__all__ = ["TokenMint"]

_HEADER = {"alg": "HS256", "typ": "JWT"}

LONGEST_TOKEN = 8192
"""Characters of a token; longer ones are not looked at."""


class TokenMint:
    """Makes tokens, and recognises its own.

    Args:
        secret: The key; a random one by default, so that tokens end with the gateway.
    """

    def __init__(self, secret: str | None = None) -> None:
        self._key = secret.encode() if secret else secrets.token_bytes(32)
        self._expired: dict[str, int] = {}  # how often the tokens of a user were
        self._started = time.time() - time.monotonic()

    def _now(self) -> float:
        """The time of day, as it goes on from the start: clocks that are set meanwhile end no token."""
        return self._started + time.monotonic()

    def mint(self, user: str, lifetime: float) -> str:
        """Return a token of `user` that is good for `lifetime` seconds; claims as in Telnyx's own tokens."""
        now = self._now()
        claims = {"sub": user, "aud": "telnyx_telephony", "typ": "access", "iat": now, "exp": now + lifetime}
        claims["gen"] = self._expired.get(user, 0)
        signed = f"{_encode(_HEADER)}.{_encode(claims)}"
        return f"{signed}.{self._sign(signed)}"

    def expire(self, user: str) -> None:
        """Expire every token of a user that was made until now."""
        self._expired[user] = self._expired.get(user, 0) + 1

    def user_of(self, token: str) -> str | None:
        """Return whose token it is; `None` if it is not from here, or has expired."""
        signed, _, signature = token.rpartition(".")
        if len(token) > LONGEST_TOKEN or not token.isascii():
            return None
        if not hmac.compare_digest(signature, self._sign(signed)):
            return None
        header, _, payload = signed.partition(".")
        claims = _decode(payload)
        expiry, user = claims.get("exp"), claims.get("sub")
        good = _decode(header) == _HEADER and isinstance(expiry, int | float) and expiry > self._now()
        if not good or not isinstance(user, str):
            return None
        return user if claims.get("gen", 0) == self._expired.get(user, 0) else None

    def _sign(self, text: str) -> str:
        return _to_text(hmac.digest(self._key, text.encode(), "sha256"))


def _encode(value: dict[str, Any]) -> str:
    return _to_text(json.dumps(value, separators=(",", ":")).encode())


def _decode(text: str) -> dict[str, Any]:
    try:
        value = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError, binascii.Error):
        return {}
    return value if isinstance(value, dict) else {}


def _to_text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
