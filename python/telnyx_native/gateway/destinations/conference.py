"""`conference:NAME`: all callers hear each other."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway.calls.hangup import reason_of
from telnyx_native.gateway.destinations.sounds import Tone, rendered
from telnyx_native.states import CallTerminationReason, HangupCause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telnyx_native.gateway.calls.leg import CallerLeg
    from telnyx_native.gateway.calls.media import EngineLease
    from telnyx_native.media.joins import PeerConference

__all__ = ["JoinRoom", "Rooms"]

LONGEST_NAME = 64

CHIME = Tone(1200, 0.1)
"""What those in the room hear when somebody comes."""


class Rooms:
    """The conferences that are going on, by name. One begins with its first caller, and ends with its last.

    Args:
        engine: Where they get their audio from.
        limit: How many may be in one room.
    """

    def __init__(self, engine: EngineLease, limit: int) -> None:
        self._engine = engine
        self._limit = limit
        self._open: dict[str, PeerConference] = {}
        self._present: dict[str, int] = {}

    def destination(self, name: str) -> JoinRoom:
        """Return the destination of `conference:NAME`; without a name there is one room, too.

        Raises:
            ConfigurationError: The name is too long.
        """
        if len(name) > LONGEST_NAME:
            raise ConfigurationError(f"the name of a conference has {LONGEST_NAME} characters at most")
        return JoinRoom(self, name)

    def full(self, name: str) -> bool:
        """Whether one more would be too many."""
        return self._present.get(name, 0) >= self._limit

    @contextmanager
    def visit(self, name: str) -> Iterator[PeerConference]:
        """Be in a room until the context ends."""
        room = self._open.get(name)
        if room is None:
            room = self._open[name] = self._engine.create_conference()
        self._present[name] = self._present.get(name, 0) + 1
        try:
            yield room
        finally:
            self._present[name] -= 1
            if not self._present[name]:
                del self._present[name]
                self._open.pop(name).close()


class JoinRoom:
    """Answers, and lets the caller hear and speak to the others in a room, mixed natively.

    Args:
        rooms: The rooms there are.
        name: Which one.
    """

    def __init__(self, rooms: Rooms, name: str) -> None:
        self._rooms = rooms
        self._name = name

    async def serve(self, leg: CallerLeg) -> CallTerminationReason:
        """Stay in the room until the caller hangs up; a full room takes no call."""
        if self._rooms.full(self._name):
            return reason_of(HangupCause.NORMAL_CIRCUIT_CONGESTION)
        with self._rooms.visit(self._name) as room:
            await leg.answer()
            await leg.media.connected()
            chime = await rendered(CHIME, room.audio.sample_rate)
            room.audio.write_nowait(chime.data)
            room.add(leg.peer)
            return await leg.wait_ended()
