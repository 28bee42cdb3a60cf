"""Which destination a call gets."""

from __future__ import annotations

import difflib
import logging
from typing import TYPE_CHECKING

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway.addresses import address_of
from telnyx_native.gateway.destinations.refusing import Refuse
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from telnyx_native.gateway.destinations import Destination, Factory
    from telnyx_native.gateway.dial_plan import DialPlan
    from telnyx_native.gateway.users import Directory, User

__all__ = ["Router"]

logger = logging.getLogger(__name__)


class Router:
    """Finds the destination of an address: a user by name or number, a number or group of the plan, or a program.

    Args:
        directory: The users.
        plan: The numbers and groups.
        call_users: Makes the destination that rings users.
        programs: The other destinations, by name.

    Raises:
        ConfigurationError: The plan leads to what there is not; the message begins with the setting.
    """

    def __init__(
        self,
        directory: Directory,
        plan: DialPlan,
        call_users: Callable[[Sequence[User]], Destination],
        programs: Mapping[str, Factory],
    ) -> None:
        self._directory = directory
        self._plan = plan
        self._call_users = call_users
        self._programs = programs
        self._numbers = {address_of(number): address for number, address in plan.numbers.items()}
        self._groups = {name: self._members(name) for name in plan.groups}
        self._check()

    def route(self, address: str) -> Destination:
        """Return where a call to `address` goes; a call that leads nowhere is refused."""
        try:
            destination = self._find(address)
        except ConfigurationError as error:
            logger.warning("a call to %r leads nowhere: %s", address, error)
            return Refuse(HangupCause.INVALID_NUMBER_FORMAT)
        return destination or Refuse(HangupCause.UNALLOCATED_NUMBER)

    def users_at(self, address: str) -> Sequence[User]:
        """Return the users whom an address rings: one, or the members of a group.

        Raises:
            ConfigurationError: It is neither.
        """
        address = self.led_to(address)
        user = self._directory.find(address)
        users = [user] if user else self._groups.get(address, ())
        if not users:
            raise ConfigurationError(self._unknown("user or group", address, [*self._user_names, *self._groups]))
        return users

    def led_to(self, address: str) -> str:
        """Return where the number of the plan leads that an address is; other addresses stay as they are."""
        return self._numbers.get(address_of(address), address)

    def _find(self, address: str) -> Destination | None:
        address = self.led_to(address)
        user = self._directory.find(address)
        if user is not None:
            return self._call_users([user])
        if address in self._groups:
            return self._call_users(self._groups[address])
        name, _, argument = address.partition(":")
        factory = self._programs.get(name.lower())
        return factory(argument) if factory else None

    # The plan

    def _members(self, group: str) -> Sequence[User]:
        members = []
        for name in self._plan.groups[group]:
            user = self._directory.find(name)
            if user is None:
                raise ConfigurationError(f"groups.{group}: {self._unknown('user', name, self._user_names)}")
            members.append(user)
        if not members:
            raise ConfigurationError(f"groups.{group}: a group needs somebody who rings; name users")
        return members

    def _check(self) -> None:
        for taken in (*self._plan.numbers, *self._plan.groups):
            if self._directory.find(taken):
                raise ConfigurationError(f"{taken!r} is a user already; a number or group needs another name")
        for group in self._plan.groups:
            if group in self._programs:
                raise ConfigurationError(f"groups.{group}: that is a destination already; choose another name")
        for setting, address in self._plan.addresses():
            try:
                destination = None if address_of(address) in self._numbers else self._find(address)
            except ConfigurationError as error:
                raise ConfigurationError(f"{setting}: {error}") from None
            if destination is None:
                known = [*self._user_names, *self._groups, *self._programs]
                raise ConfigurationError(f"{setting}: {self._unknown('destination', address, known)}")

    @property
    def _user_names(self) -> list[str]:
        return [user.name for user in self._directory]

    @staticmethod
    def _unknown(kind: str, name: str, known: Sequence[str]) -> str:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known) or 'none'}"
        return f"there is no {kind} {name!r}; {hint}"
