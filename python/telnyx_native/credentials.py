"""What this process knows of credentials: whose a login token is, when it expires, and which were just created."""

from __future__ import annotations

import asyncio
import binascii
import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime
from hashlib import sha256
from time import monotonic
from typing import TYPE_CHECKING

from telnyx_native.errors import TelnyxWarning, WarningCode

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TokenWatch", "account_of", "expiry_of", "is_new", "note_new"]


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


NOTICE = 120.0
"""Seconds before the expiry at which the warning is due (Telnyx JS SDK)."""

ISO_8601 = "%Y-%m-%dT%H:%M:%SZ"
"""The format of times in messages, in UTC."""


class TokenWatch:
    """Warns once when a login token is about to expire, or seems to have: clocks differ, and the server decides.

    Args:
        warn: Takes the warning.
    """

    def __init__(self, warn: Callable[[TelnyxWarning], None]) -> None:
        self._warn = warn
        self._alarm: asyncio.TimerHandle | None = None

    def check(self, expiry: datetime | None) -> None:
        """Warn if a token has expired by this machine's clock."""
        if expiry is not None and expiry <= datetime.now(UTC):
            detail = f"by this machine's clock it did at {expiry:{ISO_8601}}; the server decides whether it is good"
            self._warn(TelnyxWarning.of(WarningCode.TOKEN_EXPIRING_SOON, detail))

    def start(self, expiry: datetime | None) -> None:
        """Watch a token instead of the previous one."""
        self.stop()
        left = 0.0 if expiry is None else (expiry - datetime.now(UTC)).total_seconds()
        if expiry is not None and left > 0:
            delay = max(0.0, left - NOTICE)
            self._alarm = asyncio.get_running_loop().call_later(delay, self._on_alarm, expiry)

    def stop(self) -> None:
        """Stop watching."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _on_alarm(self, expiry: datetime) -> None:
        self._alarm = None
        detail = f"at {expiry:{ISO_8601}}; log in with a new one before that"
        self._warn(TelnyxWarning.of(WarningCode.TOKEN_EXPIRING_SOON, detail))
