"""A microphone and a loudspeaker at a call."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Self

from telnyx_native.devices.sound_system import BLOCK_SECONDS, START_SECONDS, find_microphone, find_speaker, sound_system
from telnyx_native.errors import DeviceError, ErrorCode
from telnyx_native.event_loop import run_blocking
from telnyx_native.flow import StateFlow

if TYPE_CHECKING:
    from types import TracebackType

    from telnyx_native import _audio
    from telnyx_native.call import Call

__all__ = ["Handset", "HandsetCounters", "HandsetState", "Loudspeaker"]

logger = logging.getLogger(__name__)


CHECK_SECONDS = 0.5
"""How often it is looked whether the devices still work, and tried to get them back."""

CUSHION_SECONDS = 0.03
"""Received audio that waits before the loudspeaker begins: what comes every 10 ms is played by another clock."""

MOST_WAITING_SECONDS = 0.12
"""Received audio that may wait for a loudspeaker whose clock is slower; what is more is left out."""


class HandsetState(Enum):
    """Whether one can talk."""

    WORKING = "working"
    UNPLUGGED = "unplugged"
    """A device is gone, or takes no sound: the call goes on in silence until it is back."""
    CLOSED = "closed"


@dataclass
class HandsetCounters:
    """What went wrong.

    Attributes:
        dropped: Samples of the microphone for which the call had no room.
        gaps: How often the loudspeaker had nothing to play.
        skipped: Received samples that were left out to catch up.
        reopened: How often the devices were opened again.
    """

    dropped: int = 0
    gaps: int = 0
    skipped: int = 0
    reopened: int = 0


class Handset:
    """A microphone and a loudspeaker at a call, from entry to exit of `async with`.

    They run on threads of the sound system and move audio whether the event loop is busy or not. While they do, the
    application neither writes nor reads the audio of the call itself. The call should be placed, or accepted, with
    `audio=AudioConfig.microphone()`.

    A device that is unplugged is waited for, and for a default device whatever takes its place.

    Args:
        call: The call, which has audio: it was placed or accepted.
        microphone: A part of the device's name, see `sound_devices`; the default one without it.
        speaker: The same for the loudspeaker.

    Attributes:
        state: Whether one can talk.
        counters: What went wrong.
    """

    def __init__(self, call: Call, *, microphone: str | None = None, speaker: str | None = None) -> None:
        self.state: StateFlow[HandsetState] = StateFlow(HandsetState.CLOSED)
        self.counters = HandsetCounters()
        self._call = call
        self._microphone = microphone
        self._speaker = speaker
        self._system = sound_system()
        self._streams: list[Any] = []
        self._changing = asyncio.Lock()
        self._watcher: asyncio.Task[None] | None = None
        self._sound: _Sound | None = None

    def __repr__(self) -> str:
        return f"<Handset of {self._call!r} {self.state.value.value}>"

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Begin to talk.

        Raises:
            DeviceError: A device is not there, or cannot be opened.
        """
        async with self._changing:
            await self._open_devices()
        self._watcher = asyncio.create_task(self._watch(), name="telnyx-handset")

    async def close(self) -> None:
        """Let the devices go; the call goes on in silence. Safe to repeat."""
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.cancel()
            await asyncio.wait([watcher])
        async with self._changing:
            await self._close_devices()
        self.state.set(HandsetState.CLOSED)

    async def use(self, *, microphone: str | None = None, speaker: str | None = None) -> None:
        """Change over to other devices, while the call goes on.

        Args:
            microphone: As for `Handset`.
            speaker: As for `Handset`.

        Raises:
            DeviceError: One of them is not there, or cannot be opened; the ones before are in use again.
        """
        before = self._microphone, self._speaker
        async with self._changing:
            await self._close_devices()
            self._microphone, self._speaker = microphone, speaker
            try:
                await self._open_devices()
            except DeviceError:
                self._microphone, self._speaker = before
                await self._open_devices()
                raise

    async def _open_devices(self) -> None:
        self._sound = _Sound(self._call.audio._native_rings, self.counters)  # noqa: SLF001 - its threads are alone with them
        opening = asyncio.create_task(run_blocking(self._open_now, self._sound))
        try:
            self._streams = await asyncio.shield(opening)
            await self._wait_moving(self._sound)
        except asyncio.CancelledError:
            await asyncio.shield(asyncio.create_task(self._close_what_opens(opening)))
            raise
        except DeviceError:
            await self._close_devices()
            raise
        self.state.set(HandsetState.WORKING)

    async def _wait_moving(self, sound: _Sound) -> None:
        """Return once both devices move audio: some open well, and then do nothing."""
        try:
            await asyncio.wait_for(sound.moving.wait(), START_SECONDS)
        except TimeoutError:
            still = " and ".join(
                name for name, moved in zip(("microphone", "loudspeaker"), sound.blocks, strict=True) if not moved
            )
            raise DeviceError(f"the {still} moves no sound", kind=ErrorCode.MEDIA_GET_USER_MEDIA_FAILED) from None

    def _open_now(self, sound: _Sound) -> list[Any]:
        rate = self._call.audio.sample_rate
        microphone, speaker = find_microphone(self._microphone), find_speaker(self._speaker)
        streams: list[Any] = []
        try:
            streams.append(self._system.open_speaker(speaker, rate, sound.play))
            streams.append(self._system.open_microphone(microphone, rate, sound.capture))
            for stream in streams:
                self._system.start(stream)
        except DeviceError:
            self._close_now(streams)
            raise
        return streams

    async def _close_what_opens(self, opening: asyncio.Task[list[Any]]) -> None:
        """The thread that opens devices cannot be stopped: what it opens is closed again."""
        with contextlib.suppress(DeviceError):
            self._streams = await opening
        await self._close_devices()

    async def _close_devices(self) -> None:
        """Close them, also if nobody waits for it any more."""
        streams, self._streams = self._streams, []
        if streams:
            await asyncio.shield(asyncio.create_task(run_blocking(self._close_now, streams)))

    def _close_now(self, streams: list[Any]) -> None:
        for stream in streams:
            self._system.close(stream)

    async def _watch(self) -> None:
        """Notice devices that are gone, and try to get them back."""
        while True:
            before = self._sound.blocks if self._sound else None
            await asyncio.sleep(CHECK_SECONDS)
            async with self._changing:
                if self._works(before):
                    continue
                if self.state.value is HandsetState.WORKING:
                    with self._call.log_scope():
                        logger.warning("a sound device is gone: waiting for it")
                    self.state.set(HandsetState.UNPLUGGED)
                await self._close_devices()
                try:
                    await self._open_devices()
                except DeviceError as error:
                    with self._call.log_scope():
                        logger.debug("the sound devices are not back: %s", error)
                else:
                    self.counters.reopened += 1

    def _works(self, before: tuple[int, int] | None) -> bool:
        if not self._streams or self._sound is None or not all(stream.active for stream in self._streams):
            return False
        # A device may be gone without a word: then it asks for nothing any more, and brings nothing.
        return before is None or all(now != then for now, then in zip(self._sound.blocks, before, strict=True))


class _Sound:
    """What moves between the call and the devices, on their threads.

    Attributes:
        moving: Set once both devices have moved audio.
    """

    def __init__(self, port: _audio.AudioPort, counters: HandsetCounters) -> None:
        self.moving = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._captured = 0
        self._played = 0
        self._port = port
        self._counters = counters
        self._frame = round(port.sample_rate * BLOCK_SECONDS)
        self._cushion = round(port.sample_rate * CUSHION_SECONDS)
        self._most_waiting = round(port.sample_rate * MOST_WAITING_SECONDS)
        self._is_playing = False

    @property
    def blocks(self) -> tuple[int, int]:
        """How many blocks the microphone has brought and the loudspeaker has taken."""
        return self._captured, self._played

    def capture(self, samples: Any, frames: int, _time: Any, _status: Any) -> None:
        """Take what the microphone heard."""
        self._counters.dropped += frames - self._port.write(samples)
        self._captured += 1
        if self._captured == 1:
            self._note_beginning()

    def play(self, room: Any, frames: int, _time: Any, _status: Any) -> None:
        """Give the loudspeaker what was received, or silence."""
        self._played += 1
        if self._played == 1:
            self._note_beginning()
        waiting = self._port.readable
        if waiting > self._most_waiting:
            self._counters.skipped += len(self._port.read(waiting - self._cushion - frames)) // 2
        if not self._is_playing:
            self._is_playing = waiting >= self._cushion + frames
        played = self._port.readinto(room) if self._is_playing else 0
        if played < frames:
            self._counters.gaps += self._is_playing
            self._is_playing = False
            room[2 * played :] = bytes(2 * (frames - played))

    def _note_beginning(self) -> None:
        if all(self.blocks):
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self.moving.set)


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
        self._stream = await run_blocking(self._open_now)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            await asyncio.shield(run_blocking(self._system.close, stream))

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
