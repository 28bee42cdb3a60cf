"""From requests of the server to typed results.

Deviations that were seen on the wire are taken as they come: `callID` or `callId`, at the top or in
`dialogParams`, numbers as text, missing optional members, unknown members. Only what a call cannot do
without is demanded.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from telnyx_native.errors import MalformedFrameError
from telnyx_native.events import (
    AiConversationResponse,
    AnswerResponse,
    AttachResponse,
    ByeResponse,
    CallIds,
    CandidateResponse,
    ClientReadyResponse,
    DisplayResponse,
    EndOfCandidatesResponse,
    EventResponse,
    GatewayStateResponse,
    InfoResponse,
    InviteResponse,
    MediaResponse,
    ReceivedResult,
    RemoteParty,
    RingingResponse,
    SocketMethod,
)
from telnyx_native.states import GatewayState

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_native.signaling.envelope import Request

__all__ = ["parse_gateway_state", "parse_request"]

Params = dict[str, Any]


def parse_request(request: Request) -> ReceivedResult | None:
    """The content of a request of the server; `None` for methods without a type of their own.

    Raises:
        MalformedFrameError: It lacks something that it is useless without.
    """
    parser = _PARSERS.get(request.method)
    return parser(request.params) if parser else None


def parse_gateway_state(params: Params, sessid: str | None = None) -> GatewayStateResponse:
    """The state of the registration, from the answer to a query or from a push of the server."""
    return GatewayStateResponse(
        state=GatewayState(_text(params, "state")),
        sessid=sessid,
        call_report_id=_optional_text(params, "call_report_id"),
        dc=_optional_text(params, "dc"),
        region=_optional_text(params, "region"),
    )


def _client_ready(params: Params) -> ClientReadyResponse:
    sessions = params.get("reattached_sessions")
    if not isinstance(sessions, list):
        return ClientReadyResponse()
    return ClientReadyResponse(tuple(call_id for call_id in sessions if isinstance(call_id, str)))


def _invite(params: Params) -> InviteResponse:
    return InviteResponse(**_offered_call(params))


def _attach(params: Params) -> AttachResponse:
    return AttachResponse(**_offered_call(params))


def _ringing(params: Params) -> RingingResponse:
    return RingingResponse(**_call(params), **_parties(params))


def _media(params: Params) -> MediaResponse:
    return MediaResponse(**_call(params), sdp=_required_text(params, "sdp"))


def _answer(params: Params) -> AnswerResponse:
    return AnswerResponse(**_call(params), sdp=_optional_text(params, "sdp"))


def _bye(params: Params) -> ByeResponse:
    return ByeResponse(
        **_call(params),
        cause=_optional_text(params, "cause"),
        cause_code=_number(params, "causeCode"),
        sip_code=_number(params, "sipCode"),
        sip_reason=_optional_text(params, "sipReason"),
        sip_call_id=_optional_text(params, "sip_call_id"),
    )


def _ai_conversation(params: Params) -> AiConversationResponse:
    return AiConversationResponse(type=_required_text(params, "type"), params=params)


def _candidate(params: Params) -> CandidateResponse:
    return CandidateResponse(
        **_call(params),
        candidate=_required_text(params, "candidate"),
        sdp_mid=_text(params, "sdpMid") or "0",
        sdp_mline_index=_number(params, "sdpMLineIndex") or 0,
    )


def _end_of_candidates(params: Params) -> EndOfCandidatesResponse:
    return EndOfCandidatesResponse(**_call(params))


def _info(params: Params) -> InfoResponse:
    return InfoResponse(params)


def _event(params: Params) -> EventResponse:
    return EventResponse(_text(params, "eventChannel"), _text(params, "eventType"), params)


def _display(params: Params) -> DisplayResponse:
    return DisplayResponse(
        **_call(params), party=RemoteParty(_text(params, "display_name"), _text(params, "display_number"))
    )


_PARSERS: dict[str, Callable[[Params], ReceivedResult]] = {
    SocketMethod.CLIENT_READY.value: _client_ready,
    SocketMethod.GATEWAY_STATE.value: parse_gateway_state,
    SocketMethod.INVITE.value: _invite,
    SocketMethod.ATTACH.value: _attach,
    SocketMethod.RINGING.value: _ringing,
    SocketMethod.MEDIA.value: _media,
    SocketMethod.ANSWER.value: _answer,
    SocketMethod.BYE.value: _bye,
    SocketMethod.CANDIDATE.value: _candidate,
    SocketMethod.END_OF_CANDIDATES.value: _end_of_candidates,
    SocketMethod.DISPLAY.value: _display,
    SocketMethod.INFO.value: _info,
    SocketMethod.EVENT.value: _event,
    SocketMethod.WEBRTC_EVENT.value: _event,
    SocketMethod.AI_CONVERSATION.value: _ai_conversation,
}


def _call(params: Params) -> dict[str, Any]:
    """The members that every message about a call has."""
    dialog = _dialog(params)
    call_id = next(
        (_text(source, key) for source in (params, dialog) for key in ("callID", "callId") if _text(source, key)),
        None,
    )
    if call_id is None:
        raise MalformedFrameError("callID is missing")
    return {
        "call_id": call_id,
        "ids": CallIds(
            _optional_text(params, "telnyx_session_id"),
            _optional_text(params, "telnyx_leg_id"),
            _optional_text(params, "telnyx_call_control_id"),
        ),
        "custom_headers": _headers(dialog.get("custom_headers")),
    }


def _offered_call(params: Params) -> dict[str, Any]:
    """The members of an invitation."""
    return {
        **_call(params),
        **_parties(params),
        "sdp": _required_text(params, "sdp"),
        "client_state": _client_state(params),
    }


def _parties(params: Params) -> dict[str, Any]:
    """Who calls whom."""
    keys = ("caller_id_name", "caller_id_number", "callee_id_name", "callee_id_number")
    return {key: _text(params, key) for key in keys}


def _dialog(params: Params) -> Params:
    dialog = params.get("dialogParams")
    return dialog if isinstance(dialog, dict) else {}


def _headers(headers: object) -> dict[str, str]:
    """Custom headers, a list of `{name, value}` on the wire."""
    if not isinstance(headers, list):
        return {}
    named = [header for header in headers if isinstance(header, dict) and _text(header, "name")]
    return {_text(header, "name"): _text(header, "value") for header in named}


def _client_state(params: Params) -> str | None:
    encoded = _text(params, "client_state") or _text(params, "clientState")
    try:
        return b64decode(encoded, validate=True).decode() if encoded else None
    except (binascii.Error, ValueError):
        return encoded


def _text(params: Params, key: str) -> str:
    value = params.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def _optional_text(params: Params, key: str) -> str | None:
    return _text(params, key) or None


def _required_text(params: Params, key: str) -> str:
    value = _text(params, key)
    if not value:
        raise MalformedFrameError(f"{key} is missing")
    return value


def _number(params: Params, key: str) -> int | None:
    try:
        return int(_text(params, key))
    except ValueError:
        return None
