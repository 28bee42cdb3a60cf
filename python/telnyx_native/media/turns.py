"""Who speaks from when to when in a call, and what follows from it: how fast answers are, and how fast interruptions.

The edges of what sounds are found natively, on the time line of what is sent: whatever the event loop does meanwhile,
they are where the sound was, to 10 ms. A turn goes on over pauses shorter than `VoiceActivityConfig.hangover`, so its
end is told that much later.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

__all__ = [
    "BargeIn",
    "DeadAir",
    "DoubleTalk",
    "Edge",
    "Response",
    "Speaker",
    "Turn",
    "TurnEvent",
    "Turns",
]


class Speaker(StrEnum):
    """A side of the call."""

    LOCAL = "local"
    REMOTE = "remote"


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody spoke.

    Attributes:
        speaker: Who: REMOTE is speech of the remote party, LOCAL whatever is heard of what is sent.
        began: When, in seconds of audio sent since the call began; so are all times here.
        ended: Until when.
    """

    speaker: Speaker
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Response:
    """The remote party was answered.

    Attributes:
        latency: Seconds from the end of their turn, where it was heard here, to the first of ours that was sent.
        at: When ours began.
    """

    latency: float
    at: float


@dataclass(frozen=True, slots=True)
class BargeIn:
    """The remote party began to speak while we did, and we fell silent.

    Attributes:
        at: When they began.
        silence_after: Seconds from then until nothing of ours was sent any more.
    """

    at: float
    silence_after: float


@dataclass(frozen=True, slots=True)
class DoubleTalk:
    """Both spoke.

    Attributes:
        began: From when.
        ended: Until when.
    """

    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class DeadAir:
    """Nobody has spoken for `VoiceActivityConfig.dead_air` seconds.

    Attributes:
        began: Since when.
    """

    began: float


TurnEvent = Turn | Response | BargeIn | DoubleTalk | DeadAir


class Edge(IntEnum):
    """What is found natively (`TurnEdge::Kind` of csrc/audio/turn_edges.h)."""

    REMOTE_ENDS = 0
    REMOTE_BEGINS = 1
    LOCAL_ENDS = 2
    LOCAL_BEGINS = 3
    DEAD_AIR = 4


@dataclass
class _Side:
    """The latest turn of one side; it has not ended as long as `ended` is `None`."""

    began: float | None = None
    ended: float | None = None

    @property
    def speaks(self) -> bool:
        return self.began is not None and self.ended is None


class Turns:
    """Makes events of edges. It has no clock: an edge says when it was."""

    def __init__(self) -> None:
        self._local, self._remote = _Side(), _Side()
        self._answered = True  # the latest turn of the remote party, or there was none

    def take(self, edge: Edge, at: float) -> list[TurnEvent]:
        """Take an edge, and when it was; return what follows from it."""
        match edge:
            case Edge.REMOTE_BEGINS:
                self._remote = _Side(at)
                self._answered = False
                return []
            case Edge.LOCAL_BEGINS:
                self._local = _Side(at)
                return self._answer()
            case Edge.REMOTE_ENDS:
                self._remote.ended = at
                return [*self._end(Speaker.REMOTE, self._remote, self._local), *self._answer()]
            case Edge.LOCAL_ENDS:
                self._local.ended = at
                return [*self._end(Speaker.LOCAL, self._local, self._remote), *self._barge_in()]
            case Edge.DEAD_AIR:
                return [DeadAir(at)]

    def finish(self, at: float) -> list[Turn]:
        """The turns of whoever still speaks, as if they were over at a moment: that of the end of the call."""
        sides = (Speaker.REMOTE, self._remote), (Speaker.LOCAL, self._local)
        return [Turn(speaker, side.began, at) for speaker, side in sides if side.speaks and side.began is not None]

    def _answer(self) -> list[TurnEvent]:
        """An answer begins after the end of what it answers; which of the two is told first does not matter."""
        theirs, ours = self._remote.ended, self._local.began
        if self._answered or theirs is None or ours is None or ours < theirs:
            return []
        self._answered = True
        return [Response(ours - theirs, ours)]

    def _barge_in(self) -> list[TurnEvent]:
        """They began while we spoke, and were still speaking when we fell silent."""
        began, ended, theirs = self._local.began, self._local.ended, self._remote.began
        if not self._remote.speaks or began is None or ended is None or theirs is None or not began < theirs < ended:
            return []
        return [BargeIn(theirs, ended - theirs)]

    def _end(self, speaker: Speaker, side: _Side, other: _Side) -> list[TurnEvent]:
        if side.began is None or side.ended is None:
            return []  # it had begun before anybody asked
        events: list[TurnEvent] = [Turn(speaker, side.began, side.ended)]
        if other.speaks and other.began is not None and other.began < side.ended:  # ends are told in their order
            events.append(DoubleTalk(max(side.began, other.began), side.ended))
        return events
