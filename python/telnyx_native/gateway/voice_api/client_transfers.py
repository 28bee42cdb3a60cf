"""Transfers and bridges of calls that clients hold, without an application: the other parties are connected."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from telnyx_native.event_loop import Tasks
from telnyx_native.gateway.calls.call_info import Party, PlatformIds, reason_of
from telnyx_native.gateway.calls.leg import LegState
from telnyx_native.gateway.destinations.outgoing import infos_with
from telnyx_native.gateway.destinations.ring_users import UnansweredError, ring_until_answered
from telnyx_native.gateway.voice_api.events import event, hangup_fields
from telnyx_native.gateway.voice_api.refusals import Refusal
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from telnyx_native.gateway.calls.conversations import Conversation, Conversations
    from telnyx_native.gateway.calls.leg import Leg
    from telnyx_native.gateway.calls.registry import Calls
    from telnyx_native.gateway.destinations.outgoing import Outgoing
    from telnyx_native.gateway.voice_api.call_events import CallEvents
    from telnyx_native.gateway.voice_api.commands import Transfer
    from telnyx_native.states import CallTerminationReason

__all__ = ["ClientTransfers"]


class ClientTransfers:
    """Carries out `transfer` and `bridge` for legs that no application controls.

    While somebody is rung, the two parties talk on. Once they have answered, they are connected with the party that the
    client of the leg talked with, and that client's call ends (BLIND_TRANSFER). If nobody answers, nothing changes.

    Args:
        legs: The legs of all calls.
        conversations: Who talks with whom.
        outgoing: Where numbers lead.
        events: Where it is noted what happens to the new leg.
        ring_time: Seconds that it may ring at most.
    """

    def __init__(
        self,
        legs: Calls,
        conversations: Conversations,
        outgoing: Outgoing,
        events: CallEvents,
        *,
        ring_time: float,
    ) -> None:
        self._legs = legs
        self._conversations = conversations
        self._outgoing = outgoing
        self._events = events
        self._tasks = Tasks()
        self._ring_time = ring_time

    def leg_named(self, call_control_id: str) -> Leg | None:
        """Return the leg of that `call_control_id` that is going on, or `None`."""
        legs = [leg for leg in self._legs.legs if leg.info.ids.call_control_id == call_control_id]
        # Of a group that rings, all have that id.
        return next((leg for leg in legs if leg.state.value is LegState.ANSWERED), legs[0] if legs else None)

    async def close(self) -> None:
        """End the ringing. Who talks already talks on."""
        await self._tasks.close()

    def begin(self, leg: Leg, command: Transfer) -> None:
        """Begin a transfer; it takes the place of one of the same call that still rings.

        Raises:
            Refusal: The call is not answered yet, or there is nobody at its other end.
        """
        conversation = self._conversation_of(leg, "transfer")
        if conversation.transfer is not None:
            conversation.transfer.cancel()
        conversation.transfer = self._tasks.start(self._transfer(conversation, leg, command))

    def bridge(self, leg: Leg, other: Leg) -> None:
        """Connect the parties that the clients of two legs talk with; the calls of those clients end.

        Raises:
            Refusal: One is not answered yet, or there is nobody at its other end, or that is the other one.
        """
        one, two = (self._conversation_of(each, "bridge") for each in (leg, other))
        if one is two or not two.goes_on:
            raise Refusal.wrong_state("These two calls cannot be bridged.")
        party, colleague = one.partner_of(leg), two.partner_of(other)
        if not one.replace(leg, colleague):
            raise Refusal.ended()
        two.take_away(colleague, HangupCause.ATTENDED_TRANSFER)
        for conversation in (one, two):
            if conversation.transfer is not None:
                conversation.transfer.cancel()
        self._tasks.start(self._connect(leg, party, colleague))

    async def _connect(self, leg: Leg, party: Leg, colleague: Leg) -> None:
        """Tell the parties of a bridge who the other one is, and the client that its call is over."""
        for each, shown in ((party, colleague.party), (colleague, party.party)):
            await each.send_display(shown.name, shown.number)
        await leg.hang_up(HangupCause.ATTENDED_TRANSFER)

    def _conversation_of(self, leg: Leg, command: str) -> Conversation:
        if leg.state.value is not LegState.ANSWERED:
            raise Refusal.not_answered(command)
        conversation = self._conversations.of(leg)
        if conversation is None:
            raise Refusal.wrong_state(f"There is no other client in this call for {command}.")
        return conversation

    async def _transfer(self, conversation: Conversation, leg: Leg, command: Transfer) -> None:
        number = command.caller or conversation.legs[0].info.callee.number  # as Telnyx's API says
        caller = Party(command.caller_name or number, number)
        ids = PlatformIds(session_id=leg.info.ids.session_id)
        tell = partial(self._tell, ids, caller, command)
        tell("call.initiated", {"direction": "outgoing", "state": "bridging"})
        reason = reason_of(HangupCause.ORIGINATOR_CANCEL)  # unless something else comes of it
        try:
            infos = infos_with(ids, caller, command.headers, command.target_state)
            phones = self._outgoing.open(command.to, infos)
            if isinstance(phones, HangupCause):
                reason = reason_of(phones)
                return
            phone = await ring_until_answered(phones, min(command.ring_time, self._ring_time))
            tell("call.answered", {"state": "answered"})
            if not conversation.replace(leg, phone):
                await phone.hang_up(HangupCause.NORMAL_CLEARING)
                return
            conversation.transfer = None  # it is part of the conversation from now on, and may be transferred itself
            tell("call.bridged", {})
            shown = phone.info.callee.number
            await conversation.partner_of(phone).send_display(shown, shown)
            await leg.hang_up(HangupCause.BLIND_TRANSFER)
            reason = await _wait_ended(phone, command.time_limit)
        except UnansweredError as nobody:
            reason = nobody.reason
        finally:
            tell("call.hangup", {"state": "hangup"} | hangup_fields(reason, "callee"))

    def _tell(self, ids: PlatformIds, caller: Party, command: Transfer, kind: str, more: dict[str, Any]) -> None:
        payload = {
            "call_control_id": ids.call_control_id,
            "connection_id": None,
            "call_leg_id": ids.leg_id,
            "call_session_id": ids.session_id,
            "client_state": command.target_state,
            "from": caller.number,
            "to": command.to,
        }
        self._events.add(event(kind, payload | more))


async def _wait_ended(phone: Leg, time_limit: float) -> CallTerminationReason:
    """Return why a leg is over, at the latest when it has lasted as long as it may."""
    try:
        async with asyncio.timeout(time_limit):
            return await phone.wait_ended()
    except TimeoutError:
        await phone.hang_up(HangupCause.ALLOTTED_TIMEOUT)
        return phone.reason or reason_of(HangupCause.ALLOTTED_TIMEOUT)
