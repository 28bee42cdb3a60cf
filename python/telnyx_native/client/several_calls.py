"""Several calls at once: of which only one is talked in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from telnyx_native.errors import CallError
from telnyx_native.states import CallDirection, CallState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telnyx_native.call import Call

__all__ = ["count_ringing_here", "hold_all"]


async def hold_all(calls: Iterable[Call]) -> None:
    """Put those calls on hold that are active.

    Raises:
        RequestError: The server refused one; the others are on hold nevertheless.
    """
    active = [call for call in calls if call.state == CallState.ACTIVE]
    outcomes = await asyncio.gather(*(_hold_unless_over(call) for call in active), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


def count_ringing_here(calls: Iterable[Call]) -> int:
    """How many inbound calls wait for somebody to accept them."""
    return sum(call.direction is CallDirection.INBOUND and call.state == CallState.RINGING for call in calls)


async def _hold_unless_over(call: Call) -> None:
    try:
        await call.hold()
    except CallError:
        if not isinstance(call.state, CallState.DONE):
            raise
