"""The terms of the call machine: its states, what happens to a call, and what is to be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from telnyx_native.errors import SdpError, TelnyxError
    from telnyx_native.states import CallNetworkChangeReason, CallState, CallTerminationReason, HangupCause


class State(Enum):
    """How far a call is."""

    NEW = "made here, nothing sent yet"
    OFFERING = "outbound: our offer is being made"
    INVITED = "outbound: the invitation was sent"
    ALERTING = "outbound: the callee is alerted"
    UNDESCRIBED = "outbound: answered, and the session description of the callee is missing"
    RINGING = "inbound: waits to be accepted or rejected"
    ANSWERING = "inbound: accepted, our answer is being made and sent"
    CONNECTING = "answered, the audio is being connected"
    ACTIVE = "answered, and audio flows"
    HELD = "on hold"
    RENEGOTIATING = "the audio path is being replaced"
    TRANSFERRING = "somebody else is called for the remote party"
    RECONNECTING = "the connection to the server is gone, and the call is being brought back"
    DONE = "over"


# What happens.


class Event:
    """Something that happened."""


class Dial(Event):
    """The application places the call."""


class OfferMade(Event):
    """Our offer is complete, and the invitation leaves with it."""


class Alerting(Event):
    """The server says that the callee is alerted."""


@dataclass(frozen=True)
class Described(Event):
    """The server brings a session description of the callee, before the answer or after it."""

    sdp: str


@dataclass(frozen=True)
class Answered(Event):
    """The callee answered.

    Attributes:
        sdp: The session description that came with the answer, if one did.
        stands: Whether the audio path of an earlier description is connected.
    """

    sdp: str | None = None
    stands: bool = False


@dataclass(frozen=True)
class Rang(Event):
    """An inbound call came.

    Attributes:
        error: Why its offer cannot be used, if it cannot.
    """

    error: SdpError | None = None


@dataclass(frozen=True)
class Restored(Event):
    """The call was answered in another process, and is brought back here.

    Attributes:
        held: Whether it was on hold there.
    """

    held: bool = False


class Detached(Event):
    """The call goes on without this process."""


class Accept(Event):
    """The application accepts the call."""


class AnswerSent(Event):
    """The server took our answer."""


class Connected(Event):
    """The audio path of a call that was answered is connected."""


class Held(Event):
    """The server put the call on hold."""


class Resumed(Event):
    """The server took the call off hold."""


class Renegotiate(Event):
    """The audio path is to be replaced."""


class Renegotiated(Event):
    """The attempt to replace the audio path is over, whatever came of it."""


class Transferring(Event):
    """The API is asked to transfer the call."""


class TransferOver(Event):
    """The attempt to transfer the call is over, and the call is still here."""


@dataclass(frozen=True)
class ConnectionLost(Event):
    """The connection to the server is gone, and is being made again. Servers keep answered calls that long."""

    reason: CallNetworkChangeReason


@dataclass(frozen=True)
class ConnectionGone(ConnectionLost):
    """The connection to the server is gone for good, or the server did not keep the call."""


@dataclass(frozen=True)
class Attach(Event):
    """The server brings the call back, and offers a new audio path."""

    offer: str


class Moved(Event):
    """The audio goes over the path that the server offered."""


@dataclass(frozen=True)
class MoveFailed(Event):
    """The path that the server offered cannot be had.

    Attributes:
        error: Why.
        stands: Whether the old path is connected.
    """

    error: TelnyxError
    stands: bool


class TimeUp(Event):
    """The deadline has passed."""


@dataclass(frozen=True)
class HangUp(Event):
    """The application hangs up, cancels or rejects.

    Attributes:
        cause: What the other side is told; `None` for what is usual.
    """

    cause: HangupCause | None = None


@dataclass(frozen=True)
class Bye(Event):
    """The server says that the call is over."""

    reason: CallTerminationReason


@dataclass(frozen=True)
class Failed(Event):
    """Something broke here."""

    error: Exception


# What is to be done.


@dataclass(frozen=True)
class Action:
    """Something to be done."""


@dataclass(frozen=True)
class TakeProvisionalAnswer(Action):
    """Take a session description that another one may follow: that of early media."""

    sdp: str


@dataclass(frozen=True)
class TakeAnswer(Action):
    """Take the callee's session description, and report `Connected` once audio can flow."""

    sdp: str


@dataclass(frozen=True)
class Move(Action):
    """Answer an offer of the server, and move the audio there; an earlier move is given up."""

    offer: str


class GiveUpMove(Action):
    """Give up a move that is under way."""


@dataclass(frozen=True)
class WarnOfMove(Action):
    """Warn that the call stays on its old path."""

    error: TelnyxError


@dataclass(frozen=True)
class Announce(Action):
    """Let the application see a state that does not last."""

    state: CallState


@dataclass(frozen=True)
class End(Action):
    """Free what the call holds.

    Attributes:
        reason: Why the call is over.
        tell: Whether the server has to be told.
    """

    reason: CallTerminationReason
    tell: bool
