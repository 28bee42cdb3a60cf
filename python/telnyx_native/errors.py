"""Every error of this package, as one tree under `TelnyxError`, and the numbers of errors and warnings.

The numbers are the part of the Telnyx JS SDK's tables that a client without a browser meets.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from telnyx_native.states import TransferOutcome

__all__ = [
    "AUTHENTICATION_FAILED",
    "AUTHENTICATION_REQUIRED",
    "GATEWAY_REGISTRATION_FAILED",
    "GATEWAY_REGISTRATION_TIMEOUT",
    "INVALID_REQUEST",
    "SESSION_ERROR",
    "AudioClosedError",
    "AuthenticationError",
    "CallError",
    "CallLimitError",
    "ChannelLimitError",
    "ConfigurationError",
    "ConsultationError",
    "DeviceError",
    "DrainingError",
    "EngineClosedError",
    "ErrorCode",
    "FlowClosedError",
    "GatewayRegistrationError",
    "InviteTimeoutError",
    "MalformedFrameError",
    "MediaError",
    "NetworkChangedError",
    "ReportError",
    "RequestError",
    "RequestTimeoutError",
    "RestError",
    "SdpError",
    "ServerUnavailableError",
    "SocketConnectionError",
    "TelnyxError",
    "TelnyxWarning",
    "WaitTimeoutError",
    "WarningCode",
]


class ErrorCode(Enum):
    """An error: its number, what it means, and whether whatever it hit is beyond repair.

    Names, numbers and texts are those of `constants/errors.ts` in the Telnyx JS SDK.
    """

    SDP_CREATE_OFFER_FAILED = (40001, "Failed to create call offer", True)
    SDP_CREATE_ANSWER_FAILED = (40002, "Failed to answer the call", True)
    SDP_SET_REMOTE_DESCRIPTION_FAILED = (40004, "Failed to apply remote call settings", True)
    SDP_SEND_FAILED = (40005, "Failed to send call data to server", True)
    MEDIA_DEVICE_NOT_FOUND = (42002, "No microphone found", True)
    MEDIA_GET_USER_MEDIA_FAILED = (42003, "Failed to access microphone", True)
    HOLD_FAILED = (44001, "Failed to hold the call", False)
    INVALID_CALL_PARAMETERS = (44002, "Invalid call parameters", True)
    BYE_SEND_FAILED = (44003, "Failed to hang up cleanly", False)
    PEER_CLOSED_DURING_INIT = (44005, "Call was closed during setup", True)
    WEBSOCKET_CONNECTION_FAILED = (45001, "Unable to connect to server", True)
    WEBSOCKET_ERROR = (45002, "Connection to server lost", False)
    RECONNECTION_EXHAUSTED = (45003, "Unable to reconnect to server", True)
    GATEWAY_FAILED = (45004, "Gateway connection failed", False)
    LOGIN_FAILED = (46001, "Authentication failed", True)
    INVALID_CREDENTIALS = (46002, "Invalid credential parameters", True)
    AUTHENTICATION_REQUIRED = (46003, "Authentication required", False)
    ICE_RESTART_FAILED = (47001, "ICE restart failed", False)
    NETWORK_OFFLINE = (48001, "Device is offline", False)
    SESSION_NOT_REATTACHED = (48501, "Active call lost after reconnect", True)

    def __init__(self, code: int, message: str, fatal: bool) -> None:
        self.code = code
        self.message = message
        self.fatal = fatal


class WarningCode(Enum):
    """A warning: its number, and what it means.

    Names and numbers are those of `constants/warnings.ts` in the Telnyx JS SDK.
    """

    HIGH_RTT = (31001, "High network latency")
    HIGH_JITTER = (31002, "High jitter")
    HIGH_PACKET_LOSS = (31003, "High packet loss")
    LOW_MOS = (31004, "Low call quality")
    LOW_LOCAL_AUDIO = (31005, "Hardly any audio is being sent")
    LOW_INBOUND_AUDIO = (31006, "Hardly any audio is being received")
    LOW_BYTES_RECEIVED = (32001, "No media is being received")
    LOW_BYTES_SENT = (32002, "No media is being sent")
    ICE_CONNECTIVITY_LOST = (33001, "The audio path was interrupted")
    ICE_GATHERING_TIMEOUT = (33002, "Network candidates are slow to be found")
    ICE_GATHERING_EMPTY = (33003, "No network candidate was found")
    PEER_CONNECTION_FAILED = (33004, "The audio path failed")
    ONLY_HOST_ICE_CANDIDATES = (33005, "Only local network candidates were found")
    ANSWER_WHILE_PEER_ACTIVE = (33006, "A call was accepted that is accepted already")
    DUPLICATE_INBOUND_ANSWER = (33007, "A call was accepted that another client of this process has accepted")
    ICE_CANDIDATE_PAIR_CHANGED = (33008, "The audio path changed")
    MULTIPLE_ACTIVE_CALLS_DETECTED = (33010, "There are several calls at a time")
    TOKEN_EXPIRING_SOON = (34001, "The login token expires soon")
    UNKNOWN_REATTACHED_SESSION = (35002, "The server brought back a call that is not known here")
    SIGNALING_RECOVERY_REQUIRED = (36003, "The connection to the server has to be made again")
    MEDIA_RECOVERY_REQUIRED = (36004, "The audio path has to be made again")
    RECONNECTION_FAILED_WITH_NO_AUTO_RECONNECT = (36005, "The connection was lost and is not made again by itself")

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        self.message = message


@dataclass(frozen=True)
class TelnyxWarning:
    """Something that is not wrong yet.

    Attributes:
        code: Its number.
        name: Its name, such as `"TOKEN_EXPIRING_SOON"`.
        message: What it means here.
    """

    code: int
    name: str
    message: str

    @classmethod
    def of(cls, warning: WarningCode, detail: str = "") -> TelnyxWarning:
        """The warning of the table, with what is known about this case."""
        return cls(warning.code, warning.name, f"{warning.message}: {detail}" if detail else warning.message)


AUTHENTICATION_REQUIRED = -32000
"""Wire code: the request needs a login, or the login token is not valid."""

AUTHENTICATION_FAILED = -32001
"""Wire code: the user name or the password is wrong."""

SESSION_ERROR = -32002
"""Wire code: the call or its session description was refused."""

GATEWAY_REGISTRATION_TIMEOUT = -32003
"""Client code, as in the Telnyx Android SDK: the SIP gateway did not register in time."""

GATEWAY_REGISTRATION_FAILED = -32004
"""Client code, as in the Telnyx Android SDK: the SIP gateway refused to register."""

INVALID_REQUEST = -32600
"""JSON-RPC code: the frame is not a valid request."""


class TelnyxError(Exception):
    """Base of everything this package raises.

    Attributes:
        code: The number of the error on the wire, or `None` when it never crossed the wire.
        kind: Its entry in the table of Telnyx's structured errors, or `None` when it has none.
    """

    _usual_kind: ClassVar[ErrorCode | None] = None
    """The `kind` of errors of this class that do not say otherwise."""

    def __init__(self, message: str, *, code: int | None = None, kind: ErrorCode | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.kind = kind or self._usual_kind


class ConfigurationError(TelnyxError, ValueError):
    """A value that the caller gave cannot work."""


class WaitTimeoutError(TelnyxError, TimeoutError):
    """What was waited for did not happen in time."""


class FlowClosedError(TelnyxError):
    """The flow ended before it delivered what was waited for."""


class SocketConnectionError(TelnyxError):
    """There is no usable connection to the server: unreachable, closed or lost."""

    _usual_kind = ErrorCode.WEBSOCKET_ERROR


class ServerUnavailableError(SocketConnectionError):
    """The server was reached, but cannot take a login now, as after a restart; it is not the login's fault."""

    _usual_kind = ErrorCode.LOGIN_FAILED


class NetworkChangedError(SocketConnectionError):
    """The connection went over a network that is not used any more."""


class AuthenticationError(TelnyxError):
    """The server refused the credentials, or they cannot be good any more."""

    _usual_kind = ErrorCode.LOGIN_FAILED


class GatewayRegistrationError(TelnyxError):
    """The login was accepted, but the SIP registration behind it did not come up."""

    _usual_kind = ErrorCode.GATEWAY_FAILED


class MalformedFrameError(TelnyxError):
    """A frame from the network does not follow the protocol.

    Attributes:
        id: The id of the frame when it could be read, so that it can still be answered.
    """

    def __init__(self, message: str, *, id: str | float | None = None) -> None:  # noqa: A002 - the wire's word
        super().__init__(message, code=INVALID_REQUEST)
        self.id = id


class RequestError(TelnyxError):
    """The server answered a request with an error.

    Attributes:
        cause: Why the call could not be, such as `"USER_BUSY"`, when the server says.
    """

    def __init__(
        self, message: str, *, code: int | None = None, kind: ErrorCode | None = None, cause: str | None = None
    ) -> None:
        super().__init__(message, code=code, kind=kind)
        self.cause = cause


class RequestTimeoutError(TelnyxError, TimeoutError):
    """The server did not answer a request in time."""


class InviteTimeoutError(WaitTimeoutError):
    """A push announced a call, but its invitation did not come: the caller has given up."""


class CallError(TelnyxError):
    """The call is not in a state that allows the operation, or ended while it was going on."""


class CallLimitError(CallError):
    """There are as many calls as `Limits.max_concurrent_calls` allows."""


class ChannelLimitError(CallError):
    """The account has as many outbound calls as Telnyx allows it; when one has ended, another can be placed."""


class ConsultationError(CallError):
    """The colleague was not reached; the remote party is back.

    Attributes:
        outcome: Why: BUSY, NO_ANSWER, REJECTED, WRONG_NUMBER or UNREACHABLE.
    """

    def __init__(self, message: str, outcome: TransferOutcome) -> None:
        super().__init__(message)
        self.outcome = outcome


class DrainingError(CallError):
    """The client takes no more calls, see `TelnyxClient.drain`."""


class MediaError(TelnyxError):
    """Audio or its transport failed."""


class DeviceError(MediaError):
    """A microphone or loudspeaker is not there, or does not work."""

    _usual_kind = ErrorCode.MEDIA_DEVICE_NOT_FOUND


class SdpError(MediaError):
    """A session description cannot be used."""

    _usual_kind = ErrorCode.SDP_SET_REMOTE_DESCRIPTION_FAILED


class RestError(TelnyxError):
    """The Telnyx API refused a request, or was not reached.

    `code` is the HTTP status, if there was an answer.
    """


class ReportError(TelnyxError):
    """A report of a call did not get to where it was wanted."""


class EngineClosedError(MediaError):
    """The media engine, or the peer, was closed."""


class AudioClosedError(MediaError):
    """The audio stream ended with its call."""
