"""What a call can reach besides people: small programs that serve one leg."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway.reasons import reason_of
from telnyx_native.states import CallTerminationReason, HangupCause

if TYPE_CHECKING:
    from telnyx_native.gateway.caller_leg import CallerLeg

__all__ = ["BUILT_IN", "Destination", "Echo", "Factory", "Refuse", "RingOut", "Tone"]


class Destination(Protocol):
    """Where a call goes."""

    async def serve(self, leg: CallerLeg) -> CallTerminationReason:
        """Serve a call from its first ring on; return why it is to be hung up.

        Cancelled when the caller hangs up. What it raises ends the call too, a MediaError for lack of audio.
        """


Factory = Callable[[str], Destination]
"""Makes a destination from what follows the colon of its address: `"440"` for `tone:440`, `""` for `tone`.

Raises ConfigurationError when that makes no sense.
"""


class Echo:
    """Answers, and returns what it hears, natively: nothing of it passes through Python."""

    async def serve(self, leg: CallerLeg) -> CallTerminationReason:
        """Echo until the caller hangs up; a held call hears nothing."""
        await leg.answer()
        await leg.media.connected()
        async for held in leg.held:
            if held:
                leg.peer.leave()
            else:
                leg.peer.echo()
        return reason_of(HangupCause.NORMAL_CLEARING)


class Tone:
    """Answers, and plays a sine tone.

    Args:
        hz: Its frequency.
    """

    DEFAULT_HZ = 440

    def __init__(self, hz: int = DEFAULT_HZ) -> None:
        self._hz = hz

    @classmethod
    def parse(cls, argument: str) -> Tone:
        """Make the tone of an address: `tone` or `tone:1000`."""
        if not argument:
            return cls()
        if argument.isascii() and argument.isdigit() and 20 <= int(argument[:6]) <= 3400:
            return cls(int(argument))
        raise ConfigurationError("a tone is between 20 and 3400 Hz, such as tone:440")

    async def serve(self, leg: CallerLeg) -> CallTerminationReason:
        """Play until the caller hangs up; a held call hears nothing."""
        await leg.answer()
        await leg.media.connected()
        playing: asyncio.Task[None] | None = None
        try:
            async for held in leg.held:
                if playing is not None:
                    await _stop(playing)
                    leg.audio.clear()
                playing = None if held else asyncio.create_task(self._play(leg))
        finally:
            if playing is not None:
                await _stop(playing)
        return reason_of(HangupCause.NORMAL_CLEARING)

    async def _play(self, leg: CallerLeg) -> None:
        from telnyx_native.media.tones import endless_tone  # loads NumPy: not before somebody listens

        second = endless_tone((self._hz,), leg.audio.sample_rate)
        while True:
            await leg.audio.write(second.data)


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


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


BUILT_IN: Mapping[str, Factory] = {
    "echo": lambda _: Echo(),
    "tone": Tone.parse,
    "busy": lambda _: Refuse(HangupCause.USER_BUSY),
    "reject": lambda _: Refuse(HangupCause.CALL_REJECTED),
    "noanswer": lambda _: RingOut(),
}
"""The destinations every gateway has, by name."""
