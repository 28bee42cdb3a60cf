"""Destinations that nobody talks to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from telnyx_native.gateway.reasons import reason_of
from telnyx_native.states import CallTerminationReason, HangupCause

if TYPE_CHECKING:
    from telnyx_native.gateway.caller_leg import CallerLeg

__all__ = ["Refuse", "RingOut"]


class RingOut:
    """Rings, and is never answered."""

    async def serve(self, leg: CallerLeg) -> CallTerminationReason:
        """Ring for as long as the gateway lets a call ring."""
        await leg.ring()
        await asyncio.sleep(leg.media.limits.ring_time)
        return reason_of(HangupCause.NO_ANSWER)


class Refuse:
    """Takes no call.

    Args:
        cause: Why not.
    """

    def __init__(self, cause: HangupCause) -> None:
        self._cause = cause

    async def serve(self, leg: CallerLeg) -> CallTerminationReason:  # noqa: ARG002 - nobody looks at it
        """Refuse at once."""
        return reason_of(self._cause)
