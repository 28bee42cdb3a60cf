"""All call legs of a gateway: on a connection, detached from a lost one, or parked until a client comes for a push."""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telnyx_native.errors import SESSION_ERROR, CallError, MediaError
from telnyx_native.event_loop import Tasks, cancel_all
from telnyx_native.gateway.calls.back_to_back import BackToBack
from telnyx_native.gateway.calls.leg import CalleeLeg, CallerLeg, Client, Leg, LegState
from telnyx_native.gateway.calls.media import LegMedia
from telnyx_native.gateway.connection import Connection, Connections, RequestRefused
from telnyx_native.push import PushKind
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from telnyx_native.gateway.accounts.push import PushService
    from telnyx_native.gateway.accounts.users import Account, User
    from telnyx_native.gateway.calls.call_info import CallInfo
    from telnyx_native.gateway.calls.media import EngineLease
    from telnyx_native.gateway.context import GatewayContext

__all__ = ["Calls"]

logger = logging.getLogger(__name__)


REGISTRATION_TIME = 2.0
"""Seconds within which a client that has logged in asks for its registration."""


class Calls:
    """The call legs of a gateway, within its limits.

    Args:
        ring_all: Whether a user is rung at every connection, and not only at the one that logged in last.
    """

    def __init__(
        self, context: GatewayContext, connections: Connections, engine: EngineLease, *, ring_all: bool
    ) -> None:
        self._context = context
        self._connections = connections
        self._engine = engine
        self._ring_all = ring_all
        self._detached = DetachedCalls(context.limits.detach_time)
        self._parked = ParkedCalls(context.push, context.limits.ring_time)
        self._back_to_back: dict[Leg, None] = {}  # in the order of their coming
        self._reattached: dict[Connection, list[Leg]] = {}  # whose audio has not been offered anew yet

    @property
    def legs(self) -> list[Leg]:
        """All legs that are going on."""
        connected = [leg for connection in self._connections for leg in connection.legs.values()]
        return [*connected, *self._detached.legs, *self._parked.legs, *self._back_to_back]

    async def close(self) -> None:
        """Forget the calls that are detached or parked, without ending them."""
        await self._detached.close()
        await self._parked.close()

    # Calls that clients place

    def check_room(self, connection: Connection, call_id: str, kind: type[Leg]) -> None:
        """Raise RequestRefused when the client has this call already, or as many of the kind as it may have.

        Calls that it places and calls that it gets are counted apart: nobody is kept from calling by being called.
        """
        if call_id.lower() in connection.legs:
            raise RequestRefused(SESSION_ERROR, "CALL ALREADY EXISTS")
        limits, legs = self._context.limits, self.legs
        own = sum(isinstance(leg, kind) and leg.account == connection.account for leg in legs)
        here = sum(isinstance(leg, kind) for leg in connection.legs.values())
        of_connection, of_account = (
            (limits.calls_per_guest, limits.guest_calls)
            if connection.guest
            else (limits.calls_per_connection, limits.calls_per_user)
        )
        if here >= of_connection or own >= of_account or len(legs) >= limits.calls:
            self._context.counters.refused_calls += 1
            raise RequestRefused(SESSION_ERROR, "TOO MANY CALLS")

    def open_caller_leg(self, connection: Connection, info: CallInfo, offer: str) -> CallerLeg:
        """Begin a call that a client places.

        Raises:
            RequestRefused: The client has too many calls, or this one already.
        """
        self.check_room(connection, info.call_id, CallerLeg)
        leg = CallerLeg(connection, info, self._new_media(connection.user_name), connection.forget_leg, offer=offer)
        self._add(connection, leg)
        return leg

    def placed_by(self, user: str) -> int:
        """Return how many calls a user is placing."""
        return sum(isinstance(leg, CallerLeg) and leg.user_name == user for leg in self.legs)

    # Calls to users

    async def place(self, user: User, info: CallInfo) -> CalleeLeg:
        """Call a user, at the connection that logged in last, or by a push notification.

        Raises:
            CallError: The user is not logged in, or has too many calls.
            MediaError: The audio cannot be offered.
        """
        phones = [connection for connection in self._connections.phones if connection.user == user]
        if not phones and self._context.push.announces(user.name, active=False):
            return self._park(user, info)
        if not phones:
            raise CallError(f"{user.name} is not logged in; wait for the login before placing the call")
        try:
            leg = self._open_callee_leg(phones[-1], info)
        except RequestRefused as refusal:
            raise CallError(f"{user.name} cannot be called: {refusal}") from None
        try:
            await leg.invite()
        except BaseException:
            await leg.hang_up(HangupCause.NORMAL_TEMPORARY_FAILURE)
            raise
        return leg

    def open_callee_legs(self, users: Sequence[User], info_for: Callable[[str], CallInfo]) -> list[CalleeLeg]:
        """Open a leg to the last phone of each user, or to each phone, as far as they can take one more call.

        For a user who has no phone connected, but a device for push notifications, the leg is parked.
        """
        legs: list[CalleeLeg] = []
        phones = [connection for connection in self._connections.phones if connection.user in users]
        ringing = phones if self._ring_all else list({phone.user: phone for phone in phones}.values())
        for phone in ringing[-self._context.limits.ringing_phones :]:
            try:
                legs.append(self._open_callee_leg(phone, info_for(phone.user_name)))
            except RequestRefused as refusal:
                logger.warning("%s does not ring: %s", phone, refusal)
        active = {phone.user_name for phone in phones}
        announced = [user for user in users if self._context.push.announces(user.name, active=user.name in active)]
        room = max(0, self._context.limits.calls - len(self.legs))
        return legs + [self._park(user, info_for(user.name)) for user in announced[:room]]

    def open_leg_to_destination(
        self, address: str, info: CallInfo, connect: Callable[[CallerLeg], None]
    ) -> CalleeLeg | None:
        """Open a leg to what a call from a client would reach at an address; `None` if there are too many calls.

        Args:
            address: Where it leads.
            info: What is known of the call.
            connect: Leads a call to its destination.
        """
        if len(self.legs) + 1 >= self._context.limits.calls:  # it takes two
            self._context.counters.refused_calls += 1
            return None

        def track(leg: Leg) -> None:
            self._back_to_back[leg] = None
            self._track(leg)

        def forget(leg: Leg) -> None:
            self._back_to_back.pop(leg, None)

        call = BackToBack(address, info, lambda: self._new_media(address), connect, track, forget)
        track(call.leg)
        return call.leg

    def _open_callee_leg(self, connection: Connection, info: CallInfo) -> CalleeLeg:
        self.check_room(connection, info.call_id, CalleeLeg)
        leg = CalleeLeg(connection, info, self._new_media(connection.user_name), connection.forget_leg)
        self._add(connection, leg)
        return leg

    def _park(self, user: User, info: CallInfo) -> CalleeLeg:
        leg = self._parked.park(user, info, self._new_media(user.name))
        self._track(leg)
        return leg

    async def deliver_parked(self, connection: Connection) -> None:
        """Let the calls ring at a client that were announced to its device."""
        for leg in self._parked.take(connection.user_name, connection.wanted_instance):
            try:
                self.check_room(connection, leg.call_id, CalleeLeg)
                connection.add_leg(leg)
                await leg.deliver(connection, connection.forget_leg)
            except (RequestRefused, MediaError) as error:
                logger.warning("a call to %s does not ring: %s", connection.user_name, error)
                await leg.hang_up(HangupCause.NORMAL_TEMPORARY_FAILURE)

    async def decline_parked(self, connection: Connection) -> None:
        """End the calls that were announced to a client's device: its user does not want them."""
        for leg in self._parked.take(connection.user_name, connection.wanted_instance):
            await leg.hang_up(HangupCause.USER_BUSY)

    # Calls whose client changes its connection

    async def detach(self, connection: Connection) -> None:
        """Keep the answered calls of a connection that is gone, for when the client comes back; end the others."""
        self._reattached.pop(connection, None)
        self._detached.put(connection.account, connection.sessid, _detach_answered(connection))
        await self.abort(connection)

    async def abort(self, connection: Connection) -> None:
        """End the calls of a connection at once."""
        await asyncio.gather(*(leg.abort() for leg in list(connection.legs.values())))

    def take_detached(self, connection: Connection, others: Iterable[Connection]) -> list[Leg]:
        """Detach and return the answered calls of a client's earlier connections; see `reattach`."""
        returned = self._detached.take(connection.account, connection.sessid)
        for other in others:
            returned += _detach_answered(other)
        return returned

    def reattach(self, connection: Connection, legs: Sequence[Leg]) -> None:
        """Attach calls of an earlier connection of the same client.

        Their audio is offered anew when the client has been told that it is registered: before that, Telnyx's React
        Native SDK does not listen. A client that does not ask gets it a little later.
        """
        for leg in legs:
            connection.add_leg(leg)
            leg.reattach(connection, connection.forget_leg)
        if legs:
            self._reattached.setdefault(connection, []).extend(legs)
            connection.tasks.start(self._offer_reattached_later(connection))

    async def offer_reattached(self, connection: Connection) -> None:
        """Offer the audio of the calls that were taken back."""
        for leg in self._reattached.pop(connection, []):
            if leg.reason is not None or leg.call_id.lower() not in connection.legs:
                continue
            try:
                await leg.move_media()
            except MediaError as error:
                if connection.legs.get(leg.call_id.lower()) is not leg:
                    continue  # meanwhile the client has come back once more: the call is that connection's
                logger.warning("a call of %s cannot be brought back: %s", connection.user_name, error)
                await leg.hang_up(HangupCause.RECOVERY_ON_TIMER_EXPIRE)

    async def _offer_reattached_later(self, connection: Connection) -> None:
        await asyncio.sleep(REGISTRATION_TIME)
        await self.offer_reattached(connection)

    def _new_media(self, user: str) -> LegMedia:
        context = self._context
        return LegMedia(self._engine, context.limits, context.counters, context.faults.of(user).media)

    def _add(self, connection: Connection, leg: Leg) -> None:
        connection.add_leg(leg)
        self._track(leg)
        logger.info("%s calls %s", leg.info.caller.number, leg.info.callee.number)

    def _track(self, leg: Leg) -> None:
        self._context.counters.calls += 1
        self._context.monitor.follow(leg)


def _detach_answered(connection: Connection) -> list[Leg]:
    """Detach and return the answered calls of a connection."""
    given = [leg for leg in connection.legs.values() if leg.state.value is LegState.ANSWERED]
    for leg in given:
        connection.forget_leg(leg)
    return given


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
        await cancel_all(watches)

    async def _watch(self, session: tuple[Account | None, str], legs: Sequence[Leg]) -> None:
        """Forget calls when they are over; end those that nobody has come back to in time."""
        try:
            async with asyncio.timeout(self._limit):
                for leg in legs:
                    await leg.wait_ended()
        except TimeoutError:
            for leg in legs:
                await leg.hang_up(HangupCause.RECOVERY_ON_TIMER_EXPIRE)
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
        self.reattach(client, on_end)
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
        self._tasks = Tasks()

    @property
    def legs(self) -> list[ParkedLeg]:
        """The calls that nobody has come for."""
        return list(self._parked)

    def park(self, user: User, info: CallInfo, media: LegMedia) -> ParkedLeg:
        """Announce a call to the devices of a user, and keep it."""
        leg = ParkedLeg(user, info, media, self._forget)
        self._parked[leg] = None
        self._tasks.start(self._follow(leg))
        self._push.notify(user.name, PushKind.INCOMING_CALL, info, leg.voice_sdk_id)
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
        await self._tasks.close()

    def _forget(self, leg: Leg) -> None:
        self._parked.pop(leg, None)  # type: ignore[call-overload]  # only parked legs come here

    async def _follow(self, leg: ParkedLeg) -> None:
        """End a call that nobody answers; tell the devices when the user has missed it."""
        try:
            async with asyncio.timeout(self._ring_time):
                await leg.wait_settled()
        except TimeoutError:
            await leg.hang_up(HangupCause.NO_ANSWER)
        if leg.state.value is not LegState.ENDED or leg.reason is None:
            return
        if leg.reason.cause == HangupCause.LOSE_RACE.name:
            self._push.notify(leg.user_name, PushKind.ANSWERED_ELSEWHERE, leg.info, leg.voice_sdk_id)
        elif leg.reason.cause not in _NOT_MISSED:
            self._push.notify(leg.user_name, PushKind.MISSED_CALL, leg.info, leg.voice_sdk_id)
