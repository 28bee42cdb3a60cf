"""Several calls at once: of which only one is talked in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from telnyx_native.errors import CallError
from telnyx_native.states import CallState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telnyx_native.call import Call

__all__ = ["hold_all"]


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


async def _hold_unless_over(call: Call) -> None:
    try:
        await call.hold()
    except CallError:
        if not isinstance(call.state, CallState.DONE):
            raise
