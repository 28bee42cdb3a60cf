"""Calls without a connection: detached from one until the client comes back, or parked until one comes for a push."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telnyx_native.gateway.calls.hangup import reason_of
from telnyx_native.gateway.calls.leg import CalleeLeg, Client, Leg, LegState
from telnyx_native.push import PushKind
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from telnyx_native.gateway.accounts.push import PushService
    from telnyx_native.gateway.accounts.users import Account, User
    from telnyx_native.gateway.calls.call_info import CallInfo
    from telnyx_native.gateway.calls.media import LegMedia

__all__ = ["DetachedCalls", "ParkedCalls", "ParkedLeg"]

_NOT_MISSED = frozenset({HangupCause.USER_BUSY.name, HangupCause.CALL_REJECTED.name, HangupCause.LOSE_RACE.name})
"""Causes after which the user has not missed the call."""


@dataclass(frozen=True)
class _Detached:
    """The calls of one session, and the task that waits for their end and ends them when nobody comes back."""

    legs: Sequence[Leg]
    watch: asyncio.Task[None]


class DetachedCalls:
    """Answered calls by the account and the session id of their client; their audio goes on.

    Ids alone do not tell clients apart: they make them themselves.

    Args:
        limit: Seconds after which they are hung up.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._by_session: dict[tuple[Account | None, str], _Detached] = {}

    @property
    def legs(self) -> list[Leg]:
        """The calls that are not over."""
        kept = (leg for detached in self._by_session.values() for leg in detached.legs)
        return [leg for leg in kept if leg.reason is None]

    def put(self, account: Account | None, sessid: str, legs: Sequence[Leg]) -> None:
        """Keep calls of an account's session."""
        if legs:
            legs = [*self.take(account, sessid), *legs]
            watch = asyncio.create_task(self._watch((account, sessid), legs))
            self._by_session[account, sessid] = _Detached(legs, watch)

    def take(self, account: Account | None, sessid: str) -> list[Leg]:
        """Return the calls of an account's session that are not over, and keep them no more."""
        detached = self._by_session.pop((account, sessid), None)
        if detached is None:
            return []
        detached.watch.cancel()
        return [leg for leg in detached.legs if leg.reason is None]

    async def close(self) -> None:
        """Forget the calls, without ending them."""
        watches = [detached.watch for detached in self._by_session.values()]
        self._by_session.clear()
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)

    async def _watch(self, session: tuple[Account | None, str], legs: Sequence[Leg]) -> None:
        """Forget calls when they are over; end those that nobody has come back to in time."""
        try:
            async with asyncio.timeout(self._limit):
                for leg in legs:
                    await leg.wait_ended()
        except TimeoutError:
            for leg in legs:
                await leg.end(reason_of(HangupCause.RECOVERY_ON_TIMER_EXPIRE))
        del self._by_session[session]


class _AbsentClient(Client):
    """A client of a user that is not connected yet."""

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
    """A call to a user whose client is not connected yet.

    Attributes:
        voice_sdk_id: The server instance that the push notification names; a client that comes for the call repeats it.
    """

    def __init__(self, user: User, info: CallInfo, media: LegMedia, on_end: Callable[[Leg], None]) -> None:
        super().__init__(_AbsentClient(user), info, media, on_end)
        self.voice_sdk_id = f"VSDK1{secrets.token_urlsafe(24)}"

    async def invite(self) -> None:
        """Do nothing yet: the call rings when it is delivered."""

    async def deliver(self, client: Client, on_end: Callable[[Leg], None]) -> None:
        """Let the call ring at a client that has come for it.

        Raises:
            MediaError: The audio cannot be offered.
        """
        self.adopt(client, on_end)
        await super().invite()


class ParkedCalls:
    """Announces calls by push notifications, and keeps them for as long as a call rings.

    Args:
        push: Sends the notifications.
        ring_time: Seconds after which a call that nobody has answered ends.
    """

    def __init__(self, push: PushService, ring_time: float) -> None:
        self._push = push
        self._ring_time = ring_time
        self._parked: dict[ParkedLeg, None] = {}  # in the order of their coming
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def legs(self) -> list[ParkedLeg]:
        """The calls that nobody has come for."""
        return list(self._parked)

    def park(self, user: User, info: CallInfo, media: LegMedia) -> ParkedLeg:
        """Announce a call to the devices of a user, and keep it."""
        leg = ParkedLeg(user, info, media, self._forget)
        self._parked[leg] = None
        task = asyncio.create_task(self._follow(leg))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._push.tell(user.name, PushKind.INCOMING_CALL, info, leg.voice_sdk_id)
        return leg

    def take(self, user: str, voice_sdk_id: str | None) -> list[ParkedLeg]:
        """Return the calls that wait for a user, and keep them no more.

        A client that names the server instance of one of the notifications gets that call only.
        """
        waiting = [leg for leg in self._parked if leg.user_name == user]
        taken = [leg for leg in waiting if leg.voice_sdk_id == voice_sdk_id] or waiting
        for leg in taken:
            self._forget(leg)
        return taken

    async def close(self) -> None:
        """End every task, but not the calls."""
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
            self._push.tell(leg.user_name, PushKind.ANSWERED_ELSEWHERE, leg.info, leg.voice_sdk_id)
        elif leg.reason.cause not in _NOT_MISSED:
            self._push.tell(leg.user_name, PushKind.MISSED_CALL, leg.info, leg.voice_sdk_id)
