"""What this process knows of credentials: whose a login token is, when it expires, and which were just created."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime
from hashlib import sha256
from time import monotonic

__all__ = ["account_of", "expiry_of", "is_new", "note_new"]


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


SETTLING = 10.0
"""Seconds after which a credential is not new any more; its first login works after some 5 s."""

MOST = 1000
"""Credentials remembered; of more, the oldest are forgotten."""

_created: dict[str, float] = {}


def note_new(account: str) -> None:
    """Remember that a credential was created now.

    Args:
        account: Its SIP user, its id, or what `login_token.account_of` tells of a token of it.
    """
    _created.pop(account, None)
    _created[account] = monotonic()
    if len(_created) > MOST:
        del _created[next(iter(_created))]


def is_new(account: str) -> bool:
    """Whether servers may not know the credential yet."""
    return monotonic() - _created.get(account, float("-inf")) < SETTLING
