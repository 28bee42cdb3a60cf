"""Conversations: two legs that hear each other, until one of them ends; another can take the place of either."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from telnyx_native.errors import MediaError
from telnyx_native.event_loop import Tasks, cancel_all
from telnyx_native.gateway.calls.dtmf import follow_keys
from telnyx_native.media.joins import bridge
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from telnyx_native.gateway.calls.call_info import Reason
    from telnyx_native.gateway.calls.leg import Leg

__all__ = ["Conversation", "Conversations", "talk"]

SHORTEST_KEY, LONGEST_KEY = 0.04, 6.0
"""Seconds that a key can be held."""

KEY_GAP = 0.05
"""Seconds between two keys."""


class Conversation:
    """Two legs that hear each other.

    Attributes:
        legs: Caller and callee, as they are now; one of them, when the other was taken away.
        transfer: What rings somebody who is to take the place of one of them; it ends with the conversation.
    """

    def __init__(self, caller: Leg, callee: Leg) -> None:
        self.legs: tuple[Leg, ...] = caller, callee
        self.transfer: asyncio.Task[None] | None = None
        self._reason: Reason = HangupCause.NORMAL_CLEARING  # why one was taken away
        self._talking: asyncio.Task[Reason] | None = None

    def partner_of(self, leg: Leg) -> Leg:
        """Return the other leg."""
        one, other = self.legs
        return other if leg is one else one

    def replace(self, leg: Leg, new: Leg) -> bool:
        """Put an answered leg in the place of `leg`, which is left alone; return whether the conversation goes on."""
        if not self.goes_on or self.partner_of(leg).reason is not None:
            return False
        one, other = self.legs
        self._change((new, other) if leg is one else (one, new))
        return True

    def take_away(self, leg: Leg, reason: Reason) -> None:
        """Take a leg out, which is left alone; the other one ends, for that reason."""
        self._reason = reason
        self._change((self.partner_of(leg),))

    @property
    def goes_on(self) -> bool:
        """Whether both still talk."""
        return len(self.legs) == 2 and self._talking is not None and not self._talking.done()

    def _change(self, legs: tuple[Leg, ...]) -> None:
        self.legs = legs
        if self._talking is not None:
            self._talking.cancel()

    async def run(self) -> Reason:
        """Let the legs talk until one of them ends; return why it did."""
        while len(legs := self.legs) == 2:
            self._talking = talking = asyncio.create_task(talk(*legs))
            try:
                await asyncio.wait({talking})
            finally:
                await cancel_all([talking])
            if self.legs is legs:
                return talking.result()
        return self._reason


class Conversations:
    """The conversations of clients with each other.

    They go on when the destination that began them is done with its caller: a transfer may have put another leg in the
    caller's place.
    """

    def __init__(self) -> None:
        self._tasks = Tasks()
        self._going_on: dict[Conversation, None] = {}

    def of(self, leg: Leg) -> Conversation | None:
        """Return the conversation that a leg is in, or `None`."""
        return next((each for each in self._going_on if leg in each.legs), None)

    async def hold(self, caller: Leg, callee: Leg) -> Reason:
        """Let two legs talk, and hang up those that are left; return why it is over. Cancelling this ends nothing."""
        return await asyncio.shield(self._tasks.start(self._run(Conversation(caller, callee))))

    async def close(self) -> None:
        """End all conversations."""
        await self._tasks.close()

    async def _run(self, conversation: Conversation) -> Reason:
        self._going_on[conversation] = None
        reason: Reason = HangupCause.NORMAL_CLEARING
        try:
            reason = await conversation.run()
            return reason
        finally:
            del self._going_on[conversation]
            if conversation.transfer is not None:
                conversation.transfer.cancel()
            await asyncio.gather(*(leg.hang_up(reason) for leg in conversation.legs))


async def talk(one: Leg, other: Leg) -> Reason:
    """Join audio, keys and text messages of two legs, except while one is on hold, until one ends; return why it did.

    A leg whose audio does not connect has ended, too.
    """

    async def follow(leg: Leg) -> Reason:
        try:
            await leg.media.wait_connected()
        except MediaError:
            return leg.reason or HangupCause.MEDIA_TIMEOUT
        return await leg.wait_ended()

    try:
        bridge(one.peer, other.peer)
    except MediaError:  # one is over already
        return one.reason or other.reason or HangupCause.MEDIA_TIMEOUT
    following = [asyncio.create_task(follow(leg)) for leg in (one, other)]
    relaying = [
        asyncio.create_task(relay(*legs))
        for relay in (_relay_keys, _relay_texts)
        for legs in ((one, other), (other, one))
    ]
    try:
        done, _ = await asyncio.wait(following, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        await cancel_all([*following, *relaying])


async def _relay_keys(source: Leg, target: Leg) -> None:
    """Press at `target` what is pressed at `source`, as telephone-events, until the legs are over.

    While one of them is on hold, keys are lost as speech is.
    """
    pressing = asyncio.Lock()  # a key that comes while another is held would take its place

    async def press(key: str, seconds: float) -> None:
        seconds = min(max(seconds, SHORTEST_KEY), LONGEST_KEY)
        async with pressing:
            if source.held.value or target.held.value:
                return
            with suppress(MediaError):  # a client that takes no telephone-events gets no keys
                await target.peer.insert_dtmf(key, duration=seconds, gap=KEY_GAP)
                await asyncio.sleep(seconds + KEY_GAP)

    await follow_keys(source.keys.collect(), source.audio.dtmf_flow.collect(), press)


async def _relay_texts(source: Leg, target: Leg) -> None:
    async for text in source.texts:
        await target.send_text(text)
