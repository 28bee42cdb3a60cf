"""Which destination a call gets."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway.destinations import Destination, Factory, Refuse
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from telnyx_native.gateway.users import Directory, User

__all__ = ["Router"]

logger = logging.getLogger(__name__)


class Router:
    """Finds the destination of an address: a user by name or number, else a program by name.

    Args:
        directory: The users.
        call_user: Makes the destination that rings a user.
        programs: The other destinations, by name.
    """

    def __init__(
        self,
        directory: Directory,
        call_user: Callable[[User], Destination],
        programs: Mapping[str, Factory],
    ) -> None:
        self._directory = directory
        self._call_user = call_user
        self._programs = programs

    def route(self, address: str) -> Destination:
        """Return where a call to `address` goes; a call that leads nowhere is refused."""
        user = self._directory.find(address)
        if user is not None:
            return self._call_user(user)
        name, _, argument = address.partition(":")
        factory = self._programs.get(name.lower())
        if factory is None:
            return Refuse(HangupCause.UNALLOCATED_NUMBER)
        try:
            return factory(argument)
        except ConfigurationError as error:
            logger.warning("a call to %r leads nowhere: %s", address, error)
            return Refuse(HangupCause.INVALID_NUMBER_FORMAT)
