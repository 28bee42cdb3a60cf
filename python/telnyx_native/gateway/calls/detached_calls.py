"""Calls whose client has lost its socket, kept until it comes back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telnyx_native.gateway.calls.hangup import reason_of
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telnyx_native.gateway.calls.leg import Leg

__all__ = ["DetachedCalls"]


@dataclass(frozen=True)
class _Detached:
    """The calls of one session, and what waits for their end and ends them if nobody comes."""

    legs: Sequence[Leg]
    watch: asyncio.Task[None]


class DetachedCalls:
    """Answered calls by the account and the session id of their client; their audio goes on.

    Ids alone do not tell clients apart: they make them themselves.

    Args:
        limit: Seconds after which they are hung up.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._by_session: dict[tuple[object, str], _Detached] = {}

    @property
    def legs(self) -> list[Leg]:
        """The calls that are not over."""
        kept = (leg for detached in self._by_session.values() for leg in detached.legs)
        return [leg for leg in kept if leg.reason is None]

    def put(self, account: object, sessid: str, legs: Sequence[Leg]) -> None:
        """Keep calls of an account's session."""
        if legs:
            legs = [*self.take(account, sessid), *legs]
            watch = asyncio.create_task(self._watch((account, sessid), legs))
            self._by_session[account, sessid] = _Detached(legs, watch)

    def take(self, account: object, sessid: str) -> list[Leg]:
        """Return the calls of an account's session that are not over, and keep them no more."""
        detached = self._by_session.pop((account, sessid), None)
        if detached is None:
            return []
        detached.watch.cancel()
        return [leg for leg in detached.legs if leg.reason is None]

    async def close(self) -> None:
        """Wait for nobody any more. The calls are left to who closes."""
        watches = [detached.watch for detached in self._by_session.values()]
        self._by_session.clear()
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)

    async def _watch(self, session: tuple[object, str], legs: Sequence[Leg]) -> None:
        """Forget calls when they are over; end those that nobody has come for in time."""
        try:
            async with asyncio.timeout(self._limit):
                for leg in legs:
                    await leg.wait_ended()
        except TimeoutError:
            for leg in legs:
                await leg.end(reason_of(HangupCause.RECOVERY_ON_TIMER_EXPIRE))
        del self._by_session[session]
