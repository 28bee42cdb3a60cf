"""How two calls come together, and part."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from telnyx_native.errors import MediaError
from telnyx_native.event_loop import cancel_all
from telnyx_native.gateway.calls.call_info import reason_of
from telnyx_native.gateway.calls.conversations import talk
from telnyx_native.gateway.calls.leg import CallerLeg
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from telnyx_native.event_loop import Tasks
    from telnyx_native.gateway.calls.call_info import Reason
    from telnyx_native.gateway.voice_api.controlled_call import ControlledCall
    from telnyx_native.gateway.voice_api.events import Source

__all__ = ["Bridges"]

logger = logging.getLogger(__name__)


class Bridges:
    """Bridges calls, two by two. A call is in one bridge, and waits for one other call, at a time.

    Args:
        tasks: What runs as long as calls are together, or wait for each other.
    """

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks

    def connect(self, call: ControlledCall, other: ControlledCall, *, owned: bool) -> None:
        """Bridge two calls as soon as the other one is answered; this takes the place of an attempt under way.

        Args:
            call: The one that waits; an inbound one is answered then.
            other: The one that rings, or is answered.
            owned: Whether the other one ends when nothing comes of it.
        """
        if call.connecting is not None:
            call.connecting.cancel()
        call.connecting = self._tasks.start(self._connect(call, other, owned=owned))

    async def answer(self, call: ControlledCall) -> None:
        """Answer an inbound call; does nothing with one that is answered, or outgoing."""
        leg = call.leg
        if not isinstance(leg, CallerLeg):
            return
        async with call.answering:
            try:
                await leg.answer()
            except MediaError as error:
                logger.warning("a call cannot be answered: %s", error)
                await call.hang_up(HangupCause.INCOMPATIBLE_DESTINATION)
                return
        if leg.reason is None:
            call.mark_answered(leg)

    async def _connect(self, call: ControlledCall, other: ControlledCall, *, owned: bool) -> None:
        try:
            async with _ringback(call):
                if other.direction == "outgoing":
                    await _first_of(other.wait_settled(), call.wait_over())
            for each in (call, other):
                if not call.over and not other.over:
                    # Goes on when another attempt takes the place of this one: half an answer is none.
                    await asyncio.shield(self._tasks.start(self.answer(each)))
            if call.answered and other.answered:
                self._join(call, other)
        finally:
            call.active_at = asyncio.get_running_loop().time()
            if call.connecting is asyncio.current_task():
                call.connecting = None
            if owned and other.partner is not call:
                await other.hang_up(HangupCause.NORMAL_CLEARING if other.answered else HangupCause.ORIGINATOR_CANCEL)

    def _join(self, call: ControlledCall, other: ControlledCall) -> None:
        if call.partner is other:
            return
        for each in (call, other):
            self._part(each)
        call.partner, other.partner = other, call
        for each in (call, other):
            each.playlist.stop(everything=True)
        for each in (call, other):
            each.tell("call.bridged")
        call.talking = other.talking = self._tasks.start(self._talk(call, other))

    def _part(self, call: ControlledCall) -> None:
        """Take a call out of its bridge; what was bridged with it is left alone."""
        partner, call.partner = call.partner, None
        if partner is not None:
            partner.partner = None
            if call.talking is not None:
                call.talking.cancel()
            self._tasks.start(_leave_alone(partner, reason_of(HangupCause.NORMAL_CLEARING), "unknown"))

    async def _talk(self, call: ControlledCall, other: ControlledCall) -> None:
        """Keep two calls together until one of them is over."""
        reason = await talk(call.answered_leg, other.answered_leg)
        call.partner = other.partner = None
        gone = next((each for each in (call, other) if each.over), None)
        for each in (call, other):
            if not each.over:
                await _leave_alone(each, reason_of(reason), gone.source if gone else "unknown")


async def _first_of(*waits: Coroutine[None, None, None]) -> None:
    """Wait until one of several things has happened."""
    waiting = [asyncio.create_task(wait) for wait in waits]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancel_all(waiting)


@asynccontextmanager
async def _ringback(call: ControlledCall) -> AsyncIterator[None]:
    """Let the caller hear that it rings, unless it hears something else."""
    if isinstance(call.leg, CallerLeg) and call.partner is None and not call.hears_playback:
        async with call.leg.ringback():
            yield
    else:
        yield


async def _leave_alone(call: ControlledCall, reason: Reason, source: Source) -> None:
    """Park a call whose partner is gone, if that was asked for, or end it."""
    if not call.parks or call.over:
        await call.hang_up(reason, source)
        return
    call.parks = False
    if call.partner is None:  # it may be in another bridge by now
        try:
            call.answered_leg.peer.leave()
        except MediaError as error:
            logger.info("a call has gone with the other side of its bridge: %s", error)
