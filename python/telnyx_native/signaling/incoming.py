"""From requests of the server to typed results.

Deviations that were seen on the wire are taken as they come: `callID` or `callId`, at the top or in
`dialogParams`, numbers as text, missing optional members, unknown members. Only what a call cannot do
without is demanded.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from telnyx_native.errors import MalformedFrameError
from telnyx_native.events import (
    AiConversationResponse,
    AnswerResponse,
    AttachResponse,
    ByeResponse,
    CallIds,
    CallMessage,
    CandidateResponse,
    ClientReadyResponse,
    DisplayResponse,
    EndOfCandidatesResponse,
    EventResponse,
    GatewayStateResponse,
    InfoResponse,
    InviteResponse,
    MediaResponse,
    MessageResponse,
    ReceivedResult,
    RemoteParty,
    RingingResponse,
    SocketMethod,
)
from telnyx_native.states import GatewayState
from telnyx_native.untrusted_text import clean, is_call_id, joined_headers, one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_native.signaling.envelope import Request

__all__ = ["parse_gateway_state", "parse_request", "parse_session_id"]

Params = dict[str, Any]

MESSAGE_HEADERS = 100
MESSAGE_HEADERS_SIZE = 32 * 1024
"""Characters of the names and values of the headers of one message."""

LONGEST_NAME = 1024
"""Characters of a name, a number, a reason."""

_IDENTIFIER = re.compile(r"[\x21-\x7e]{1,256}")


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
        call_report_id=_identifier(params, "call_report_id"),
        dc=_identifier(params, "dc"),
        region=_identifier(params, "region"),
    )


def parse_session_id(result: Params) -> str | None:
    """The session that an answer names, if it does."""
    return _identifier(result, "sessid")


def _client_ready(params: Params) -> ClientReadyResponse:
    sessions = params.get("reattached_sessions")
    if not isinstance(sessions, list):
        return ClientReadyResponse()
    return ClientReadyResponse(
        tuple(call_id for call_id in sessions if isinstance(call_id, str) and is_call_id(call_id))
    )


def _invite(params: Params) -> InviteResponse:
    return InviteResponse(**_offered_call(params))


def _attach(params: Params) -> AttachResponse:
    return AttachResponse(**_offered_call(params))


def _ringing(params: Params) -> RingingResponse:
    return RingingResponse(**_call(params), **_parties(params))


def _media(params: Params) -> MediaResponse:
    return MediaResponse(**_call(params), sdp=_required_lines(params, "sdp"))


def _answer(params: Params) -> AnswerResponse:
    return AnswerResponse(**_call(params), sdp=_lines(params, "sdp") or None)


def _bye(params: Params) -> ByeResponse:
    return ByeResponse(
        **_call(params),
        cause=_optional_text(params, "cause"),
        cause_code=_number(params, "causeCode"),
        sip_code=_number(params, "sipCode"),
        sip_reason=_optional_text(params, "sipReason"),
        sip_call_id=_identifier(params, "sip_call_id"),
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


def _info(params: Params) -> InfoResponse | MessageResponse:
    message = params.get("msg")
    body = _text(message, "body") if isinstance(message, dict) else ""
    if not isinstance(message, dict) or not body or not ("callID" in params or "dialogParams" in params):
        return InfoResponse(params)
    return MessageResponse(**_call(params), message=CallMessage(_text(message, "from"), _text(message, "to"), body))


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
    if not is_call_id(call_id):
        raise MalformedFrameError("callID is no id: 1 to 128 letters, digits and ._@:+- are")
    return {
        "call_id": call_id,
        "ids": CallIds(
            _identifier(params, "telnyx_session_id"),
            _identifier(params, "telnyx_leg_id"),
            _identifier(params, "telnyx_call_control_id"),
        ),
        "custom_headers": _headers(dialog.get("custom_headers")),
    }


def _offered_call(params: Params) -> dict[str, Any]:
    """The members of an invitation."""
    return {
        **_call(params),
        **_parties(params),
        "sdp": _required_lines(params, "sdp"),
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
    """Custom headers, a list of `{name, value}` on the wire.

    A name that comes several times is joined (`joined_headers`). What is more than `MESSAGE_HEADERS` and
    `MESSAGE_HEADERS_SIZE` is left out.
    """
    taken: list[tuple[str, str]] = []
    size = 0
    for header in headers[:MESSAGE_HEADERS] if isinstance(headers, list) else []:
        name, value = (_line(header, "name"), _line(header, "value")) if isinstance(header, dict) else ("", "")
        size += len(name) + len(value)
        if size > MESSAGE_HEADERS_SIZE:
            break
        if name:
            taken.append((name, value))
    return joined_headers(taken)


def _client_state(params: Params) -> str | None:
    """What travels in base64, with the line ends of MIME maybe (RFC 2045, 6.8); as it came if it is something else."""
    said = _lines(params, "client_state") or _lines(params, "clientState")
    encoded = "".join(said.split())
    try:
        return clean(b64decode(encoded + "=" * (-len(encoded) % 4), validate=True).decode()) if encoded else None
    except (binascii.Error, ValueError):
        return said


def _lines(params: Params, key: str) -> str:
    """A text of several lines, as it is."""
    value = params.get(key)
    return value if isinstance(value, str) else ""


def _required_lines(params: Params, key: str) -> str:
    value = _lines(params, key)
    if not value:
        raise MalformedFrameError(f"{key} is missing")
    return value


def _line(params: Params, key: str) -> str:
    """A text on one line; numbers are texts, too."""
    value = params.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return one_line(value) if isinstance(value, str) else ""


def _text(params: Params, key: str) -> str:
    """A text of usual length on one line."""
    return _line(params, key)[:LONGEST_NAME]


def _identifier(params: Params, key: str) -> str | None:
    """An id, which may become part of a header or a log; `None` if it is of no use as one."""
    value = _text(params, key)
    return value if _IDENTIFIER.fullmatch(value) else None


def _optional_text(params: Params, key: str) -> str | None:
    return _text(params, key) or None


def _required_text(params: Params, key: str) -> str:
    value = _text(params, key)
    if not value:
        raise MalformedFrameError(f"{key} is missing")
    return value


def _number(params: Params, key: str) -> int | None:
    """A whole number that fits 32 bits; texts and fractions of zero are numbers, too."""
    try:
        value = float(_text(params, key))
    except ValueError:
        return None
    return int(value) if abs(value) < 2**31 and value.is_integer() else None
