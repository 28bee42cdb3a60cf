"""The connection machine, without a socket or a clock: what it does step by step, and what it never does."""

from __future__ import annotations

from dataclasses import replace
from inspect import get_annotations
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telnyx_native.errors import (
    AuthenticationError,
    GatewayRegistrationError,
    NetworkChangedError,
    RequestError,
    ServerUnavailableError,
    SocketConnectionError,
)
from telnyx_native.signaling import machine_terms
from telnyx_native.signaling.machine import (
    CONNECT_LIMIT_IN_CALL,
    FIRST_DELAY,
    LONGEST_DELAY,
    LONGEST_DELAY_IN_CALL,
    NEW_CREDENTIAL_DELAY,
    SPREAD,
    TABLE,
    Edge,
    Machine,
    Rules,
    edge_of,
    retry_delay,
    step,
)
from telnyx_native.signaling.machine_terms import (
    AbortSocket,
    Action,
    CancelLogin,
    Close,
    CloseSocket,
    Connect,
    DropCalls,
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
    gateway_event,
)
from telnyx_native.states import CallNetworkChangeReason, ConnectionStatus, GatewayState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RULES = Rules(login=10, poll=3, polls=3, registrations=2)
CONNECT = Connect(login=True, reconnects=True)
FAILED = RegistrationFailed(GatewayState.FAILED)
EXPIRED = RegistrationExpired(GatewayState.NOREG)
LOST = Lost(SocketConnectionError("lost"))
REFUSED = LoginFailed(AuthenticationError("no"))
REGISTERED = (CONNECT, Opened(), LoginAccepted(), ServerReady(), Registered())
LOST_AND_OPEN = (*REGISTERED, LOST, TimeUp(), Opened())


def after(*events: Event, rules: Rules = RULES) -> tuple[Machine, list[Action]]:
    """The connection after `events`, and what the last of them asked for."""
    machine, actions = Machine(rules), ()
    for event in events:
        assert edge_of(machine, event), f"{event} changes nothing in {machine.state}"
        machine, actions = step(machine, event, 0.0)
    return machine, list(actions)


def state(*events: Event, rules: Rules = RULES) -> State:
    return after(*events, rules=rules)[0].state


def kinds(actions: Iterable[Action]) -> list[type[Action]]:
    return [type(action) for action in actions]


def error_in(actions: Iterable[Action], kind: type[Action] = Reject) -> Exception:
    return next(action.error for action in actions if isinstance(action, kind))  # type: ignore[attr-defined]


def warning_in(actions: Iterable[Action]) -> str:
    return next(action.warning.name for action in actions if isinstance(action, Warn))


class TestConnecting:
    def test_all_the_way(self) -> None:
        assert after(CONNECT)[1] == [OpenSocket(second=False, limit=None)]
        assert kinds(after(*REGISTERED[:2])[1]) == [SendLogin]
        assert kinds(after(*REGISTERED[:4])[1]) == [QueryGateway]
        machine, actions = after(*REGISTERED)
        assert machine.status is ConnectionStatus.CLIENT_READY
        assert kinds(actions) == [Establish, RestoreCalls, Resolve]

    def test_without_a_login(self) -> None:
        machine, actions = after(Connect(), Opened())
        assert (machine.state, kinds(actions)) == (State.CONNECTED, [Resolve])
        assert state(Connect(), Opened(), Login(), LoginAccepted(), ServerReady(), Registered()) is State.READY

    def test_region_and_then_the_fallback(self) -> None:
        unreachable = OpenFailed(SocketConnectionError("no"), fallback=True)
        assert after(CONNECT, unreachable)[1] == [OpenSocket(second=True, limit=None)]
        machine, actions = after(CONNECT, unreachable, unreachable)
        assert (machine.state, kinds(actions)) == (State.DISCONNECTED, [Report, Reject])
        assert after(*REGISTERED, LOST, TimeUp(), unreachable)[1] == [OpenSocket(second=True, limit=None)]

    def test_pings_are_answered_once_the_server_has_taken_the_login(self) -> None:
        answering = [after(*REGISTERED[: n + 1])[0].answers_pings for n in range(5)]
        assert answering == [False, False, True, True, True]
        assert after(*REGISTERED, Login())[0].answers_pings

    @pytest.mark.parametrize("enters", [True, False])
    def test_refused_login(self, enters: bool) -> None:
        before = (CONNECT, Opened()) if enters else (Connect(), Opened(), Login())
        machine, actions = after(*before, REFUSED)
        assert (machine.state, kinds(actions)) == (State.CONNECTED, [Report, Reject])

    def test_credential_that_the_server_does_not_know_yet(self) -> None:
        new = replace(REFUSED, new_credential=True)
        machine, _ = after(CONNECT, Opened(), new)
        assert (machine.state, machine.deadline) == (State.LOGIN_DELAYED, NEW_CREDENTIAL_DELAY)
        assert kinds(after(CONNECT, Opened(), new, TimeUp())[1]) == [SendLogin]
        assert state(CONNECT, Opened(), LoginFailed(RequestError("busy"), new_credential=True)) is State.CONNECTED

    def test_cancelled_login_leaves_the_connection_as_it_was(self) -> None:
        machine, actions = after(Connect(), Opened(), Login(), LoginCancelled())
        assert (machine.state, kinds(actions)) == (State.CONNECTED, [CancelLogin])
        assert state(*REGISTERED, Login(), LoginCancelled()) is State.READY


class TestRegistering:
    AUTHENTICATED = (CONNECT, Opened(), LoginAccepted())
    QUERYING = (*AUTHENTICATED, ServerReady())

    @pytest.mark.parametrize("polls", [1, 2, 3])
    @pytest.mark.parametrize("answer", [(RegistrationPending(), TimeUp()), (QueryTimedOut(),)])
    def test_polls_until_registered(self, answer: tuple[Event, ...], polls: int) -> None:
        assert state(*self.QUERYING, *answer * (polls - 1), Registered()) is State.READY

    @pytest.mark.parametrize("answer", [(RegistrationPending(), TimeUp()), (QueryTimedOut(),)])
    def test_gives_up_after_its_polls(self, answer: tuple[Event, ...]) -> None:
        machine, actions = after(*self.QUERYING, *answer * 3)
        assert (machine.state, machine.polls) == (State.CONNECTED, 3)
        error = error_in(actions)
        assert isinstance(error, GatewayRegistrationError)
        assert (error.code, "timed out" in str(error)) == (-32003, True)

    @pytest.mark.parametrize("gateway", list(GatewayState))
    def test_states_of_the_gateway(self, gateway: GatewayState) -> None:
        over = {"NOREG": -32003, "EXPIRED": -32003} | dict.fromkeys(("FAILED", "FAIL_WAIT", "DOWN", "TIMEOUT"), -32004)
        machine, actions = after(*self.QUERYING, gateway_event(gateway), rules=replace(RULES, registrations=0))
        if code := over.get(gateway.value):
            error = error_in(actions)
            assert isinstance(error, GatewayRegistrationError)
            assert (error.code, gateway.value in str(error)) == (code, True)
            assert ForgetInstance in kinds(actions)
        else:
            assert machine.state is (State.READY if gateway is GatewayState.REGED else State.POLLING)

    def test_pushed_state_needs_no_poll(self) -> None:
        assert state(*self.AUTHENTICATED, Registered()) is State.READY
        assert state(*self.AUTHENTICATED, RegistrationPending()) is State.QUERYING

    def test_messages_that_overtake_the_answer_to_the_login(self) -> None:
        sent = (CONNECT, Opened())
        assert state(*sent, Registered(), LoginAccepted()) is State.READY
        assert state(*sent, ServerReady(), LoginAccepted()) is State.QUERYING
        assert state(*sent, RegistrationPending(), LoginAccepted()) is State.QUERYING
        assert kinds(after(*REGISTERED, Login(), Registered(), LoginAccepted())[1]) == [Establish, Resolve]

    def test_state_pushed_between_polls_counts(self) -> None:
        assert state(*self.QUERYING, RegistrationPending(), Registered()) is State.READY
        assert state(*self.QUERYING, RegistrationPending(), FAILED) is State.RETRYING

    def test_server_that_is_never_ready(self) -> None:
        machine, actions = after(*self.AUTHENTICATED, TimeUp())
        assert machine.state is State.CONNECTED
        assert "never said" in str(error_in(actions))

    def test_query_that_is_refused(self) -> None:
        error = RequestError("no")
        assert error_in(after(*self.QUERYING, QueryFailed(error))[1]) is error

    @pytest.mark.parametrize("failure", [(LoginFailed(ServerUnavailableError("busy")),), (LoginAccepted(), FAILED)])
    def test_failure_that_may_pass_is_tried_on_other_connections(self, failure: tuple[Event, ...]) -> None:
        once = (Opened(), *failure, TimeUp())
        machine, actions = after(CONNECT, Opened(), *failure)
        assert (machine.state, machine.deadline, machine.status) == (State.RETRYING, 3, ConnectionStatus.RECONNECTING)
        assert kinds(actions)[-3:] == [Report, AbortSocket, SuspendCalls]
        assert state(CONNECT, *once, *once, Opened(), *failure) is State.CONNECTED
        assert state(replace(CONNECT, reconnects=False), Opened(), *failure) is State.CONNECTED
        assert state(CONNECT, *once, OpenFailed(SocketConnectionError("no"))) is State.DISCONNECTED

    @pytest.mark.parametrize(
        ("events", "step_name"),
        [
            ((CONNECT, Opened()), "login"),
            (AUTHENTICATED, "registration"),
            (QUERYING, "telnyx_rtc.gatewayState"),
            ((*QUERYING, RegistrationPending()), "registration"),
        ],
    )
    def test_lost_connection_names_the_step(self, events: tuple[Event, ...], step_name: str) -> None:
        machine, actions = after(*events, LOST)
        assert (machine.state, str(error_in(actions))) == (State.DISCONNECTED, f"lost, during {step_name}")
        assert error_in(actions, Report) is LOST.error


class TestRecovering:
    def test_lost_connection_is_made_again(self) -> None:
        machine, actions = after(*REGISTERED, LOST)
        assert machine.state is State.RETRYING
        assert machine.deadline == pytest.approx(FIRST_DELAY, rel=SPREAD)
        assert SuspendCalls(CallNetworkChangeReason.NETWORK_LOST) in actions
        assert warning_in(actions) == "SIGNALING_RECOVERY_REQUIRED"
        assert after(*REGISTERED, LOST, TimeUp())[1] == [OpenSocket(second=False, limit=None)]
        assert RestoreCalls in kinds(after(*REGISTERED, LOST, *((TimeUp(), *REGISTERED[1:])))[1])

    def test_not_if_the_login_does_not_want_it(self) -> None:
        machine, actions = after(replace(CONNECT, reconnects=False), *REGISTERED[1:], LOST)
        assert machine.state is State.DISCONNECTED
        assert DropCalls in kinds(actions)
        assert warning_in(actions) == "RECONNECTION_FAILED_WITH_NO_AUTO_RECONNECT"

    def test_network_that_changed_is_the_moment_to_try(self) -> None:
        assert state(*REGISTERED, LOST, NetworkChanged()) is State.CONNECTING
        reason = after(*REGISTERED, Lost(NetworkChangedError("other")))[1]
        assert SuspendCalls(CallNetworkChangeReason.NETWORK_SWITCH) in reason

    @pytest.mark.parametrize(
        "failure",
        [
            (LOST,),
            (LoginFailed(ServerUnavailableError("busy")),),
            (LoginFailed(RuntimeError("a bug")),),
            (LoginAccepted(), FAILED),
            (LoginAccepted(), EXPIRED),
            (LoginAccepted(), TimeUp()),
            (LoginAccepted(), ServerReady(), QueryFailed(RequestError("no"))),
        ],
    )
    def test_attempts_go_on_whatever_fails(self, failure: tuple[Event, ...]) -> None:
        assert state(*LOST_AND_OPEN, *failure) is State.RETRYING
        assert state(*REGISTERED, LOST, TimeUp(), OpenFailed(RuntimeError("a bug"))) is State.RETRYING

    def test_refused_login_ends_the_attempts(self) -> None:
        machine, actions = after(*LOST_AND_OPEN, REFUSED)
        assert machine.state is State.DISCONNECTED
        assert kinds(actions) == [Report, AbortSocket, ForgetSession, GiveUp, DropCalls]

    def test_renewal_that_fails_leaves_the_login_that_stands(self) -> None:
        for failure in ((REFUSED,), (LoginAccepted(), FAILED), (LoginAccepted(), TimeUp())):
            machine, _ = after(*REGISTERED, Login(reconnects=False), *failure)
            assert (machine.state, machine.recovers) == (State.READY, True)
        assert state(*REGISTERED, Login(reconnects=False), LOST) is State.RETRYING

    def test_registration_that_is_lost_is_sought_at_another_instance_unless_there_are_calls(self) -> None:
        assert ForgetInstance in kinds(after(*REGISTERED, FAILED)[1])
        machine, actions = after(*REGISTERED, replace(FAILED, calls=True))
        assert (machine.state, ForgetInstance in kinds(actions)) == (State.RETRYING, False)

    @pytest.mark.parametrize("event", [FAILED, LoginRequired()])
    def test_login_that_is_lost_is_only_reported_if_it_shall_not_be_made_again(self, event: Event) -> None:
        assert state(*REGISTERED, event) is State.RETRYING
        machine, actions = after(replace(CONNECT, reconnects=False), *REGISTERED[1:], event)
        assert (machine.state, kinds(actions)[-1]) == (State.READY, Report)

    def test_punt_is_final(self) -> None:
        machine, actions = after(*REGISTERED, Punted())
        assert machine.state is State.DISCONNECTED
        assert {ForgetSession, DropCalls} < set(kinds(actions))


class TestDelays:
    def delays(self, *, calls: bool, seed: int = 0) -> list[float]:
        machine = Machine(replace(RULES, seed=seed))
        return [retry_delay(replace(machine, attempts=attempt), calls=calls) for attempt in range(50)]

    def test_delays_double_up_to_the_longest(self) -> None:
        for attempt, delay in enumerate(self.delays(calls=False)):
            assert delay == pytest.approx(min(FIRST_DELAY * 2**attempt, LONGEST_DELAY), rel=SPREAD)

    def test_calls_do_not_wait_long(self) -> None:
        assert max(self.delays(calls=True)) <= LONGEST_DELAY_IN_CALL * (1 + SPREAD)

    def test_clients_that_lost_a_server_together_come_back_one_by_one(self) -> None:
        assert len({self.delays(calls=True, seed=seed)[0] for seed in range(50)}) > 40

    def test_attempts_make_way_while_calls_wait_but_not_all_of_them(self) -> None:
        def limits(calls: bool) -> Iterator[float | None]:
            machine, _ = after(*REGISTERED, LOST)
            for _ in range(6):
                machine, (opening,) = step(machine, TimeUp(calls=calls), 0.0)
                assert isinstance(opening, OpenSocket)
                yield opening.limit
                machine, _ = step(machine, OpenFailed(SocketConnectionError("no")), 0.0)

        assert list(limits(True)) == [CONNECT_LIMIT_IN_CALL, CONNECT_LIMIT_IN_CALL, None] * 2
        assert list(limits(False)) == [None] * 6


class TestLeaving:
    @pytest.mark.parametrize("events", [(CONNECT,), (*REGISTERED, LOST)])
    def test_attempt_is_given_up(self, events: tuple[Event, ...]) -> None:
        machine, actions = after(*events, Leave())
        assert machine.state is State.LEAVING
        assert "given up" in str(error_in(actions))

    def test_login_is_given_up(self) -> None:
        actions = after(CONNECT, Opened(), LoginAccepted(), Leave())[1]
        assert str(error_in(actions)) == "the connection was closed here, during registration"

    def test_connection_is_closed_and_can_be_made_again(self) -> None:
        assert kinds(after(*REGISTERED, Leave(), Close())[1]) == [ForgetSession, CloseSocket]
        assert state(*REGISTERED, Leave(), LOST, CONNECT) is State.CONNECTING
        assert state(Leave(), Close(), CONNECT) is State.CONNECTING


def test_lost_connection_is_not_made_again_after_standing_down() -> None:
    assert state(*REGISTERED, LOST) is State.RETRYING
    assert state(*REGISTERED, StandDown(), LOST) is State.DISCONNECTED


EVENTS: list[Event] = [
    Connect(),
    Connect(login=True),
    CONNECT,
    Login(),
    Login(reconnects=True),
    *(OpenFailed(SocketConnectionError("no"), fallback=fallback) for fallback in (False, True)),
    *(LoginFailed(AuthenticationError("no"), new_credential=new) for new in (False, True)),
    LoginFailed(ServerUnavailableError("busy")),
    FAILED,
    EXPIRED,
    QueryFailed(RequestError("no")),
    LOST,
    *(kind() for kind in Event.__subclasses__() if not get_annotations(kind)),
]
EVENTS += [replace(event, calls=True) for event in EVENTS]
MATTERING = {state: [event for event in EVENTS if (state, type(event)) in TABLE] for state in State}
"""What changes something in a state."""


LIMITED = (State.LOGIN_DELAYED, State.AUTHENTICATED, State.POLLING, State.RETRYING)


def check(before: Machine, event: Event, now: float, machine: Machine, actions: tuple[Action, ...]) -> None:
    """What holds for every edge that is taken."""
    done = {type(action) for action in actions}
    assert len(done) == len(actions)
    # A client that is not connected is connected by nothing but `Connect`, and one that leaves by nothing.
    if before.state is State.DISCONNECTED:
        assert machine.state is State.DISCONNECTED or isinstance(event, Connect | Leave)
    if before.state is State.LEAVING:
        assert machine.state in (State.LEAVING, State.DISCONNECTED)
    if machine.state in (State.DISCONNECTED, State.LEAVING):
        assert not done & {OpenSocket, SendLogin, QueryGateway, Establish, Resolve}
    # After a punt, there is no attempt.
    if isinstance(event, Punted):
        assert machine.state is State.DISCONNECTED
    # One attempt at a time: there is a socket to be opened only while there is none.
    assert (OpenSocket in done) == (machine.state is State.CONNECTING)
    assert len(done & {OpenSocket, SendLogin, QueryGateway, CloseSocket}) <= 1
    if machine.state is State.RETRYING and before.state is not State.CONNECTING:
        assert AbortSocket in done
    # There is a deadline in those states that must not last, and it is bounded.
    assert (machine.deadline is not None) == (machine.state in LIMITED)
    if machine.state is State.RETRYING:
        longest = (LONGEST_DELAY_IN_CALL if event.calls else LONGEST_DELAY) * (1 + SPREAD)
        assert machine.deadline is not None
        assert 0 < machine.deadline - now <= (longest if machine.recovers else RULES.poll) + 1e-6
    # Whoever waits is told once; calls are either dropped or kept.
    assert len(done & {Resolve, Reject}) <= 1
    assert len(done & {SuspendCalls, DropCalls, RestoreCalls}) <= 1
    assert DropCalls not in done or machine.state is State.DISCONNECTED
    assert machine.polls <= RULES.polls
    assert machine.recovers or machine.attempts <= RULES.registrations


Step = tuple[Machine, Event, float, Machine, tuple[Action, ...]]
"""Before, event, time, after, actions."""


def sequence(dice: Random, length: int, machine: Machine) -> Iterator[Step]:
    """The steps of a random sequence of events."""
    now = machine.deadline or 0.0
    for _ in range(length):
        before, event = machine, dice.choice(MATTERING[machine.state])
        now = max(now, machine.deadline or 0.0) if isinstance(event, TimeUp) else now + 0.1
        machine, actions = step(before, event, now)
        yield before, event, now, machine, actions


@given(st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_no_sequence_of_events_breaks_a_rule(seed: int) -> None:
    """A thousand sequences an example, most of them from where the one before has led."""
    dice, machine = Random(seed), Machine(RULES)
    for _ in range(1_000):
        start = machine if dice.random() < 0.8 else Machine(RULES)
        for taken in sequence(dice, dice.randint(1, 3), start):
            check(*taken)
            machine = taken[3]


def test_no_edge_is_dead() -> None:
    """Whatever can be reached, by every event: all edges are taken, each at its place in the table."""
    start = Machine(replace(RULES, polls=2, registrations=1))
    taken, known, left = set[tuple[State, type[Event], Edge]](), {start}, [start]
    while left:
        before = left.pop()
        for event in MATTERING[before.state]:
            edge = edge_of(before, event)
            if edge is not None:
                taken.add((before.state, type(event), edge))
                machine, actions = step(before, event, 0.0)
                check(before, event, 0.0, machine, actions)
                machine = replace(machine, deadline=None, attempts=min(machine.attempts, 2))
                if machine not in known:
                    known.add(machine)
                    left.append(machine)
    everything = {(*origin, edge) for origin, alternatives in TABLE.items() for edge in alternatives}
    dead = {f"{origin.name}, {event.__name__}: {edge.target.name}" for origin, event, edge in everything - taken}
    assert not dead


def test_what_has_no_edge_changes_nothing() -> None:
    for state_ in State:
        machine = Machine(RULES, state_)
        for event in (event for event in EVENTS if (state_, type(event)) not in TABLE):
            assert step(machine, event, 1.0) == (machine, ())


def test_every_state_event_and_action_is_in_the_table() -> None:
    edges = [edge for alternatives in TABLE.values() for edge in alternatives]
    assert {edge.target for edge in edges} == set(State)
    assert {event for _, event in TABLE} == {type(event) for event in EVENTS}
    actions = {kind for kind in vars(machine_terms).values() if isinstance(kind, type) and issubclass(kind, Action)}
    assert {kind for edge in edges for kind in edge.actions} == actions - {Action, machine_terms.ErrorAction}
