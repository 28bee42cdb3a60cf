"""Requests about calls: invite, answer, candidates, hold, DTMF, hang up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from telnyx_native.errors import SESSION_ERROR, CallError, MediaError
from telnyx_native.gateway.calls.call_info import (
    CHANNEL_LIMIT_EXCEEDED,
    bye_fields,
    call_info_of_invite,
    headers_from_wire,
)
from telnyx_native.gateway.calls.leg import CalleeLeg, CallerLeg, Leg, LegState
from telnyx_native.gateway.connection import RequestRefused
from telnyx_native.gateway.destinations.assistant import ASSISTANT
from telnyx_native.gateway.limits import memory_size
from telnyx_native.media.sdp import MAX_DESCRIPTION
from telnyx_native.states import HangupCause
from telnyx_native.untrusted_text import is_call_id

if TYPE_CHECKING:
    from telnyx_native.gateway.accounts.users import Guest
    from telnyx_native.gateway.calls.call_info import CallInfo
    from telnyx_native.gateway.calls.registry import Calls
    from telnyx_native.gateway.connection import Connection, Handler
    from telnyx_native.gateway.context import GatewayContext
    from telnyx_native.gateway.destinations.router import Switchboard
    from telnyx_native.signaling.envelope import Request

__all__ = ["CallRequests"]

Answer = Mapping[str, Any] | None

LARGEST_TEXT = 16_384
"""Bytes of memory of a text message; a bigger one is not passed on."""


class CallRequests:
    """Answers the requests of clients that are about calls."""

    def __init__(self, context: GatewayContext, calls: Calls, switchboard: Switchboard) -> None:
        self._context = context
        self._calls = calls
        self._switchboard = switchboard

    @property
    def handlers(self) -> dict[str, Handler]:
        """What answers each method."""
        return {
            "telnyx_rtc.invite": self._invite,
            "telnyx_rtc.answer": self._answer,
            "telnyx_rtc.bye": self._bye,
            "telnyx_rtc.candidate": self._candidate,
            "telnyx_rtc.endOfCandidates": self._acknowledge,
            "telnyx_rtc.ringing_ack": self._acknowledge,
            "telnyx_rtc.info": self._info,
            "telnyx_rtc.modify": self._modify,
            "telnyx_rtc.attach": self._attach,
            "ai_conversation": self._ai_conversation,
        }

    async def _invite(self, connection: Connection, request: Request) -> Answer:
        """Take a call of the client and lead it to its destination."""
        assert connection.user is not None  # noqa: S101 - invite needs a login
        call_id, offer = _call_id_of(request.params), _sdp_of(request)
        info = call_info_of_invite(call_id, _dialog_params_of(request.params), connection.user)
        if info.size > self._context.limits.kept_size:
            self._context.counters.refused_calls += 1
            raise RequestRefused(SESSION_ERROR, "dialogParams TOO BIG")
        if connection.guest is not None:
            info = _confined(info, connection.guest)
        self._calls.check_room(connection, info.call_id, CallerLeg)
        await self._context.setup_rates.of(connection.account).wait()
        leg = self._calls.open_caller_leg(connection, info, offer)
        # Before the call does anything: a result after the answer leaves the Telnyx JS SDK in `trying`.
        await connection.reply(
            request, {"callID": info.call_id, "message": "CALL CREATED", "sessid": connection.sessid}
        )
        faults = self._context.faults.of(leg.user_name)
        leg.describes_late = faults.late_description
        if faults.channels is not None and self._calls.placed_by(leg.user_name) > faults.channels:
            self._switchboard.refuse(leg, CHANNEL_LIMIT_EXCEEDED)
        else:
            self._switchboard.connect(leg)
        return None

    async def _answer(self, connection: Connection, request: Request) -> Answer:
        """Take the client's answer to a call that was placed to it."""
        leg = _leg_of(connection, request)
        if not isinstance(leg, CalleeLeg):
            raise RequestRefused(SESSION_ERROR, "CALL DOES NOT EXIST")
        try:
            headers = headers_from_wire(_dialog_params_of(request.params).get("custom_headers"))
            if memory_size(headers) > self._context.limits.kept_size:
                raise RequestRefused(SESSION_ERROR, "dialogParams TOO BIG")
            await leg.accept(_sdp_of(request), headers)
        except CallError as error:
            raise RequestRefused(SESSION_ERROR, "CALL ERROR") from error
        except MediaError as error:
            await leg.hang_up(HangupCause.INCOMPATIBLE_DESTINATION)
            raise RequestRefused(SESSION_ERROR, "CODEC ERROR") from error
        await connection.reply(request, {"callID": leg.call_id, "sessid": connection.sessid})
        leg.mark_answered()
        return None

    async def _bye(self, connection: Connection, request: Request) -> Answer:
        """End a call. One that is over already is ended as well: both sides may hang up at once."""
        call_id = _call_id_of(request.params)
        leg = connection.legs.get(call_id.lower())
        ended = {"callID": call_id, "message": "CALL ENDED", "sessid": connection.sessid}
        if leg is None:
            return ended
        fields = bye_fields(leg.ended_by_client(request.params))
        await connection.reply(request, ended | {"cause": fields["cause"], "causeCode": fields["causeCode"]})
        await leg.close()
        return None

    async def _candidate(self, connection: Connection, request: Request) -> Answer:
        """Take a network candidate of the client."""
        params = request.params
        text, mid, index = (params.get(key) for key in ("candidate", "sdpMid", "sdpMLineIndex"))
        leg = _leg_of(connection, request)
        if isinstance(text, str) and text:
            leg.media.add_candidate(
                text.removeprefix("a="),
                mid if isinstance(mid, str) else "0",
                index if isinstance(index, int) else 0,
            )
        return {"callID": leg.call_id, "sessid": connection.sessid}

    async def _acknowledge(self, connection: Connection, request: Request) -> Answer:
        """Acknowledge a request about a call that has no effect here."""
        leg = _leg_of(connection, request)
        return {"callID": leg.call_id, "sessid": connection.sessid}

    async def _info(self, connection: Connection, request: Request) -> Answer:
        """Take DTMF keys and text messages; other information is acknowledged."""
        leg = _leg_of(connection, request)
        keys, text = request.params.get("dtmf"), request.params.get("msg")
        if isinstance(keys, str):
            leg.receive_keys(keys)
        if isinstance(text, dict) and connection.may_pass_on(text, LARGEST_TEXT):
            leg.texts.emit(text)
        return {"callID": leg.call_id, "message": "SENT", "sessid": connection.sessid}

    async def _ai_conversation(self, connection: Connection, request: Request) -> Answer:
        """Pass on what the client says to an assistant; it names no call, so every call of the connection gets it."""
        item = request.params.get("item")
        if isinstance(item, dict) and connection.may_pass_on(item, self._context.limits.frame_size):
            for leg in connection.legs.values():
                leg.follows_assistant |= item.get("type") == "response.audio_stream.subscribe"
                leg.items.emit(item)
        return {"sessid": connection.sessid}

    async def _modify(self, connection: Connection, request: Request) -> Answer:
        """Hold, resume, or restart the network side of the audio."""
        leg = _leg_of(connection, request)
        match request.params.get("action"):
            case "updateMedia" as action:
                changed = {"sdp": await self._restart(connection, leg, request)}
            case "hold" | "unhold" | "toggleHold" as action:
                leg.hold(not leg.held.value if action == "toggleHold" else action == "hold")
                changed = {"holdState": "held" if leg.held.value else "active"}
            case _:
                raise RequestRefused(SESSION_ERROR, "action missing")
        return {"action": action, "callID": leg.call_id, "sessid": connection.sessid} | changed

    async def _restart(self, connection: Connection, leg: Leg, request: Request) -> str:
        if leg.state.value is not LegState.ANSWERED:
            raise RequestRefused(SESSION_ERROR, "Cannot update a call that has not been answered.")
        await self._context.setup_rates.of(connection.account).wait()
        try:
            return await leg.media.restart(_sdp_of(request))
        except MediaError as error:
            raise RequestRefused(SESSION_ERROR, "MEDIA ERROR") from error

    async def _attach(self, connection: Connection, request: Request) -> Answer:
        """Take the client's answer to the offer that brought a call back to it."""
        leg = _leg_of(connection, request)
        try:
            await leg.media.accept_new_path(_sdp_of(request))
        except MediaError as error:
            raise RequestRefused(SESSION_ERROR, "MEDIA ERROR") from error
        return {"callID": leg.call_id, "sessid": connection.sessid}


def _confined(info: CallInfo, guest: Guest) -> CallInfo:
    """Lead a guest's call to the assistant that it came for, wherever the guest wants it to go."""
    callee = replace(info.callee, number=f"{ASSISTANT}:{guest.assistant}")
    return replace(info, callee=callee, variables=guest.variables)


def _leg_of(connection: Connection, request: Request) -> Leg:
    """Return the leg that a request is about; RequestRefused if there is none."""
    leg = connection.legs.get(_call_id_of(request.params).lower())
    if leg is None:
        raise RequestRefused(SESSION_ERROR, "CALL DOES NOT EXIST")
    return leg


def _call_id_of(params: Mapping[str, Any]) -> str:
    """Return the id of the call that a request is about, as the client spells it; RequestRefused if there is none.

    Most clients say `dialogParams.callID`; some spell it `callId`, or put it beside `dialogParams`.
    """
    for container in (_dialog_params_of(params), params):
        for key in ("callID", "callId"):
            call_id = container.get(key)
            if isinstance(call_id, str) and is_call_id(call_id):
                return call_id
    raise RequestRefused(SESSION_ERROR, "CallID missing")


def _dialog_params_of(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the `dialogParams` of a request; empty when they are missing or no object."""
    dialog = params.get("dialogParams")
    return dialog if isinstance(dialog, dict) else {}


def _sdp_of(request: Request) -> str:
    sdp = request.params.get("sdp")
    if not isinstance(sdp, str) or not sdp:
        raise RequestRefused(SESSION_ERROR, "SDP missing")
    if len(sdp) > MAX_DESCRIPTION:
        raise RequestRefused(SESSION_ERROR, "SDP TOO BIG")
    return sdp
