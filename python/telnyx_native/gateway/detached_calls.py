"""Calls whose client has lost its socket, kept until it comes back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telnyx_native.gateway.reasons import reason_of
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telnyx_native.gateway.leg import Leg

__all__ = ["DetachedCalls"]


@dataclass(frozen=True)
class _Detached:
    """The calls of one socket, and what ends them if nobody comes."""

    account: object
    legs: Sequence[Leg]
    end: asyncio.Task[None]


class DetachedCalls:
    """Answered calls by the session id of their client. Their audio goes on.

    Args:
        limit: Seconds after which they are hung up.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._by_session: dict[str, _Detached] = {}

    @property
    def legs(self) -> list[Leg]:
        """The calls that are not over."""
        kept = (leg for detached in self._by_session.values() for leg in detached.legs)
        return [leg for leg in kept if leg.reason is None]

    def put(self, account: object, sessid: str, legs: Sequence[Leg]) -> None:
        """Keep calls of an account's session."""
        if legs:
            legs = [*self.take(account, sessid), *legs]
            self._by_session[sessid] = _Detached(account, legs, asyncio.create_task(self._expire(sessid, legs)))

    def take(self, account: object, sessid: str) -> list[Leg]:
        """Return the calls of an account's session that are not over, and keep them no more."""
        detached = self._by_session.get(sessid)
        if detached is None or detached.account != account:
            return []
        del self._by_session[sessid]
        detached.end.cancel()
        return [leg for leg in detached.legs if leg.reason is None]

    async def close(self) -> None:
        """Wait for nobody any more. The calls are left to who closes."""
        ends = [detached.end for detached in self._by_session.values()]
        self._by_session.clear()
        for end in ends:
            end.cancel()
        await asyncio.gather(*ends, return_exceptions=True)

    async def _expire(self, sessid: str, legs: Sequence[Leg]) -> None:
        await asyncio.sleep(self._limit)
        for leg in legs:
            await leg.end(reason_of(HangupCause.RECOVERY_ON_TIMER_EXPIRE))
        del self._by_session[sessid]
