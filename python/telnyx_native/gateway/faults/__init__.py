"""Faults on purpose; here those of users that last, which connections and calls ask before they act."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from telnyx_native.media.simulated_network import NetworkConditions

__all__ = ["LastingFaults", "LoginError", "RegistrationFault", "UserFaults"]


class RegistrationFault(StrEnum):
    """How a registration fails."""

    REFUSED = "refused"
    """The login is answered with an error, whatever the credentials."""

    NO_ANSWER = "no_answer"
    """The login is good, but requests for the state of the registration get no answer."""

    # The login is good, and this is the state of the registration.
    FAILED = "FAILED"
    FAIL_WAIT = "FAIL_WAIT"
    NOREG = "NOREG"
    UNREGED = "UNREGED"
    TRYING = "TRYING"
    EXPIRED = "EXPIRED"
    TIMEOUT = "TIMEOUT"


@dataclass
class LoginError:
    """An error that good logins are answered with.

    Attributes:
        code: Its code; `None` for an error without one.
        times: How often, before logins succeed again.
    """

    code: int | None
    times: float


@dataclass
class UserFaults:
    """The lasting faults of one user.

    Attributes:
        delay: Seconds that every message to the user is late.
        duplicate: Whether every message is sent twice.
        registration: How registrations fail.
        times: How often, before they succeed again.
        login_error: What good logins are answered with.
        late_description: Whether calls are answered without a description, which follows.
        channels: Calls that the user may place at a time.
        media: What happens to the packets of calls.
    """

    delay: float = 0.0
    duplicate: bool = False
    registration: RegistrationFault | None = None
    times: float = math.inf
    login_error: LoginError | None = None
    late_description: bool = False
    channels: int | None = None
    media: NetworkConditions | None = None

    @property
    def copies(self) -> int:
        """How often a message is sent."""
        return 2 if self.duplicate else 1


class LastingFaults:
    """The lasting faults of all users, by name."""

    def __init__(self) -> None:
        self._by_user: dict[str, UserFaults] = {}

    def of(self, user: str) -> UserFaults:
        """Return the faults of a user, to read; without any, those of a user who has none."""
        return self._by_user.get(user) or UserFaults()

    def change(self, user: str) -> UserFaults:
        """Return the faults of a user, to change."""
        return self._by_user.setdefault(user, UserFaults())

    def clear(self, user: str) -> None:
        """End the faults of a user."""
        self._by_user.pop(user, None)

    async def delay(self, user: str) -> int:
        """Wait as long as a message to a user is late; return how often it is sent."""
        faults = self.of(user)
        if faults.delay:
            await asyncio.sleep(faults.delay)
        return faults.copies

    def refuses_login(self, user: str) -> bool:
        """Whether the login of a user with good credentials is to be refused; one is counted."""
        return self._take_registration(user, refusal=True) is not None

    def registration_fault(self, user: str) -> RegistrationFault | None:
        """Return how the registration of a user fails, if it does; one is counted."""
        return self._take_registration(user, refusal=False)

    def login_error(self, user: str) -> LoginError | None:
        """Return what a good login of a user is answered with, if that is an error; one is counted."""
        error = self.of(user).login_error
        if error is None or error.times <= 0:
            return None
        error.times -= 1
        return error

    def _take_registration(self, user: str, *, refusal: bool) -> RegistrationFault | None:
        faults = self.of(user)
        if faults.registration is None or faults.times <= 0:
            return None
        if (faults.registration is RegistrationFault.REFUSED) is not refusal:
            return None
        faults.times -= 1
        return faults.registration
