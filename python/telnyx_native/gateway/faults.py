"""Misbehaviour on purpose: to try what a client does when the server or the network fails it."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from weakref import WeakSet

from telnyx_native.errors import CallError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from telnyx_native.gateway.session import Session
    from telnyx_native.gateway.users import Directory

__all__ = ["Faults", "RegistrationFault"]

LONGEST_DELAY = 60.0
"""Seconds a message can be held up."""

MALFORMED = '{"jsonrpc":"2.0","id":1,"method":"telnyx_rtc.'
"""A frame that was cut off."""


class RegistrationFault(StrEnum):
    """How a registration fails."""

    REFUSED = "refused"
    """The login is answered with an error, whatever the credentials."""

    NO_ANSWER = "no_answer"
    """The login is good, but who asks for the state of the registration gets no answer."""

    # The login is good, and this is the state of the registration.
    FAILED = "FAILED"
    FAIL_WAIT = "FAIL_WAIT"
    NOREG = "NOREG"
    UNREGED = "UNREGED"
    TRYING = "TRYING"
    EXPIRED = "EXPIRED"
    TIMEOUT = "TIMEOUT"


@dataclass
class _Standing:
    """The faults of a user that last."""

    delay: float = 0.0
    duplicate: bool = False
    registration: RegistrationFault | None = None
    times: float = math.inf


class Faults:
    """The faults of a gateway, each for one user. Those that last also meet clients that log in later.

    Args:
        directory: The users.
        sessions: Lists the sockets on which somebody is logged in.
    """

    def __init__(self, directory: Directory, sessions: Callable[[], Sequence[Session]]) -> None:
        self._directory = directory
        self._sessions = sessions
        self._standing: dict[str, _Standing] = {}
        self._frozen: WeakSet[Session] = WeakSet()

    def drop(self, user: str) -> None:
        """Cut the user's sockets with a TCP reset: no closing handshake, as when a server dies.

        Raises:
            ConfigurationError: There is no such user.
            CallError: The user is not logged in.
        """
        for session in self._sessions_of(user):
            session.connection.reset()

    def freeze(self, user: str) -> None:
        """Let the user's sockets stand, but read and send nothing on them, as on a link that is gone.

        Sockets that the user opens later are not frozen.

        Raises:
            ConfigurationError: There is no such user.
            CallError: The user is not logged in.
        """
        for session in self._sessions_of(user):
            self._frozen.add(session)
            session.connection.freeze()

    def thaw(self, user: str) -> None:
        """Read and send again on sockets that were frozen; what was not sent is lost.

        Raises:
            ConfigurationError: There is no such user.
            CallError: The user is not logged in.
        """
        for session in self._sessions_of(user):
            if session in self._frozen:
                self._frozen.discard(session)
                session.connection.thaw()

    async def send_malformed(self, user: str) -> None:
        """Send the user's clients a frame that is cut off in the middle.

        Raises:
            ConfigurationError: There is no such user.
            CallError: The user is not logged in.
        """
        await asyncio.gather(*(session.connection.send(MALFORMED) for session in self._sessions_of(user)))

    async def push_registration(self, user: str, state: str) -> None:
        """Tell the user's clients, unasked, that their registration is in a state such as `EXPIRED` or `REGED`.

        Raises:
            ConfigurationError: There is no such user.
            CallError: The user is not logged in.
        """
        sessions = self._sessions_of(user)
        await asyncio.gather(*(one.notify("telnyx_rtc.gatewayState", {"state": state}) for one in sessions))

    def expire_tokens(self, user: str) -> None:
        """Let every login token that the user has now be expired; tokens made later are good.

        Raises:
            ConfigurationError: There is no such user.
        """
        self._check(user)
        self._directory.expire_tokens(user)

    def delay(self, user: str, seconds: float) -> None:
        """Hold every message to the user up, from now on.

        Raises:
            ConfigurationError: There is no such user, or `seconds` is not within 0 and 60.
        """
        if not 0 <= seconds <= LONGEST_DELAY:
            raise ConfigurationError(f"a delay must be between 0 and {LONGEST_DELAY:g} seconds, not {seconds}")
        self._of(user).delay = seconds

    def duplicate(self, user: str) -> None:
        """Send every message to the user twice, from now on.

        Raises:
            ConfigurationError: There is no such user.
        """
        self._of(user).duplicate = True

    def fail_registration(self, user: str, fault: RegistrationFault, *, times: int | None = None) -> None:
        """Let the user's registrations fail.

        Args:
            user: Whose.
            fault: How.
            times: How often, before they succeed again; `None` for always.

        Raises:
            ConfigurationError: There is no such user.
        """
        standing = self._of(user)
        standing.registration, standing.times = fault, math.inf if times is None else times

    def clear(self, user: str) -> None:
        """End the faults of a user that last, and thaw what is frozen.

        Raises:
            ConfigurationError: There is no such user.
        """
        self._check(user)
        self._standing.pop(user, None)
        if any(session.user_name == user for session in self._sessions()):
            self.thaw(user)

    # What sessions ask

    async def hold_up(self, session: Session) -> int:
        """Wait as long as a message to this client is to be delayed; return how often to send it then."""
        standing = self._standing.get(session.user_name)
        if standing is not None and standing.delay:
            await asyncio.sleep(standing.delay)
        if session in self._frozen:
            return 0
        return 2 if standing is not None and standing.duplicate else 1

    def refuses_login(self, user: str) -> bool:
        """Whether the login of a user with good credentials is to be refused; one is counted."""
        return self._take(user, refusal=True) is not None

    def registration_of(self, user: str) -> RegistrationFault | None:
        """Return how the registration of a user fails, if it does; one is counted."""
        return self._take(user, refusal=False)

    def _take(self, user: str, *, refusal: bool) -> RegistrationFault | None:
        standing = self._standing.get(user)
        if standing is None or standing.registration is None:
            return None
        if standing.times <= 0 or (standing.registration is RegistrationFault.REFUSED) is not refusal:
            return None
        standing.times -= 1
        return standing.registration

    def _of(self, user: str) -> _Standing:
        self._check(user)
        return self._standing.setdefault(user, _Standing())

    def _check(self, user: str) -> None:
        if user not in {known.name for known in self._directory}:
            raise ConfigurationError(f"the gateway has no user {user!r}")

    def _sessions_of(self, user: str) -> list[Session]:
        self._check(user)
        sessions = [session for session in self._sessions() if session.user_name == user]
        if not sessions:
            raise CallError(f"{user} is not logged in, so there is no socket to disturb")
        return sessions
