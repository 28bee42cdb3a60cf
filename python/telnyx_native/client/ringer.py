"""The ringtone of inbound calls, and the ringback tone of outbound calls."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telnyx_native.errors import ConfigurationError
from telnyx_native.event_loop import run_blocking
from telnyx_native.states import CallDirection, CallState

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

    from telnyx_native.call import Call
    from telnyx_native.config import RingSink, TelnyxConfig
    from telnyx_native.logs import Log

__all__ = ["Ringer"]

FRAME = 0.02
"""Seconds of a frame for the sink."""


@dataclass
class _Tone:
    """A sound that is played in a loop."""

    pcm: bytes
    position: int = 0

    def next(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        piece = b""
        while len(piece) < size:
            if self.position >= len(self.pcm):
                self.position = 0
            part = self.pcm[self.position : self.position + size - len(piece)]
            self.position += len(part)
            piece += part
        return piece


class Ringer:
    """Plays a ringtone while inbound calls ring, and a ringback tone while outbound calls do.

    It stops when the ringing stops, and when the first audio of the remote arrives. The ringtone takes precedence.

    Args:
        sink: The audio output.
        tones: The tone for calls of each direction, as samples for the sink.
        log: Takes failures of the sink.
    """

    def __init__(self, sink: RingSink, tones: dict[CallDirection, bytes], log: Log) -> None:
        self._sink = sink
        self._log = log
        self._tones = {direction: _Tone(pcm) for direction, pcm in tones.items()}
        self._ringing: dict[Call, _Tone] = {}
        self._player: asyncio.Task[None] | None = None

    @classmethod
    async def load(cls, config: TelnyxConfig, log: Log) -> Self | None:
        """Return a ringer for the tones of a login; `None` if it has none.

        Raises:
            ConfigurationError: A file is missing, or is no sound.
        """
        if config.ring_sink is None:
            return None
        files = {CallDirection.INBOUND: config.ringtone, CallDirection.OUTBOUND: config.ringback_tone}
        rate = config.ring_sink.sample_rate
        wanted = {direction: path for direction, path in files.items() if path is not None}
        return cls(
            config.ring_sink,
            {direction: await run_blocking(_load, path, rate) for direction, path in wanted.items()},
            log,
        )

    async def ring_for(self, call: Call) -> None:
        """Play the tone of a call whenever it rings, until it ends."""
        tone = self._tones.get(call.direction)
        if tone is None:
            return
        async for state in call.call_state_flow:
            if state == CallState.RINGING:
                self._ringing[call] = tone
                self._player = self._player or asyncio.create_task(self._play(), name="telnyx-ringer")
            else:
                self._ringing.pop(call, None)

    async def _play(self) -> None:
        loop = asyncio.get_running_loop()
        size = 2 * round(FRAME * self._sink.sample_rate)
        due = loop.time()
        try:
            while tone := self._audible():
                self._sink.write(tone.next(size))
                due = max(due + FRAME, loop.time())  # late is late: a ringtone need not catch up
                await asyncio.sleep(due - loop.time())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the application's
            self._log.error("the ring sink failed", error)
        finally:
            self._player = None
            for tone in self._tones.values():
                tone.position = 0

    def _audible(self) -> _Tone | None:
        """The tone to be played now."""
        audible = {call.direction: tone for call, tone in self._ringing.items() if call.timings.first_audio is None}
        return audible.get(CallDirection.INBOUND) or audible.get(CallDirection.OUTBOUND)


def _load(path: str | Path, sample_rate: int) -> bytes:
    from telnyx_native.media.files import read_audio

    samples = read_audio(path, sample_rate)
    if not samples.size:
        raise ConfigurationError(f"{path} holds no sound")
    return samples.tobytes()
