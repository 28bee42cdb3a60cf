"""The end of a login token: refused when it is past, warned of when it is near."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from telnyx_native.codes import ErrorCode, TelnyxWarning, WarningCode
from telnyx_native.errors import AuthenticationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_native.config import TokenConfig

__all__ = ["TokenWatch", "require_unexpired"]

NOTICE = 120.0
"""Seconds before the end of a token at which a warning is due (Telnyx JS SDK)."""

ISO_8601 = "%Y-%m-%dT%H:%M:%SZ"
"""How a moment in UTC is written in messages."""


def require_unexpired(config: TokenConfig) -> None:
    """Check that a token can still be good.

    Raises:
        AuthenticationError: It has expired.
    """
    expiry = config.expires_at
    if expiry is not None and expiry <= datetime.now(UTC):
        message = f"the login token expired at {expiry:{ISO_8601}}; create a new one for the telephony credential"
        raise AuthenticationError(message, kind=ErrorCode.LOGIN_FAILED)


class TokenWatch:
    """Warns once when the token of the login is about to expire.

    Args:
        warn: Takes the warning.
    """

    def __init__(self, warn: Callable[[TelnyxWarning], None]) -> None:
        self._warn = warn
        self._alarm: asyncio.TimerHandle | None = None

    def start(self, config: TokenConfig) -> None:
        """Watch a token, in place of the one before."""
        self.stop()
        expiry = config.expires_at
        if expiry is not None:
            delay = max(0.0, (expiry - datetime.now(UTC)).total_seconds() - NOTICE)
            self._alarm = asyncio.get_running_loop().call_later(delay, self._ring, expiry)

    def stop(self) -> None:
        """Watch no more."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _ring(self, expiry: datetime) -> None:
        self._alarm = None
        detail = f"at {expiry:{ISO_8601}}; log in with a new one before that"
        self._warn(TelnyxWarning.of(WarningCode.TOKEN_EXPIRING_SOON, detail))
