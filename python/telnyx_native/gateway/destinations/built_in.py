"""The destinations that every gateway has: the table of their names, and those that are small."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway.calls.dtmf import keypad
from telnyx_native.gateway.destinations.ivr import EXAMPLE_MENU, Ivr
from telnyx_native.gateway.destinations.sounds import (
    VOICEMAIL,
    EndlessTone,
    FileSound,
    KeyTones,
    Music,
    NetworkTone,
    Silence,
    Sound,
    SoundFolder,
    Tone,
    play,
    rendered,
)
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from telnyx_native.gateway.calls.dtmf import Keypad
    from telnyx_native.gateway.calls.leg import CallerLeg
    from telnyx_native.gateway.calls.media import EngineLease
    from telnyx_native.gateway.destinations import Factory, Outcome
    from telnyx_native.gateway.destinations.ivr import Menu
    from telnyx_native.media.joins import PeerConference
    from telnyx_native.media.stream import AudioStream

__all__ = [
    "EarlyMedia",
    "Echo",
    "HangUpAfter",
    "JoinRoom",
    "PlayEndlessly",
    "PlayOnce",
    "ReadBack",
    "Refuse",
    "RingOut",
    "Rooms",
    "Voicemail",
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
        "progress": lambda argument: PlayEndlessly(NetworkTone.parse(argument)),
        "voicemail": lambda name: Voicemail(FileSound(folder.find(name) if name else VOICEMAIL)),
        "file": lambda name: PlayOnce(FileSound(folder.find(name))),
        "dtmf": lambda _: ReadBack(),
        "ivr": ivr,
        "conference": rooms.destination,
        "early": lambda argument: EarlyMedia(_seconds_of(argument, default=2.0)),
        "hangup-after": lambda argument: HangUpAfter(_seconds_of(argument, default=5.0)),
        "busy": lambda _: Refuse(HangupCause.USER_BUSY),
        "reject": lambda _: Refuse(HangupCause.CALL_REJECTED),
        "noanswer": lambda _: RingOut(),
    }


class Echo:
    """Answers, and returns what it hears, natively: nothing of it passes through Python."""

    async def serve(self, leg: CallerLeg) -> Outcome:
        """Echo until the caller hangs up."""
        await leg.answer()
        await leg.media.wait_connected()
        leg.peer.echo()
        return await leg.wait_ended()


class ReadBack:
    """Answers with a beep, collects keys, and reads each entry back as DTMF tones."""

    async def serve(self, leg: CallerLeg) -> Outcome:
        """Read back until the caller hangs up."""
        await leg.answer()
        async with keypad(leg.keys, leg.audio) as keys:  # before the audio: keys may come at once
            await leg.media.wait_connected()
            await play(leg.audio, BEEP)
            while entry := await _entry(keys):
                await play(leg.audio, KeyTones(entry))
        return HangupCause.NORMAL_CLEARING


async def _entry(keys: Keypad) -> str:
    """Return the keys up to a pause or `#`, which is not among them; nothing when the call is over."""
    entry = ""
    while len(entry) < LONGEST_ENTRY:
        key = await keys.next(PAUSE if entry else None)
        if key is None or (key == "#" and entry):
            break
        entry += key
    return entry


@dataclass(frozen=True)
class HangUpAfter:
    """Answers, echoes, and hangs up some seconds after the answer."""

    seconds: float

    async def serve(self, leg: CallerLeg) -> Outcome:
        """Echo for a while."""
        await leg.answer()
        await leg.media.wait_connected()
        leg.peer.echo()
        await asyncio.sleep(self.seconds)
        return HangupCause.NORMAL_CLEARING


@dataclass(frozen=True)
class EarlyMedia:
    """Plays a ringback tone before the answer, as networks do that ring by themselves; then answers and echoes.

    Attributes:
        seconds: How long it rings, once the audio is connected.
    """

    seconds: float

    async def serve(self, leg: CallerLeg) -> Outcome:
        """Ring audibly, answer, and echo until the caller hangs up."""
        await leg.begin_early_media()
        await leg.media.wait_connected()
        async with leg.ringback():
            await asyncio.sleep(self.seconds)
        return await Echo().serve(leg)


class RingOut:
    """Rings, and is never answered."""

    async def serve(self, leg: CallerLeg) -> Outcome:
        """Ring for as long as the gateway lets a call ring."""
        await leg.ring()
        await asyncio.sleep(leg.media.limits.ring_time)
        return HangupCause.NO_ANSWER


@dataclass(frozen=True)
class Refuse:
    """Takes no call, for a cause."""

    cause: HangupCause

    async def serve(self, leg: CallerLeg) -> Outcome:  # noqa: ARG002 - nobody looks at it
        """Refuse at once."""
        return self.cause


@dataclass(frozen=True)
class PlayEndlessly:
    """Answers, and plays a sound over and over."""

    sound: Sound

    async def serve(self, leg: CallerLeg) -> Outcome:
        """Play until the caller hangs up."""
        await leg.answer()
        await leg.media.wait_connected()
        samples = await rendered(self.sound, leg.audio.sample_rate)
        while True:
            await leg.audio.write(samples.data)


@dataclass(frozen=True)
class PlayOnce:
    """Answers, plays a sound to its end, and hangs up."""

    sound: Sound

    async def serve(self, leg: CallerLeg) -> Outcome:
        """Play to the end."""
        await leg.answer()
        await leg.media.wait_connected()
        await play(leg.audio, self.sound)
        await asyncio.sleep(TAIL)
        return HangupCause.NORMAL_CLEARING


VOICEMAIL_BEEP = Tone(1000, 0.4)
"""Heard before a message can be left."""

GREETING_PAUSE = 0.6
"""Seconds between the greeting and the beep."""

MESSAGE_PAUSE = 2.0
"""Seconds of silence that end a message."""

LONGEST_MESSAGE = 60.0

QUIET = -50.0
"""dBFS; what is less loud is silence."""


@dataclass(frozen=True)
class Voicemail:
    """An answering machine: greets, beeps, and takes a message, which it plays back before it hangs up."""

    greeting: Sound

    async def serve(self, leg: CallerLeg) -> Outcome:
        """Greet, and take a message."""
        await leg.answer()
        await leg.media.wait_connected()
        await play(leg.audio, self.greeting)
        await play(leg.audio, Silence(GREETING_PAUSE))
        await play(leg.audio, VOICEMAIL_BEEP)
        await leg.audio.write(await _message(leg.audio))
        await leg.audio.drain()
        await asyncio.sleep(TAIL)
        return HangupCause.NORMAL_CLEARING


async def _message(audio: AudioStream) -> bytes:
    """Return what is said from now on, up to a pause."""
    audio.read_nowait()  # what was said before the beep
    message, pause, spoken = bytearray(), 0.0, False
    async for frame in audio:
        message += frame
        loud = audio.received_level > QUIET
        spoken, pause = spoken or loud, 0.0 if loud else pause + len(frame) / 2 / audio.sample_rate
        length = len(message) / 2 / audio.sample_rate
        if length >= LONGEST_MESSAGE or (pause >= MESSAGE_PAUSE and (spoken or pause >= 5 * MESSAGE_PAUSE)):
            break
    return bytes(message)


def _seconds_of(argument: str, *, default: float) -> float:
    """Read the seconds in an address such as `hangup-after:2.5`.

    Raises:
        ConfigurationError: It is no number between 0 and `LONGEST_TIME`.
    """
    if not argument:
        return default
    try:
        seconds = float(argument)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_TIME:
        raise ConfigurationError(f"{argument!r} is no number of seconds between 0 and {LONGEST_TIME:g}")
    return seconds


LONGEST_NAME = 64

CHIME = Tone(1200, 0.1)
"""What those in the room hear when somebody comes."""


class Rooms:
    """The conferences that are going on, by name. One begins with its first caller, and ends with its last."""

    def __init__(self, engine: EngineLease, limit: int) -> None:
        self._engine = engine
        self._limit = limit
        self._open: dict[str, PeerConference] = {}
        self._present: dict[str, int] = {}

    def destination(self, name: str) -> JoinRoom:
        """Return the destination of `conference:NAME`; without a name there is one room, too.

        Raises:
            ConfigurationError: The name is too long.
        """
        if len(name) > LONGEST_NAME:
            raise ConfigurationError(f"the name of a conference has {LONGEST_NAME} characters at most")
        return JoinRoom(self, name)

    def full(self, name: str) -> bool:
        """Whether one more would be too many."""
        return self._present.get(name, 0) >= self._limit

    @contextmanager
    def visit(self, name: str) -> Iterator[PeerConference]:
        """Be in a room until the context ends."""
        room = self._open.get(name)
        if room is None:
            room = self._open[name] = self._engine.create_conference()
        self._present[name] = self._present.get(name, 0) + 1
        try:
            yield room
        finally:
            self._present[name] -= 1
            if not self._present[name]:
                del self._present[name]
                self._open.pop(name).close()


@dataclass(frozen=True)
class JoinRoom:
    """Answers, and lets the caller hear and speak to the others in a room, mixed natively."""

    rooms: Rooms
    name: str

    async def serve(self, leg: CallerLeg) -> Outcome:
        """Stay in the room until the caller hangs up; a full room takes no call."""
        if self.rooms.full(self.name):
            return HangupCause.NORMAL_CIRCUIT_CONGESTION
        with self.rooms.visit(self.name) as room:
            await leg.answer()
            await leg.media.wait_connected()
            chime = await rendered(CHIME, room.audio.sample_rate)
            room.audio.write_nowait(chime.data)
            room.add(leg.peer)
            return await leg.wait_ended()
