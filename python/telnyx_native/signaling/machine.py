"""The state machine of a client's connection, without a socket, a clock or a task. `client.connection` drives it.

Three rules hold for all of it:

1. Every decision is made here. In a state, an event takes the first edge of `TABLE` whose condition holds, and the
   driver carries out the actions of that edge, in order. An event without an edge changes nothing.
2. Time is an argument. A state with a time limit has a deadline, at which the driver feeds `TimeUp`. There is one
   deadline at a time, and one attempt to connect or to log in.
3. Only `Connect` starts a connection, and LEAVING only leads to DISCONNECTED: a client that leaves does not reconnect.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from telnyx_native import state_machine
from telnyx_native.errors import AuthenticationError, ServerUnavailableError
from telnyx_native.signaling.machine_terms import (
    AbortSocket,
    Action,
    AnnounceLoss,
    CancelLogin,
    Close,
    CloseSocket,
    Connect,
    DropCalls,
    ErrorAction,
    Establish,
    Event,
    ForgetInstance,
    ForgetSession,
    GiveUp,
    Leave,
    Login,
    LoginAccepted,
    LoginCancelled,
    LoginFailed,
    LoginRequired,
    Lost,
    NetworkChanged,
    Opened,
    OpenFailed,
    OpenSocket,
    Punted,
    QueryFailed,
    QueryGateway,
    QueryTimedOut,
    Registered,
    RegistrationExpired,
    RegistrationFailed,
    RegistrationPending,
    Reject,
    Report,
    Resolve,
    RestoreCalls,
    SendLogin,
    ServerReady,
    StandDown,
    State,
    SuspendCalls,
    TimeUp,
    Warn,
    error_of,
    exhausted,
    interrupted,
    reason_of,
    warning_of,
)
from telnyx_native.state_machine import Changes, taken
from telnyx_native.states import ConnectionStatus

__all__ = ["TABLE", "Edge", "Machine", "Rules", "State", "edge_of", "retry_delay", "step"]

FIRST_DELAY = 0.5
"""Seconds from the loss of a connection to the first retry; the delay doubles with each retry."""

LONGEST_DELAY = 30.0
"""The longest delay between two retries (Telnyx JS SDK)."""

LONGEST_DELAY_IN_CALL = 1.0
"""The same while calls wait to be reattached."""

SPREAD = 0.25
"""The jitter of a delay, as a share of it (Telnyx JS SDK): thousands of clients lose a server together."""

CONNECT_LIMIT_IN_CALL = 2.0
"""Seconds after which an attempt makes way for the next one while calls wait. Where a network swallows packets, TCP
repeats itself ever more rarely (Linux before 6.5: after 1, 3, 7 s), and would notice a server too late that is back."""

UNLIMITED = 3
"""Every third attempt has no such limit, for networks that are just slow."""

NEW_CREDENTIAL_DELAY = 2.0
"""Seconds between two logins with a credential that the server may not know yet."""


@dataclass(frozen=True)
class Rules:
    """What does not change while a client lives.

    Attributes:
        login: Seconds from an accepted login until the server is ready.
        poll: Seconds between two queries of the registration, and before it is retried on another connection.
        polls: Queries of the registration before it has failed.
        registrations: Further attempts when the first registration fails.
        seed: Seed of the jitter.
    """

    login: float
    poll: float
    polls: int
    registrations: int
    seed: int = 0


@dataclass(frozen=True)
class Machine:
    """A connection: its state, and the variables of the conditions.

    Attributes:
        rules: What does not change.
        state: The state.
        deadline: When the state is over, on the driver's clock; `None` if it may last.
        enters: The login is part of `Connect`, and is retried on other connections if the registration fails.
        second: The attempt in progress is to the fallback server.
        reconnects: The login in progress asks for reconnection.
        recovers: A login that asked for reconnection succeeded: the client retries for as long as it takes.
        renews: The login in progress replaces one on the same connection.
        attempts: Retries so far.
        polls: Queries of the registration so far.
        ready: The server reported to be ready before it answered the login: messages may overtake each other.
        registered: The same for the registration.
    """

    rules: Rules
    state: State = State.DISCONNECTED
    deadline: float | None = None
    enters: bool = False
    second: bool = False
    reconnects: bool = False
    recovers: bool = False
    renews: bool = False
    attempts: int = 0
    polls: int = 0
    ready: bool = False
    registered: bool = False

    @property
    def logs_in(self) -> bool:
        """Whether a login is in progress."""
        return self.state in _LOGINS

    @property
    def takes_calls(self) -> bool:
        """Whether calls can be placed now."""
        return self.state is State.READY or (self.renews and self.logs_in)

    @property
    def answers_pings(self) -> bool:
        """Whether pings are answered: the server takes no answer before the login."""
        return self.takes_calls or self.state in (State.AUTHENTICATED, State.QUERYING, State.POLLING)

    @property
    def status(self) -> ConnectionStatus | None:
        """The status for applications; `None` if it stays as it was."""
        return _STATUS.get(self.state) if not (self.renews and self.logs_in) else None


_LOGINS = (State.LOGGING_IN, State.LOGIN_DELAYED, State.AUTHENTICATED, State.QUERYING, State.POLLING)

_STATUS = {
    State.DISCONNECTED: ConnectionStatus.DISCONNECTED,
    State.CONNECTED: ConnectionStatus.CONNECTED,
    State.LOGGING_IN: ConnectionStatus.CONNECTED,
    State.READY: ConnectionStatus.CLIENT_READY,
    State.RETRYING: ConnectionStatus.RECONNECTING,
}


# Conditions of edges.


def _wants_login(machine: Machine, _: Event) -> bool:
    return machine.enters or machine.recovers


def _has_fallback(machine: Machine, event: Event) -> bool:
    return isinstance(event, OpenFailed) and event.fallback and not machine.second


def _recovers(machine: Machine, _: Event) -> bool:
    return machine.recovers


def _recovers_calls(machine: Machine, event: Event) -> bool:
    return machine.recovers and event.calls


def _renews(machine: Machine, _: Event) -> bool:
    return machine.renews


def _is_refused(machine: Machine, event: Event) -> bool:
    return machine.recovers and isinstance(error_of(machine.state, event), AuthenticationError)


def _is_new(_: Machine, event: Event) -> bool:
    return isinstance(event, LoginFailed) and event.new_credential and isinstance(event.error, AuthenticationError)


def _is_tried_again(machine: Machine, event: Event) -> bool:
    may_pass = isinstance(event, RegistrationFailed) or isinstance(
        error_of(machine.state, event), ServerUnavailableError
    )
    return machine.enters and machine.reconnects and may_pass and machine.attempts < machine.rules.registrations


def _was_ready(machine: Machine, _: Event) -> bool:
    return machine.ready


def _was_renewed(machine: Machine, _: Event) -> bool:
    return machine.registered and machine.renews


def _was_registered(machine: Machine, _: Event) -> bool:
    return machine.registered


def _asks_again(machine: Machine, _: Event) -> bool:
    return machine.polls < machine.rules.polls


# Changes that an edge makes besides the state.


def _begin(machine: Machine, event: Event) -> Changes:
    assert isinstance(event, Connect)  # noqa: S101 - it is the edge of this event
    return dict(vars(Machine(machine.rules, enters=event.login, reconnects=event.reconnects)))


def _begin_login(machine: Machine, event: Event) -> Changes:
    assert isinstance(event, Login)  # noqa: S101 - it is the edge of this event
    renews = machine.state is State.READY
    return _expect(machine, event) | {"reconnects": event.reconnects, "renews": renews}


def _expect(_: Machine, __: Event) -> Changes:
    return {"ready": False, "registered": False, "polls": 0}


def _note_ready(_: Machine, __: Event) -> Changes:
    return {"ready": True}


def _note_registered(_: Machine, __: Event) -> Changes:
    return {"registered": True}


def _stand(machine: Machine, event: Event) -> Changes:
    recovers = machine.reconnects or (machine.recovers and not machine.renews)
    return _end_login(machine, event) | {"recovers": recovers, "attempts": 0}


def _end_login(_: Machine, __: Event) -> Changes:
    return {"enters": False, "renews": False}


def _stand_down(_: Machine, __: Event) -> Changes:
    return {"recovers": False, "reconnects": False}


def _count_poll(machine: Machine, _: Event) -> Changes:
    return {"polls": machine.polls + 1}


def _count_attempt(machine: Machine, _: Event) -> Changes:
    return {"attempts": machine.attempts + 1, "second": False}


def _fall_back(_: Machine, __: Event) -> Changes:
    return {"second": True}


Edge = state_machine.Edge[State, Machine, Event, Action]


_LOSE = (AbortSocket, Report)
_LOST = Edge(State.DISCONNECTED, (*_LOSE, DropCalls, Warn, AnnounceLoss, Reject))
_LOST_FOR_NOW = Edge(
    State.RETRYING, (*_LOSE, SuspendCalls, Warn, AnnounceLoss, Reject), when=_recovers, changes=_end_login
)
_PUNTED = (Edge(State.DISCONNECTED, (*_LOSE, ForgetSession, DropCalls, AnnounceLoss, Reject)),)

_TRY_AGAIN = (Report, AbortSocket, SuspendCalls)
_NOT_RENEWED = Edge(State.READY, (Report, Reject), when=_renews, changes=_end_login)
_NOT_RECOVERED = Edge(State.RETRYING, _TRY_AGAIN, when=_recovers)
_NOT_ENTERED = Edge(State.CONNECTED, (Report, Reject), changes=_end_login)

_LOGIN_FAILED = (
    Edge(State.LOGIN_DELAYED, when=_is_new),
    _NOT_RENEWED,
    Edge(State.DISCONNECTED, (Report, AbortSocket, ForgetSession, GiveUp, DropCalls), when=_is_refused),
    _NOT_RECOVERED,
    Edge(State.RETRYING, _TRY_AGAIN, when=_is_tried_again),
    _NOT_ENTERED,
)
_NO_REGISTRATION = tuple(
    edge.but(actions=(ForgetInstance, *edge.actions)) for edge in (_NOT_RENEWED, _NOT_RECOVERED, _NOT_ENTERED)
)
_REGISTRATION_FAILED = (
    *_NO_REGISTRATION[:2],
    Edge(State.RETRYING, (ForgetInstance, *_TRY_AGAIN), when=_is_tried_again),
    *_NO_REGISTRATION[2:],
)
_RENEWED = Edge(State.READY, (Establish, Resolve), when=_renews, changes=_stand)
_REGISTERED = Edge(State.READY, (Establish, RestoreCalls, Resolve), changes=_stand)
_ASK = Edge(State.QUERYING, (QueryGateway,), changes=_count_poll)
_ASK_AGAIN = _ASK.but(when=_asks_again)

TABLE: dict[tuple[State, type[Event]], tuple[Edge, ...]] = {
    (State.DISCONNECTED, Connect): (Edge(State.CONNECTING, (OpenSocket,), changes=_begin),),
    (State.DISCONNECTED, Leave): (Edge(State.LEAVING),),
    #
    (State.CONNECTING, Opened): (
        Edge(State.LOGGING_IN, (SendLogin,), when=_wants_login, changes=_expect),
        Edge(State.CONNECTED, (Resolve,)),
    ),
    (State.CONNECTING, OpenFailed): (
        Edge(State.CONNECTING, (OpenSocket,), when=_has_fallback, changes=_fall_back),
        Edge(State.RETRYING, when=_recovers),
        Edge(State.DISCONNECTED, (Report, Reject)),
    ),
    (State.CONNECTING, Leave): (Edge(State.LEAVING, (AbortSocket, Reject)),),
    #
    (State.CONNECTED, Login): (Edge(State.LOGGING_IN, (SendLogin,), changes=_begin_login),),
    (State.CONNECTED, Lost): (_LOST,),
    (State.CONNECTED, Punted): _PUNTED,
    (State.CONNECTED, Leave): (Edge(State.LEAVING),),
    #
    (State.LOGGING_IN, ServerReady): (Edge(State.LOGGING_IN, changes=_note_ready),),
    (State.LOGGING_IN, RegistrationPending): (Edge(State.LOGGING_IN, changes=_note_ready),),
    (State.LOGGING_IN, Registered): (Edge(State.LOGGING_IN, changes=_note_registered),),
    (State.LOGGING_IN, LoginAccepted): (
        _RENEWED.but(when=_was_renewed),
        _REGISTERED.but(when=_was_registered),
        _ASK.but(when=_was_ready),
        Edge(State.AUTHENTICATED),
    ),
    (State.LOGGING_IN, LoginFailed): _LOGIN_FAILED,
    #
    (State.LOGIN_DELAYED, TimeUp): (Edge(State.LOGGING_IN, (SendLogin,), changes=_expect),),
    #
    (State.AUTHENTICATED, ServerReady): (_ASK,),
    (State.AUTHENTICATED, RegistrationPending): (_ASK,),
    (State.AUTHENTICATED, TimeUp): _NO_REGISTRATION,
    #
    (State.QUERYING, RegistrationPending): (Edge(State.POLLING),),
    (State.QUERYING, QueryTimedOut): (_ASK_AGAIN, *_NO_REGISTRATION),
    (State.QUERYING, QueryFailed): (_NOT_RENEWED, _NOT_RECOVERED, _NOT_ENTERED),
    #
    (State.POLLING, TimeUp): (_ASK_AGAIN, *_NO_REGISTRATION),
    #
    **{
        (state, event): edges
        for state in (State.AUTHENTICATED, State.QUERYING, State.POLLING)
        for event, edges in {
            Registered: (_RENEWED, _REGISTERED),
            RegistrationFailed: _REGISTRATION_FAILED,
            RegistrationExpired: _NO_REGISTRATION,
        }.items()
    },
    **{
        (state, event): edges
        for state in _LOGINS
        for event, edges in {
            LoginCancelled: (
                Edge(State.READY, (CancelLogin,), when=_renews, changes=_end_login),
                Edge(State.CONNECTED, (CancelLogin,), changes=_end_login),
            ),
            Lost: (_LOST_FOR_NOW, _LOST),
            Punted: _PUNTED,
            Leave: (Edge(State.LEAVING, (CancelLogin, Reject)),),
        }.items()
    },
    #
    (State.READY, Login): (Edge(State.LOGGING_IN, (SendLogin,), changes=_begin_login),),
    (State.READY, Lost): (_LOST_FOR_NOW, _LOST),
    (State.READY, LoginRequired): (_LOST_FOR_NOW, Edge(State.READY, (Report,))),
    (State.READY, RegistrationFailed): (
        _LOST_FOR_NOW.but(when=_recovers_calls),  # only the instance that has the calls can reattach them
        _LOST_FOR_NOW.but(actions=(ForgetInstance, *_LOST_FOR_NOW.actions)),
        Edge(State.READY, (ForgetInstance, Report)),
    ),
    (State.READY, Punted): _PUNTED,
    (State.READY, Leave): (Edge(State.LEAVING),),
    (State.READY, StandDown): (Edge(State.READY, changes=_stand_down),),
    #
    (State.RETRYING, TimeUp): (Edge(State.CONNECTING, (OpenSocket,), changes=_count_attempt),),
    (State.RETRYING, NetworkChanged): (Edge(State.CONNECTING, (OpenSocket,), changes=_count_attempt),),
    (State.RETRYING, Leave): (Edge(State.LEAVING, (Reject,)),),
    #
    (State.LEAVING, Lost): (Edge(State.DISCONNECTED, (*_LOSE, ForgetSession, DropCalls, AnnounceLoss)),),
    (State.LEAVING, Punted): _PUNTED,
    (State.LEAVING, Close): (Edge(State.DISCONNECTED, (ForgetSession, CloseSocket)),),
}
"""All edges, by state and event."""


def edge_of(machine: Machine, event: Event) -> Edge | None:
    """The edge that an event takes; `None` if it changes nothing."""
    return taken(TABLE.get((machine.state, type(event)), ()), machine, event)


def step(machine: Machine, event: Event, now: float) -> tuple[Machine, tuple[Action, ...]]:
    """Take an event.

    Args:
        machine: The connection.
        event: The event.
        now: Seconds on the driver's clock.

    Returns:
        The connection afterwards, and the actions, in order.
    """
    edge = edge_of(machine, event)
    if edge is None:
        return machine, ()
    time = _time_in(edge.target, machine, event)
    changes = edge.changes(machine, event) if edge.changes else {}
    changes |= {"state": edge.target, "deadline": None if time is None else now + time}
    after = replace(machine, **changes)
    return after, tuple(_action(kind, machine, event, after) for kind in edge.actions)


def _action(kind: type[Action], before: Machine, event: Event, after: Machine) -> Action:
    if issubclass(kind, OpenSocket):
        hurries = after.recovers and event.calls and after.attempts % UNLIMITED
        return kind(after.second, CONNECT_LIMIT_IN_CALL if hurries else None)
    if issubclass(kind, SuspendCalls | DropCalls):
        return kind(reason_of(event))
    if not issubclass(kind, ErrorAction | Warn):
        return kind()
    error = error_of(before.state, event)
    if issubclass(kind, Warn):
        return kind(warning_of(after.state, error))
    if kind is Reject and isinstance(event, Lost | Punted | Leave):
        error = interrupted(before.state, error)
    return kind(exhausted(error) if kind is GiveUp else error)


def _time_in(state: State, machine: Machine, event: Event) -> float | None:
    """Seconds that the connection may stay in `state`."""
    match state:
        case State.LOGIN_DELAYED:
            return NEW_CREDENTIAL_DELAY
        case State.AUTHENTICATED:
            return machine.rules.login
        case State.POLLING:
            return machine.rules.poll
        case State.RETRYING:
            return retry_delay(machine, calls=event.calls) if machine.recovers else machine.rules.poll
    return None


def retry_delay(machine: Machine, *, calls: bool) -> float:
    """Seconds until the next retry, by the number of retries so far."""
    longest = LONGEST_DELAY_IN_CALL if calls else LONGEST_DELAY
    delay = min(FIRST_DELAY * 2.0 ** min(machine.attempts, 16), longest)
    spread = Random(f"{machine.rules.seed}/{machine.attempts}").uniform(-SPREAD, SPREAD)  # noqa: S311 - not secret
    return delay * (1 + spread)
