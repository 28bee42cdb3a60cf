"""Destinations that answer and give back what they hear: at once, after early media, or for a while."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from telnyx_native.gateway.destinations.destination import seconds_of
from telnyx_native.gateway.reasons import reason_of
from telnyx_native.states import CallTerminationReason, HangupCause

if TYPE_CHECKING:
    from telnyx_native.gateway.caller_leg import CallerLeg

__all__ = ["EarlyMedia", "Echo", "HangUpAfter"]

LONGEST = 3600.0
"""Seconds an address may ask for."""


class Echo:
    """Answers, and returns what it hears, natively: nothing of it passes through Python."""

    async def serve(self, leg: CallerLeg) -> CallTerminationReason:
        """Echo until the caller hangs up."""
        await leg.answer()
        await leg.media.connected()
        leg.peer.echo()
        return await leg.wait_ended()


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
