"""The synchronous classes: same names as the asynchronous ones, but what is awaited there is waited for here."""

from __future__ import annotations

import asyncio
import functools
import re
import threading
from inspect import iscoroutinefunction, isfunction
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakValueDictionary

import telnyx_native as aio
from telnyx_native import flow
from telnyx_native.assistant import TOOL_TIMEOUT
from telnyx_native.media import stream, tap
from telnyx_native.sync.loop_thread import loop_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping

    from typing_extensions import Buffer

    from telnyx_native import EncodedPacket
    from telnyx_native.sync.loop_thread import LoopThread

__all__ = [
    "AiAssistant",
    "AudioLayer",
    "AudioOutput",
    "AudioStream",
    "AudioTap",
    "Call",
    "Collector",
    "Conference",
    "Consultation",
    "FilteredAudio",
    "Handset",
    "Loudspeaker",
    "Mark",
    "PacketTap",
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

WrapperT = TypeVar("WrapperT", bound="type[Wrapper]")

WRAPPERS: dict[type, type[Wrapper]] = {}
"""The synchronous class of each asynchronous one."""

SYNC_NAMES = {"__aenter__": "__enter__", "__aexit__": "__exit__", "__aiter__": "__iter__", "__anext__": "__next__"}
"""Special methods that have another name when nothing is awaited."""

WORDS = (
    (r"\ban async context manager", "a context manager"),
    (r"\basync (with|for|def|iterator|function)\b", r"\1"),
    (r"\bawait ", ""),
)
"""What descriptions say otherwise then."""

PLAIN = ("__enter__", "__exit__", "__repr__")
"""Special methods that are there under the same name."""


class Wrapper:
    """Wraps an object that belongs to an event loop; every call goes there and comes back.

    An object has one wrapper: what is the same there is the same here.
    """

    __slots__ = ("__weakref__", "_loop", "_target")

    _original: type
    """The asynchronous class."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        loop = loop_thread()
        args, kwargs = _unwrapped(args, kwargs)
        self._bind(loop, loop.call(lambda: self._original(*args, **kwargs)))

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the object that is no part of its class."""
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return wrap(getattr(self._target, name))

    def _bind(self, loop: LoopThread, target: Any) -> None:
        self._loop = loop
        self._target = target
        with _made_lock:
            _made[id(target)] = self


_made: WeakValueDictionary[int, Wrapper] = WeakValueDictionary()
_made_lock = threading.RLock()


def wrap(value: Any) -> Any:
    """Return the wrapper of what has one, and everything else as it is."""
    if isinstance(value, MappingProxyType):
        return MappingProxyType({key: wrap(item) for key, item in value.copy().items()})
    kind = next((WRAPPERS[kind] for kind in type(value).__mro__ if kind in WRAPPERS), None)
    if kind is None:
        return value.listener if isinstance(value, _Callback) else value
    loop = loop_thread()
    with _made_lock:
        wrapper = _made.get(id(value))
        if wrapper is None:
            wrapper = kind.__new__(kind)
            wrapper._bind(loop, value)  # noqa: SLF001 - this is its constructor
        return wrapper


def unwrap(value: Any) -> Any:
    """Return what a wrapper wraps, and everything else as it is."""
    return value._target if isinstance(value, Wrapper) else value  # noqa: SLF001 - the inverse of `wrap`


def _unwrapped(args: Iterable[Any], kwargs: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return tuple(map(unwrap, args)), {name: unwrap(value) for name, value in kwargs.items()}


def wrapper_of(original: type, *, direct: Iterable[str] = ()) -> Callable[[WrapperT], WrapperT]:
    """Complete a class by all public members of an asynchronous one that it does not define itself.

    Args:
        original: The asynchronous class.
        direct: Methods that any thread may call, without the way to the event loop and back.
    """

    def complete(wrapper: WrapperT) -> WrapperT:
        wrapper._original = original  # noqa: SLF001 - this completes it
        wrapper.__doc__ = wrapper.__doc__ or _sync_docstring(original)
        WRAPPERS[original] = wrapper
        inherited = {name: member for kind in reversed(original.__mro__[:-1]) for name, member in vars(kind).items()}
        for name, member in inherited.items():
            is_wanted = name in SYNC_NAMES or name in PLAIN or not name.startswith("_")
            name = SYNC_NAMES.get(name, name)
            if not is_wanted:
                continue
            if name not in vars(wrapper):
                setattr(wrapper, name, _wrapped(member, is_direct=name in direct or name == "__repr__"))
            elif isfunction(own := vars(wrapper)[name]):
                own.__doc__ = own.__doc__ or _sync_docstring(member)
        return wrapper

    return complete


def blocking(function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    """Return the function that waits for an asynchronous one."""

    @functools.wraps(function)
    def wait(*args: Any, **kwargs: Any) -> Any:
        args, kwargs = _unwrapped(args, kwargs)
        return wrap(loop_thread().run(function, *args, **kwargs))

    wait.__doc__ = _sync_docstring(function)
    return wait


def _wrapped(member: Any, *, is_direct: bool) -> Any:
    if isinstance(member, property):
        return _wrapped_property(member)
    if iscoroutinefunction(member):
        return blocking(member)
    if isfunction(member):
        return _wrapped_function(member, is_direct=is_direct)
    return member


def _wrapped_function(function: Callable[..., Any], *, is_direct: bool) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(wrapper: Wrapper, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = _unwrapped((wrapper, *args), kwargs)
        if is_direct:
            return wrap(function(*args, **kwargs))
        return wrap(wrapper._loop.call(lambda: function(*args, **kwargs)))  # noqa: SLF001

    call.__doc__ = _sync_docstring(function)
    return call


def _wrapped_property(original: property) -> property:
    """Reading is done where the reader is: nothing is changed by it. Setting is done on the loop's thread."""
    getter, setter = original.fget, original.fset
    assert getter is not None  # noqa: S101 - none of ours is without

    def read(wrapper: Wrapper) -> Any:
        return wrap(getter(wrapper._target))  # noqa: SLF001

    def write(wrapper: Wrapper, value: Any) -> None:
        assert setter is not None  # noqa: S101 - this is not used without one
        loop, target = wrapper._loop, wrapper._target  # noqa: SLF001
        told = _Callback(loop, value) if callable(value) else value
        loop.call(lambda: setter(target, told))

    return property(read, write if setter else None, doc=_sync_docstring(original))


def _sync_docstring(described: object) -> str | None:
    """A description without what belongs to asyncio."""
    text = described.__doc__
    for asynchronous, plain in WORDS:
        text = text and re.sub(asynchronous, plain, text)
    return text


class _Callback:
    """A function of the application that is called back, where it may wait."""

    def __init__(self, loop: LoopThread, listener: Callable[..., object]) -> None:
        self.listener = listener
        self._loop = loop

    def __call__(self, *values: object) -> None:
        self._loop.call_back(self.listener, *map(wrap, values))


T = TypeVar("T")
ToolT = TypeVar("ToolT", bound="Callable[..., Any]")


@wrapper_of(aio.TelnyxClient)
class TelnyxClient(Wrapper):
    __slots__ = ()

    def __init__(
        self,
        *,
        timeouts: aio.Timeouts | None = None,
        limits: aio.Limits | None = None,
        call_control: aio.CallControl | None = None,
    ) -> None:
        super().__init__(timeouts=timeouts, limits=limits, call_control=call_control)
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
        heard: bool = self._loop.run(_decided, self._target)
        return heard


@wrapper_of(aio.Playback)
class Playback(Mark):
    __slots__ = ()


async def _decided(mark: aio.Mark) -> bool:
    return await mark


@wrapper_of(aio.Consultation)
class Consultation(Wrapper, Generic[T]):
    __slots__ = ()


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
                self._loop.run(self._target.write, pcm)

    def write_nowait(self, pcm: Buffer) -> int:
        with self._writing:
            written: int = self._target.write_nowait(pcm)
        return written

    def read(self, samples: int) -> bytes:
        with self._reading:
            if 0 < samples <= self._rings.readable:
                received: bytes = self._target.read_nowait(samples)
            else:
                received = self._loop.run(self._target.read, samples)
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
            received = self._loop.run(self._target.read, samples)
        return received

    def __iter__(self) -> Iterator[bytes]:
        samples = round(tap.FRAME_SECONDS * self._target.sample_rate)
        while frame := self.read(samples):
            yield frame


@wrapper_of(aio.FilteredAudio)
class FilteredAudio(Wrapper):
    __slots__ = ()

    def __iter__(self) -> Iterator[bytes]:
        samples = round(tap.FRAME_SECONDS * self._target.sample_rate)
        while frame := self.read(samples):
            yield frame


@wrapper_of(aio.PacketTap, direct=("read_nowait",))
class PacketTap(Wrapper):
    __slots__ = ()

    def __iter__(self) -> Iterator[EncodedPacket]:
        while (packet := self.read()) is not None:
            yield packet


@wrapper_of(aio.Recording)
class Recording(Wrapper):
    __slots__ = ()


@wrapper_of(flow.Collector)
class Collector(Wrapper, Generic[T]):
    __slots__ = ()

    def __next__(self) -> T:
        try:
            value: T = wrap(self._loop.run(self._target.__anext__))
        except StopAsyncIteration:
            raise StopIteration from None
        return value


@wrapper_of(flow.SharedFlow)
class SharedFlow(Wrapper, Generic[T]):
    __slots__ = ()

    def first(self, predicate: Callable[[T], bool] | None = None, *, timeout: float | None = None) -> T:
        value: T = wrap(self._loop.run(self._target.first, _of_wrapped(predicate), timeout=timeout))
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
