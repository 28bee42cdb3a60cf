"""Where calls lead beyond what every gateway has: numbers, groups, menus, sounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from telnyx_native.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from telnyx_native.gateway.destinations.menu import Menu

__all__ = ["DialPlan", "Ring"]

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
