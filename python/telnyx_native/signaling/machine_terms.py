"""The states, events, actions and errors of the connection's state machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from telnyx_native.errors import (
    GATEWAY_REGISTRATION_FAILED,
    GATEWAY_REGISTRATION_TIMEOUT,
    AuthenticationError,
    ErrorCode,
    GatewayRegistrationError,
    NetworkChangedError,
    SocketConnectionError,
    TelnyxError,
    TelnyxWarning,
    WarningCode,
)
from telnyx_native.states import CallNetworkChangeReason, GatewayState

if TYPE_CHECKING:
    from collections.abc import Callable


class State(Enum):
    """The states of a connection."""

    DISCONNECTED = "no connection, and none is wanted"
    CONNECTING = "a socket is being opened"
    CONNECTED = "the socket is open, nobody is logged in"
    LOGGING_IN = "the server was sent the login"
    LOGIN_DELAYED = "the server may not know the new credential yet"
    AUTHENTICATED = "the server took the login, and is not ready yet"
    QUERYING = "the server was asked for the SIP registration"
    POLLING = "the SIP registration is not there yet, and will be asked for again"
    READY = "calls can be placed and received"
    RETRYING = "no connection; the next attempt is due at the deadline"
    LEAVING = "calls are being hung up, and the connection is about to be closed"


# Events.


@dataclass(frozen=True)
class Event:
    """What happens to a connection.

    Attributes:
        calls: Whether there are calls at that time.
    """

    calls: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class Failure(Event):
    """Something failed."""

    error: Exception


@dataclass(frozen=True)
class Connect(Event):
    """The application connects.

    Attributes:
        login: Whether to log in at once.
        reconnects: Whether the login asks for reconnection.
    """

    login: bool = False
    reconnects: bool = False


@dataclass(frozen=True)
class Login(Event):
    """The application logs in on an open connection; `reconnects` as in `Connect`."""

    reconnects: bool = False


class Opened(Event):
    """The socket is open."""


@dataclass(frozen=True)
class OpenFailed(Failure):
    """The server cannot be reached.

    Attributes:
        fallback: There is a second server to try.
    """

    fallback: bool = False


class LoginAccepted(Event):
    """The server accepted the login."""


@dataclass(frozen=True)
class LoginFailed(Failure):
    """The server refused the login, or did not answer it.

    Attributes:
        new_credential: The credential was just created.
    """

    new_credential: bool = False


class LoginCancelled(Event):
    """The application cancelled the login."""


class ServerReady(Event):
    """The server says that the session is ready."""


class RegistrationPending(Event):
    """The SIP gateway has not registered the user yet."""


class Registered(Event):
    """The SIP gateway has registered the user."""


@dataclass(frozen=True)
class RegistrationFailed(Event):
    """The registration failed, and does not recover by itself."""

    gateway: GatewayState


@dataclass(frozen=True)
class RegistrationExpired(Event):
    """The SIP gateway has given up registering the user."""

    gateway: GatewayState


class QueryTimedOut(Event):
    """The server did not answer the query of the registration."""


class QueryFailed(Failure):
    """The server answered the query with an error."""


class TimeUp(Event):
    """The deadline of the state has come."""


class Lost(Failure):
    """The connection was lost."""


class LoginRequired(Event):
    """The server has forgotten the login."""


class NetworkChanged(Event):
    """The network of this machine has changed."""


class Punted(Event):
    """The server gave the session to another connection."""


class StandDown(Event):
    """A connection that is lost from now on is not made again."""


class Leave(Event):
    """The application disconnects; its calls are being hung up."""


class Close(Event):
    """The calls are hung up: the connection is to be closed."""


_GATEWAY_EVENTS: dict[GatewayState, Callable[[GatewayState], Event]] = {
    GatewayState.REGED: lambda _: Registered(),
    GatewayState.NOREG: RegistrationExpired,
    GatewayState.EXPIRED: RegistrationExpired,
    GatewayState.FAILED: RegistrationFailed,
    GatewayState.FAIL_WAIT: RegistrationFailed,
    GatewayState.DOWN: RegistrationFailed,
    GatewayState.TIMEOUT: RegistrationFailed,
}
"""As in the Telnyx Android SDK; all other states may still lead to a registration."""


def gateway_event(state: GatewayState) -> Event:
    """The event for a state of the SIP gateway."""
    event = _GATEWAY_EVENTS.get(state)
    return RegistrationPending() if event is None else event(state)


# Actions.


class Action:
    """What the driver has to do."""


@dataclass(frozen=True)
class OpenSocket(Action):
    """Open a socket.

    Attributes:
        second: Whether to the fallback server.
        limit: Seconds that it may take; `None` for the usual time.
    """

    second: bool
    limit: float | None


class SendLogin(Action):
    """Send the login."""


class QueryGateway(Action):
    """Query the SIP registration."""


class CancelLogin(Action):
    """Stop the login in progress."""


class CloseSocket(Action):
    """Close the connection in an orderly way."""


@dataclass(frozen=True)
class ErrorAction(Action):
    """An action about an error."""

    error: Exception


class AbortSocket(ErrorAction):
    """Cut the connection at once, or stop opening it."""


class Report(ErrorAction):
    """Report an error to the application."""


class Reject(ErrorAction):
    """Let the pending `connect` or `log_in` raise an error, if there is one."""


class GiveUp(Report):
    """Report that there are no more retries."""


@dataclass(frozen=True)
class Warn(Action):
    """Warn the application."""

    warning: TelnyxWarning


class Resolve(Action):
    """Let the pending `connect` or `log_in` return, if there is one."""


class ForgetInstance(Action):
    """Let the next connection reach another instance of the server, which may be healthier."""


class ForgetSession(Action):
    """Let the next login begin a new session."""


class Establish(Action):
    """Announce the login, and watch the connection."""


@dataclass(frozen=True)
class SuspendCalls(Action):
    """Let answered calls wait for the new connection, and end the others."""

    reason: CallNetworkChangeReason


@dataclass(frozen=True)
class DropCalls(Action):
    """End all calls."""

    reason: CallNetworkChangeReason


class RestoreCalls(Action):
    """End those calls that the server did not keep; it reattaches the others."""


class AnnounceLoss(Action):
    """Announce that the connection is lost."""


# Errors.

_STEPS = {
    State.LOGGING_IN: "login",
    State.LOGIN_DELAYED: "login",
    State.AUTHENTICATED: "registration",
    State.QUERYING: "telnyx_rtc.gatewayState",
    State.POLLING: "registration",
}
"""What is in progress in a state, for error messages."""


def error_of(state: State, event: Event) -> Exception:
    """The error that `event` is in `state`."""
    match event:
        case Failure(error=error):
            return error
        case RegistrationFailed(gateway=gateway) if state is State.READY:
            message = f"the SIP registration was lost: the gateway says {gateway.value}"
            return SocketConnectionError(message, code=GATEWAY_REGISTRATION_FAILED, kind=ErrorCode.GATEWAY_FAILED)
        case RegistrationFailed(gateway=gateway):
            message = f"Gateway registration has failed: the gateway says {gateway.value}"
            return GatewayRegistrationError(message, code=GATEWAY_REGISTRATION_FAILED)
        case RegistrationExpired(gateway=gateway):
            return _timed_out(f"Gateway registration has timed out: the gateway says {gateway.value}")
        case TimeUp() if state is State.AUTHENTICATED:
            return _timed_out("the server accepted the login but never said that it is ready")
        case TimeUp() | QueryTimedOut():
            return _timed_out("Gateway registration has timed out")
        case LoginRequired():
            message = "the server does not know any more who is logged in"
            return SocketConnectionError(message, kind=ErrorCode.AUTHENTICATION_REQUIRED)
        case Punted():
            return SocketConnectionError("the server gave the session to another connection")
        case _ if state is State.CONNECTING:
            return SocketConnectionError("the connection was given up while it was being made")
        case _ if state is State.RETRYING:
            return SocketConnectionError("the connection was given up before another attempt")
    return SocketConnectionError("the connection was closed here")


def _timed_out(message: str) -> GatewayRegistrationError:
    hint = "; check the SIP connection of the user in the Telnyx portal, or try again"
    return GatewayRegistrationError(message + hint, code=GATEWAY_REGISTRATION_TIMEOUT)


def reason_of(event: Event) -> CallNetworkChangeReason:
    """The reason for calls."""
    match event:
        case Lost(error=NetworkChangedError()):
            return CallNetworkChangeReason.NETWORK_SWITCH
        case Lost():
            return CallNetworkChangeReason.NETWORK_LOST
    return CallNetworkChangeReason.SERVER_ERROR


def interrupted(state: State, error: Exception) -> Exception:
    """The error for a pending `connect` or `log_in`: it names what was in progress."""
    return SocketConnectionError(f"{error}, during {_STEPS[state]}") if state in _STEPS else error


def exhausted(error: Exception) -> AuthenticationError:
    """The error of a client that does not retry any more."""
    code = error.code if isinstance(error, TelnyxError) else None
    message = f"the connection is not made again: {error}"
    return AuthenticationError(message, code=code, kind=ErrorCode.RECONNECTION_EXHAUSTED)


def warning_of(state: State, error: Exception) -> TelnyxWarning:
    """The warning that the connection is lost, which says whether the client reconnects."""
    if state is State.RETRYING:
        return TelnyxWarning.of(WarningCode.SIGNALING_RECOVERY_REQUIRED, str(error))
    return TelnyxWarning.of(WarningCode.RECONNECTION_FAILED_WITH_NO_AUTO_RECONNECT)
