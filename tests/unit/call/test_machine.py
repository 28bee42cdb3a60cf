"""The call machine, without a server or a clock: what it does step by step, and what it never does."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telnyx_native.call import machine_terms
from telnyx_native.call.machine import TABLE, Edge, Machine, Rules, call_state, cause_of, edge_of, step
from telnyx_native.call.machine_terms import (
    Accept,
    Action,
    Alerting,
    Announce,
    Answered,
    AnswerSent,
    Attach,
    Bye,
    Connected,
    ConnectionGone,
    ConnectionLost,
    Described,
    Detached,
    Dial,
    End,
    Event,
    Failed,
    GiveUpMove,
    HangUp,
    Held,
    Move,
    Moved,
    MoveFailed,
    OfferMade,
    Rang,
    Renegotiate,
    Renegotiated,
    Restored,
    Resumed,
    State,
    TakeAnswer,
    TakeProvisionalAnswer,
    TimeUp,
    TransferOver,
    Transferring,
    WarnOfMove,
)
from telnyx_native.errors import MediaError, RequestError, RequestTimeoutError, SdpError, SocketConnectionError
from telnyx_native.states import (
    CallDirection,
    CallNetworkChangeReason,
    CallState,
    CallTerminationReason,
    HangupCause,
)

RULES = Rules(description=2.0, reconnect=30.0)
LOST = CallNetworkChangeReason.NETWORK_LOST
NORMAL = CallTerminationReason.of(HangupCause.NORMAL_CLEARING)
BROKEN = MediaError("no path")

PLACED = [Dial(), OfferMade()]
RINGS = [Rang()]
ACTIVE = [*PLACED, Answered("sdp"), Connected()]
HELD = [*ACTIVE, Held()]
TRANSFERRING = [*ACTIVE, Transferring()]
LOSING = [*ACTIVE, ConnectionLost(LOST)]

EVENTS: list[Event] = [
    *(Dial(), OfferMade(), Alerting(), Described("one"), Described("two"), Connected(), Accept(), AnswerSent()),
    *(Answered(), Answered("sdp"), Answered("sdp", stands=True), Rang(), Rang(SdpError("odd"))),
    *(Held(), Resumed(), Renegotiate(), Renegotiated(), ConnectionLost(LOST), ConnectionGone(LOST)),
    *(
        Restored(),
        Restored(held=True),
        Detached(),
        Attach("one"),
        Attach("two"),
        Moved(),
        Transferring(),
        TransferOver(),
        TimeUp(),
        HangUp(),
        HangUp(HangupCause.USER_BUSY),
        Bye(NORMAL),
    ),
    *(MoveFailed(BROKEN, stands=True), MoveFailed(BROKEN, stands=False)),
    *(MoveFailed(SocketConnectionError("gone"), stands=True), Failed(BROKEN), Failed(ZeroDivisionError())),
]


def after(events: list[Event], direction: CallDirection = CallDirection.OUTBOUND) -> tuple[Machine, tuple[Action, ...]]:
    """A call to which this has happened, and what it wanted last; all at second 100."""
    machine, actions = Machine(RULES, direction), ()
    for event in events:
        machine, actions = step(machine, event, 100.0)
    return machine, actions


@pytest.mark.parametrize(
    ("events", "state", "actions"),
    [
        (PLACED, State.INVITED, ()),
        ([*PLACED, Alerting()], State.ALERTING, ()),
        ([*PLACED, Described("early")], State.INVITED, (TakeProvisionalAnswer("early"),)),
        ([*PLACED, Described("early"), Described("later")], State.INVITED, ()),
        ([*PLACED, Described("early"), Answered()], State.CONNECTING, (TakeAnswer("early"),)),
        ([*PLACED, Described("early"), Described("later"), Answered()], State.CONNECTING, (TakeAnswer("later"),)),
        ([*PLACED, Described("early"), Answered("final")], State.CONNECTING, (TakeAnswer("final"),)),
        ([*PLACED, Described("early"), Answered("final", stands=True)], State.CONNECTING, (TakeAnswer("early"),)),
        ([*PLACED, Answered("final")], State.CONNECTING, (TakeAnswer("final"),)),
        ([*PLACED, Answered()], State.UNDESCRIBED, ()),
        ([*PLACED, Answered(), Described("late")], State.CONNECTING, (TakeAnswer("late"),)),
        ([*PLACED, Answered("sdp"), Connected()], State.ACTIVE, ()),
        ([*RINGS, Accept()], State.ANSWERING, ()),
        ([*RINGS, Accept(), AnswerSent(), Connected()], State.ACTIVE, ()),
        (HELD, State.HELD, ()),
        ([*HELD, Resumed()], State.ACTIVE, ()),
        ([*ACTIVE, Renegotiate(), Renegotiated()], State.ACTIVE, ()),
        ([*HELD, Renegotiate(), Renegotiated()], State.HELD, ()),
        (TRANSFERRING, State.TRANSFERRING, ()),
        ([*TRANSFERRING, TransferOver()], State.ACTIVE, ()),
        ([*HELD, Transferring(), TransferOver()], State.HELD, ()),
        ([*TRANSFERRING, Held()], State.TRANSFERRING, ()),
        ([*TRANSFERRING, Held(), TransferOver()], State.HELD, ()),
        ([*HELD, Transferring(), Resumed(), TransferOver()], State.ACTIVE, ()),
        ([*TRANSFERRING, Renegotiate(), Renegotiated()], State.TRANSFERRING, ()),
        ([*TRANSFERRING, Renegotiate(), TransferOver(), Renegotiated()], State.ACTIVE, ()),
        ([*TRANSFERRING, ConnectionLost(LOST), Attach("new"), Moved()], State.TRANSFERRING, ()),
        ([*TRANSFERRING, ConnectionLost(LOST), TransferOver(), Attach("new"), Moved()], State.ACTIVE, ()),
        (
            [*TRANSFERRING, ConnectionLost(LOST), MoveFailed(BROKEN, stands=True)],
            State.TRANSFERRING,
            (WarnOfMove(BROKEN),),
        ),
        (LOSING, State.RECONNECTING, (GiveUpMove(),)),
        ([*LOSING, Attach("new")], State.RECONNECTING, (Move("new"),)),
        ([*LOSING, Attach("new"), Attach("new")], State.RECONNECTING, ()),
        ([*LOSING, Attach("new"), ConnectionLost(LOST), Attach("new")], State.RECONNECTING, (Move("new"),)),
        ([*LOSING, Attach("new"), Moved()], State.ACTIVE, ()),
        ([*HELD, ConnectionLost(LOST), Attach("new"), Moved()], State.HELD, ()),
        ([*ACTIVE, Attach("new")], State.ACTIVE, (Move("new"),)),
        ([Restored(), Attach("new")], State.RECONNECTING, (Move("new"),)),
        ([Restored(), Attach("new"), Moved()], State.ACTIVE, ()),
        ([Restored(held=True), Attach("new"), Moved()], State.HELD, ()),
        ([*LOSING, MoveFailed(BROKEN, stands=True)], State.ACTIVE, (WarnOfMove(BROKEN),)),
        ([*LOSING, MoveFailed(RequestTimeoutError("late"), stands=True)], State.RECONNECTING, ()),
        ([*LOSING, MoveFailed(SocketConnectionError("gone"), stands=False)], State.RECONNECTING, ()),
    ],
)
def test_what_a_call_does(events: list[Event], state: State, actions: tuple[Action, ...]) -> None:
    machine, wanted = after(events)
    assert machine.state is state
    assert [vars(action) for action in wanted] == [vars(action) for action in actions]
    assert [type(action) for action in wanted] == [type(action) for action in actions]


@pytest.mark.parametrize(
    ("events", "direction", "cause", "tell", "announced"),
    [
        ([HangUp()], CallDirection.OUTBOUND, "NORMAL_CLEARING", False, None),
        ([*PLACED, HangUp()], CallDirection.OUTBOUND, "NORMAL_CLEARING", True, None),
        ([*RINGS, HangUp()], CallDirection.INBOUND, "USER_BUSY", True, None),
        ([*RINGS, Accept(), HangUp()], CallDirection.INBOUND, "USER_BUSY", True, None),
        ([*RINGS, Accept(), AnswerSent(), HangUp()], CallDirection.INBOUND, "NORMAL_CLEARING", True, None),
        ([*RINGS, HangUp(HangupCause.CALL_REJECTED)], CallDirection.INBOUND, "CALL_REJECTED", True, None),
        ([Rang(SdpError("odd"))], CallDirection.INBOUND, "INCOMPATIBLE_DESTINATION", True, "ERROR"),
        ([*ACTIVE, Bye(NORMAL)], CallDirection.OUTBOUND, "NORMAL_CLEARING", False, None),
        ([*TRANSFERRING, Bye(NORMAL)], CallDirection.OUTBOUND, "NORMAL_CLEARING", False, None),
        ([*ACTIVE, Detached()], CallDirection.OUTBOUND, "DETACHED", False, None),
        ([Restored(), Detached()], CallDirection.OUTBOUND, "DETACHED", False, None),
        ([Restored(), HangUp()], CallDirection.OUTBOUND, "NORMAL_CLEARING", True, None),
        ([Dial(), Failed(BROKEN)], CallDirection.OUTBOUND, "MEDIA_TIMEOUT", False, "ERROR"),
        ([*ACTIVE, Failed(BROKEN)], CallDirection.OUTBOUND, "MEDIA_TIMEOUT", True, "ERROR"),
        ([*ACTIVE, Failed(ZeroDivisionError())], CallDirection.OUTBOUND, "NORMAL_TEMPORARY_FAILURE", True, "ERROR"),
        ([*PLACED, Answered(), TimeUp()], CallDirection.OUTBOUND, "MANDATORY_IE_MISSING", True, "ERROR"),
        ([*PLACED, ConnectionLost(LOST)], CallDirection.OUTBOUND, "NETWORK_LOST", False, "DROPPED(NETWORK_LOST)"),
        ([*RINGS, ConnectionLost(LOST)], CallDirection.INBOUND, "NETWORK_LOST", False, "DROPPED(NETWORK_LOST)"),
        ([*ACTIVE, ConnectionGone(LOST)], CallDirection.OUTBOUND, "NETWORK_LOST", False, "DROPPED(NETWORK_LOST)"),
        ([*LOSING, TimeUp()], CallDirection.OUTBOUND, "NETWORK_LOST", False, "DROPPED(NETWORK_LOST)"),
        ([*LOSING, MoveFailed(BROKEN, stands=False)], CallDirection.OUTBOUND, "MEDIA_TIMEOUT", True, "ERROR"),
        ([ConnectionGone(LOST)], CallDirection.OUTBOUND, "NETWORK_LOST", False, None),
    ],
)
def test_how_a_call_ends(
    events: list[Event], direction: CallDirection, cause: str, *, tell: bool, announced: str | None
) -> None:
    machine, actions = after(events, direction)
    assert machine.state is State.DONE
    assert isinstance(actions[-1], End)
    assert (actions[-1].reason.cause, actions[-1].tell) == (cause, tell)
    assert [str(action.state) for action in actions if isinstance(action, Announce)] == [announced] * bool(announced)


def test_deadlines() -> None:
    assert after([*PLACED, Answered()])[0].deadline == 102.0
    assert after([*PLACED, Answered(), Described("sdp")])[0].deadline is None
    losing, _ = after(LOSING)
    assert losing.deadline == 130.0
    again, _ = step(losing, ConnectionLost(LOST), 110.0)
    assert again.deadline == 130.0, "another loss buys no time"
    assert after([*LOSING, Attach("new"), Moved()])[0].deadline is None


def machines() -> list[Machine]:
    """A call in each state, in each of the ways that make a difference to the table."""
    return [
        Machine(
            RULES,
            direction,
            state,
            known=True,
            held=held,
            transferring=transferring,
            early=early,
            latest=early,
            offer="one",
        )
        for state in State
        for direction in CallDirection
        for held in (False, True)
        for transferring in (False, True)
        for early in ("", "one")
    ]


def test_every_edge_is_taken() -> None:
    taken: set[tuple[State, type[Event], Edge]] = set()
    for machine in machines():
        for event in EVENTS:
            if edge := edge_of(machine, event):
                taken.add((machine.state, type(event), edge))
    assert taken == {(*key, edge) for key, edges in TABLE.items() for edge in edges}


def test_every_term_is_used() -> None:
    terms = {kind for kind in vars(machine_terms).values() if isinstance(kind, type)}
    events = {event for _, event in TABLE}
    actions = {action for edges in TABLE.values() for edge in edges for action in edge.actions}
    assert {kind for kind in terms if issubclass(kind, Event)} == events | {Event}
    assert {kind for kind in terms if issubclass(kind, Action)} == actions | {Action}


TIME_UP = TimeUp()
EXPECTED = {state: [event for event in EVENTS if (state, type(event)) in TABLE] or EVENTS for state in State}
"""Events that have an edge: with only them by chance, few calls would get far."""


def run(dice: Random, direction: CallDirection) -> None:
    """One life of random events, with what must hold after each."""
    machine, now, ends = Machine(RULES, direction), 0.0, 0
    for _ in range(dice.randrange(1, 12)):
        now += dice.choice((0.0, 0.5, 40.0))
        is_late = machine.deadline is not None and now >= machine.deadline
        event = TIME_UP if is_late else dice.choice(EVENTS if dice.random() < 0.3 else EXPECTED[machine.state])
        before = machine
        machine, actions = step(before, event, now)
        if before.state is State.DONE:
            assert machine is before, "DONE is final"
            assert actions == (), "nothing is done after the end"
            break
        ended = sum(isinstance(action, End) for action in actions)
        ends += ended
        assert ended == (machine.state is State.DONE != before.state), "the end is what leads to DONE"
        assert ended == 0 or isinstance(actions[-1], End), "nothing is done after the end"
        answered = (State.ACTIVE, State.HELD, State.RENEGOTIATING, State.TRANSFERRING)
        if isinstance(event, ConnectionLost) and before.state not in answered:
            assert machine.state in (State.DONE, State.RECONNECTING), "an unanswered call never survives its connection"
            assert machine.state is State.DONE or before.state is State.RECONNECTING
        for action in actions:
            assert not isinstance(action, End) or not action.tell or before.known or isinstance(event, Rang)
            assert not isinstance(action, Move) or machine.state not in (State.INVITED, State.RINGING)
        if machine.deadline is not None:
            assert machine.state in (State.UNDESCRIBED, State.RECONNECTING)
            assert machine.deadline <= now + max(RULES.description, RULES.reconnect)
        assert machine.state is not State.HELD or machine.held
        assert machine.state is not State.ACTIVE or not machine.held
        assert machine.transferring or machine.state is not State.TRANSFERRING
        assert not machine.transferring or machine.state not in (State.ACTIVE, State.HELD)
        assert (machine.reason is not None) == (machine.state is State.DONE)
        assert machine.state is not State.DONE or isinstance(call_state(machine), CallState.DONE)
    assert ends <= 1, "one BYE at most"


@given(st.integers(min_value=0))
@settings(max_examples=200)
def test_whatever_happens(seed: int) -> None:
    dice = Random(seed)  # 200 times 500 lives, which hypothesis alone would draw for minutes
    for _ in range(500):
        run(dice, dice.choice([*CallDirection]))


def test_an_event_without_an_edge_changes_nothing() -> None:
    machine = replace(after(ACTIVE)[0], offer="one")
    for event in (Dial(), Alerting(), Rang(), Attach("one"), TimeUp(), Resumed()):
        assert step(machine, event, 0.0) == (machine, ())


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (SdpError("no audio"), HangupCause.INCOMPATIBLE_DESTINATION),
        (MediaError("no path"), HangupCause.MEDIA_TIMEOUT),
        (RequestTimeoutError("no answer"), HangupCause.RECOVERY_ON_TIMER_EXPIRE),
        (RequestError("busy", cause="USER_BUSY"), HangupCause.USER_BUSY),
        (RequestError("no reason that we know", cause="ODD"), HangupCause.NORMAL_TEMPORARY_FAILURE),
        (SocketConnectionError("gone"), HangupCause.NETWORK_OUT_OF_ORDER),
        (ValueError("a bug"), HangupCause.NORMAL_TEMPORARY_FAILURE),
    ],
)
def test_the_other_side_is_told_why(error: Exception, cause: HangupCause) -> None:
    assert cause_of(error) is cause
