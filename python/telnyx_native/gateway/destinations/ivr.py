"""`ivr`: a menu, with something to hear and an address for each key."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telnyx_native.event_loop import cancel_all
from telnyx_native.gateway.calls.dtmf import keypad
from telnyx_native.gateway.destinations import Outcome, Transfer
from telnyx_native.gateway.destinations.sounds import parse_sound, play
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from telnyx_native.gateway.calls.dtmf import Keypad
    from telnyx_native.gateway.calls.leg import CallerLeg
    from telnyx_native.gateway.destinations.sounds import Sound, SoundFolder

__all__ = ["EXAMPLE_MENU", "Ivr", "Menu"]


@dataclass(frozen=True)
class Menu:
    """What a caller hears, and where the keys lead.

    Attributes:
        keys: The address each key leads to: a user, a number, a group, or a destination such as `"echo"`, or
            `"ivr:NAME"` for another menu.
        prompt: What is played, one after the other: `"file:NAME"`, `"tone:HZ"`, `"tone:HZ:SECONDS"`, `"keys:KEYS"`,
            `"silence:SECONDS"`. Nothing is said without it.
        invalid: What is played after a key that leads nowhere.
        timeout: Seconds to wait for a key after the prompt.
        tries: How often the prompt is played until the caller gives up choosing.
        barge_in: Whether keys count while the prompt is playing, and end it.
        otherwise: Where the call goes when all tries are used up; it is hung up without it.
    """

    keys: Mapping[str, str]
    prompt: Sequence[str] = ()
    invalid: Sequence[str] = ("tone:220:0.4",)
    timeout: float = 5.0
    tries: int = 3
    barge_in: bool = True
    otherwise: str | None = None

    @property
    def addresses(self) -> Mapping[str, str]:
        """Every address the menu leads to, by the name of the setting that says so."""
        leads = {f"keys.{key}": address for key, address in self.keys.items()}
        return leads if self.otherwise is None else leads | {"otherwise": self.otherwise}


EXAMPLE_MENU = Menu(
    keys={"1": "echo", "2": "music", "3": "tone:440", "4": "dtmf", "0": "assistant"},
    prompt=("tone:523:0.15", "tone:659:0.15", "tone:784:0.3"),
)
"""What `ivr` is when nobody has configured a menu."""


class Ivr:
    """Answers, plays a menu's prompt, and leads the caller to where the pressed key says.

    Raises:
        ConfigurationError: The menu plays something that there is not.
    """

    def __init__(self, menu: Menu, folder: SoundFolder) -> None:
        self._menu = menu
        self._prompt = [parse_sound(text, folder) for text in menu.prompt]
        self._invalid = [parse_sound(text, folder) for text in menu.invalid]

    async def serve(self, leg: CallerLeg) -> Outcome:
        """Ask until the caller has chosen, or the tries are used up."""
        await leg.answer()
        async with keypad(leg.keys, leg.audio) as keys:  # before the audio: keys may come at once
            await leg.media.wait_connected()
            for _ in range(self._menu.tries):
                key = await self._ask(leg, keys)
                if key is None:
                    continue
                if key in self._menu.keys:
                    return Transfer(self._menu.keys[key])
                await _play_all(leg, self._invalid)
        otherwise = self._menu.otherwise
        return Transfer(otherwise) if otherwise else HangupCause.NORMAL_CLEARING

    async def _ask(self, leg: CallerLeg, keys: Keypad) -> str | None:
        """Play the prompt; return the key that is pressed, or `None`."""
        if self._menu.barge_in:
            key = await self._interrupted(leg, keys)
        else:
            await _play_all(leg, self._prompt)
            keys.forget()
            key = None
        return key or await keys.next(self._menu.timeout)

    async def _interrupted(self, leg: CallerLeg, keys: Keypad) -> str | None:
        """Play the prompt until a key is pressed; return it, or `None` if there was none."""
        playing = asyncio.create_task(_play_all(leg, self._prompt))
        pressed = asyncio.create_task(keys.next())
        try:
            await asyncio.wait({playing, pressed}, return_when=asyncio.FIRST_COMPLETED)
            if pressed.done():
                return pressed.result()
            playing.result()  # a prompt that cannot be played ends the call
            return None
        finally:
            await cancel_all([playing, pressed])
            leg.audio.clear()


async def _play_all(leg: CallerLeg, sounds: Sequence[Sound]) -> None:
    for sound in sounds:
        await play(leg.audio, sound)
