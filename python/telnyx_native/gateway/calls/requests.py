"""What a client may ask about its calls: invite, answer, candidates, hold, DTMF, hang up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from telnyx_native.errors import SESSION_ERROR, CallError, MediaError
from telnyx_native.gateway.calls.call_info import call_id_of, dialog_of_invite, dialog_params_of, headers_from_wire
from telnyx_native.gateway.calls.callee_leg import CalleeLeg
from telnyx_native.gateway.calls.caller_leg import CallerLeg
from telnyx_native.gateway.calls.hangup import bye_fields
from telnyx_native.gateway.calls.leg import Leg, LegState
from telnyx_native.gateway.calls.media import RemoteCandidate
from telnyx_native.gateway.limits import footprint
from telnyx_native.gateway.refusal import RequestRefused
from telnyx_native.media.sdp import MAX_DESCRIPTION
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from telnyx_native.gateway.connection import Handler, Session
    from telnyx_native.signaling.envelope import Request

__all__ = ["HANDLERS"]

Answer = Mapping[str, Any] | None

LARGEST_TEXT = 16_384
"""Bytes of memory of a text message; a bigger one is not passed on."""


async def invite(session: Session, request: Request) -> Answer:
    """Take a call of the client and lead it to where it wants to go."""
    assert session.user is not None  # noqa: S101 - invite needs a login
    limits = session.host.limits
    call_id = call_id_of(request.params)
    offer = _sdp_of(request)
    dialog = dialog_of_invite(call_id, dialog_params_of(request.params), session.user)
    if dialog.size > limits.kept_size:
        session.host.counters.refused_calls += 1
        raise RequestRefused(SESSION_ERROR, "dialogParams TOO BIG")
    if session.guest is not None:
        dialog = session.guest.confine(dialog)
    session.check_room(call_id, CallerLeg)
    await session.host.setups_of(session.account).keep()
    leg = session.open_caller_leg(dialog, offer)
    # Before the call does anything: a result after the answer leaves the Telnyx JS SDK in `trying`.
    await session.reply(request, {"callID": call_id, "message": "CALL CREATED", "sessid": session.sessid})
    session.host.connect(leg)
    return None


async def answer(session: Session, request: Request) -> Answer:
    """Take the client's answer to a call that was placed to it."""
    leg = session.leg_of(request.params)
    if not isinstance(leg, CalleeLeg):
        raise RequestRefused(SESSION_ERROR, "CALL DOES NOT EXIST")
    try:
        headers = headers_from_wire(dialog_params_of(request.params).get("custom_headers"))
        if footprint(headers) > session.host.limits.kept_size:
            raise RequestRefused(SESSION_ERROR, "dialogParams TOO BIG")
        await leg.accept(_sdp_of(request), headers)
    except CallError as error:
        raise RequestRefused(SESSION_ERROR, "CALL ERROR") from error
    except MediaError as error:
        await leg.hang_up(HangupCause.INCOMPATIBLE_DESTINATION)
        raise RequestRefused(SESSION_ERROR, "CODEC ERROR") from error
    await session.reply(request, {"callID": leg.call_id, "sessid": session.sessid})
    leg.accepted()
    return None


async def bye(session: Session, request: Request) -> Answer:
    """End a call. One that is over already is ended as well: both sides may hang up at once."""
    leg = session.legs.get(call_id_of(request.params).lower())
    ended: dict[str, Any] = {"callID": call_id_of(request.params), "message": "CALL ENDED"}
    if leg is None:
        return ended | {"sessid": session.sessid}
    reason = leg.ended_by_client(request.params)
    fields = bye_fields(reason)
    await session.reply(
        request,
        ended | {"cause": fields["cause"], "causeCode": fields["causeCode"], "sessid": session.sessid},
    )
    await leg.close()
    return None


async def candidate(session: Session, request: Request) -> Answer:
    """Take a network candidate of the client."""
    params = request.params
    text, mid, index = (params.get(key) for key in ("candidate", "sdpMid", "sdpMLineIndex"))
    leg = session.leg_of(params)
    if isinstance(text, str) and text:
        await leg.media.add_candidate(
            RemoteCandidate(
                candidate=text.removeprefix("a="),
                sdp_mid=mid if isinstance(mid, str) else "0",
                sdp_mline_index=index if isinstance(index, int) else 0,
            )
        )
    return {"callID": leg.call_id, "sessid": session.sessid}


async def about_call(session: Session, request: Request) -> Answer:
    """Take note of something about a call that has no effect here."""
    leg = session.leg_of(request.params)
    return {"callID": leg.call_id, "sessid": session.sessid}


async def info(session: Session, request: Request) -> Answer:
    """Take DTMF keys and text messages; other information is acknowledged."""
    leg = session.leg_of(request.params)
    keys, text = request.params.get("dtmf"), request.params.get("msg")
    if isinstance(keys, str):
        leg.receive_keys(keys)
    if isinstance(text, dict) and session.is_bearable(text, LARGEST_TEXT):
        leg.texts.emit(text)
    return {"callID": leg.call_id, "message": "SENT", "sessid": session.sessid}


async def modify(session: Session, request: Request) -> Answer:
    """Hold, resume, or restart the network side of the audio."""
    leg = session.leg_of(request.params)
    match request.params.get("action"):
        case "updateMedia" as action:
            changed = {"sdp": await _restart(session, leg, request)}
        case "hold" | "unhold" | "toggleHold" as action:
            leg.hold(not leg.held.value if action == "toggleHold" else action == "hold")
            changed = {"holdState": "held" if leg.held.value else "active"}
        case _:
            raise RequestRefused(SESSION_ERROR, "action missing")
    return {"action": action, "callID": leg.call_id, "sessid": session.sessid} | changed


async def _restart(session: Session, leg: Leg, request: Request) -> str:
    if leg.state.value is not LegState.ANSWERED:
        raise RequestRefused(SESSION_ERROR, "Cannot update a call that has not been answered.")
    await session.host.setups_of(session.account).keep()
    try:
        return await leg.media.restart(_sdp_of(request))
    except MediaError as error:
        raise RequestRefused(SESSION_ERROR, "MEDIA ERROR") from error


async def attach(session: Session, request: Request) -> Answer:
    """Take the client's answer to the offer that brought a call back to it."""
    leg = session.leg_of(request.params)
    try:
        await leg.media.accept_anew(_sdp_of(request))
    except MediaError as error:
        raise RequestRefused(SESSION_ERROR, "MEDIA ERROR") from error
    return {"callID": leg.call_id, "sessid": session.sessid}


def _sdp_of(request: Request) -> str:
    sdp = request.params.get("sdp")
    if not isinstance(sdp, str) or not sdp:
        raise RequestRefused(SESSION_ERROR, "SDP missing")
    if len(sdp) > MAX_DESCRIPTION:
        raise RequestRefused(SESSION_ERROR, "SDP TOO BIG")
    return sdp


HANDLERS: dict[str, Handler] = {
    "telnyx_rtc.invite": invite,
    "telnyx_rtc.answer": answer,
    "telnyx_rtc.bye": bye,
    "telnyx_rtc.candidate": candidate,
    "telnyx_rtc.endOfCandidates": about_call,
    "telnyx_rtc.ringing_ack": about_call,
    "telnyx_rtc.info": info,
    "telnyx_rtc.modify": modify,
    "telnyx_rtc.attach": attach,
}
"""What answers each method about a call."""
