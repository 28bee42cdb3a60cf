"""Calls from one user to others: every phone of the called users rings, the first that answers talks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from telnyx_native.errors import CallError, MediaError
from telnyx_native.gateway.calls.callee_leg import CalleeLeg
from telnyx_native.gateway.calls.caller_leg import CallerLeg
from telnyx_native.gateway.calls.dtmf import relay_keys
from telnyx_native.gateway.calls.hangup import reason_of
from telnyx_native.gateway.calls.leg import Leg, LegState
from telnyx_native.states import CallTerminationReason, HangupCause

__all__ = ["CallUsers", "Dial", "ring_until_answered"]

Dial = Callable[[CallerLeg], Sequence[CalleeLeg]]
"""Opens a leg to each socket of the users who are called."""


class CallUsers:
    """Users of the gateway as the destination of a call: one, or a group.

    Args:
        dial: Opens the legs to their phones.
    """

    def __init__(self, dial: Dial) -> None:
        self._dial = dial

    async def serve(self, leg: CallerLeg) -> CallTerminationReason:
        """Ring the users' phones, connect the first that answers, until either side hangs up."""
        phones = self._dial(leg)
        if not phones:
            return reason_of(HangupCause.USER_NOT_REGISTERED)
        try:
            async with asyncio.timeout(leg.media.limits.ring_time):
                await asyncio.gather(*(_invite(phone) for phone in phones))
                await leg.ring()
                async with leg.ringback():
                    phone = await _first_to_answer(phones)
            if phone is None:
                return _why_nobody(phones)
            await _tell_losers(phones, phone)
            leg.remote_headers = phone.answer_headers
            await leg.answer()
            return await _talk(leg, phone)
        except TimeoutError:
            return reason_of(HangupCause.NO_ANSWER)
        finally:
            # Whatever happened, no phone rings or talks on: least of all when the caller has hung up.
            await asyncio.gather(*(phone.end(_farewell(leg, phone)) for phone in phones))


async def ring_until_answered(phones: Sequence[CalleeLeg], ring_time: float) -> CalleeLeg:
    """Ring phones for a caller from outside; return the leg of the first that answers.

    Raises:
        CallError: Nobody has answered within `ring_time` seconds, or everybody has refused.
    """
    phone = None
    try:
        async with asyncio.timeout(ring_time):
            await asyncio.gather(*(_invite(phone) for phone in phones))
            phone = await _first_to_answer(phones)
        if phone is None:
            raise CallError(f"nobody has taken the call: {_why_nobody(phones)}")
        await _tell_losers(phones, phone)
        return phone
    except TimeoutError:
        raise CallError(f"nobody has answered within {ring_time:g} s") from None
    finally:
        others = (other for other in phones if other is not phone)
        await asyncio.gather(*(other.hang_up(HangupCause.ORIGINATOR_CANCEL) for other in others))


async def _tell_losers(phones: Sequence[CalleeLeg], winner: CalleeLeg) -> None:
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
    settling = [asyncio.create_task(phone.settled()) for phone in phones]
    try:
        for settled in asyncio.as_completed(settling):
            phone = await settled
            if phone.state.value is LegState.ANSWERED:
                return phone
        return None
    finally:
        await _stop(settling)


def _why_nobody(phones: Sequence[CalleeLeg]) -> CallTerminationReason:
    """Return what the caller is told when every phone has refused: busy if one is, else what the last one said."""
    reasons = [phone.reason for phone in phones if phone.reason is not None]
    busy = [reason for reason in reasons if reason.cause == HangupCause.USER_BUSY.name]
    return (busy or reasons)[-1]


async def _talk(one: Leg, other: Leg) -> CallTerminationReason:
    """Join audio, keys and text messages of two legs, except while one is on hold, until one ends; return why it did.

    A leg whose audio does not connect has ended, too.
    """

    async def follow(leg: Leg) -> CallTerminationReason:
        try:
            await leg.media.connected()
        except MediaError:
            return leg.reason or reason_of(HangupCause.MEDIA_TIMEOUT)
        return await leg.wait_ended()

    try:
        one.peer.join(other.peer)
    except MediaError:  # one is over already
        return one.reason or other.reason or reason_of(HangupCause.MEDIA_TIMEOUT)
    following = [asyncio.create_task(follow(leg)) for leg in (one, other)]
    relaying = [
        asyncio.create_task(relay(*legs))
        for relay in (relay_keys, _relay_texts)
        for legs in ((one, other), (other, one))
    ]
    try:
        done, _ = await asyncio.wait(following, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        await _stop([*following, *relaying])


async def _relay_texts(source: Leg, target: Leg) -> None:
    async for text in source.texts:
        await target.send_text(text)


def _farewell(caller: CallerLeg, phone: CalleeLeg) -> CallTerminationReason:
    """Return what a phone is told when it is not the one that ended the call."""
    if caller.reason is not None:
        return caller.reason
    answered = phone.state.value is LegState.ANSWERED
    return reason_of(HangupCause.NORMAL_CLEARING if answered else HangupCause.ORIGINATOR_CANCEL)


async def _stop(tasks: Iterable[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
