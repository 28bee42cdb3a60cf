"""The webhooks of a call, as Telnyx's Voice API (v2) writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_native.states import CallTerminationReason

__all__ = ["Event", "Source", "event", "hangup_fields", "moment"]

Event = dict[str, Any]
"""What is in the `data` of a webhook."""

Source = Literal["caller", "callee", "unknown"]
"""The party that has ended a call."""

_CAUSES = {
    HangupCause.NORMAL_CLEARING.name: "normal_clearing",
    HangupCause.LOSE_RACE.name: "normal_clearing",
    HangupCause.ORIGINATOR_CANCEL.name: "originator_cancel",
    HangupCause.USER_BUSY.name: "user_busy",
    HangupCause.CALL_REJECTED.name: "call_rejected",
    HangupCause.NO_ANSWER.name: "timeout",
    HangupCause.NO_USER_RESPONSE.name: "no_answer",
    HangupCause.ALLOTTED_TIMEOUT.name: "time_limit",
    HangupCause.UNALLOCATED_NUMBER.name: "not_found",
    HangupCause.NO_ROUTE_DESTINATION.name: "not_found",
    HangupCause.INVALID_NUMBER_FORMAT.name: "not_found",
}
"""The words of the Voice API for causes; it has none for others, which are `unspecified`."""


def moment(time: datetime | None = None) -> str:
    """Return a time, now by default, as the API writes it: ISO 8601, in UTC."""
    return (time or datetime.now(UTC)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def event(kind: str, payload: Mapping[str, Any]) -> Event:
    """Return an event that happens now."""
    return {
        "record_type": "event",
        "event_type": kind,
        "id": str(uuid4()),
        "occurred_at": moment(),
        "payload": dict(payload),
    }


def hangup_fields(reason: CallTerminationReason, source: Source) -> dict[str, Any]:
    """Return what `call.hangup` says about the end of a call."""
    return {
        "hangup_cause": _CAUSES.get(reason.cause or "", "unspecified"),
        "hangup_source": source,
        "sip_hangup_cause": str(reason.sip_code) if reason.sip_code else "unspecified",
    }
