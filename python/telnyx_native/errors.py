"""Every error this package raises, as one tree under `TelnyxError`."""

from __future__ import annotations

from typing import ClassVar

from telnyx_native.codes import ErrorCode

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
