"""What a login token says about itself, read without a check: that is for the server."""

from __future__ import annotations

import binascii
import json
import math
from base64 import urlsafe_b64decode

__all__ = ["expiry_of"]


def expiry_of(token: str) -> float | None:
    """Return when a JWT expires, in seconds since the epoch.

    `None` if it does not say so, or is no JWT: whether it is any good is for the server to tell.
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
        return float(expiry) if math.isfinite(expiry) else None
    except OverflowError:
        return None
