"""The messages that a client sends, one class each: what they need, and how they look on the wire."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from telnyx_native.config import CredentialConfig, TokenConfig
from telnyx_native.errors import ConfigurationError, ErrorCode
from telnyx_native.events import SocketMethod
from telnyx_native.media.detectors import DTMF_KEYS
from telnyx_native.push import PushProvider

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from telnyx_native.config import AudioCodec, TelnyxConfig
    from telnyx_native.push import PushConfig
    from telnyx_native.states import CallTerminationReason

__all__ = [
    "Answer",
    "Attach",
    "AttachCalls",
    "AudioStreamSubscription",
    "Bye",
    "Candidate",
    "DebugReportData",
    "DebugReportStart",
    "DebugReportStop",
    "Dialog",
    "DisablePush",
    "Dtmf",
    "EndOfCandidates",
    "GatewayStateQuery",
    "Hold",
    "HoldAction",
    "Invite",
    "Message",
    "Ping",
    "TextMessage",
    "ToolOutput",
    "UpdateMedia",
    "UserMessage",
]

DEBUG_REPORT_VERSION = 1

_HEADER_NAME = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
"""A `token` of SIP (RFC 3261, 25.1)."""


class Message:
    """Something that can be sent as a request.

    Attributes:
        method: The method of the request.
        sticky: Whether the request carries the session's `voice_sdk_id`.
    """

    method: ClassVar[SocketMethod]
    sticky: ClassVar[bool] = False

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        return {}


@dataclass(frozen=True)
class GatewayStateQuery(Message):
    """Ask for the state of the SIP registration."""

    method: ClassVar[SocketMethod] = SocketMethod.GATEWAY_STATE
    sticky: ClassVar[bool] = True


@dataclass(frozen=True)
class Ping(Message):
    """Answer a ping of the server, or ask for a response; a request, as in the Telnyx JS SDK."""

    method: ClassVar[SocketMethod] = SocketMethod.PING
    sticky: ClassVar[bool] = True


def check_headers(headers: Mapping[str, str]) -> None:
    """Check SIP headers that an application gives.

    Raises:
        ConfigurationError: One of them cannot be a SIP header.
    """
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or not isinstance(value, str) or not value.isprintable():
            raise ConfigurationError(f"custom header {name!r}: {value!r} cannot be a SIP header")


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
        check_headers(self.custom_headers)

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
class _AboutCall(Message):
    """A request about a call.

    Attributes:
        session_id: The session of the login.
        dialog: The call.
    """

    session_id: str
    dialog: Dialog

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        return {"sessid": self.session_id, "dialogParams": self.dialog.params()}


@dataclass(frozen=True)
class _Description(_AboutCall):
    """A request that carries a session description.

    Attributes:
        sdp: The session description.
        user_agent: The name and version of this SDK.
        trickle: Whether candidates follow the description instead of being in it.
    """

    sdp: str = field(repr=False)
    user_agent: str
    trickle: bool = False

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        params = super().params() | {"sdp": self.sdp, "User-Agent": self.user_agent}
        return params | ({"trickle": True} if self.trickle else {})


@dataclass(frozen=True)
class Invite(_Description):
    """Place a call."""

    method: ClassVar[SocketMethod] = SocketMethod.INVITE


@dataclass(frozen=True)
class Answer(_Description):
    """Answer a call."""

    method: ClassVar[SocketMethod] = SocketMethod.ANSWER

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        token = self.dialog.answered_device_token
        return super().params() | ({"answered_device_token": token} if token else {})


@dataclass(frozen=True)
class Attach(_Description):
    """Answer the offer with which the server reattaches a call."""

    method: ClassVar[SocketMethod] = SocketMethod.ATTACH

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        params = super().params()
        return params | {"dialogParams": params["dialogParams"] | {"attach": True}}


@dataclass(frozen=True)
class Bye(_AboutCall):
    """End, cancel or refuse a call.

    Attributes:
        reason: Why.
    """

    method: ClassVar[SocketMethod] = SocketMethod.BYE

    reason: CallTerminationReason

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        return super().params() | {
            "cause": self.reason.cause,
            "causeCode": self.reason.cause_code,
            "sipCode": self.reason.sip_code,
            "sip_call_id": None,
        }


@dataclass(frozen=True)
class AttachCalls(Message):
    """Request the call that a push announced; its INVITE follows.

    Attributes:
        push: How the push was delivered; `None` if unknown.
    """

    method: ClassVar[SocketMethod] = SocketMethod.ATTACH_CALLS
    push: PushConfig | None

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        if self.push is None:
            return {"userVariables": {}}
        environment = {"push_notification_environment": self.push.environment.value}
        provider = {"push_notification_provider": self.push.provider.value}
        if self.push.provider is PushProvider.IOS:  # each as the SDK of its platform says it
            return provider | {"loginParams": {}, "userVariables": environment}
        return {"userVariables": environment | provider}


@dataclass(frozen=True)
class DisablePush(Message):
    """Stop notifications on a device.

    Attributes:
        identity: Whose notifications: `user` or `login_token`, as on the wire.
        push: The device.
    """

    method: ClassVar[SocketMethod] = SocketMethod.DISABLE_PUSH
    identity: dict[str, str] = field(repr=False)
    push: PushConfig

    @classmethod
    def of(cls, config: TelnyxConfig | None) -> DisablePush:
        """The request for a login.

        Raises:
            ConfigurationError: The login named no device.
        """
        match config:
            case CredentialConfig(sip_user=user, push=push) if push is not None:
                return cls({"user": user}, push)
            case TokenConfig(sip_token=token, push=push) if push is not None:
                return cls({"login_token": token}, push)
            case _:
                raise ConfigurationError("there is no push to disable: log in with a PushConfig first")

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        return self.identity | {
            # The device travels under this name in Telnyx's mobile SDKs.
            "User-Agent": {
                "push_device_token": self.push.push_device_token,
                "push_notification_provider": self.push.provider.value,
                "push_notification_environment": self.push.environment.value,
            }
        }


@dataclass(frozen=True)
class _ConversationItem(Message):
    method: ClassVar[SocketMethod] = SocketMethod.AI_CONVERSATION


@dataclass(frozen=True)
class UserMessage(_ConversationItem):
    """Send a text message to the assistant.

    Attributes:
        id: The id of the message.
        text: The text.
        images: URLs or data URLs of images.
    """

    id: str
    text: str = field(repr=False)
    images: tuple[str, ...] = field(default=(), repr=False)

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        content: list[dict[str, Any]] = [{"type": "input_text", "text": self.text}] if self.text else []
        content += [{"type": "image_url", "image_url": {"url": url}} for url in self.images]
        item = {"id": self.id, "type": "message", "role": "user", "content": content}
        return {"type": "conversation.item.create", "previous_item_id": None, "item": item}


@dataclass(frozen=True)
class ToolOutput(_ConversationItem):
    """Send the output of a tool.

    Attributes:
        call_id: The id of the tool call.
        output: The output.
    """

    call_id: str
    output: str = field(repr=False)

    def params(self) -> dict[str, Any]:
        """The parameters of the notification."""
        item = {"type": "function_call_output", "call_id": self.call_id, "output": self.output}
        return {"type": "conversation.item.create", "item": item}


@dataclass(frozen=True)
class AudioStreamSubscription(_ConversationItem):
    """Ask the assistant to tell of its audio before it is played."""

    def params(self) -> dict[str, Any]:
        """The parameters of the notification."""
        return {"type": "conversation.item.create", "item": {"type": "response.audio_stream.subscribe"}}


@dataclass(frozen=True)
class _DebugReport(Message):
    """A message of a debug report.

    Attributes:
        report_id: The report.
        call_id: The call that it is about.
    """

    report_id: str
    call_id: str

    def params(self) -> dict[str, Any]:
        """The members of the message."""
        return {
            "debug_report_id": self.report_id,
            "debug_report_version": DEBUG_REPORT_VERSION,
            "call_id": self.call_id,
        }


@dataclass(frozen=True)
class DebugReportStart(_DebugReport):
    """Start a report."""

    method: ClassVar[SocketMethod] = SocketMethod.DEBUG_REPORT_START


@dataclass(frozen=True)
class DebugReportStop(_DebugReport):
    """End a report."""

    method: ClassVar[SocketMethod] = SocketMethod.DEBUG_REPORT_STOP


@dataclass(frozen=True)
class DebugReportData(_DebugReport):
    """Report one event.

    Attributes:
        data: The event, as the Telnyx JS SDK's WebRTC monitor describes it.
    """

    method: ClassVar[SocketMethod] = SocketMethod.DEBUG_REPORT_DATA

    data: Mapping[str, Any] = field(repr=False)

    def params(self) -> dict[str, Any]:
        """The members of the message."""
        return super().params() | {"debug_report_data": dict(self.data)}


def _codec(codec: AudioCodec) -> dict[str, Any]:
    return {
        "mimeType": codec.mime_type,
        "clockRate": codec.clock_rate,
        "channels": codec.channels,
        "sdpFmtpLine": codec.sdp_fmtp_line,
    }


LONGEST_KEYS = 64
"""DTMF keys in one request."""

_KEYS = re.compile(rf"[{DTMF_KEYS}wW]{{1,{LONGEST_KEYS}}}")

HoldAction = Literal["hold", "unhold", "toggleHold"]
"""The actions on the wire."""


@dataclass(frozen=True)
class Hold(_AboutCall):
    """Put a call on hold, or take it off.

    Attributes:
        action: The action; `toggleHold` reverses the current state.
    """

    method: ClassVar[SocketMethod] = SocketMethod.MODIFY

    action: HoldAction

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        return super().params() | {"action": self.action}


@dataclass(frozen=True)
class UpdateMedia(_AboutCall):
    """Send a new offer for a call.

    Attributes:
        sdp: The offer.
    """

    method: ClassVar[SocketMethod] = SocketMethod.MODIFY

    sdp: str = field(repr=False)

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        return super().params() | {"action": "updateMedia", "callID": self.dialog.call_id, "sdp": self.sdp}


@dataclass(frozen=True)
class Dtmf(_AboutCall):
    """Send DTMF.

    Attributes:
        keys: 0-9, *, #, A-D, and the pauses of FreeSWITCH: `w` (half a second) and `W` (a second).
    """

    method: ClassVar[SocketMethod] = SocketMethod.INFO

    keys: str

    def __post_init__(self) -> None:
        if not _KEYS.fullmatch(self.keys):
            # What was given is not repeated: it may be most of a PIN.
            message = f"these are no keys: use 0-9, *, # and A-D, w and W for pauses, 1 to {LONGEST_KEYS} of them"
            raise ConfigurationError(message, kind=ErrorCode.INVALID_CALL_PARAMETERS)

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        return super().params() | {"dtmf": self.keys}


LONGEST_MESSAGE = 10_000
"""Characters of a text message."""


@dataclass(frozen=True)
class TextMessage(_AboutCall):
    """Send a text message within a call.

    Attributes:
        sender: Who sends it.
        to: Whom it is for.
        body: What it says.
    """

    method: ClassVar[SocketMethod] = SocketMethod.INFO

    sender: str
    to: str
    body: str = field(repr=False)

    def __post_init__(self) -> None:
        if not 0 < len(self.body) <= LONGEST_MESSAGE:
            raise ConfigurationError(f"a message has 1 to {LONGEST_MESSAGE} characters, not {len(self.body)}")

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        return super().params() | {"msg": {"from": self.sender, "to": self.to, "body": self.body}}


@dataclass(frozen=True)
class Candidate(_AboutCall):
    """Send an ICE candidate.

    Attributes:
        candidate: The candidate, `"candidate:..."`.
        sdp_mid: The media section it belongs to, by name.
        sdp_mline_index: The media section it belongs to, by position.
    """

    method: ClassVar[SocketMethod] = SocketMethod.CANDIDATE

    candidate: str
    sdp_mid: str
    sdp_mline_index: int

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        return super().params() | {
            "candidate": self.candidate,
            "sdpMid": self.sdp_mid,
            "sdpMLineIndex": self.sdp_mline_index,
        }


@dataclass(frozen=True)
class EndOfCandidates(_AboutCall):
    """Signal the end of candidates."""

    method: ClassVar[SocketMethod] = SocketMethod.END_OF_CANDIDATES

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        return super().params() | {"endOfCandidates": True}
