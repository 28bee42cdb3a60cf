"""What a call does next. It has no socket, no clock and no task: its driver has (`call.lifecycle`, `call.driver`).

Three rules hold for all of it:

1. Everything that decides is here. In a state, an event takes the first edge of `TABLE` whose condition holds, and the
   driver carries out the actions of that edge in their order. An event without an edge changes nothing, so late and
   repeated messages do no harm.
2. Time is an argument. A state that must not last has a deadline, at which the driver sends `TimeUp`.
3. `DONE` is final, and `End` is the action of each edge that leads there: there is one end, and one BYE at most.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from telnyx_native import state_machine
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
from telnyx_native.errors import (
    MediaError,
    RequestError,
    RequestTimeoutError,
    SdpError,
    SocketConnectionError,
    TelnyxError,
)
from telnyx_native.state_machine import Changes, taken
from telnyx_native.states import (
    CallDirection,
    CallNetworkChangeReason,
    CallState,
    CallTerminationReason,
    HangupCause,
)

__all__ = [
    "ACCEPTED",
    "ANSWERED",
    "STANDING",
    "TABLE",
    "Edge",
    "Machine",
    "Rules",
    "State",
    "call_state",
    "cause_of",
    "edge_of",
    "is_decided",
    "step",
]


@dataclass(frozen=True)
class Rules:
    """How long a state may last.

    Attributes:
        description: Seconds from an answer without a session description to the description.
        reconnect: Seconds from the loss of the connection until the call is given up.
    """

    description: float
    reconnect: float


@dataclass(frozen=True)
class Machine:
    """A call: where it is, and what the table must know besides.

    Attributes:
        rules: What does not change.
        direction: Which side placed the call.
        state: Where it is.
        deadline: When the state is over, on the driver's clock; `None` if it may last.
        known: The server knows the call, and has to be told of its end.
        held: The call was on hold when it stood last; what is brought back is that.
        transferring: Somebody else is called for the remote party.
        early: The session description that was taken as a provisional answer.
        latest: The latest session description of the callee.
        offer: The latest offer of a new audio path since the connection was lost.
        lost: What happened to the connection.
        reason: Why the call is over.
    """

    rules: Rules
    direction: CallDirection
    state: State = State.NEW
    deadline: float | None = None
    known: bool = False
    held: bool = False
    transferring: bool = False
    early: str = ""
    latest: str = ""
    offer: str = ""
    lost: CallNetworkChangeReason = CallNetworkChangeReason.NETWORK_LOST
    reason: CallTerminationReason | None = None

    @property
    def is_kept(self) -> bool:
        """Whether the server keeps the call when the connection is lost."""
        return self.state in _STANDING

    @property
    def is_answered(self) -> bool:
        """Whether both sides talk, or could."""
        return call_state(self) in ANSWERED


# Conditions of edges: those that make a difference in a state.


def _is_unusable(_: Machine, event: Event) -> bool:
    return isinstance(event, Rang) and event.error is not None


def _is_early(machine: Machine, _: Event) -> bool:
    return bool(machine.early)


def _is_described(_: Machine, event: Event) -> bool:
    return isinstance(event, Answered) and bool(event.sdp)


def _is_held(machine: Machine, _: Event) -> bool:
    return machine.held


def _is_transferring(machine: Machine, _: Event) -> bool:
    return machine.transferring


def _is_new(machine: Machine, event: Event) -> bool:
    return isinstance(event, Attach) and event.offer != machine.offer


def _is_fatal(_: Machine, event: Event) -> bool:
    return isinstance(event, MoveFailed) and not event.stands and not _will_be_repeated(event)


def _keeps_path(_: Machine, event: Event) -> bool:
    return isinstance(event, MoveFailed) and event.stands and not _will_be_repeated(event)


def _keeps_path_held(machine: Machine, event: Event) -> bool:
    return machine.held and _keeps_path(machine, event)


def _keeps_path_transferring(machine: Machine, event: Event) -> bool:
    return machine.transferring and _keeps_path(machine, event)


def _will_be_repeated(event: MoveFailed) -> bool:
    """The connection broke again: the server brings the call back over the next one."""
    return isinstance(event.error, SocketConnectionError | RequestTimeoutError)


# Changes that an edge makes besides the state.


def _know(_: Machine, __: Event) -> Changes:
    return {"known": True}


def _describe(machine: Machine, event: Event) -> Changes:
    assert isinstance(event, Described)  # noqa: S101 - it is the edge of this event
    return {"early": machine.early or event.sdp, "latest": event.sdp}


def _hold(_: Machine, __: Event) -> Changes:
    return {"held": True}


def _resume(_: Machine, __: Event) -> Changes:
    return {"held": False}


def _begin_transfer(_: Machine, __: Event) -> Changes:
    return {"transferring": True}


def _end_transfer(_: Machine, __: Event) -> Changes:
    return {"transferring": False}


def _take_offer(_: Machine, event: Event) -> Changes:
    assert isinstance(event, Attach)  # noqa: S101 - it is the edge of this event
    return {"offer": event.offer}


def _restore(_: Machine, event: Event) -> Changes:
    assert isinstance(event, Restored)  # noqa: S101 - it is the edge of this event
    return {"known": True, "held": event.held}


def _lose(_: Machine, event: Event) -> Changes:
    assert isinstance(event, ConnectionLost)  # noqa: S101 - it is the edge of this event
    return {"lost": event.reason, "offer": ""}


Edge = state_machine.Edge[State, Machine, Event, Action]


_BACK = (Edge(State.TRANSFERRING, when=_is_transferring), Edge(State.HELD, when=_is_held), Edge(State.ACTIVE))
_END = Edge(State.DONE, (End,))
_FAIL = Edge(State.DONE, (Announce, End))

_BEFORE_ANSWER = (State.INVITED, State.ALERTING)
_STANDING = (State.ACTIVE, State.HELD, State.RENEGOTIATING, State.TRANSFERRING, State.RECONNECTING)
ACCEPTED = (State.ANSWERING, State.CONNECTING, *_STANDING)
"""Where an inbound call is that was accepted."""

_UNANSWERED = (*State,)[: (*State,).index(State.ACTIVE)]

TABLE: dict[tuple[State, type[Event]], tuple[Edge, ...]] = {
    (State.NEW, Dial): (Edge(State.OFFERING),),
    (State.OFFERING, OfferMade): (Edge(State.INVITED, changes=_know),),
    (State.INVITED, Alerting): (Edge(State.ALERTING),),
    **{
        (state, event): edges
        for state in _BEFORE_ANSWER
        for event, edges in {
            Described: (
                Edge(state, when=_is_early, changes=_describe),
                Edge(state, (TakeProvisionalAnswer,), changes=_describe),
            ),
            Answered: (
                Edge(State.CONNECTING, (TakeAnswer,), when=_is_early),
                Edge(State.CONNECTING, (TakeAnswer,), when=_is_described),
                Edge(State.UNDESCRIBED),
            ),
        }.items()
    },
    (State.UNDESCRIBED, Described): (Edge(State.CONNECTING, (TakeAnswer,)),),
    (State.UNDESCRIBED, TimeUp): (_FAIL,),
    #
    (State.NEW, Rang): (_FAIL.but(when=_is_unusable, changes=_know), Edge(State.RINGING, changes=_know)),
    (State.RINGING, Accept): (Edge(State.ANSWERING),),
    (State.ANSWERING, AnswerSent): (Edge(State.CONNECTING),),
    #
    (State.CONNECTING, Connected): (Edge(State.ACTIVE),),
    #
    (State.ACTIVE, Held): (Edge(State.HELD, changes=_hold),),
    (State.HELD, Resumed): (Edge(State.ACTIVE, changes=_resume),),
    (State.ACTIVE, Renegotiate): (Edge(State.RENEGOTIATING),),
    (State.HELD, Renegotiate): (Edge(State.RENEGOTIATING),),
    (State.RENEGOTIATING, Renegotiated): _BACK,
    #
    (State.ACTIVE, Transferring): (Edge(State.TRANSFERRING, changes=_begin_transfer),),
    (State.HELD, Transferring): (Edge(State.TRANSFERRING, changes=_begin_transfer),),
    (State.TRANSFERRING, Held): (Edge(State.TRANSFERRING, changes=_hold),),
    (State.TRANSFERRING, Resumed): (Edge(State.TRANSFERRING, changes=_resume),),
    (State.TRANSFERRING, Renegotiate): (Edge(State.RENEGOTIATING),),
    (State.TRANSFERRING, TransferOver): (
        Edge(State.HELD, when=_is_held, changes=_end_transfer),
        Edge(State.ACTIVE, changes=_end_transfer),
    ),
    (State.RENEGOTIATING, TransferOver): (Edge(State.RENEGOTIATING, changes=_end_transfer),),
    (State.RECONNECTING, TransferOver): (Edge(State.RECONNECTING, changes=_end_transfer),),
    #
    **{(state, Attach): (Edge(state, (Move,), when=_is_new, changes=_take_offer),) for state in _STANDING},
    **{
        (state, MoveFailed): (_FAIL.but(when=_is_fatal), Edge(state, (WarnOfMove,), when=_keeps_path))
        for state in _STANDING[:-1]
    },
    (State.NEW, Restored): (Edge(State.RECONNECTING, changes=_restore),),
    **{(state, Detached): (_END,) for state in _STANDING},
    (State.RECONNECTING, Moved): _BACK,
    (State.RECONNECTING, MoveFailed): (
        _FAIL.but(when=_is_fatal),
        Edge(State.TRANSFERRING, (WarnOfMove,), when=_keeps_path_transferring),
        Edge(State.HELD, (WarnOfMove,), when=_keeps_path_held),
        Edge(State.ACTIVE, (WarnOfMove,), when=_keeps_path),
    ),
    (State.RECONNECTING, TimeUp): (_FAIL,),
    **{(state, ConnectionLost): (Edge(State.RECONNECTING, (GiveUpMove,), changes=_lose),) for state in _STANDING},
    #
    **{(state, ConnectionLost): (_FAIL.but(changes=_lose),) for state in _UNANSWERED if state is not State.NEW},
    (State.NEW, ConnectionLost): (_END,),
    (State.NEW, ConnectionGone): (_END,),
    **{(state, ConnectionGone): (_FAIL.but(changes=_lose),) for state in State if state not in (State.NEW, State.DONE)},
    **{
        (state, event): (edge,)
        for state in State
        if state is not State.DONE
        for event, edge in {HangUp: _END, Bye: _END, Failed: _FAIL}.items()
    },
}
"""All edges, by state and event."""


def edge_of(machine: Machine, event: Event) -> Edge | None:
    """The edge that an event takes; `None` if it changes nothing."""
    return taken(TABLE.get((machine.state, type(event)), ()), machine, event)


def step(machine: Machine, event: Event, now: float) -> tuple[Machine, tuple[Action, ...]]:
    """Let something happen.

    Args:
        machine: The call.
        event: What happens.
        now: Seconds on the driver's clock.

    Returns:
        The call afterwards, and what is to be done, in this order.
    """
    edge = edge_of(machine, event)
    if edge is None:
        return machine, ()
    changes = edge.changes(machine, event) if edge.changes else {}
    if edge.target is not machine.state:
        time = _time_in(edge.target, machine.rules)
        changes |= {"state": edge.target, "deadline": None if time is None else now + time}
    if edge.target is State.DONE:
        changes["reason"] = _reason(machine, event)
    after = replace(machine, **changes)
    return after, tuple(_action(kind, machine, event, after) for kind in edge.actions)


def call_state(machine: Machine) -> CallState | None:
    """What applications see of a call; `None` for what they saw before."""
    match machine.state:
        case State.RECONNECTING:
            return CallState.RECONNECTING(machine.lost)
        case State.DONE:
            return CallState.DONE(machine.reason)
    return _SEEN.get(machine.state)


ANSWERED = (CallState.ACTIVE, CallState.HELD, CallState.RENEGOTIATING, CallState.TRANSFERRING)
"""What applications see of a call in which both sides talk, or could."""

STANDING = (CallState.ACTIVE, CallState.HELD, CallState.TRANSFERRING)
"""What they see of one whose audio path and connection to the server stand."""


def is_decided(state: CallState) -> bool:
    """Whether a call is answered and its audio connected, or it is over."""
    return state in ANSWERED or isinstance(state, CallState.DONE)


_SEEN = {
    State.NEW: CallState.NEW,
    State.OFFERING: CallState.CONNECTING,
    State.INVITED: CallState.CONNECTING,
    State.ALERTING: CallState.RINGING,
    State.RINGING: CallState.RINGING,
    State.ANSWERING: CallState.CONNECTING,
    State.ACTIVE: CallState.ACTIVE,
    State.HELD: CallState.HELD,
    State.RENEGOTIATING: CallState.RENEGOTIATING,
    State.TRANSFERRING: CallState.TRANSFERRING,
}


def _time_in(state: State, rules: Rules) -> float | None:
    """Seconds that a call may stay in `state`."""
    return {State.UNDESCRIBED: rules.description, State.RECONNECTING: rules.reconnect}.get(state)


def _action(kind: type[Action], before: Machine, event: Event, after: Machine) -> Action:
    match event:
        case Described(sdp) if issubclass(kind, TakeProvisionalAnswer | TakeAnswer):
            return kind(sdp)
        case Answered(sdp, stands) if issubclass(kind, TakeAnswer):
            # A path that stands is kept, as the Telnyx JS SDK keeps it, whatever the answer says.
            return kind(before.early if stands and before.early else sdp or before.latest)
        case Attach(offer) if issubclass(kind, Move):
            return kind(offer)
        case MoveFailed(error) if issubclass(kind, WarnOfMove):
            return kind(error)
    if issubclass(kind, Announce):
        return kind(_dropped(before, event) or CallState.ERROR)
    if issubclass(kind, End):
        assert after.reason is not None  # noqa: S101 - it is over
        silent = isinstance(event, Bye | Detached) or _dropped(before, event) is not None
        return kind(after.reason, tell=after.known and not silent)
    return kind()


def _dropped(machine: Machine, event: Event) -> CallState | None:
    """The state of a call that is over because the connection to the server is gone; `None` for other ends."""
    match event:
        case ConnectionLost(reason):
            return CallState.DROPPED(reason)
        case TimeUp() if machine.state is State.RECONNECTING:
            return CallState.DROPPED(machine.lost)
    return None


def _reason(machine: Machine, event: Event) -> CallTerminationReason:
    """Why the call is over."""
    match event:
        case Bye(reason):
            return reason
        case HangUp(HangupCause() as cause):
            return CallTerminationReason.of(cause)
        case ConnectionLost(lost):
            return CallTerminationReason(lost.name, sip_reason=lost.description)
        case TimeUp() if machine.state is State.RECONNECTING:
            return CallTerminationReason(machine.lost.name, sip_reason=machine.lost.description)
        case Detached():
            return CallTerminationReason("DETACHED", sip_reason="it goes on without this client")
        case TimeUp():
            why = "the answer has no session description"
            return CallTerminationReason.of(HangupCause.MANDATORY_IE_MISSING, why)
        case Failed(error) | MoveFailed(error) | Rang(Exception() as error):
            why = str(error) if isinstance(error, TelnyxError) else "internal error"
            return CallTerminationReason.of(cause_of(error), why)
    # The reasons that Telnyx's mobile SDKs give when the application names none.
    is_refused = machine.state in (State.RINGING, State.ANSWERING)
    return CallTerminationReason.of(HangupCause.USER_BUSY if is_refused else HangupCause.NORMAL_CLEARING)


def cause_of(error: Exception) -> HangupCause:
    """What the other side is told about an error here."""
    match error:
        case SdpError():
            return HangupCause.INCOMPATIBLE_DESTINATION
        case MediaError():
            return HangupCause.MEDIA_TIMEOUT
        case RequestTimeoutError():
            return HangupCause.RECOVERY_ON_TIMER_EXPIRE
        case RequestError(cause=str(cause)) if cause in HangupCause.__members__:
            return HangupCause[cause]
        case SocketConnectionError():
            return HangupCause.NETWORK_OUT_OF_ORDER
        case _:
            return HangupCause.NORMAL_TEMPORARY_FAILURE
