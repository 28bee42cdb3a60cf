"""Failed logins: the more there were, the longer the next one waits, so that passwords are not guessed."""

from __future__ import annotations

import asyncio
import math
from collections import Counter, OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from telnyx_native.gateway.limits import GatewayLimits

__all__ = ["FailedLogins", "TooManyLogins"]

FREE_FAILURES = 3
"""Failures after which a login still does not wait: people mistype."""

FIRST_DELAY = 0.25
"""Seconds that the first login waits after that; each further failure doubles it."""

HALF_LIFE = 60.0
"""Seconds after which half of the failures are forgotten."""

MOST_KNOWN = 4096
"""Accounts and addresses that are remembered; of more, those that have not failed for longest are forgotten."""

MOST_WAITING = {"account": 16, "address": 64}
"""Logins that wait at a time for one account, and from one address; one more is turned away unchecked."""

Key = tuple[str, str]


class TooManyLogins(Exception):  # noqa: N818 - an answer, not a failure
    """So many logins wait already that this one is turned away."""


@dataclass
class _Failures:
    """How many logins have failed, as far as they are not forgotten, and when that was counted."""

    count: float
    counted: float

    def now(self, time: float) -> float:
        return self.count * math.pow(2.0, (self.counted - time) / HALF_LIFE)


class FailedLogins:
    """Remembers failed logins, by account and by address.

    A login waits before it is looked at, be it right or wrong: if only wrong ones waited, nobody would wait for their
    answer. The wait is limited, so the user gets in while others guess.

    Args:
        limits: How long a login waits at most.
        now: The time in seconds.
    """

    def __init__(self, limits: GatewayLimits, now: Callable[[], float] = monotonic) -> None:
        self._limits = limits
        self._now = now
        self._failures: OrderedDict[Key, _Failures] = OrderedDict()
        self._waiting: Counter[Key] = Counter()

    def __len__(self) -> int:
        return len(self._failures)

    async def wait(self, account: object, address: str) -> None:
        """Wait until a login may be checked.

        Args:
            account: The name that somebody wants to log in with; anything else for a login without a name.
            address: Where the login comes from.

        Raises:
            TooManyLogins: Others wait already, as many as may.
        """
        keys = _keys(account, address)
        delay = max(map(self.delay, keys))
        if delay:
            with self._place(keys):
                await asyncio.sleep(delay)

    def failed(self, account: object, address: str) -> None:
        """Count a login that failed."""
        now = self._now()
        for key in _keys(account, address):
            known = self._failures.pop(key, None)
            self._failures[key] = _Failures((known.now(now) if known else 0.0) + 1, now)
        while len(self._failures) > MOST_KNOWN:
            self._failures.popitem(last=False)

    def succeeded(self, account: object) -> None:
        """Forget the failures of an account, but not those of the address: the same one may guess another."""
        for key in _keys(account, ""):
            self._failures.pop(key, None)

    def delay(self, key: Key) -> float:
        """Return the seconds that a login for an account, or from an address, waits now."""
        known = self._failures.get(key)
        excess = known.now(self._now()) - FREE_FAILURES if known else -1.0
        return 0.0 if excess < 0 else min(FIRST_DELAY * 2 ** min(excess, 30.0), self._limits.guess_delay)

    @contextmanager
    def _place(self, keys: list[Key]) -> Iterator[None]:
        if any(self._waiting[key] >= MOST_WAITING[key[0]] for key in keys):
            raise TooManyLogins
        self._waiting.update(keys)
        try:
            yield
        finally:
            self._waiting.subtract(keys)
            for key in keys:
                if not self._waiting[key]:
                    del self._waiting[key]


def _keys(account: object, address: str) -> list[Key]:
    keys = [("address", address)] if address else []
    return [("account", account[:LONGEST_NAME]), *keys] if isinstance(account, str) and account else keys


LONGEST_NAME = 256
"""Characters of an account's name that tell it from others here."""
