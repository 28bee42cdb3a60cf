"""A call as the transport of a pipecat pipeline (extra `[pipecat]`).

```python
await call.accept()
transport = TelnyxTransport(call)
pipeline = Pipeline([transport.input(), stt, llm, tts, transport.output()])
```

An interruption clears what was written ahead, within 10 ms. Keys that the caller presses come as `InputDTMFFrame`, and
`OutputDTMFFrame` presses keys. `EndFrame` lets everything be heard and hangs up; `CancelFrame` hangs up at once.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pipecat.audio.dtmf.types import KeypadEntry
from pipecat.frames.frames import InputAudioRawFrame, InputDTMFFrame, InterruptionFrame
from pipecat.transports.base_input import BaseInputTransport
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import BaseTransport, TransportParams

from telnyx_native import _audio
from telnyx_native.errors import AudioClosedError, CallError
from telnyx_native.integrations import MonoFrames
from telnyx_native.media.stream import FRAME_SECONDS

if TYPE_CHECKING:
    from pipecat.frames.frames import (
        CancelFrame,
        EndFrame,
        Frame,
        OutputAudioRawFrame,
        OutputDTMFFrame,
        OutputDTMFUrgentFrame,
        StartFrame,
    )
    from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

    from telnyx_native.call import Call

__all__ = ["TelnyxTransport"]

LEAD = 0.2
"""Seconds that are written ahead by default: what the event loop may stand still without a gap in the sound."""

_KEYS = {entry.value for entry in KeypadEntry}


class TelnyxTransport(BaseTransport):
    """The two ends of a call as processors of a pipeline.

    Events: `on_client_connected(transport, call)` when audio flows, `on_client_disconnected(transport, call)` when the
    call is over.

    Args:
        call: A call that was placed or accepted. Its `AudioConfig.sample_rate` is that of the transport both ways;
            pipecat resamples to it.
        params: Other settings of pipecat's; rates, channels and what is enabled are given by the call. By default no
            silence is sent at the end, which pipecat does for transports that cannot tell when all was heard.
        lead: Seconds to write ahead. "Bot stopped speaking" comes at most that much before it is true; a program that
            stands still for longer can be heard.

    Raises:
        CallError: The call is inbound and not accepted yet.
    """

    def __init__(
        self, call: Call, params: TransportParams | None = None, *, lead: float = LEAD, name: str | None = None
    ) -> None:
        super().__init__(name=name)
        rate = call.audio.sample_rate
        given = {
            "audio_in_enabled": True,
            "audio_in_sample_rate": rate,
            "audio_in_channels": 1,
            "audio_out_enabled": True,
            "audio_out_sample_rate": rate,
            "audio_out_channels": 1,
        }
        params = (params or TransportParams(audio_out_end_silence_secs=0)).model_copy(update=given)
        self._call = call
        self._input = _Input(self, call, params)
        self._output = _Output(call, params, lead)
        self._register_event_handler("on_client_connected")
        self._register_event_handler("on_client_disconnected")

    @property
    def call(self) -> Call:
        """The call."""
        return self._call

    def input(self) -> FrameProcessor:
        """What the remote party says, and its keys."""
        return self._input

    def output(self) -> FrameProcessor:
        """What the remote party hears."""
        return self._output

    async def on_connected(self) -> None:
        """Tell the application that the call is up."""
        await self._call_event_handler("on_client_connected", self._call)

    async def on_disconnected(self) -> None:
        """Tell the application that the call is over."""
        await self._call_event_handler("on_client_disconnected", self._call)


class _Input(BaseInputTransport):
    def __init__(self, transport: TelnyxTransport, call: Call, params: TransportParams) -> None:
        super().__init__(params)
        self._transport = transport
        self._call = call
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, frame: StartFrame) -> None:
        """Begin to listen."""
        await super().start(frame)
        await self.set_transport_ready(frame)
        if not self._tasks:
            self._tasks = [self.create_task(work) for work in (self._listen(), self._take_keys(), self._follow())]

    async def stop(self, frame: EndFrame) -> None:
        """Stop listening."""
        await self._stop_listening()
        await super().stop(frame)

    async def cancel(self, frame: CancelFrame) -> None:
        """Stop listening."""
        await self._stop_listening()
        await super().cancel(frame)

    async def cleanup(self) -> None:
        """Free everything."""
        await self._stop_listening()
        await super().cleanup()

    async def _stop_listening(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            await self.cancel_task(task)

    async def _listen(self) -> None:
        audio = self._call.audio
        samples = round(FRAME_SECONDS * audio.sample_rate)
        while pcm := await audio._read(samples, _audio.INT16):  # noqa: SLF001 - whatever the encoding of the call is
            frame = InputAudioRawFrame(audio=pcm, sample_rate=audio.sample_rate, num_channels=1)
            await self.push_audio_frame(frame)

    async def _take_keys(self) -> None:
        async for received in self._call.dtmf_flow:
            if received.key in _KEYS:  # pipecat has no A to D
                await self.push_frame(InputDTMFFrame(button=KeypadEntry(received.key)))

    async def _follow(self) -> None:
        try:
            await self._call.wait_active()
            await self._transport.on_connected()
        except CallError:
            pass  # it ended first
        await self._call.wait_done()
        await self._transport.on_disconnected()


class _Output(BaseOutputTransport):
    def __init__(self, call: Call, params: TransportParams, lead: float) -> None:
        super().__init__(params)
        self._call = call
        self._lead = lead
        self._last_is_interruptible = True
        self._frames = MonoFrames(call.audio.sample_rate)

    async def start(self, frame: StartFrame) -> None:
        """Begin to speak."""
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def stop(self, frame: EndFrame) -> None:
        """Let everything be heard, and hang up."""
        await super().stop(frame)
        try:
            await self._call.audio.drain()
        except AudioClosedError:
            return  # the remote party was faster
        await self._call.end()

    async def cancel(self, frame: CancelFrame) -> None:
        """Hang up."""
        await super().cancel(frame)
        await self._call.end()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Be silent at once when interrupted, except in what was not to be interrupted."""
        await super().process_frame(frame, direction)
        if isinstance(frame, InterruptionFrame) and self._last_is_interruptible:
            self._call.audio.clear()

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        """Queue a frame, and return when no more than the lead is ahead."""
        audio = self._call.audio
        self._last_is_interruptible = frame.interruptible
        try:
            await audio.write(self._frames.convert(frame.audio, frame.sample_rate, frame.num_channels))
        except AudioClosedError:
            return False
        await asyncio.sleep(max(0.0, audio.queued - self._lead))
        return True

    def _supports_native_dtmf(self) -> bool:
        return True

    async def _write_dtmf_native(self, frame: OutputDTMFFrame | OutputDTMFUrgentFrame) -> None:
        await self._call.dtmf("".join(button.value for button in frame.buttons or ()))
