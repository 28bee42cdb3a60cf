"""What a login token says about itself, read without a check: that is for the server."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime
from hashlib import sha256

__all__ = ["account_of", "expiry_of"]


def account_of(token: str) -> str:
    """Return what tells a token from others, and may be kept longer than the token itself."""
    return sha256(token.encode()).hexdigest()


def expiry_of(token: str) -> datetime | None:
    """Return when a JWT expires.

    `None` if it does not say so, says what no calendar has, or is no JWT: whether it is any good is for the server to
    tell.
    """
    payload = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError, binascii.Error):
        return None
    expiry = claims.get("exp") if isinstance(claims, dict) else None
    if not isinstance(expiry, int | float) or isinstance(expiry, bool):
        return None
    try:
        return datetime.fromtimestamp(expiry, UTC)
    except (ValueError, OverflowError, OSError):
        return None
