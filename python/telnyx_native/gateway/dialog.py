"""Who calls whom, and by which names the platform knows the call."""

from __future__ import annotations

import base64
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from telnyx_native.errors import SESSION_ERROR
from telnyx_native.gateway.footprint import footprint
from telnyx_native.gateway.refusal import RequestRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_native.gateway.users import User

__all__ = [
    "LONGEST_ID",
    "Dialog",
    "Party",
    "PlatformIds",
    "address_of",
    "call_id_of",
    "dialog_of_invite",
    "dialog_params_of",
]

LONGEST_ID = 128
"""Characters of a session or call id; longer ones are not taken."""

_SIP_URI = re.compile(r"sips?:(?P<user>[^@;?]*)", re.IGNORECASE)


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
class Dialog:
    """What identifies and describes one leg of a call.

    Attributes:
        call_id: The id client and gateway share for it.
        caller: Who calls.
        callee: Who is called.
        custom_headers: SIP headers that travel with the call, by name.
        client_state: What the calling application wants to travel with the call (base64).
        variables: What an assistant shall know about the caller.
        ids: The platform's names for the leg.
    """

    call_id: str
    caller: Party
    callee: Party
    custom_headers: Mapping[str, str] = field(default_factory=dict)
    client_state: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    ids: PlatformIds = field(default_factory=PlatformIds)

    @property
    def size(self) -> int:
        """The bytes that the client's words in it take in memory."""
        said = (self.caller.name, self.caller.number, self.callee.name, self.callee.number, self.client_state)
        return footprint(said) + footprint(dict(self.custom_headers))

    def fields(self) -> dict[str, Any]:
        """Return what `ringing` and `invite` tell about the call."""
        fields: dict[str, Any] = {
            "callID": self.call_id,
            "caller_id_name": self.caller.name,
            "caller_id_number": self.caller.number,
            "callee_id_name": self.callee.name,
            "callee_id_number": self.callee.number,
            "dialogParams": {"custom_headers": headers_to_wire(self.custom_headers)},
            **self.ids.fields(),
        }
        if self.client_state:
            fields["client_state"] = self.client_state
        return fields


def dialog_of_invite(call_id: str, wire: Mapping[str, Any], caller: User) -> Dialog:
    """Read the dialog of a call that a client places.

    Args:
        call_id: The id the client gave it.
        wire: The `dialogParams` of the client's invite; what is missing or odd is filled in.
        caller: Whose client it is.
    """
    number = address_of(_text(wire, "destination_number"))
    return Dialog(
        call_id=call_id,
        caller=Party(
            name=_text(wire, "caller_id_name") or caller.caller_name,
            number=_text(wire, "caller_id_number") or caller.caller_number,
        ),
        callee=Party(name=_text(wire, "remote_caller_id_name") or "Outbound Call", number=number),
        custom_headers=headers_from_wire(wire.get("custom_headers")),
        client_state=_text(wire, "clientState") or None,
    )


def address_of(destination: str) -> str:
    """Return the user or number in a destination: `sip:echo@example.com` is `echo`."""
    destination = destination.strip()
    match = _SIP_URI.match(destination)
    return match["user"] if match else destination


def headers_to_wire(headers: Mapping[str, str]) -> list[dict[str, str]]:
    """Return SIP headers as the list of names and values that the wire carries."""
    return [{"name": name, "value": value} for name, value in headers.items()]


def headers_from_wire(wire: object) -> dict[str, str]:
    """Read a list of names and values; entries that are neither are left out."""
    if not isinstance(wire, list):
        return {}
    return {
        entry["name"]: entry["value"]
        for entry in wire
        if isinstance(entry, dict) and isinstance(entry.get("name"), str) and isinstance(entry.get("value"), str)
    }


def _text(wire: Mapping[str, Any], key: str) -> str:
    value = wire.get(key)
    return value if isinstance(value, str) else ""


def dialog_params_of(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the `dialogParams` of a request; empty when they are missing or no object."""
    dialog = params.get("dialogParams")
    return dialog if isinstance(dialog, dict) else {}


def call_id_of(params: Mapping[str, Any]) -> str:
    """Return the id of the call that a request is about, as the client spells it.

    Most clients say `dialogParams.callID`; some spell it `callId`, or put it beside `dialogParams`.

    Raises:
        RequestRefused: There is none.
    """
    for container in (dialog_params_of(params), params):
        for key in ("callID", "callId"):
            call_id = container.get(key)
            if isinstance(call_id, str) and 0 < len(call_id) <= LONGEST_ID:
                return call_id
    raise RequestRefused(SESSION_ERROR, "CallID missing")
