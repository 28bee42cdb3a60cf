"""What a call is played on command: sounds, one after the other, until they are stopped."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote, urlsplit

from telnyx_native.errors import ConfigurationError, MediaError
from telnyx_native.event_loop import cancel_all
from telnyx_native.gateway.voice_api.applications import is_local_url
from telnyx_native.gateway.voice_api.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from telnyx_native.gateway.calls.leg import Leg
    from telnyx_native.gateway.destinations.sounds import SoundFolder
    from telnyx_native.gateway.voice_api.commands import StartPlayback

__all__ = ["PlaybackStatus", "Playlist", "find_sound"]

logger = logging.getLogger(__name__)

LARGEST_SOUND = 32 << 20
"""Bytes of a sound that is fetched."""

FETCH_TIME = 10.0
"""Seconds that fetching a sound may take."""

MOST_WAITING = 20
"""Sounds that wait for the one that is played; one more is refused."""

PlaybackStatus = Literal["completed", "cancelled", "call_hangup", "file_not_found", "failed"]
"""How playing a sound has ended."""


class _MissingError(Exception):
    """There is no sound at an address."""


def find_sound(command: StartPlayback, folder: SoundFolder) -> str | Path | bytes:
    """Return what a command plays: an address on this machine, a file of the folder, or the bytes of one.

    Raises:
        Refusal: It is elsewhere.
    """
    if command.url is None:
        return command.content
    if command.url.lower().startswith("file:"):
        try:
            # A path from the root is one, too, as long as it leads below the folder.
            return folder.find(unquote(urlsplit(command.url).path) or "?")
        except ValueError as error:
            raise Refusal.invalid_url("audio_url", str(error)) from None
    if not is_local_url(command.url):
        what = "this gateway plays from addresses on this machine, and from file:NAME below its folder of sounds"
        raise Refusal.invalid_url("audio_url", what)
    return command.url


class Playlist:
    """The sounds that one call is played; it hears them beside whatever else it hears.

    Args:
        leg: The call.
        tell: Told of each sound that it begins (`None`), and how it has ended, with the command that asked for it.
    """

    def __init__(self, leg: Leg, tell: Callable[[StartPlayback, PlaybackStatus | None], None]) -> None:
        self._leg = leg
        self._tell = tell
        self._waiting: deque[tuple[StartPlayback, str | Path | bytes]] = deque()
        self._current: StartPlayback | None = None
        self._playing: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()  # with those that were stopped, and end in a moment

    @property
    def active(self) -> bool:
        """Whether something is played."""
        return self._current is not None

    def add(self, command: StartPlayback, sound: str | Path | bytes) -> None:
        """Play a sound after those that wait, or instead of what the command says.

        Raises:
            Refusal: Too many wait.
        """
        if len(self._waiting) >= MOST_WAITING and command.stop != "all":
            raise Refusal.too_many("too many sounds wait to be played")
        if command.stop == "all":
            self._waiting.clear()
        self._waiting.append((command, sound))
        if command.stop is not None:
            self._end("cancelled")
        if self._current is None:
            self._begin_next()

    def stop(self, *, everything: bool) -> None:
        """Stop what is played; `everything` drops what waits, too."""
        if everything:
            self._waiting.clear()
        self._end("cancelled")
        self._begin_next()

    def end_with_the_call(self) -> None:
        """Stop for good: the call is over."""
        self._waiting.clear()
        self._end("call_hangup")

    async def close(self) -> None:
        """End every task."""
        self._waiting.clear()
        await cancel_all(self._running)

    def _begin_next(self) -> None:
        if self._current is None and self._waiting:
            command, sound = self._waiting.popleft()
            self._current = command
            self._playing = asyncio.create_task(self._play(command, sound))
            self._running.add(self._playing)
            self._playing.add_done_callback(self._running.discard)
            self._tell(command, None)

    def _end(self, status: PlaybackStatus) -> None:
        """End what is played, if anything is."""
        command, self._current = self._current, None
        if command is None:
            return
        if self._playing is not None and self._playing is not asyncio.current_task():
            self._playing.cancel()
        self._playing = None
        self._tell(command, status)

    async def _play(self, command: StartPlayback, sound: str | Path | bytes) -> None:
        try:
            await self._leg.media.wait_connected()
            found = await _fetch(sound) if isinstance(sound, str) else sound
            await self._play_found(command.repeats, found)
        except _MissingError:
            status: PlaybackStatus = "file_not_found"
        except (ConfigurationError, MediaError) as error:
            logger.warning("a sound is not played: %s", error)
            status = "failed"
        else:
            status = "completed"
        if self._current is command:
            self._end(status)
            self._begin_next()

    async def _play_found(self, repeats: int | None, sound: Path | bytes) -> None:
        with self._leg.audio.layer() as layer:
            for _ in range(1 if repeats is None else repeats):
                await layer.play(BytesIO(sound) if isinstance(sound, bytes) else sound, loop=repeats is None)


async def _fetch(url: str) -> bytes:
    """Return what is at an address.

    Raises:
        _MissingError: There is nothing.
        ConfigurationError: It cannot be fetched.
    """
    from aiohttp import ClientError, ClientSession, ClientTimeout

    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=FETCH_TIME), trust_env=False) as http,
            http.get(url, allow_redirects=False) as response,
        ):
            if response.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
                raise _MissingError
            if response.status != HTTPStatus.OK:
                raise ConfigurationError(f"fetching it got status {response.status}")
            sound = bytearray()
            async for piece in response.content.iter_any():
                sound += piece
                if len(sound) > LARGEST_SOUND:
                    raise ConfigurationError(f"it has more than {LARGEST_SOUND} bytes")
            return bytes(sound)
    except ConfigurationError:
        raise
    except (ClientError, TimeoutError, ValueError) as error:
        raise ConfigurationError(f"it cannot be fetched: {type(error).__name__}") from None
