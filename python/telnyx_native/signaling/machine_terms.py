"""The terms of the connection machine: its states, what happens to a connection, and what is to be done about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from telnyx_native.codes import ErrorCode
from telnyx_native.errors import (
    GATEWAY_REGISTRATION_FAILED,
    GATEWAY_REGISTRATION_TIMEOUT,
    GatewayRegistrationError,
    NetworkChangedError,
    SocketConnectionError,
)
from telnyx_native.states import CallNetworkChangeReason, GatewayState

if TYPE_CHECKING:
    from collections.abc import Callable


class State(Enum):
    """How far the client is with its server."""

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


# What happens.


@dataclass(frozen=True)
class Event:
    """Something that happened.

    Attributes:
        calls: Whether calls are going on meanwhile.
    """

    calls: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class Failure(Event):
    """Something that went wrong."""

    error: Exception


@dataclass(frozen=True)
class Connect(Event):
    """The application wants a connection.

    Attributes:
        login: Whether to log in at once.
        reconnects: Whether the login wants a lost connection to be made again.
    """

    login: bool = False
    reconnects: bool = False


@dataclass(frozen=True)
class Login(Event):
    """The application logs in on a connection that stands; `reconnects` as in `Connect`."""

    reconnects: bool = False


class Opened(Event):
    """The socket is open."""


@dataclass(frozen=True)
class OpenFailed(Failure):
    """The server cannot be reached.

    Attributes:
        fallback: There is a second server to be tried.
    """

    fallback: bool = False


class LoginAccepted(Event):
    """The server took the login."""


@dataclass(frozen=True)
class LoginFailed(Failure):
    """The server refused the login, or did not answer it.

    Attributes:
        new_credential: The credential was created just now.
    """

    new_credential: bool = False


class LoginCancelled(Event):
    """Nobody waits for the login any more."""


class ServerReady(Event):
    """The server says that the session is ready."""


class RegistrationPending(Event):
    """The SIP gateway has not registered the user yet."""


class Registered(Event):
    """The SIP gateway has registered the user."""


@dataclass(frozen=True)
class RegistrationFailed(Event):
    """The registration is in a state from which it does not come back by itself."""

    gateway: GatewayState


@dataclass(frozen=True)
class RegistrationExpired(Event):
    """The SIP gateway has given up registering the user."""

    gateway: GatewayState


class QueryTimedOut(Event):
    """The server did not answer the question for the registration."""


class QueryFailed(Failure):
    """The server answered it with an error."""


class TimeUp(Event):
    """The deadline of the state has come."""


class Lost(Failure):
    """The connection ended, and nobody here asked for it."""


class LoginRequired(Event):
    """The server does not know any more who is logged in."""


class NetworkChanged(Event):
    """This machine's network is another one now."""


class Punted(Event):
    """The server gave the session to another connection."""


class Leave(Event):
    """The application disconnects: first its calls are hung up."""


class Close(Event):
    """That is done, and the connection is to be closed."""


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
    """What it means that the SIP gateway is in `state`."""
    event = _GATEWAY_EVENTS.get(state)
    return RegistrationPending() if event is None else event(state)


# What is to be done.


class Action:
    """Something for the driver to do."""


@dataclass(frozen=True)
class OpenSocket(Action):
    """Open a socket.

    Attributes:
        second: Whether to the fallback.
        limit: Seconds that it may take, if not as long as usual.
    """

    second: bool
    limit: float | None


class SendLogin(Action):
    """Send the login."""


class QueryGateway(Action):
    """Ask the server for the SIP registration."""


class CancelLogin(Action):
    """Wait no longer for the answer to a login."""


class CloseSocket(Action):
    """Close the connection in an orderly way."""


@dataclass(frozen=True)
class ErrorAction(Action):
    """Something to be done about an error."""

    error: Exception


class AbortSocket(ErrorAction):
    """Cut the connection at once, or stop making it."""


class Report(ErrorAction):
    """Tell the application of an error."""


class Reject(ErrorAction):
    """Raise an error to whoever waits for the connection or the login, if somebody does."""


class GiveUp(ErrorAction):
    """Tell the application that there are no more attempts."""


class WarnOfRecovery(ErrorAction):
    """Warn that the connection is lost, and will be made again."""


class WarnOfLoss(ErrorAction):
    """Warn that the connection is lost, and will not be made again."""


class Resolve(Action):
    """Tell whoever waits for the connection or the login that it stands."""


class ForgetInstance(Action):
    """Let the next connection land on another instance of the server, which may be healthier."""


class ForgetSession(Action):
    """The session is over: the next login begins a new one."""


class Establish(Action):
    """The registration stands: tell the application, and watch the connection."""


@dataclass(frozen=True)
class SuspendCalls(Action):
    """Let answered calls wait until the connection is made again; the others are over."""

    reason: CallNetworkChangeReason


@dataclass(frozen=True)
class DropCalls(Action):
    """The connection is not made again: all calls are over."""

    reason: CallNetworkChangeReason


class RestoreCalls(Action):
    """Drop those calls that the server did not keep; the others it brings back."""


class AnnounceLoss(Action):
    """Tell the application that the connection is gone, and everybody who waits for what would come over it."""


# What went wrong.

_STEPS = {
    State.LOGGING_IN: "login",
    State.LOGIN_DELAYED: "login",
    State.AUTHENTICATED: "registration",
    State.QUERYING: "telnyx_rtc.gatewayState",
    State.POLLING: "registration",
}
"""What is in progress, as errors name it."""


def error_of(state: State, event: Event) -> Exception:
    """What went wrong when `event` came in `state`."""
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
    """What it means to calls."""
    match event:
        case Lost(error=NetworkChangedError()):
            return CallNetworkChangeReason.NETWORK_SWITCH
        case Lost():
            return CallNetworkChangeReason.NETWORK_LOST
    return CallNetworkChangeReason.SERVER_ERROR


def interrupted(state: State, error: Exception) -> Exception:
    """The same error, for whoever waits for what was in progress."""
    return SocketConnectionError(f"{error}, during {_STEPS[state]}") if state in _STEPS else error
