"""A loudspeaker by itself, for what is not a call: ringing."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Self

from telnyx_native.background import in_background
from telnyx_native.devices.portaudio import sound_system
from telnyx_native.devices.sound_device import find_speaker

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Loudspeaker"]

MOST_WAITING = 25
"""Pieces that may wait; of more, the oldest go."""


class Loudspeaker:
    """A `RingSink` that is heard, from entry to exit of `async with`.

    Args:
        name: A part of the device's name, see `sound_devices`; the default one without it.
        sample_rate: Samples a second.
    """

    def __init__(self, name: str | None = None, *, sample_rate: int = 16_000) -> None:
        self._name = name
        self._rate = sample_rate
        self._system = sound_system()
        self._stream: Any = None
        self._waiting: deque[bytes] = deque(maxlen=MOST_WAITING)
        self._begun = b""

    def __repr__(self) -> str:
        return f"<Loudspeaker {self._name or 'default'} {'open' if self._stream else 'closed'}>"

    @property
    def sample_rate(self) -> int:
        """Samples a second."""
        return self._rate

    async def __aenter__(self) -> Self:
        """Open the device.

        Raises:
            DeviceError: It is not there, or cannot be opened.
        """
        self._stream = await in_background(self._open_now)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            await asyncio.shield(in_background(self._system.close, stream))

    def write(self, pcm: bytes) -> None:
        """Play mono 16-bit samples after those that wait."""
        self._waiting.append(pcm)

    def _open_now(self) -> Any:
        stream = self._system.open_speaker(find_speaker(self._name), self._rate, self._play)
        self._system.start(stream)
        return stream

    def _play(self, room: Any, _frames: int, _time: Any, _status: Any) -> None:
        wanted = len(room)
        while len(self._begun) < wanted and self._waiting:
            self._begun += self._waiting.popleft()
        piece, self._begun = self._begun[:wanted], self._begun[wanted:]
        room[:] = piece + bytes(wanted - len(piece))
