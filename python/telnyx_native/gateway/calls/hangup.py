"""Reasons of a hangup, as a `bye` carries them."""

from __future__ import annotations

from typing import Any

from telnyx_native.states import CallTerminationReason, HangupCause

__all__ = ["CHANNEL_LIMIT_EXCEEDED", "bye_fields", "reason_from_bye", "reason_of"]

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

_OWN_WORDS = {HangupCause.LOSE_RACE: (200, "Call completed elsewhere")}
"""Status and phrase of causes that do not go by the status alone. The phrase is the one of RFC 3326, section 3.1."""

_NO_FAILURE = frozenset({HangupCause.NORMAL_CLEARING})


def reason_of(cause: HangupCause) -> CallTerminationReason:
    """Return the complete reason of a cause.

    A cause without a SIP status of its own gets 200 if nothing failed, and otherwise 480, as in FreeSWITCH.
    """
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
