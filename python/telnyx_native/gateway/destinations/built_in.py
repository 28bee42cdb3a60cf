"""The destinations that every gateway has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway.destinations.answering import EarlyMedia, Echo, HangUpAfter
from telnyx_native.gateway.destinations.menu import EXAMPLE_MENU, Ivr, Menu
from telnyx_native.gateway.destinations.playing import file_player, music_player, tone_player
from telnyx_native.gateway.destinations.read_back import ReadBack
from telnyx_native.gateway.destinations.refusing import Refuse, RingOut
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_native.gateway.destinations.conference import Rooms
    from telnyx_native.gateway.destinations.destination import Factory
    from telnyx_native.gateway.sounds import SoundFolder

__all__ = ["FIRST_MENU", "built_in"]

FIRST_MENU = "main"
"""The menu of `ivr`, without a name."""


def built_in(menus: Mapping[str, Menu], folder: SoundFolder, rooms: Rooms) -> dict[str, Factory]:
    """Return the destinations that every gateway has, by name.

    Args:
        menus: What `ivr:NAME` plays; an example without any.
        folder: What `file:NAME` may play.
        rooms: What `conference:NAME` leads to.
    """
    menus = menus or {FIRST_MENU: EXAMPLE_MENU}

    def ivr(name: str) -> Ivr:
        menu = menus.get(name or FIRST_MENU)
        if menu is None:
            raise ConfigurationError(f"there is no menu {name or FIRST_MENU!r}; there are: {', '.join(menus)}")
        return Ivr(menu, folder)

    return {
        "echo": lambda _: Echo(),
        "tone": tone_player,
        "music": music_player,
        "file": file_player(folder),
        "dtmf": lambda _: ReadBack(),
        "ivr": ivr,
        "conference": rooms.destination,
        "early": EarlyMedia.parse,
        "hangup-after": HangUpAfter.parse,
        "busy": lambda _: Refuse(HangupCause.USER_BUSY),
        "reject": lambda _: Refuse(HangupCause.CALL_REJECTED),
        "noanswer": lambda _: RingOut(),
    }
