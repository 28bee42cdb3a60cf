"""All call legs of a gateway: opened, parked and delivered, detached from a connection and taken back by another."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from telnyx_native.errors import SESSION_ERROR, CallError, MediaError
from telnyx_native.gateway.calls.leg import CalleeLeg, CallerLeg, Leg, LegState
from telnyx_native.gateway.calls.media import LegMedia
from telnyx_native.gateway.calls.waiting import DetachedCalls, ParkedCalls
from telnyx_native.gateway.connection import Connection, Connections, RequestRefused
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from telnyx_native.gateway.accounts.users import User
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
        context: What the gateway shares.
        connections: The connections, each with its legs.
        engine: Where legs get their audio from.
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
        self._returned: dict[Connection, list[Leg]] = {}  # whose audio has not been offered anew yet

    @property
    def legs(self) -> list[Leg]:
        """All legs that are going on."""
        connected = [leg for connection in self._connections for leg in connection.legs.values()]
        return [*connected, *self._detached.legs, *self._parked.legs]

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
            else (limits.calls_per_session, limits.calls_per_user)
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
        if not phones and self._context.push.reaches(user.name, active=False):
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
        announced = [user for user in users if self._context.push.reaches(user.name, active=user.name in active)]
        room = max(0, self._context.limits.calls - len(self.legs))
        return legs + [self._park(user, info_for(user.name)) for user in announced[:room]]

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
        self._returned.pop(connection, None)
        self._detached.put(connection.account, connection.sessid, _give_away(connection))
        await self.abort(connection)

    async def abort(self, connection: Connection) -> None:
        """End the calls of a connection at once."""
        await asyncio.gather(*(leg.abort() for leg in list(connection.legs.values())))

    def take_over(self, connection: Connection, others: Iterable[Connection]) -> list[Leg]:
        """Detach and return the answered calls of a client's earlier connections; see `take_back`."""
        returned = self._detached.take(connection.account, connection.sessid)
        for other in others:
            returned += _give_away(other)
        return returned

    def take_back(self, connection: Connection, legs: Sequence[Leg]) -> None:
        """Attach calls of an earlier connection of the same client.

        Their audio is offered anew when the client has been told that it is registered: before that, Telnyx's React
        Native SDK does not listen. A client that does not ask gets it a little later.
        """
        for leg in legs:
            connection.add_leg(leg)
            leg.adopt(connection, connection.forget_leg)
        if legs:
            self._returned.setdefault(connection, []).extend(legs)
            connection.run(self._offer_returned_later(connection))

    async def offer_returned(self, connection: Connection) -> None:
        """Offer the audio of the calls that were taken back."""
        for leg in self._returned.pop(connection, []):
            if leg.reason is not None or leg.call_id.lower() not in connection.legs:
                continue
            try:
                await leg.move_media()
            except MediaError as error:
                if connection.legs.get(leg.call_id.lower()) is not leg:
                    continue  # meanwhile the client has come back once more: the call is that connection's
                logger.warning("a call of %s cannot be brought back: %s", connection.user_name, error)
                await leg.hang_up(HangupCause.RECOVERY_ON_TIMER_EXPIRE)

    async def _offer_returned_later(self, connection: Connection) -> None:
        await asyncio.sleep(REGISTRATION_TIME)
        await self.offer_returned(connection)

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


def _give_away(connection: Connection) -> list[Leg]:
    """Detach and return the answered calls of a connection."""
    given = [leg for leg in connection.legs.values() if leg.state.value is LegState.ANSWERED]
    for leg in given:
        connection.forget_leg(leg)
    return given
