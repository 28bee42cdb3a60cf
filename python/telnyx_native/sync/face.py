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
    from collections.abc import Callable, Coroutine, Iterable

    from telnyx_native.sync.loop_thread import LoopThread

__all__ = ["FACES", "Face", "face_of", "present", "target_of", "waiting"]

FaceT = TypeVar("FaceT", bound="type[Face]")

FACES: dict[type, type[Face]] = {}
"""The synchronous class of each asynchronous one."""

ENTRIES = {"__aenter__": "__enter__", "__aexit__": "__exit__", "__aiter__": "__iter__", "__anext__": "__next__"}
"""Special methods that have another name when nothing is awaited."""

WORDS = (
    (r"\ban async context manager", "a context manager"),
    (r"\basync (with|for|def|iterator|function)\b", r"\1"),
    (r"\bawait ", ""),
)
"""What descriptions say otherwise then."""

PLAIN = ("__enter__", "__exit__", "__repr__")
"""Special methods that are there under the same name."""


class Face:
    """Stands before an object that belongs to an event loop; every call goes there and comes back.

    There is one face for each object: what is the same there is the same here.
    """

    __slots__ = ("__weakref__", "_loop", "_target")

    _original: type
    """The asynchronous class."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        loop = loop_thread()
        args, kwargs = tuple(map(target_of, args)), {name: target_of(value) for name, value in kwargs.items()}
        self._stand_before(loop, loop.call(lambda: self._original(*args, **kwargs)))

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the object that is no part of its class."""
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return present(getattr(self._target, name))

    def _stand_before(self, loop: LoopThread, target: Any) -> None:
        self._loop = loop
        self._target = target
        with _made_lock:
            _made[id(target)] = self


_made: WeakValueDictionary[int, Face] = WeakValueDictionary()
_made_lock = threading.RLock()


def present(value: Any) -> Any:
    """Return the face of what has one, and everything else as it is."""
    if isinstance(value, MappingProxyType):
        return MappingProxyType({key: present(item) for key, item in value.copy().items()})
    kind = next((FACES[kind] for kind in type(value).__mro__ if kind in FACES), None)
    if kind is None:
        return value.listener if isinstance(value, _Told) else value
    loop = loop_thread()
    with _made_lock:
        face = _made.get(id(value))
        if face is None:
            face = kind.__new__(kind)
            face._stand_before(loop, value)  # noqa: SLF001 - this is its constructor
        return face


def target_of(value: Any) -> Any:
    """Return what a face stands before, and everything else as it is."""
    return value._target if isinstance(value, Face) else value  # noqa: SLF001 - this is the other way of `present`


def face_of(original: type, *, direct: Iterable[str] = ()) -> Callable[[FaceT], FaceT]:
    """Complete a class by all public members of an asynchronous one that it does not define itself.

    Args:
        original: The asynchronous class.
        direct: Methods that any thread may call, without the way to the event loop and back.
    """

    def complete(face: FaceT) -> FaceT:
        face._original = original  # noqa: SLF001 - this completes it
        face.__doc__ = face.__doc__ or _in_plain_words(original)
        FACES[original] = face
        inherited = {name: member for kind in reversed(original.__mro__[:-1]) for name, member in vars(kind).items()}
        for name, member in inherited.items():
            is_wanted = name in ENTRIES or name in PLAIN or not name.startswith("_")
            name = ENTRIES.get(name, name)
            if not is_wanted:
                continue
            if name not in vars(face):
                setattr(face, name, _presented(member, is_direct=name in direct or name == "__repr__"))
            elif isfunction(own := vars(face)[name]):
                own.__doc__ = own.__doc__ or _in_plain_words(member)
        return face

    return complete


def waiting(function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    """Return the function that waits for an asynchronous one."""

    @functools.wraps(function)
    def wait(*args: Any, **kwargs: Any) -> Any:
        given, named = map(target_of, args), {name: target_of(value) for name, value in kwargs.items()}
        return present(loop_thread().run(function(*given, **named)))

    wait.__doc__ = _in_plain_words(function)
    return wait


def _presented(member: Any, *, is_direct: bool) -> Any:
    if isinstance(member, property):
        return _presented_property(member)
    if iscoroutinefunction(member):
        return waiting(member)
    if isfunction(member):
        return _presented_function(member, is_direct=is_direct)
    return member


def _presented_function(function: Callable[..., Any], *, is_direct: bool) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(face: Face, *args: Any, **kwargs: Any) -> Any:
        given = (target_of(face), *map(target_of, args))
        named = {name: target_of(value) for name, value in kwargs.items()}
        if is_direct:
            return present(function(*given, **named))
        return present(face._loop.call(lambda: function(*given, **named)))  # noqa: SLF001

    call.__doc__ = _in_plain_words(function)
    return call


def _presented_property(original: property) -> property:
    """Reading is done where the reader is: nothing is changed by it. Setting is done on the loop's thread."""
    getter, setter = original.fget, original.fset
    assert getter is not None  # noqa: S101 - none of ours is without

    def read(face: Face) -> Any:
        return present(getter(face._target))  # noqa: SLF001

    def write(face: Face, value: Any) -> None:
        assert setter is not None  # noqa: S101 - this is not used without one
        loop, target = face._loop, face._target  # noqa: SLF001
        told = _Told(loop, value) if callable(value) else value
        loop.call(lambda: setter(target, told))

    return property(read, write if setter else None, doc=_in_plain_words(original))


def _in_plain_words(described: object) -> str | None:
    """A description without what belongs to asyncio."""
    text = described.__doc__
    for asynchronous, plain in WORDS:
        text = text and re.sub(asynchronous, plain, text)
    return text


class _Told:
    """A function of the application that is called back, where it may wait."""

    def __init__(self, loop: LoopThread, listener: Callable[..., object]) -> None:
        self.listener = listener
        self._loop = loop

    def __call__(self, *values: object) -> None:
        self._loop.tell(self.listener, *map(present, values))
