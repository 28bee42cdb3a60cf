"""Warns before a login token expires. Whether it has expired is decided by the server: clocks differ."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from telnyx_native.errors import TelnyxWarning, WarningCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_native.config import TokenConfig

__all__ = ["TokenWatch"]

NOTICE = 120.0
"""Seconds before the expiry at which the warning is due (Telnyx JS SDK)."""

ISO_8601 = "%Y-%m-%dT%H:%M:%SZ"
"""The format of times in messages, in UTC."""


class TokenWatch:
    """Warns once when the token of the login is about to expire, or seems to have expired.

    Args:
        warn: Takes the warning.
    """

    def __init__(self, warn: Callable[[TelnyxWarning], None]) -> None:
        self._warn = warn
        self._alarm: asyncio.TimerHandle | None = None

    def check(self, config: TokenConfig) -> None:
        """Warn if the token has expired by this machine's clock."""
        expiry = config.expires_at
        if expiry is not None and expiry <= datetime.now(UTC):
            detail = f"by this machine's clock it did at {expiry:{ISO_8601}}; the server decides whether it is good"
            self._warn(TelnyxWarning.of(WarningCode.TOKEN_EXPIRING_SOON, detail))

    def start(self, config: TokenConfig) -> None:
        """Watch a token instead of the previous one."""
        self.stop()
        expiry = config.expires_at
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
