"""Destinations that return what they hear: `echo` the audio, `dtmf` the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_native.gateway.calls.dtmf import keypad
from telnyx_native.gateway.calls.hangup import reason_of
from telnyx_native.gateway.destinations.sounds import KeyTones, Tone, play
from telnyx_native.states import CallTerminationReason, HangupCause

if TYPE_CHECKING:
    from telnyx_native.gateway.calls.dtmf import Keypad
    from telnyx_native.gateway.calls.leg import CallerLeg

__all__ = ["Echo", "ReadBack"]


class Echo:
    """Answers, and returns what it hears, natively: nothing of it passes through Python."""

    async def serve(self, leg: CallerLeg) -> CallTerminationReason:
        """Echo until the caller hangs up."""
        await leg.answer()
        await leg.media.connected()
        leg.peer.echo()
        return await leg.wait_ended()


PAUSE = 1.5
"""Seconds without a key after which an entry is complete; `#` completes it at once."""

LONGEST_ENTRY = 32

BEEP = Tone(880, 0.15)
"""Heard when the keys can be pressed."""


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
