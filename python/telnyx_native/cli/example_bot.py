"""The bot that `telnyx-native gateway` has for a first try: it says back what it hears. A start for a bot of your own.

It greets, listens, and answers after each pause. It stops talking when it is talked to, sounds the keys that are
pressed, and hangs up at `#`.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from telnyx_native import Call, CredentialConfig, TelnyxClient, TelnyxError
from telnyx_native.media.files import read_audio
from telnyx_native.media.tones import dtmf_tones

if TYPE_CHECKING:
    from telnyx_native import TxServerConfiguration

__all__ = ["run_bot"]

GREETING = Path(__file__).parents[1] / "assets" / "bot_greeting.flac"

LEAD = 0.3
"""Seconds said back from before the beginning of speech, which is noticed a little late."""

LONGEST = 30.0
"""Seconds of speech said back."""

logger = logging.getLogger(__name__)


async def run_bot(server: TxServerConfiguration, user: str, password: str) -> None:
    """Log in and take every call, until cancelled."""
    async with TelnyxClient() as client, asyncio.TaskGroup() as calls:
        incoming = client.incoming_calls.collect()
        await client.connect(server, CredentialConfig(user, password, auto_reconnect=True))
        async for call in incoming:
            calls.create_task(serve(call))


async def serve(call: Call) -> None:
    """Take a call, and stay in it until it is over."""
    try:
        await call.accept()
        await call.wait_active(timeout=10)
        async with asyncio.TaskGroup() as tasks:
            tape = Tape(call.audio.sample_rate)
            tasks.create_task(tape.record(call))
            tasks.create_task(call.audio.write(read_audio(GREETING, call.audio.sample_rate).data))
            tasks.create_task(say_back(call, tape, tasks))
            tasks.create_task(take_keys(call))
    except* TelnyxError as errors:  # the caller has hung up while something was being said
        logger.debug("the call of %s: %s", call.caller_number, errors.exceptions[0])


async def say_back(call: Call, tape: Tape, tasks: asyncio.TaskGroup) -> None:
    """Say back what the caller says, after each pause; be silent as soon as the caller speaks."""
    began = 0.0
    async for event in call.voice_activity_flow:
        if event.speaking:
            call.audio.clear()  # barge-in
            began = event.at - LEAD
        else:
            tasks.create_task(call.audio.write(tape.between(began, event.at)))


async def take_keys(call: Call) -> None:
    """Sound the keys that are pressed; `#` hangs up."""
    async for pressed in call.dtmf_flow:
        if pressed.key == "#":
            call.hang_up()
        else:
            await call.audio.write(dtmf_tones(pressed.key, call.audio.sample_rate).data)


class Tape:
    """The last seconds of what the caller said."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._heard = bytearray()
        self._position = 0  # samples that were received before those

    async def record(self, call: Call) -> None:
        """Keep what is received, until the call is over."""
        async for frame in call.audio:
            self._heard += frame
            surplus = max(0, len(self._heard) // 2 - round(LONGEST * self._rate))
            del self._heard[: 2 * surplus]
            self._position += surplus

    def between(self, began: float, ended: float) -> bytes:
        """Return what was received between two times, in seconds since the call began."""
        first, end = (max(0, round(at * self._rate) - self._position) for at in (began, ended))
        return bytes(self._heard[2 * first : 2 * end])
