"""Users as a destination: every phone of the called users rings, the first that answers talks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from telnyx_native.errors import CallError, MediaError
from telnyx_native.event_loop import cancel_all
from telnyx_native.gateway.calls.call_info import call_info_to, reason_of
from telnyx_native.gateway.calls.leg import CalleeLeg, CallerLeg, LegState
from telnyx_native.states import CallTerminationReason, HangupCause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telnyx_native.gateway.accounts.users import User
    from telnyx_native.gateway.calls.call_info import Reason
    from telnyx_native.gateway.calls.conversations import Conversations
    from telnyx_native.gateway.calls.registry import Calls
    from telnyx_native.gateway.destinations import Outcome

__all__ = ["RingUsers", "UnansweredError", "ring_until_answered"]


class UnansweredError(CallError):
    """Phones have rung, and nobody has taken the call.

    Attributes:
        reason: What the caller is told: that nobody has answered in time, or what the phones said.
    """

    def __init__(self, message: str, reason: CallTerminationReason) -> None:
        super().__init__(message)
        self.reason = reason


class RingUsers:
    """Users of the gateway as the destination of a call: one, or a group."""

    def __init__(self, users: Sequence[User], calls: Calls, conversations: Conversations) -> None:
        self._users = users
        self._calls = calls
        self._conversations = conversations

    async def serve(self, leg: CallerLeg) -> Outcome:
        """Ring the users' phones, connect the first that answers, until either side hangs up."""
        users = self._users
        if len(users) > 1:  # the caller of a group does not ring
            users = [user for user in users if user.name != leg.user_name]
        caller, headers, session_id = leg.info.caller, leg.info.headers, leg.info.ids.session_id
        phones = self._calls.open_callee_legs(
            users, lambda user: call_info_to(user, caller, headers, session_id=session_id)
        )
        if not phones:
            return HangupCause.USER_NOT_REGISTERED
        try:
            async with asyncio.timeout(leg.media.limits.ring_time):
                await asyncio.gather(*(_invite(phone) for phone in phones))
                await leg.ring()
                async with leg.ringback():
                    phone = await _first_to_answer(phones)
            if phone is None:
                return _why_nobody(phones)
            await _hang_up_losers(phones, phone)
            leg.remote_headers = phone.answer_headers
            await leg.answer()
            phones.remove(phone)  # what becomes of it is up to the conversation: either side may be transferred
            return await self._conversations.hold(leg, phone)
        except TimeoutError:
            return HangupCause.NO_ANSWER
        finally:
            # Whatever happened, no phone rings or talks on: least of all when the caller has hung up.
            await asyncio.gather(*(phone.hang_up(_reason_for(phone, leg)) for phone in phones))


async def ring_until_answered(phones: Sequence[CalleeLeg], ring_time: float) -> CalleeLeg:
    """Ring phones for a caller from outside; return the leg of the first that answers.

    Raises:
        UnansweredError: Nobody has answered within `ring_time` seconds, or everybody has refused.
    """
    taken = None
    try:
        async with asyncio.timeout(ring_time):
            await asyncio.gather(*(_invite(phone) for phone in phones))
            phone = await _first_to_answer(phones)
        if phone is None:
            reason = _why_nobody(phones)
            raise UnansweredError(f"nobody has taken the call: {reason}", reason)
        await _hang_up_losers(phones, phone)
        taken = phone  # only now: who gives up before that leaves nobody in the call
        return taken
    except TimeoutError:
        reason = reason_of(HangupCause.NO_ANSWER)
        raise UnansweredError(f"nobody has answered within {ring_time:g} s", reason) from None
    finally:
        others = (phone for phone in phones if phone is not taken)
        await asyncio.gather(*(other.hang_up(HangupCause.ORIGINATOR_CANCEL) for other in others))


async def _hang_up_losers(phones: Sequence[CalleeLeg], winner: CalleeLeg) -> None:
    losers = (other for other in phones if other is not winner)
    await asyncio.gather(*(loser.hang_up(HangupCause.LOSE_RACE) for loser in losers))


async def _invite(phone: CalleeLeg) -> None:
    """Let a phone ring; one that cannot be offered audio is out, the others ring on."""
    try:
        await phone.invite()
    except MediaError:
        await phone.hang_up(HangupCause.NORMAL_TEMPORARY_FAILURE)


async def _first_to_answer(phones: Sequence[CalleeLeg]) -> CalleeLeg | None:
    """Return the first phone that answers, or `None` when every one has refused."""
    settling = [asyncio.create_task(phone.wait_settled()) for phone in phones]
    try:
        for settled in asyncio.as_completed(settling):
            phone = await settled
            if phone.state.value is LegState.ANSWERED:
                return phone
        return None
    finally:
        await cancel_all(settling)


def _why_nobody(phones: Sequence[CalleeLeg]) -> CallTerminationReason:
    """Return what the caller is told when every phone has refused: busy if one is, else what the last one said."""
    reasons = [phone.reason for phone in phones if phone.reason is not None]
    busy = [reason for reason in reasons if reason.cause == HangupCause.USER_BUSY.name]
    return (busy or reasons)[-1]


def _reason_for(phone: CalleeLeg, caller: CallerLeg) -> Reason:
    """Return what a phone is told when it is not the one that ended the call."""
    if caller.reason is not None:
        return caller.reason
    answered = phone.state.value is LegState.ANSWERED
    return HangupCause.NORMAL_CLEARING if answered else HangupCause.ORIGINATOR_CANCEL
