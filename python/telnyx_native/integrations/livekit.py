"""A call as the audio input and output of a livekit-agents session (extra `[livekit]`); no LiveKit server is involved.

```python
await call.accept()
session = AgentSession(stt=..., llm=..., tts=...)
session.input.audio = CallAudioInput(call)
session.output.audio = CallAudioOutput(call)
await session.start(agent)
```

An interruption clears what was written ahead, within 10 ms, and the session learns how much was heard. One that may be
false only pauses it, and it goes on where it stopped.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from livekit import rtc
from livekit.agents.voice.io import AudioInput, AudioOutput, AudioOutputCapabilities

from telnyx_native import _audio
from telnyx_native.errors import AudioClosedError
from telnyx_native.integrations import MonoFrames

if TYPE_CHECKING:
    from telnyx_native.call import Call

__all__ = ["CallAudioInput", "CallAudioOutput"]

FRAME_SECONDS = 0.02


class CallAudioInput(AudioInput):
    """What the remote party of a call says, in frames of 20 ms, until the call is over.

    Args:
        call: A call that was placed or accepted.

    Raises:
        CallError: The call is inbound and not accepted yet.
    """

    def __init__(self, call: Call) -> None:
        super().__init__(label="telnyx call")
        self._audio = call.audio
        self._frame = round(FRAME_SECONDS * call.audio.sample_rate)

    async def __anext__(self) -> rtc.AudioFrame:
        pcm = await self._audio._read(self._frame, _audio.INT16)  # noqa: SLF001 - whatever the encoding of the call is
        if not pcm:
            raise StopAsyncIteration
        return rtc.AudioFrame(pcm, self._audio.sample_rate, 1, len(pcm) // 2)


class CallAudioOutput(AudioOutput):
    """What the remote party of a call hears; the session resamples to the call's `AudioConfig.sample_rate`.

    Args:
        call: A call that was placed or accepted.

    Raises:
        CallError: The call is inbound and not accepted yet.
    """

    def __init__(self, call: Call) -> None:
        super().__init__(
            label="telnyx call",
            capabilities=AudioOutputCapabilities(pause=True),
            sample_rate=call.audio.sample_rate,
        )
        self._audio = call.audio
        self._frames = MonoFrames(call.audio.sample_rate)
        self._begin: float | None = None
        """Where the current utterance begins, in seconds of written audio."""
        self._playout: asyncio.Task[None] | None = None

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Queue a frame of any rate and channels; waits while the call has no room. After the call it goes nowhere."""
        if self._audio.closed:
            return
        if self._playout is not None:  # utterances are reported one by one
            await asyncio.wait([self._playout])
        await super().capture_frame(frame)
        if self._begin is None:
            self._begin = self._audio.played + self._audio.queued
            self.on_playback_started(created_at=time.time() + self._audio.queued)
        try:
            await self._audio.write(self._frames.convert(frame.data, frame.sample_rate, frame.num_channels))
        except AudioClosedError:
            self._finish(interrupted=True)

    def flush(self) -> None:
        """The utterance is complete: report when it was heard."""
        super().flush()
        if self._begin is not None and self._playout is None:
            self._playout = asyncio.create_task(self._wait_heard(), name="telnyx-playout")

    def clear_buffer(self) -> None:
        """Be silent within 10 ms."""
        self._audio.clear()
        if self._playout is not None:
            self._playout.cancel()
        self._finish(interrupted=True)

    def pause(self) -> None:
        """Be silent within 10 ms, and keep what is queued: the interruption may be a false one."""
        super().pause()
        self._audio.pause()

    def resume(self) -> None:
        """Go on where it stopped."""
        super().resume()
        self._audio.resume()

    async def _wait_heard(self) -> None:
        try:
            await self._audio.drain()
        except AudioClosedError:
            self._finish(interrupted=True)
        else:
            self._finish(interrupted=False)

    def _finish(self, *, interrupted: bool) -> None:
        self._playout = None
        if self._begin is None:
            return
        heard = max(0.0, self._audio.played - self._begin)
        self._begin = None
        self.on_playback_finished(playback_position=heard, interrupted=interrupted)
