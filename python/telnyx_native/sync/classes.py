"""The synchronous classes. What is not written here is as the asynchronous class has it: see `wrapper_of`."""

from __future__ import annotations

import asyncio
import functools
import threading
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import telnyx_native as aio
from telnyx_native import flow
from telnyx_native.ai.assistant import TOOL_TIMEOUT
from telnyx_native.media import stream, tap
from telnyx_native.sync.wrapper import Wrapper, blocking, wrap, wrapper_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typing_extensions import Buffer

__all__ = [
    "AiAssistant",
    "AudioLayer",
    "AudioOutput",
    "AudioStream",
    "AudioTap",
    "Call",
    "Collector",
    "Conference",
    "Handset",
    "Loudspeaker",
    "Mark",
    "Playback",
    "Recording",
    "SharedFlow",
    "StateFlow",
    "TelephonyCredentials",
    "TelnyxClient",
    "mint_login_token",
    "run_microphone_check",
    "run_pre_call",
]

T = TypeVar("T")
ToolT = TypeVar("ToolT", bound="Callable[..., Any]")


@wrapper_of(aio.TelnyxClient)
class TelnyxClient(Wrapper):
    __slots__ = ()

    def __init__(self, *, timeouts: aio.Timeouts | None = None, limits: aio.Limits | None = None) -> None:
        super().__init__(timeouts=timeouts, limits=limits)
        self._loop.close_at_exit(self._target)


@wrapper_of(aio.Call, direct=("log_scope",))
class Call(Wrapper):
    __slots__ = ()


@wrapper_of(aio.AudioOutput)
class AudioOutput(Wrapper):
    __slots__ = ()


@wrapper_of(aio.AudioLayer)
class AudioLayer(Wrapper):
    __slots__ = ()


@wrapper_of(aio.Mark)
class Mark(Wrapper):
    __slots__ = ()

    def wait(self) -> bool:
        """Wait until it is decided; return whether it was heard.

        Raises:
            AudioClosedError: The call ended first.
        """
        heard: bool = self._loop.run(_decided(self._target))
        return heard


@wrapper_of(aio.Playback)
class Playback(Mark):
    __slots__ = ()


async def _decided(mark: aio.Mark) -> bool:
    return await mark


@wrapper_of(aio.Conference)
class Conference(Wrapper):
    __slots__ = ()

    def __init__(self, audio: aio.AudioConfig | None = None) -> None:
        super().__init__(audio)


@wrapper_of(aio.AudioStream)
class AudioStream(Wrapper):
    """Writes and reads the audio of one call.

    Iterating gives what the remote party says in frames of 20 ms, as `bytes`, until the call ends.

    One thread at a time writes, and one reads; others wait for it. Nothing goes through the event loop while there is
    room to write, and something to read.
    """

    __slots__ = ("_reading", "_rings", "_writing")

    def _bind(self, loop: Any, target: aio.AudioStream) -> None:
        self._rings = target._native_rings  # noqa: SLF001 - of which this is the other wrapper
        self._reading = threading.Lock()
        self._writing = threading.Lock()
        super()._bind(loop, target)

    def write(self, pcm: Buffer) -> None:
        with self._writing:
            if memoryview(pcm).nbytes <= self._rings.space:  # no sample takes less than a byte
                self._target.write_nowait(pcm)
            else:
                self._loop.run(self._target.write(pcm))

    def write_nowait(self, pcm: Buffer) -> int:
        with self._writing:
            written: int = self._target.write_nowait(pcm)
        return written

    def read(self, samples: int) -> bytes:
        with self._reading:
            if 0 < samples <= self._rings.readable:
                received: bytes = self._target.read_nowait(samples)
            else:
                received = self._loop.run(self._target.read(samples))
        return received

    def read_nowait(self, samples: int | None = None) -> bytes:
        with self._reading:
            received: bytes = self._target.read_nowait(samples)
        return received

    def readinto(self, buffer: Buffer) -> int:
        with self._reading:
            filled: int = self._target.readinto(buffer)
        return filled

    def __iter__(self) -> Iterator[bytes]:
        return self.frames()

    def frames(self, seconds: float = stream.FRAME_SECONDS) -> Iterator[bytes]:
        samples = round(seconds * self._target.sample_rate)
        while frame := self.read(samples):
            yield frame


@wrapper_of(aio.AudioTap, direct=("read_nowait",))
class AudioTap(Wrapper):
    __slots__ = ()

    def read(self, samples: int) -> bytes:
        if 0 < samples <= self._target.end - self._target.position:
            received: bytes = self._target.read_nowait(samples)
        else:
            received = self._loop.run(self._target.read(samples))
        return received

    def __iter__(self) -> Iterator[bytes]:
        samples = round(tap.FRAME_SECONDS * self._target.sample_rate)
        while frame := self.read(samples):
            yield frame


@wrapper_of(aio.Recording)
class Recording(Wrapper):
    __slots__ = ()


@wrapper_of(flow.Collector)
class Collector(Wrapper, Generic[T]):
    __slots__ = ()

    def __next__(self) -> T:
        try:
            value: T = wrap(self._loop.run(self._target.__anext__()))
        except StopAsyncIteration:
            raise StopIteration from None
        return value


@wrapper_of(flow.SharedFlow)
class SharedFlow(Wrapper, Generic[T]):
    __slots__ = ()

    def first(self, predicate: Callable[[T], bool] | None = None, *, timeout: float | None = None) -> T:
        value: T = wrap(self._loop.run(self._target.first(_of_wrapped(predicate), timeout=timeout)))
        return value


@wrapper_of(flow.StateFlow)
class StateFlow(Wrapper, Generic[T]):
    __slots__ = ()


@wrapper_of(aio.AiAssistant)
class AiAssistant(Wrapper):
    """Text beside the audio of a call with an assistant: `TelnyxClient.ai`.

    ```python
    @client.ai.tool("get_weather")
    def get_weather(city: str) -> dict[str, object]:
        return {"city": city, "celsius": 21}
    ```
    """

    __slots__ = ()

    def register_tool(self, name: str, tool: Callable[..., Any], *, timeout: float = TOOL_TIMEOUT) -> None:
        """Let the assistant call a function.

        It runs on a thread of its own, beside others. What goes wrong in it is logged, and the assistant is told.

        Args:
            name: Its name, as in the assistant's settings.
            tool: It gets the arguments by name, and returns text or something that JSON can say.
            timeout: Seconds after which the assistant is told that it failed.

        Raises:
            ConfigurationError: It has no name.
        """

        @functools.wraps(tool)
        async def run(**arguments: Any) -> Any:
            return await asyncio.to_thread(tool, **arguments)

        self._loop.call(lambda: self._target.register_tool(name, run, timeout=timeout))

    def tool(self, name: str, *, timeout: float = TOOL_TIMEOUT) -> Callable[[ToolT], ToolT]:
        """Decorate a function that the assistant may call; see `register_tool`."""

        def register(tool: ToolT) -> ToolT:
            self.register_tool(name, tool, timeout=timeout)
            return tool

        return register


@wrapper_of(aio.Handset)
class Handset(Wrapper):
    __slots__ = ()

    def __init__(self, call: Call, *, microphone: str | None = None, speaker: str | None = None) -> None:
        super().__init__(call, microphone=microphone, speaker=speaker)


@wrapper_of(aio.Loudspeaker, direct=("write",))
class Loudspeaker(Wrapper):
    __slots__ = ()

    def __init__(self, name: str | None = None, *, sample_rate: int = 16_000) -> None:
        super().__init__(name, sample_rate=sample_rate)


@wrapper_of(aio.TelephonyCredentials)
class TelephonyCredentials(Wrapper):
    __slots__ = ()

    def __init__(self, api_key: str, *, base_url: str | None = None) -> None:
        super().__init__(api_key, base_url=base_url)


mint_login_token = blocking(aio.mint_login_token)
run_microphone_check = blocking(aio.run_microphone_check)
run_pre_call = blocking(aio.run_pre_call)


def _of_wrapped(predicate: Callable[[T], bool] | None) -> Callable[[Any], bool] | None:
    """A predicate that is asked about what the application sees."""
    return None if predicate is None else lambda value: predicate(wrap(value))
