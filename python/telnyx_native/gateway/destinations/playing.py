"""Destinations that play something: `tone`, `music`, `file`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telnyx_native.gateway.calls.hangup import reason_of
from telnyx_native.gateway.destinations.sounds import EndlessTone, FileSound, Music, Sound, SoundFolder, play, rendered
from telnyx_native.states import CallTerminationReason, HangupCause

if TYPE_CHECKING:
    from telnyx_native.gateway.calls.leg import CallerLeg
    from telnyx_native.gateway.destinations.destination import Factory

__all__ = ["PlayEndlessly", "PlayOnce", "file_player", "music_player", "tone_player"]

TAIL = 0.5
"""Seconds between the end of a sound and the hang-up: the client's jitter buffer is still playing it."""


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


def tone_player(argument: str) -> PlayEndlessly:
    """Make the destination of `tone` or `tone:HZ`."""
    return PlayEndlessly(EndlessTone.parse(argument))


def music_player(_argument: str) -> PlayEndlessly:
    """Make the destination of `music`."""
    return PlayEndlessly(Music())


def file_player(folder: SoundFolder) -> Factory:
    """Return what makes the destination of `file:NAME`: a file of a folder, and of nowhere else."""
    return lambda argument: PlayOnce(FileSound(folder.find(argument)))
