"""The messages a client sends, one class each: what they need, and how they look on the wire."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from telnyx_native.errors import ConfigurationError
from telnyx_native.events import SocketMethod

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from telnyx_native.config import AudioCodec
    from telnyx_native.states import CallTerminationReason

_HEADER_NAME = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
"""A `token` of SIP (RFC 3261, 25.1)."""

__all__ = ["Answer", "Attach", "Bye", "Dialog", "GatewayStateQuery", "Invite", "Message", "Ping"]


class Message(Protocol):
    """Something that can be sent as a request."""

    @property
    def method(self) -> SocketMethod:
        """The method of the request."""

    @property
    def sticky(self) -> bool:
        """Whether the request carries the session's `voice_sdk_id`."""

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""


@dataclass(frozen=True)
class GatewayStateQuery:
    """Ask for the state of the SIP registration."""

    method: ClassVar[SocketMethod] = SocketMethod.GATEWAY_STATE
    sticky: ClassVar[bool] = True

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        return {}


@dataclass(frozen=True)
class Ping:
    """Show that the client is alive; this is how the Telnyx JS SDK reacts to a ping of the server."""

    method: ClassVar[SocketMethod] = SocketMethod.PING
    sticky: ClassVar[bool] = True

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        return {}


@dataclass(frozen=True)
class Dialog:
    """What identifies and describes a call in every request about it.

    Attributes:
        call_id: The call.
        destination_number: Who is called.
        caller_name: The caller's name, as the called side shall see it.
        caller_number: The caller's number.
        client_state: Any text for the application on Telnyx's side; it travels in base64.
        custom_headers: SIP headers for the other side; by convention their names start with `X-`.
        preferred_codecs: The codecs to choose from first. This only informs the server; what counts is their order
            in the session description.
        answered_device_token: The push token of this device, so that the user's other devices learn that the call
            was answered.
    """

    call_id: str
    destination_number: str = ""
    caller_name: str = ""
    caller_number: str = ""
    client_state: str | None = None
    custom_headers: Mapping[str, str] = field(default_factory=dict)
    preferred_codecs: Sequence[AudioCodec] = ()
    answered_device_token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name, value in self.custom_headers.items():
            if not _HEADER_NAME.fullmatch(name) or not isinstance(value, str) or not value.isprintable():
                raise ConfigurationError(f"custom header {name!r}: {value!r} cannot be a SIP header")

    def params(self) -> dict[str, Any]:
        """The `dialogParams` of a request."""
        params: dict[str, Any] = {
            "callID": self.call_id,
            "destination_number": self.destination_number,
            "caller_id_name": self.caller_name,
            "caller_id_number": self.caller_number,
            "remote_caller_id_name": self.destination_number,
            "custom_headers": [{"name": k, "value": v} for k, v in self.custom_headers.items()],
            "audio": True,
            "video": False,
            "useStereo": False,
            "attach": False,
            "screenShare": False,
        }
        if self.preferred_codecs:
            params["preferred_codecs"] = [_codec(codec) for codec in self.preferred_codecs]
        if self.client_state is not None:
            params["clientState"] = b64encode(self.client_state.encode()).decode()
        return params


@dataclass(frozen=True)
class _Description:
    """A request that carries a session description.

    Attributes:
        session_id: The session of the login.
        dialog: The call.
        sdp: The session description.
        user_agent: The name and version of this SDK.
        trickle: Whether candidates follow the description instead of being in it.
    """

    sticky: ClassVar[bool] = False

    session_id: str
    dialog: Dialog
    sdp: str = field(repr=False)
    user_agent: str
    trickle: bool = False

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        params = {
            "sessid": self.session_id,
            "sdp": self.sdp,
            "User-Agent": self.user_agent,
            "dialogParams": self.dialog.params(),
        }
        return params | ({"trickle": True} if self.trickle else {})


@dataclass(frozen=True)
class Invite(_Description):
    """Place a call."""

    method: ClassVar[SocketMethod] = SocketMethod.INVITE


@dataclass(frozen=True)
class Answer(_Description):
    """Accept a call."""

    method: ClassVar[SocketMethod] = SocketMethod.ANSWER

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        token = self.dialog.answered_device_token
        return super().params() | ({"answered_device_token": token} if token else {})


@dataclass(frozen=True)
class Attach(_Description):
    """Answer the offer with which the server brings a call back."""

    method: ClassVar[SocketMethod] = SocketMethod.ATTACH

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        params = super().params()
        return params | {"dialogParams": params["dialogParams"] | {"attach": True}}


@dataclass(frozen=True)
class Bye:
    """End, cancel or refuse a call.

    Attributes:
        session_id: The session of the login.
        dialog: The call.
        reason: Why.
    """

    method: ClassVar[SocketMethod] = SocketMethod.BYE
    sticky: ClassVar[bool] = False

    session_id: str
    dialog: Dialog
    reason: CallTerminationReason

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        return {
            "sessid": self.session_id,
            "cause": self.reason.cause,
            "causeCode": self.reason.cause_code,
            "sipCode": self.reason.sip_code,
            "sip_call_id": None,
            "dialogParams": self.dialog.params(),
        }


def _codec(codec: AudioCodec) -> dict[str, Any]:
    return {
        "mimeType": codec.mime_type,
        "clockRate": codec.clock_rate,
        "channels": codec.channels,
        "sdpFmtpLine": codec.sdp_fmtp_line,
    }
