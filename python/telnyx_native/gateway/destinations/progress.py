"""Destinations for the course of a call: `early`, `hangup-after`, `noanswer`, `busy`, `reject`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from telnyx_native.gateway.calls.hangup import reason_of
from telnyx_native.gateway.destinations.destination import seconds_of
from telnyx_native.gateway.destinations.echo import Echo
from telnyx_native.states import CallTerminationReason, HangupCause

if TYPE_CHECKING:
    from telnyx_native.gateway.calls.leg import CallerLeg

__all__ = ["EarlyMedia", "HangUpAfter", "Refuse", "RingOut"]

LONGEST = 3600.0
"""Seconds an address may ask for."""


class HangUpAfter:
    """Answers, echoes, and hangs up.

    Args:
        seconds: How long after the answer.
    """

    DEFAULT = 5.0

    def __init__(self, seconds: float = DEFAULT) -> None:
        self._seconds = seconds

    @classmethod
    def parse(cls, argument: str) -> HangUpAfter:
        """Make the one of an address: `hangup-after` or `hangup-after:10`."""
        return cls(seconds_of(argument, cls.DEFAULT, LONGEST))

    async def serve(self, leg: CallerLeg) -> CallTerminationReason:
        """Echo for a while."""
        await leg.answer()
        await leg.media.connected()
        leg.peer.echo()
        await asyncio.sleep(self._seconds)
        return reason_of(HangupCause.NORMAL_CLEARING)


class EarlyMedia:
    """Plays a ringback tone before the answer, as networks do that ring by themselves; then answers and echoes.

    Args:
        seconds: How long it rings, once the audio is connected.
    """

    DEFAULT = 2.0

    def __init__(self, seconds: float = DEFAULT) -> None:
        self._seconds = seconds

    @classmethod
    def parse(cls, argument: str) -> EarlyMedia:
        """Make the one of an address: `early` or `early:10`."""
        return cls(seconds_of(argument, cls.DEFAULT, LONGEST))

    async def serve(self, leg: CallerLeg) -> CallTerminationReason:
        """Ring audibly, answer, and echo until the caller hangs up."""
        await leg.begin_early_media()
        await leg.media.connected()
        async with leg.ringback():
            await asyncio.sleep(self._seconds)
        return await Echo().serve(leg)


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
