"""Calls to users who were sent a push notification, until a client comes for them."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any

from telnyx_native.gateway.calls.callee_leg import CalleeLeg
from telnyx_native.gateway.calls.hangup import reason_of
from telnyx_native.gateway.calls.leg import Leg, LegState, Wire
from telnyx_native.push import PushKind
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from telnyx_native.gateway.accounts.push import PushService
    from telnyx_native.gateway.accounts.users import User
    from telnyx_native.gateway.calls.call_info import Dialog
    from telnyx_native.gateway.calls.media import LegMedia

__all__ = ["ParkedCalls", "ParkedLeg"]

_NOT_MISSED = frozenset({HangupCause.USER_BUSY.name, HangupCause.CALL_REJECTED.name, HangupCause.LOSE_RACE.name})
"""Causes after which the user has not missed the call."""


class _Nobody(Wire):
    """The socket of a client that is not there yet."""

    def __init__(self, user: User) -> None:
        self._user = user

    @property
    def user_name(self) -> str:
        return self._user.name

    @property
    def account(self) -> User:
        return self._user

    async def notify(self, method: str, params: Mapping[str, Any]) -> None:
        pass


class ParkedLeg(CalleeLeg):
    """A call to a user whose client is not there yet.

    Attributes:
        voice_sdk_id: What the notification calls the server by; a client that comes for the call repeats it.
    """

    def __init__(self, user: User, dialog: Dialog, media: LegMedia, on_end: Callable[[Leg], None]) -> None:
        super().__init__(_Nobody(user), dialog, media, on_end)
        self.voice_sdk_id = f"VSDK1{secrets.token_urlsafe(24)}"

    async def invite(self) -> None:
        """Do nothing yet: the call rings when it is delivered."""

    async def deliver(self, wire: Wire, on_end: Callable[[Leg], None]) -> None:
        """Let the call ring at a client that has come for it.

        Raises:
            MediaError: The audio cannot be offered.
        """
        self.adopt(wire, on_end)
        await super().invite()


class ParkedCalls:
    """Announces calls, and keeps them for as long as a call rings.

    Args:
        push: Makes the announcements.
        new_media: Makes the audio of a call with a user.
        ring_time: Seconds after which a call that nobody has answered ends.
    """

    def __init__(self, push: PushService, new_media: Callable[[str], LegMedia], ring_time: float) -> None:
        self._push = push
        self._new_media = new_media
        self._ring_time = ring_time
        self._parked: dict[ParkedLeg, None] = {}  # in the order of their coming
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def legs(self) -> list[ParkedLeg]:
        """The calls that nobody has come for."""
        return list(self._parked)

    def park(self, user: User, dialog: Dialog) -> ParkedLeg:
        """Announce a call to the devices of a user, and keep it."""
        leg = ParkedLeg(user, dialog, self._new_media(user.name), self._forget)
        self._parked[leg] = None
        task = asyncio.create_task(self._follow(leg))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._push.tell(user.name, PushKind.INCOMING_CALL, dialog, leg.voice_sdk_id)
        return leg

    def take(self, user: str, voice_sdk_id: str | None) -> list[ParkedLeg]:
        """Return the calls that wait for a user, and keep them no more.

        A client that names the server by one of the notifications gets that call only.
        """
        waiting = [leg for leg in self._parked if leg.user_name == user]
        taken = [leg for leg in waiting if leg.voice_sdk_id == voice_sdk_id] or waiting
        for leg in taken:
            self._forget(leg)
        return taken

    async def close(self) -> None:
        """Wait for nobody any more. The calls are left to who closes."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _forget(self, leg: Leg) -> None:
        self._parked.pop(leg, None)  # type: ignore[call-overload]  # only parked legs come here

    async def _follow(self, leg: ParkedLeg) -> None:
        """End a call that nobody answers; tell the devices when the user has missed it."""
        try:
            async with asyncio.timeout(self._ring_time):
                await leg.settled()
        except TimeoutError:
            await leg.end(reason_of(HangupCause.NO_ANSWER))
        if leg.state.value is not LegState.ENDED or leg.reason is None:
            return
        if leg.reason.cause == HangupCause.LOSE_RACE.name:
            self._push.tell(leg.user_name, PushKind.ANSWERED_ELSEWHERE, leg.dialog, leg.voice_sdk_id)
        elif leg.reason.cause not in _NOT_MISSED:
            self._push.tell(leg.user_name, PushKind.MISSED_CALL, leg.dialog, leg.voice_sdk_id)
