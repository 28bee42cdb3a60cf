"""Which destination a call gets: the dial plan, the router that looks up addresses, and the calls on their way."""

from __future__ import annotations

import asyncio
import difflib
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from telnyx_native.errors import ConfigurationError, MediaError, SdpError
from telnyx_native.event_loop import Tasks
from telnyx_native.gateway.accounts.users import address_of
from telnyx_native.gateway.destinations.built_in import Refuse
from telnyx_native.states import CallTerminationReason, HangupCause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from telnyx_native.gateway.accounts.users import Directory, User
    from telnyx_native.gateway.calls.call_info import Reason
    from telnyx_native.gateway.calls.leg import CallerLeg
    from telnyx_native.gateway.destinations import Destination, Factory
    from telnyx_native.gateway.destinations.ivr import Menu

__all__ = ["DialPlan", "Ring", "Router", "Switchboard"]

logger = logging.getLogger(__name__)


Ring = Literal["last", "all"]
"""Which phones of a user ring."""


@dataclass(frozen=True)
class DialPlan:
    """Where calls lead beyond users and built-in destinations.

    An address is, in this order: the name or number of a user, a number or a group of this plan, or a destination.

    Attributes:
        numbers: Where each number leads, such as `{"+15550199": "sales", "+15550198": "ivr:main"}`. Numbers that
            clients dial and numbers that `Gateway.place_call` calls are the same.
        groups: Who rings when a group is called: names of users. They ring together, and the first to answer has the
            call; the others are told that it was answered elsewhere.
        menus: What `ivr:NAME` plays; `ivr` alone is the menu `main`.
        sounds: The folder that `file:NAME` and the prompts of menus are in. Nothing else can be played.
        ring: Which phones of a user ring: `"last"`, the one that logged in last, as at Telnyx; or `"all"`, which is not
            Telnyx's way: a number or a credential for each device is.
    """

    numbers: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    menus: Mapping[str, Menu] = field(default_factory=dict)
    sounds: Path | None = None
    ring: Ring = "last"

    def __post_init__(self) -> None:
        if self.ring not in get_args(Ring):
            raise ConfigurationError(f'ring: write "last" or "all", not {self.ring!r}')

    def addresses(self) -> Iterator[tuple[str, str]]:
        """Every address that the plan leads to, behind the name of the setting that says so."""
        for number, address in self.numbers.items():
            yield f'numbers."{number}"', address
        for name, menu in self.menus.items():
            yield f"menus.{name}", f"ivr:{name}"  # what it plays
            for setting, address in menu.addresses.items():
                yield f"menus.{name}.{setting}", address


class Router:
    """Finds the destination of an address: a user by name or number, a number or group of the plan, or a program.

    Args:
        directory: The users.
        plan: Where numbers lead, and the groups.
        ring_users: Makes the destination that rings users.
        programs: What else can be called, by name.
        application_at: Returns the application that a number belongs to, as a destination, or `None`.

    Raises:
        ConfigurationError: The plan leads to what there is not; the message begins with the setting.
    """

    def __init__(
        self,
        directory: Directory,
        plan: DialPlan,
        ring_users: Callable[[Sequence[User]], Destination],
        programs: Mapping[str, Factory],
        application_at: Callable[[str], Destination | None] = lambda _: None,
    ) -> None:
        self._directory = directory
        self._plan = plan
        self._ring_users = ring_users
        self._programs = programs
        self._application_at = application_at
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

    def leads_somewhere(self, address: str) -> bool:
        """Whether an address is that of a user, a number, a group or a program already."""
        try:
            return self._find(address) is not None
        except ConfigurationError:
            return True  # a program, and an argument that makes no sense

    def users_at(self, address: str) -> Sequence[User]:
        """Return the users whom an address rings: one, or the members of a group.

        Raises:
            ConfigurationError: It is neither.
        """
        address = self.resolve_number(address)
        user = self._directory.find(address)
        users = [user] if user else self._groups.get(address, ())
        if not users:
            raise ConfigurationError(self._unknown("user or group", address, [*self._user_names, *self._groups]))
        return users

    def resolve_number(self, address: str) -> str:
        """Return where the number of the plan leads that an address is; other addresses stay as they are."""
        return self._numbers.get(address_of(address), address)

    def _find(self, address: str) -> Destination | None:
        address = self.resolve_number(address)
        user = self._directory.find(address)
        if user is not None:
            return self._ring_users([user])
        if address in self._groups:
            return self._ring_users(self._groups[address])
        application = self._application_at(address)
        if application is not None:
            return application
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


MOST_TRANSFERS = 100
"""From destination to destination, in one call: menus that lead in a circle come to an end."""


class Switchboard:
    """Leads calls to their destinations."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._tasks = Tasks()

    def connect(self, leg: CallerLeg) -> None:
        """Lead a call to its destination, and hang it up when that has done its work."""
        self._tasks.start(self._serve(leg))

    def refuse(self, leg: CallerLeg, reason: CallTerminationReason) -> None:
        """End a call that leads nowhere."""
        self._tasks.start(leg.hang_up(reason))

    async def close(self) -> None:
        """End the work on every call. The legs are left to their connections."""
        await self._tasks.close()

    async def _serve(self, leg: CallerLeg) -> None:
        serving = asyncio.create_task(self._lead(leg))
        ended = asyncio.create_task(leg.wait_ended())
        try:
            await asyncio.wait({serving, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            serving.cancel()
            ended.cancel()
            outcome, _ = await asyncio.gather(serving, ended, return_exceptions=True)
        await leg.hang_up(_reason_of_outcome(outcome, leg))

    async def _lead(self, leg: CallerLeg) -> Reason:
        """Lead a call from destination to destination; return why the last one is done with it."""
        address = leg.info.callee.number
        for _ in range(MOST_TRANSFERS):
            outcome = await self._router.route(address).serve(leg)
            if isinstance(outcome, HangupCause | CallTerminationReason):
                return outcome
            address = outcome.address
            logger.info("%s goes on to %s", leg.info.caller.number, address)
        logger.warning("the call to %s was transferred %d times: it is ended", leg.info.callee.number, MOST_TRANSFERS)
        return HangupCause.NORMAL_TEMPORARY_FAILURE


def _reason_of_outcome(outcome: Reason | BaseException, leg: CallerLeg) -> Reason:
    if not isinstance(outcome, BaseException):
        return outcome
    if isinstance(outcome, asyncio.CancelledError) or leg.reason is not None:
        return HangupCause.NORMAL_CLEARING  # the caller has hung up: nobody will read it
    if isinstance(outcome, MediaError):
        logger.warning("the call to %s has no audio: %s", leg.info.callee.number, outcome)
        unusable = isinstance(outcome, SdpError)
        return HangupCause.INCOMPATIBLE_DESTINATION if unusable else HangupCause.MEDIA_TIMEOUT
    if isinstance(outcome, ConfigurationError):  # a sound file that is none
        logger.warning("the call to %s is ended: %s", leg.info.callee.number, outcome)
        return HangupCause.NORMAL_TEMPORARY_FAILURE
    logger.error("the destination %s failed", leg.info.callee.number, exc_info=outcome)
    return HangupCause.NORMAL_TEMPORARY_FAILURE
