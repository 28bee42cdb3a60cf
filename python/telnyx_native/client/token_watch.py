"""The end of a login token, which is warned of. Whether the token is good is for the server to say: clocks differ."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from telnyx_native.codes import TelnyxWarning, WarningCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_native.config import TokenConfig

__all__ = ["TokenWatch"]

NOTICE = 120.0
"""Seconds before the end of a token at which a warning is due (Telnyx JS SDK)."""

ISO_8601 = "%Y-%m-%dT%H:%M:%SZ"
"""How a moment in UTC is written in messages."""


class TokenWatch:
    """Warns once when the token of the login is about to expire, or seems to have.

    Args:
        warn: Takes the warning.
    """

    def __init__(self, warn: Callable[[TelnyxWarning], None]) -> None:
        self._warn = warn
        self._alarm: asyncio.TimerHandle | None = None

    def check(self, config: TokenConfig) -> None:
        """Warn of a token that has expired by this machine's clock."""
        expiry = config.expires_at
        if expiry is not None and expiry <= datetime.now(UTC):
            detail = f"by this machine's clock it did at {expiry:{ISO_8601}}; the server decides whether it is good"
            self._warn(TelnyxWarning.of(WarningCode.TOKEN_EXPIRING_SOON, detail))

    def start(self, config: TokenConfig) -> None:
        """Watch a token, in place of the one before."""
        self.stop()
        expiry = config.expires_at
        left = 0.0 if expiry is None else (expiry - datetime.now(UTC)).total_seconds()
        if expiry is not None and left > 0:
            delay = max(0.0, left - NOTICE)
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
