"""Faults on purpose: to try what a client does when the server or the network fails."""

from __future__ import annotations

import asyncio
import logging
import math
from typing import TYPE_CHECKING

from telnyx_native.errors import CallError, ConfigurationError, TelnyxError
from telnyx_native.event_loop import Tasks
from telnyx_native.gateway.calls.leg import LegState
from telnyx_native.gateway.faults import LoginError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from telnyx_native.gateway.calls.leg import Leg
    from telnyx_native.gateway.calls.registry import Calls
    from telnyx_native.gateway.connection import Connection, Connections
    from telnyx_native.gateway.context import GatewayContext
    from telnyx_native.gateway.faults import RegistrationFault, UserFaults
    from telnyx_native.media.simulated_network import NetworkConditions, SimulatedNetwork

__all__ = ["Faults"]

logger = logging.getLogger(__name__)

LONGEST_DELAY = 60.0
"""Seconds that a message can be delayed, or the gateway be away."""

MALFORMED: tuple[str | bytes, ...] = (
    '{"jsonrpc":"2.0","id":1,"method":"telnyx_rtc.',
    "",
    "[]",
    "7",
    '{"jsonrpc":"2.0","id":1}',
    '{"jsonrpc":"2.0","id":1,"method":7,"params":"text"}',
    '{"jsonrpc":"2.0","id":1,"method":"telnyx_rtc.invite","params":{"callID":7,"sdp":[]}}',
    '{"jsonrpc":"2.0","id":"unknown","result":null}',
    b"\xff\xfe\x00",
)
"""Frames that no client should stumble over: cut off, empty, no object, of the wrong types, binary."""


UNUSABLE = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"
"""A description of no audio."""


class Faults:
    """The faults of a gateway: for one user, for one call, or for everybody.

    Those of a user that last also meet clients that log in later. What names a user raises a ConfigurationError if
    there is none of that name, and a CallError if it disturbs a socket and the user is not logged in. What is done to
    the audio of a call raises a CallError if the call is not as far as that.
    """

    def __init__(
        self,
        context: GatewayContext,
        connections: Connections,
        calls: Calls,
        restart: Callable[[float], Coroutine[object, object, None]],
    ) -> None:
        self._lasting = context.faults
        self._directory = context.directory
        self._connections = connections
        self._calls = calls
        self._restart = restart
        self._tasks = Tasks()

    @property
    def users(self) -> list[str]:
        """All users, by name."""
        return [user.name for user in self._directory]

    @property
    def users_present(self) -> list[str]:
        """The users who are logged in; guests of assistants cannot be disturbed by name."""
        return sorted({connection.user_name for connection in self._connections.logged_in} & set(self.users))

    @property
    def calls(self) -> list[Leg]:
        """The legs of the calls that are going on."""
        return self._calls.legs

    def drop(self, user: str) -> None:
        """Cut the user's sockets with a TCP reset: no closing handshake, as when a server dies."""
        for connection in self._connections_of(user):
            connection.socket.reset()

    def freeze(self, user: str) -> None:
        """Let the user's sockets stand, but read and send nothing on them, as on a link that is gone.

        Sockets that the user opens later are not frozen.
        """
        for connection in self._connections_of(user):
            connection.socket.freeze()

    def thaw(self, user: str) -> None:
        """Read and send again on sockets that were frozen; what was not sent is lost."""
        for connection in self._connections_of(user):
            if connection.socket.frozen:
                connection.socket.thaw()

    async def send_malformed(self, user: str) -> None:
        """Send the user's clients every kind of frame that makes no sense."""
        for connection in self._connections_of(user):
            for frame in MALFORMED:
                await connection.send_raw(frame)

    async def push_registration(self, user: str, state: str) -> None:
        """Tell the user's clients, unasked, that their registration is in a state such as `EXPIRED` or `REGED`."""
        connections = self._connections_of(user)
        await asyncio.gather(*(one.notify("telnyx_rtc.gatewayState", {"state": state}) for one in connections))

    def expire_tokens(self, user: str) -> None:
        """Expire every login token that the user has now; tokens made later are good."""
        self._check(user)
        self._directory.expire_tokens(user)

    def delay(self, user: str, seconds: float) -> None:
        """Delay every message to the user, from now on.

        Raises:
            ConfigurationError: `seconds` is not within 0 and 60.
        """
        self._of(user).delay = _checked(seconds)

    def duplicate(self, user: str) -> None:
        """Send every message to the user twice, from now on."""
        self._of(user).duplicate = True

    def fail_registration(self, user: str, fault: RegistrationFault, *, times: int | None = None) -> None:
        """Let the user's registrations fail.

        Args:
            user: Whose.
            fault: How.
            times: How often, before they succeed again; `None` for always.
        """
        faults = self._of(user)
        faults.registration, faults.times = fault, math.inf if times is None else times

    def fail_logins(self, user: str, code: int | None, *, times: int | None = None) -> None:
        """Let the user's good logins be answered with an error of the server's, as by one that has just started.

        Args:
            user: Whose.
            code: The code, such as 503, -32603 or -32098; `None` for an error without one.
            times: How often, before they succeed again; `None` for always.
        """
        self._of(user).login_error = LoginError(code, math.inf if times is None else times)

    def delay_descriptions(self, user: str) -> None:
        """Let the user's calls be answered without a description, which follows in a `media` message, from now on."""
        self._of(user).late_description = True

    def limit_channels(self, user: str, calls: int) -> None:
        """Let the user place only so many calls at a time; one more ends as at Telnyx, with SIP 403."""
        self._of(user).channels = calls

    def clear(self, user: str) -> None:
        """End the faults of a user that last, and thaw what is frozen."""
        self._check(user)
        self.impair_media_of(user, None)
        self._lasting.clear(user)
        if any(connection.user_name == user for connection in self._connections.logged_in):
            self.thaw(user)

    # Calls

    async def lose_call(self, leg: Leg) -> None:
        """Let the gateway forget a call: its audio ends and the client is not told, as when a server dies.

        A client that comes back on another socket is told that the call is not known any more.
        """
        await leg.abort()

    async def move_media(self, leg: Leg) -> None:
        """Carry a call's audio at another address from now on, as when Telnyx moves it to another machine.

        Raises:
            MediaError: The audio cannot be offered.
        """
        _check_answered(leg)
        await leg.move_media()

    async def repeat_attach(self, leg: Leg) -> None:
        """Do the same, and tell the client so twice.

        Raises:
            MediaError: The audio cannot be offered.
        """
        _check_answered(leg)
        await leg.move_media(copies=2)

    async def send_unusable_attach(self, leg: Leg) -> None:
        """Offer the client a new path for a call's audio that it cannot use; the old one stands."""
        _check_answered(leg)
        await leg.send_attach(UNUSABLE)

    def repeat_tools(self, leg: Leg) -> None:
        """Let the call's assistant ask for each of the client's tools twice, with the same id, from now on."""
        leg.repeats_tools = True

    def rebind_media(self, leg: Leg) -> None:
        """Let a call's audio come from another port, and go to it, unannounced: what a NAT does that forgets."""
        _network_of(leg).rebind()

    def impair_media(
        self,
        leg: Leg,
        *,
        to_client: NetworkConditions | None = None,
        from_client: NetworkConditions | None = None,
    ) -> None:
        """Lose, delay, reorder or repeat a call's audio packets, from the next one on.

        The packets of a gateway's first call are lost and delayed in the same way each time, and so are those of its
        second, and so on.

        Args:
            leg: The call.
            to_client: What happens to packets on the way to the client; `None` for nothing.
            from_client: What happens to packets on the way from it; `None` for nothing.
        """
        from telnyx_native.media.simulated_network import NetworkConditions  # loads libwebrtc: there is a call

        network = _network_of(leg)
        network.sending.conditions = to_client or NetworkConditions()
        network.receiving.conditions = from_client or NetworkConditions()

    def impair_media_of(self, user: str, conditions: NetworkConditions | None) -> None:
        """Do the same, both ways, to every call that the user has and will have; `None` ends it."""
        self._of(user).media = conditions
        for leg in self.calls:
            if leg.user_name == user and leg.media.network is not None:
                self.impair_media(leg, to_client=conditions, from_client=conditions)

    # The gateway

    async def restart(self, pause: float = 0.0) -> None:
        """Reset every socket, listen no more, and come back after `pause` seconds; see `Gateway.restart`.

        Raises:
            ConfigurationError: `pause` is not within 0 and 60.
        """
        await self._restart(_checked(pause))

    def restart_soon(self, pause: float = 0.0) -> None:
        """The same, but without waiting for it: a request over HTTP is to be answered first.

        Raises:
            ConfigurationError: `pause` is not within 0 and 60.
        """
        self._tasks.start(self._restart_or_log(_checked(pause)))

    async def close(self) -> None:
        """End every task."""
        await self._tasks.close()

    async def _restart_or_log(self, pause: float) -> None:
        try:
            await self._restart(pause)
        except TelnyxError as error:
            logger.error("the gateway cannot be restarted: %s", error)

    def _of(self, user: str) -> UserFaults:
        self._check(user)
        return self._lasting.change(user)

    def _check(self, user: str) -> None:
        if user not in self.users:
            raise ConfigurationError(f"the gateway has no user {user!r}")

    def _connections_of(self, user: str) -> list[Connection]:
        self._check(user)
        connections = [connection for connection in self._connections.logged_in if connection.user_name == user]
        if not connections:
            raise CallError(f"{user} is not logged in, so there is no socket to disturb")
        return connections


def _checked(seconds: float) -> float:
    if not 0 <= seconds <= LONGEST_DELAY:
        raise ConfigurationError(f"the time must be between 0 and {LONGEST_DELAY:g} seconds, not {seconds}")
    return seconds


def _check_answered(leg: Leg) -> None:
    if leg.state.value is not LegState.ANSWERED:
        raise CallError(f"the audio of a call that is {leg.state.value.value} cannot be moved")


def _network_of(leg: Leg) -> SimulatedNetwork:
    if leg.media.network is None:
        raise CallError("the call has no audio yet, so there is none to disturb")
    return leg.media.network
