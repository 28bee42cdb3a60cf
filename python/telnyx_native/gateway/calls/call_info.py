"""What messages say about a leg: caller, callee, headers and ids."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from telnyx_native.gateway.accounts.users import address_of
from telnyx_native.gateway.limits import memory_size
from telnyx_native.states import CallTerminationReason, HangupCause
from telnyx_native.untrusted_text import joined_headers, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_native.gateway.accounts.users import User

__all__ = [
    "CHANNEL_LIMIT_EXCEEDED",
    "CallInfo",
    "Headers",
    "Party",
    "Reason",
    "bye_fields",
    "call_info_of_invite",
    "call_info_to",
    "headers_from_wire",
    "headers_to_wire",
    "reason_from_bye",
    "reason_of",
]


Headers = tuple[tuple[str, str], ...]
"""Names and values of SIP headers, in their order; a name may come several times."""


@dataclass(frozen=True)
class Party:
    """One side of a call, as the other side sees it."""

    name: str
    number: str


@dataclass(frozen=True)
class PlatformIds:
    """The ids Telnyx gives a call leg.

    Attributes:
        session_id: Shared by the legs of a call (UUID).
        leg_id: The leg's own (UUID).
        call_control_id: The leg's name in the Call Control API.
    """

    session_id: str = field(default_factory=lambda: str(uuid4()))
    leg_id: str = field(default_factory=lambda: str(uuid4()))
    call_control_id: str = field(
        default_factory=lambda: "v3:" + base64.urlsafe_b64encode(secrets.token_bytes(24)).decode()
    )

    def fields(self) -> dict[str, str]:
        """Return the ids under their names on the wire."""
        return {
            "telnyx_session_id": self.session_id,
            "telnyx_leg_id": self.leg_id,
            "telnyx_call_control_id": self.call_control_id,
        }


@dataclass(frozen=True)
class CallInfo:
    """What identifies and describes one leg of a call.

    Attributes:
        call_id: The id client and gateway share for it.
        caller: Who calls.
        callee: Who is called.
        headers: SIP headers that the caller sends with the call.
        client_state: What the calling application sends along with the call (base64).
        variables: What an assistant shall know about the caller.
        ids: The platform's names for the leg.
    """

    call_id: str
    caller: Party
    callee: Party
    headers: Headers = ()
    client_state: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    ids: PlatformIds = field(default_factory=PlatformIds)

    @property
    def size(self) -> int:
        """The bytes that the client's words in it take in memory."""
        parties = (self.caller.name, self.caller.number, self.callee.name, self.callee.number)
        return memory_size((parties, self.client_state, self.headers))

    @property
    def custom_headers(self) -> dict[str, str]:
        """The headers by name; the values of one that comes several times are joined (`joined_headers`)."""
        return joined_headers(self.headers)

    def fields(self, headers: Headers = ()) -> dict[str, Any]:
        """Return what `ringing` and `invite` tell about the call; `headers` are those of the other side."""
        fields: dict[str, Any] = {
            "callID": self.call_id,
            "caller_id_name": self.caller.name,
            "caller_id_number": self.caller.number,
            "callee_id_name": self.callee.name,
            "callee_id_number": self.callee.number,
            "dialogParams": {"custom_headers": headers_to_wire(headers)},
            **self.ids.fields(),
        }
        if self.client_state:
            fields["client_state"] = self.client_state
        return fields


def call_info_of_invite(call_id: str, wire: Mapping[str, Any], caller: User) -> CallInfo:
    """Read what an invite says about the call that a client places.

    Args:
        call_id: The id the client gave it.
        wire: The `dialogParams` of the client's invite; what is missing or odd is filled in.
        caller: Whose client it is.
    """
    number = address_of(_text(wire, "destination_number"))
    return CallInfo(
        call_id=call_id,
        caller=Party(
            name=_text(wire, "caller_id_name") or caller.caller_name,
            number=_text(wire, "caller_id_number") or caller.caller_number,
        ),
        callee=Party(name=_text(wire, "remote_caller_id_name") or "Outbound Call", number=number),
        headers=headers_from_wire(wire.get("custom_headers")),
        client_state=_text(wire, "clientState") or None,
    )


def call_info_to(
    user: str, caller: Party, headers: Headers = (), *, client_state: str | None = None, session_id: str | None = None
) -> CallInfo:
    """Return what the leg to a user says about a call.

    The legs of one call have the same `session_id`.
    """
    ids = PlatformIds(session_id=session_id) if session_id else PlatformIds()
    return CallInfo(str(uuid4()), caller, Party("Outbound Call", user), headers, client_state, ids=ids)


def headers_to_wire(headers: Headers) -> list[dict[str, str]]:
    """Return SIP headers as the list of names and values that the wire carries."""
    return [{"name": name, "value": value} for name, value in headers]


def headers_from_wire(wire: object) -> Headers:
    """Read a list of names and values, which may be numbers; entries that are neither are left out."""
    entries = wire if isinstance(wire, list) else []
    read = ((entry.get("name"), _value(entry.get("value"))) for entry in entries if isinstance(entry, dict))
    named = ((one_line(name), value) for name, value in read if isinstance(name, str))
    return tuple((name, value) for name, value in named if name and value is not None)


def _value(value: object) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return json.dumps(value)
    return one_line(value) if isinstance(value, str) else None


def _text(wire: Mapping[str, Any], key: str) -> str:
    value = wire.get(key)
    return one_line(value) if isinstance(value, str) else ""


_SIP_REASONS = {
    200: "OK",
    403: "Forbidden",
    404: "Not Found",
    408: "Request Timeout",
    410: "Gone",
    480: "Temporarily Unavailable",
    484: "Address Incomplete",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Server Time-out",
    603: "Decline",
}
"""Reason phrases of SIP status codes (RFC 3261, section 21)."""

_OWN_WORDS = {
    HangupCause.LOSE_RACE: (200, "Call completed elsewhere"),
    HangupCause.BLIND_TRANSFER: (200, "Call transferred"),
}
"""Status and phrase of causes that do not go by the status alone. The first phrase is of RFC 3326, section 3.1."""

_NO_FAILURE = frozenset({HangupCause.NORMAL_CLEARING})


Reason = HangupCause | CallTerminationReason
"""Why a leg is hung up: a cause, which `reason_of` completes, or a complete reason."""


def reason_of(cause: Reason) -> CallTerminationReason:
    """Return the complete reason of a cause.

    A cause without a SIP status of its own gets 200 if nothing failed, and otherwise 480, as in FreeSWITCH.
    """
    if isinstance(cause, CallTerminationReason):
        return cause
    sip_code = cause.sip_code or (200 if cause in _NO_FAILURE else 480)
    sip_code, sip_reason = _OWN_WORDS.get(cause) or (sip_code, _SIP_REASONS[sip_code])
    return CallTerminationReason(cause.name, cause.code, sip_code, sip_reason)


CHANNEL_LIMIT_EXCEEDED = CallTerminationReason(
    HangupCause.CALL_REJECTED.name, HangupCause.CALL_REJECTED.code, 403, "User channel limit exceeded"
)
"""What Telnyx ends a call with that is more than the account or connection may place at a time."""


def reason_from_bye(params: dict[str, Any], default: HangupCause) -> CallTerminationReason:
    """Read the reason a client gave, completed from the table of causes.

    Args:
        params: The parameters of its `bye`.
        default: What holds when it gave no cause, or one that the table does not know.
    """
    name = params.get("cause")
    known = HangupCause.__members__.get(name) if isinstance(name, str) else None
    return reason_of(known or default)


def bye_fields(reason: CallTerminationReason) -> dict[str, Any]:
    """Return the reason as the fields of a `bye`."""
    return {
        "cause": reason.cause,
        "causeCode": reason.cause_code,
        "sipCode": reason.sip_code,
        "sipReason": reason.sip_reason,
    }
