"""Makes a synchronous class of an asynchronous one: same names, but what is awaited there is waited for here."""

from __future__ import annotations

import functools
import re
import threading
from inspect import iscoroutinefunction, isfunction
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakValueDictionary

from telnyx_native.sync.loop_thread import loop_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping

    from telnyx_native.sync.loop_thread import LoopThread

__all__ = ["SYNC_NAMES", "Wrapper", "blocking", "wrap", "wrapper_of"]

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
        return wrap(loop_thread().run(function(*args, **kwargs)))

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
