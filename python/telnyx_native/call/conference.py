"""Several calls that hear each other, and the application among them."""

# ruff: noqa: SLF001 - a conference and its calls meet at their media ends

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Self

from telnyx_native.config import AudioConfig
from telnyx_native.errors import MediaError
from telnyx_native.media.recording import begin_recording

if TYPE_CHECKING:
    from pathlib import Path

    from telnyx_native.call.call import Call
    from telnyx_native.config import RecordingConfig
    from telnyx_native.media.recording import Recording
    from telnyx_native.media.stream import AudioStream

__all__ = ["Conference"]


class Conference:
    """A conference of calls, mixed natively: each call hears all others, in the 10 ms in which they are received.

    The calls may belong to several clients of one event loop, and have different sample rates. Each is faded in when it
    comes and out when it goes, so that nothing clicks. One that is on hold neither hears nor is heard, and is back
    when it is taken off hold; one that ends, leaves.

    The application takes part with `audio`: what it writes there, all hear; what it reads there, all say. What it
    writes to one call's own `Call.audio` only that call hears.

    There is room for 255 calls. What is louder than full scale together is clipped.

    Leaving `async with` closes it. The calls go on, each by itself.

    Args:
        audio: How the application takes part.
    """

    def __init__(self, audio: AudioConfig | None = None) -> None:
        from telnyx_native.media.engine import MediaEngine  # loads libwebrtc: not before somebody talks

        self._engine = MediaEngine.acquire()
        self._media = self._engine.create_conference(audio or AudioConfig())
        self._calls: list[Call] = []  # all that were added and are not over
        self._recordings: list[Recording] = []

    def __repr__(self) -> str:
        return f"<Conference of {len(self.members)}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    @property
    def audio(self) -> AudioStream:
        """What the application says to all, and hears of all; it can be played, read, recorded as that of a call."""
        return self._media.audio

    @property
    def members(self) -> tuple[Call, ...]:
        """The calls that take part, in the order in which they came."""
        peers = set(self._media.members)
        return tuple(call for call in self._calls if call._peer in peers)

    @property
    def levels(self) -> dict[Call, float]:
        """How loud each member is now, in dB under full scale: the loudest is who speaks."""
        return {call: call.audio.received_level for call in self.members}

    def add(self, call: Call, *, muted: bool = False) -> None:
        """Let a call take part; it leaves the echo, bridge or conference that it is in.

        Args:
            call: A call with audio.
            muted: Whether it only listens. Adding it again changes that.

        Raises:
            CallError: The call is inbound and not accepted yet.
            MediaError: The conference is closed or full, or the call is over, or of another event loop.
        """
        self._media.add(call._peer, muted=muted)
        self._calls = [other for other in self._calls if other.termination_reason is None]
        if call not in self._calls:
            self._calls.append(call)

    def remove(self, call: Call) -> None:
        """Let a call leave; it goes on by itself. One that does not take part is left alone."""
        if call in self.members:
            call.unjoin()

    async def record(self, path: str | Path, config: RecordingConfig | None = None) -> Recording:
        """Record the conference from now on, in stereo: left what the calls say together, right what `audio` says.

        The recording ends with the conference, or when it is stopped before; `async with` stops it, too.

        Args:
            path: The file: `.wav`, `.flac`, or `.opus` or `.ogg`. It is replaced.
            config: Parts, a beep that all hear, who is told of complete files.

        Raises:
            MediaError: The conference is closed.
            ConfigurationError: There is no such kind of file, it cannot have this rate, or cannot be written.
        """
        if self._media.closed:
            raise MediaError("the conference is over")
        recording = await begin_recording(path, self.audio, config)
        self._recordings.append(recording)
        return recording

    async def close(self) -> None:
        """Let all leave, and end `audio` and recordings. Idempotent."""
        if self._media.closed:
            return
        self._media.close()
        try:
            for recording in self._recordings:
                with suppress(MediaError):  # who stops it is told; the log has it
                    await recording.complete()
        finally:
            await self._engine.release()
