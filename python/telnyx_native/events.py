"""What the server says, as typed values. Names follow the Telnyx Android SDK."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from telnyx_native.states import CallTerminationReason, GatewayState

if TYPE_CHECKING:
    from telnyx_native.errors import ErrorCode

__all__ = [
    "AiConversationResponse",
    "AnswerResponse",
    "AttachResponse",
    "ByeResponse",
    "CallEvent",
    "CallIds",
    "CallMessage",
    "CandidateResponse",
    "ClientReadyResponse",
    "DisablePushResponse",
    "DisplayResponse",
    "EndOfCandidatesResponse",
    "EventResponse",
    "GatewayStateResponse",
    "InfoResponse",
    "InviteResponse",
    "LoginResponse",
    "MediaResponse",
    "MessageResponse",
    "ReceivedMessageBody",
    "ReceivedResult",
    "RemoteParty",
    "RingingResponse",
    "SocketMethod",
    "SocketResponse",
    "SocketStatus",
]


class SocketMethod(Enum):
    """The methods of the protocol; the value is the name on the wire."""

    LOGIN = "login"
    ANONYMOUS_LOGIN = "anonymous_login"
    CLIENT_READY = "telnyx_rtc.clientReady"
    GATEWAY_STATE = "telnyx_rtc.gatewayState"
    PING = "telnyx_rtc.ping"
    INVITE = "telnyx_rtc.invite"
    RINGING = "telnyx_rtc.ringing"
    MEDIA = "telnyx_rtc.media"
    ANSWER = "telnyx_rtc.answer"
    BYE = "telnyx_rtc.bye"
    ATTACH = "telnyx_rtc.attach"
    CANDIDATE = "telnyx_rtc.candidate"
    END_OF_CANDIDATES = "telnyx_rtc.endOfCandidates"
    DISPLAY = "telnyx_rtc.display"
    MODIFY = "telnyx_rtc.modify"
    INFO = "telnyx_rtc.info"
    EVENT = "telnyx_rtc.event"
    WEBRTC_EVENT = "webrtc.event"
    PUNT = "telnyx_rtc.punt"
    ATTACH_CALLS = "telnyx_rtc.attachCalls"
    DISABLE_PUSH = "telnyx_rtc.disable_push_notification"
    AI_CONVERSATION = "ai_conversation"
    DEBUG_REPORT_START = "debug_report_start"
    DEBUG_REPORT_DATA = "debug_report_data"
    DEBUG_REPORT_STOP = "debug_report_stop"

    @property
    def method_name(self) -> str:
        """The name on the wire."""
        return self.value


class SocketStatus(Enum):
    """The kind of a `SocketResponse`."""

    LOADING = "loading"
    ESTABLISHED = "established"
    MESSAGERECEIVED = "message_received"
    ERROR = "error"
    DISCONNECT = "disconnect"


@dataclass(frozen=True)
class ReceivedResult:
    """Base of the typed results."""


@dataclass(frozen=True)
class LoginResponse(ReceivedResult):
    """The login is complete, SIP registration included.

    Attributes:
        sessid: The session that the server gave to this login.
    """

    sessid: str


@dataclass(frozen=True)
class ClientReadyResponse(ReceivedResult):
    """The server is ready for calls.

    Attributes:
        reattached_sessions: Call ids that the server kept from an earlier connection; `None` if
            it did not say.
    """

    reattached_sessions: tuple[str, ...] | None = None


@dataclass(frozen=True)
class GatewayStateResponse(ReceivedResult):
    """The state of the SIP registration.

    Attributes:
        state: The state.
        sessid: The session, when the server names it.
        call_report_id: Under which call reports may be sent, if they may.
        dc: The server's data centre.
        region: The server's region.
    """

    state: GatewayState
    sessid: str | None = None
    call_report_id: str | None = None
    dc: str | None = None
    region: str | None = None


@dataclass(frozen=True)
class DisablePushResponse(ReceivedResult):
    """The answer to a request for no more push notifications.

    Attributes:
        success: Whether there will be none.
        message: What the server said.
    """

    success: bool
    message: str


@dataclass(frozen=True)
class AiConversationResponse(ReceivedResult):
    """A message of an AI assistant; `TelnyxClient.ai` makes sense of the usual ones.

    Attributes:
        type: What it is, such as `"response.text.delta"`.
        params: All that it says, `type` included.
    """

    type: str
    params: dict[str, Any] = field(default_factory=dict, repr=False, hash=False)


@dataclass(frozen=True)
class CallMessage:
    """A text message within a call.

    Attributes:
        sender: Who says that they sent it.
        to: Whom it is for.
        body: What it says.
    """

    sender: str
    to: str
    body: str = field(repr=False)


@dataclass(frozen=True)
class InfoResponse(ReceivedResult):
    """Something that Telnyx's side tells an application, such as a text message.

    Attributes:
        params: All that it says.
    """

    params: dict[str, Any] = field(default_factory=dict, repr=False, hash=False)


@dataclass(frozen=True)
class EventResponse(ReceivedResult):
    """Something that happened on a channel of events.

    Attributes:
        channel: The channel.
        type: What happened.
        params: All that the message says.
    """

    channel: str
    type: str
    params: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class CallIds:
    """A call's ids on Telnyx's side.

    Attributes:
        session_id: Shared by all legs of the call.
        leg_id: Of this leg.
        call_control_id: For Telnyx Call Control, when the call is under it.
    """

    session_id: str | None = None
    leg_id: str | None = None
    call_control_id: str | None = None


@dataclass(frozen=True)
class RemoteParty:
    """Who is at the other end of a call.

    Attributes:
        name: The name to show.
        number: The number or user.
    """

    name: str = ""
    number: str = ""


@dataclass(frozen=True)
class CallEvent(ReceivedResult):
    """Base of the results that belong to a call.

    Attributes:
        call_id: The call.
        ids: Its ids on Telnyx's side, as far as this message names them.
        custom_headers: SIP headers of the other side. Of a name that came several times, the values are one, in their
            order, with commas between (RFC 3261, 7.3.1).
    """

    call_id: str
    ids: CallIds = CallIds()
    custom_headers: dict[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class InviteResponse(CallEvent):
    """Somebody calls.

    Attributes:
        sdp: The offered session description.
        caller_id_name: The caller's name.
        caller_id_number: The caller's number.
        callee_id_name: The called name.
        callee_id_number: The called number or user.
        client_state: Whatever the application on Telnyx's side attached, decoded.
    """

    sdp: str = field(default="", repr=False)
    caller_id_name: str = ""
    caller_id_number: str = ""
    callee_id_name: str = ""
    callee_id_number: str = ""
    client_state: str | None = None


@dataclass(frozen=True)
class AttachResponse(InviteResponse):
    """The server brings back a call that was cut off from it; the offered session description is a new one."""


@dataclass(frozen=True)
class RingingResponse(CallEvent):
    """The other side is being alerted."""

    caller_id_name: str = ""
    caller_id_number: str = ""
    callee_id_name: str = ""
    callee_id_number: str = ""


@dataclass(frozen=True)
class MediaResponse(CallEvent):
    """Audio before the answer: ringback or an announcement.

    Attributes:
        sdp: The answering session description; the answer that follows may leave it out.
    """

    sdp: str = field(default="", repr=False)


@dataclass(frozen=True)
class AnswerResponse(CallEvent):
    """The other side answered.

    Attributes:
        sdp: The answering session description, unless it came before.
    """

    sdp: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ByeResponse(CallEvent):
    """The other side, or the network behind it, ended the call."""

    cause: str | None = None
    cause_code: int | None = None
    sip_code: int | None = None
    sip_reason: str | None = None
    sip_call_id: str | None = None

    @property
    def reason(self) -> CallTerminationReason:
        """Why the call ended."""
        return CallTerminationReason(self.cause, self.cause_code, self.sip_code, self.sip_reason, self.sip_call_id)


@dataclass(frozen=True)
class CandidateResponse(CallEvent):
    """A network address at which the other side may be reached.

    Attributes:
        candidate: The candidate, with or without `candidate:` before it.
        sdp_mid: The media section it belongs to, by name.
        sdp_mline_index: The media section it belongs to, by position.
    """

    candidate: str = ""
    sdp_mid: str = "0"
    sdp_mline_index: int = 0


@dataclass(frozen=True)
class EndOfCandidatesResponse(CallEvent):
    """The other side has no more candidates."""


@dataclass(frozen=True)
class MessageResponse(CallEvent):
    """A text message came within a call.

    Attributes:
        message: It.
    """

    message: CallMessage = field(default_factory=lambda: CallMessage("", "", ""))


@dataclass(frozen=True)
class DisplayResponse(CallEvent):
    """The remote party has changed, for example after a transfer.

    Attributes:
        party: Who it is, as far as the message says.
    """

    party: RemoteParty = RemoteParty()


@dataclass(frozen=True)
class ReceivedMessageBody:
    """A message of the server.

    Attributes:
        method: Its name on the wire, see `SocketMethod`.
        result: Its content; `None` for methods that have no type of their own.
    """

    method: str
    result: ReceivedResult | None = None


@dataclass(frozen=True)
class SocketResponse:
    """Something that happened on the connection.

    Attributes:
        status: What kind of thing.
        data: The message, for MESSAGERECEIVED.
        error_message: What went wrong, for ERROR.
        error_code: Its number on the wire, for ERROR, when it has one.
        error_kind: Its entry in the table of Telnyx's structured errors, for ERROR, when it has one.
    """

    status: SocketStatus
    data: ReceivedMessageBody | None = None
    error_message: str | None = None
    error_code: int | None = None
    error_kind: ErrorCode | None = None
