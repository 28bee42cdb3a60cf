"""The destinations that every gateway has: the table of their names, and those that are small."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway.calls.dtmf import keypad
from telnyx_native.gateway.calls.hangup import reason_of
from telnyx_native.gateway.destinations.ivr import EXAMPLE_MENU, Ivr
from telnyx_native.gateway.destinations.sounds import (
    EndlessTone,
    FileSound,
    KeyTones,
    Music,
    Sound,
    SoundFolder,
    Tone,
    play,
    rendered,
)
from telnyx_native.states import CallTerminationReason, HangupCause

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_native.gateway.calls.dtmf import Keypad
    from telnyx_native.gateway.calls.leg import CallerLeg
    from telnyx_native.gateway.destinations.conference import Rooms
    from telnyx_native.gateway.destinations.destination import Factory
    from telnyx_native.gateway.destinations.ivr import Menu

__all__ = [
    "EarlyMedia",
    "Echo",
    "HangUpAfter",
    "PlayEndlessly",
    "PlayOnce",
    "ReadBack",
    "Refuse",
    "RingOut",
    "built_in",
]

FIRST_MENU = "main"
"""The menu of `ivr`, without a name."""

LONGEST_TIME = 3600.0
"""Seconds an address may ask for."""

TAIL = 0.5
"""Seconds between the end of a sound and the hang-up: the client's jitter buffer is still playing it."""

PAUSE = 1.5
"""Seconds without a key after which an entry is complete; `#` completes it at once."""

LONGEST_ENTRY = 32

BEEP = Tone(880, 0.15)
"""Heard when the keys can be pressed."""


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
        "tone": lambda argument: PlayEndlessly(EndlessTone.parse(argument)),
        "music": lambda _: PlayEndlessly(Music()),
        "file": lambda name: PlayOnce(FileSound(folder.find(name))),
        "dtmf": lambda _: ReadBack(),
        "ivr": ivr,
        "conference": rooms.destination,
        "early": EarlyMedia.parse,
        "hangup-after": HangUpAfter.parse,
        "busy": lambda _: Refuse(HangupCause.USER_BUSY),
        "reject": lambda _: Refuse(HangupCause.CALL_REJECTED),
        "noanswer": lambda _: RingOut(),
    }


class Echo:
    """Answers, and returns what it hears, natively: nothing of it passes through Python."""

    async def serve(self, leg: CallerLeg) -> CallTerminationReason:
        """Echo until the caller hangs up."""
        await leg.answer()
        await leg.media.connected()
        leg.peer.echo()
        return await leg.wait_ended()


class ReadBack:
    """Answers with a beep, collects keys, and reads each entry back as DTMF tones."""

    async def serve(self, leg: CallerLeg) -> CallTerminationReason:
        """Read back until the caller hangs up."""
        await leg.answer()
        async with keypad(leg.keys, leg.audio) as keys:  # at once: whoever was answered may press keys
            await leg.media.connected()
            await play(leg.audio, BEEP)
            while entry := await _entry(keys):
                await play(leg.audio, KeyTones(entry))
        return reason_of(HangupCause.NORMAL_CLEARING)


async def _entry(keys: Keypad) -> str:
    """Return the keys up to a pause or `#`, which is not among them; nothing when the call is over."""
    entry = ""
    while len(entry) < LONGEST_ENTRY:
        key = await keys.next(PAUSE if entry else None)
        if key is None or (key == "#" and entry):
            break
        entry += key
    return entry


class HangUpAfter:
    """Answers, echoes, and hangs up.

    Args:
        seconds: How long after the answer.
    """

    DEFAULT = 5.0

    def __init__(self, seconds: float = DEFAULT) -> None:
        self._seconds = seconds

    @classmethod
    def parse(cls, argument: str) -> HangUpAfter:
        """Make the one of an address: `hangup-after` or `hangup-after:10`."""
        return cls(_seconds_of(argument, cls.DEFAULT, LONGEST_TIME))

    async def serve(self, leg: CallerLeg) -> CallTerminationReason:
        """Echo for a while."""
        await leg.answer()
        await leg.media.connected()
        leg.peer.echo()
        await asyncio.sleep(self._seconds)
        return reason_of(HangupCause.NORMAL_CLEARING)


class EarlyMedia:
    """Plays a ringback tone before the answer, as networks do that ring by themselves; then answers and echoes.

    Args:
        seconds: How long it rings, once the audio is connected.
    """

    DEFAULT = 2.0

    def __init__(self, seconds: float = DEFAULT) -> None:
        self._seconds = seconds

    @classmethod
    def parse(cls, argument: str) -> EarlyMedia:
        """Make the one of an address: `early` or `early:10`."""
        return cls(_seconds_of(argument, cls.DEFAULT, LONGEST_TIME))

    async def serve(self, leg: CallerLeg) -> CallTerminationReason:
        """Ring audibly, answer, and echo until the caller hangs up."""
        await leg.begin_early_media()
        await leg.media.connected()
        async with leg.ringback():
            await asyncio.sleep(self._seconds)
        return await Echo().serve(leg)


class RingOut:
    """Rings, and is never answered."""

    async def serve(self, leg: CallerLeg) -> CallTerminationReason:
        """Ring for as long as the gateway lets a call ring."""
        await leg.ring()
        await asyncio.sleep(leg.media.limits.ring_time)
        return reason_of(HangupCause.NO_ANSWER)


class Refuse:
    """Takes no call.

    Args:
        cause: Why not.
    """

    def __init__(self, cause: HangupCause) -> None:
        self._cause = cause

    async def serve(self, leg: CallerLeg) -> CallTerminationReason:  # noqa: ARG002 - nobody looks at it
        """Refuse at once."""
        return reason_of(self._cause)


@dataclass(frozen=True)
class PlayEndlessly:
    """Answers, and plays a sound over and over."""

    sound: Sound

    async def serve(self, leg: CallerLeg) -> CallTerminationReason:
        """Play until the caller hangs up."""
        await leg.answer()
        await leg.media.connected()
        samples = await rendered(self.sound, leg.audio.sample_rate)
        while True:
            await leg.audio.write(samples.data)


@dataclass(frozen=True)
class PlayOnce:
    """Answers, plays a sound to its end, and hangs up."""

    sound: Sound

    async def serve(self, leg: CallerLeg) -> CallTerminationReason:
        """Play to the end."""
        await leg.answer()
        await leg.media.connected()
        await play(leg.audio, self.sound)
        await asyncio.sleep(TAIL)
        return reason_of(HangupCause.NORMAL_CLEARING)


def _seconds_of(argument: str, default: float, most: float) -> float:
    """Read the seconds in an address such as `hangup-after:2.5`.

    Raises:
        ConfigurationError: It is no number between 0 and `most`.
    """
    if not argument:
        return default
    try:
        seconds = float(argument)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= most:
        raise ConfigurationError(f"{argument!r} is no number of seconds between 0 and {most:g}")
    return seconds
