"""Leads the calls that clients place to their destinations, each in a task of its own, until the hangup."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from telnyx_native.errors import ConfigurationError, MediaError, SdpError
from telnyx_native.gateway.calls.hangup import reason_of
from telnyx_native.states import CallTerminationReason, HangupCause

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from telnyx_native.gateway.calls.leg import CallerLeg
    from telnyx_native.gateway.destinations.router import Router

__all__ = ["Switchboard"]

logger = logging.getLogger(__name__)


MOST_TRANSFERS = 100
"""From destination to destination, in one call: menus that lead in a circle come to an end."""


class Switchboard:
    """Leads calls to their destinations.

    Args:
        router: Knows the destinations.
    """

    def __init__(self, router: Router) -> None:
        self._router = router
        self._tasks: set[asyncio.Task[None]] = set()

    def connect(self, leg: CallerLeg) -> None:
        """Lead a call to its destination, and hang it up when that has done its work."""
        self._run(self._serve(leg))

    def refuse(self, leg: CallerLeg, reason: CallTerminationReason) -> None:
        """End a call that leads nowhere."""
        self._run(leg.end(reason))

    def _run(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End the work on every call. The legs are left to their sessions."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, leg: CallerLeg) -> None:
        serving = asyncio.create_task(self._lead(leg))
        ended = asyncio.create_task(leg.wait_ended())
        try:
            await asyncio.wait({serving, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            serving.cancel()
            ended.cancel()
            outcome, _ = await asyncio.gather(serving, ended, return_exceptions=True)
        await leg.end(_reason_of_outcome(outcome, leg))

    async def _lead(self, leg: CallerLeg) -> CallTerminationReason:
        """Lead a call from destination to destination; return why the last one is done with it."""
        address = leg.info.callee.number
        for _ in range(MOST_TRANSFERS):
            outcome = await self._router.route(address).serve(leg)
            if isinstance(outcome, CallTerminationReason):
                return outcome
            address = outcome.address
            logger.info("%s goes on to %s", leg.info.caller.number, address)
        logger.warning("the call to %s was transferred %d times: it is ended", leg.info.callee.number, MOST_TRANSFERS)
        return reason_of(HangupCause.NORMAL_TEMPORARY_FAILURE)


def _reason_of_outcome(outcome: CallTerminationReason | BaseException, leg: CallerLeg) -> CallTerminationReason:
    if isinstance(outcome, CallTerminationReason):
        return outcome
    if isinstance(outcome, asyncio.CancelledError) or leg.reason is not None:
        return reason_of(HangupCause.NORMAL_CLEARING)  # the caller has hung up: nobody will read it
    if isinstance(outcome, MediaError):
        logger.warning("the call to %s has no audio: %s", leg.info.callee.number, outcome)
        unusable = isinstance(outcome, SdpError)
        return reason_of(HangupCause.INCOMPATIBLE_DESTINATION if unusable else HangupCause.MEDIA_TIMEOUT)
    if isinstance(outcome, ConfigurationError):  # a sound file that is none
        logger.warning("the call to %s is ended: %s", leg.info.callee.number, outcome)
        return reason_of(HangupCause.NORMAL_TEMPORARY_FAILURE)
    logger.error("the destination %s failed", leg.info.callee.number, exc_info=outcome)
    return reason_of(HangupCause.NORMAL_TEMPORARY_FAILURE)
