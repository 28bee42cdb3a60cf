"""Kotlin's `SharedFlow` and `StateFlow` for asyncio.

A flow belongs to one event loop and is not thread-safe. Emitting never waits: each collector has a bounded
queue of its own, and a collector that does not keep up loses its oldest values, which is counted.
"""
# ruff: noqa: SLF001 - a flow and its collectors are two halves of one thing

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload
from weakref import WeakSet

from telnyx_native.errors import FlowClosedError, WaitTimeoutError
from telnyx_native.event_loop import OwnerLoop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

__all__ = ["Collector", "SharedFlow", "StateFlow"]

T = TypeVar("T")
S = TypeVar("S")

DEFAULT_CAPACITY = 1024
"""Values a collector may fall behind before it loses the oldest."""


class Collector(Generic[T]):
    """One subscription to a flow: an async iterator that holds what was emitted since it was made.

    It ends when the flow or the collector is closed, after what it already holds. A collector that nobody
    refers to any more is unsubscribed by itself.
    """

    def __init__(self, flow: SharedFlow[T], backlog: Iterable[T], *, closed: bool) -> None:
        self._flow = flow
        self._items: deque[T] = deque(backlog)
        self._weight = sum(map(flow._weigh, self._items))
        self._arrived = asyncio.Event()
        self._closed = closed

    def __aiter__(self) -> Collector[T]:
        return self

    async def __anext__(self) -> T:
        self._flow._home.enter()
        while not self._items:
            if self._closed:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        return self._take()

    def __enter__(self) -> Collector[T]:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop collecting. What is already held can still be iterated."""
        self._flow._collectors.discard(self)
        self._end()

    def _push(self, value: T, weight: int) -> int:
        """Hold `value`; return how many of the oldest ones had to go for it."""
        self._items.append(value)
        self._weight += weight
        gone = 0
        while self._weight > self._flow._capacity and len(self._items) > 1:
            self._take()
            gone += 1
        self._arrived.set()
        return gone

    def _take(self) -> T:
        value = self._items.popleft()
        self._weight -= self._flow._weigh(value)
        return value

    def _end(self) -> None:
        self._closed = True
        self._arrived.set()


class SharedFlow(Generic[T]):
    """A hot stream of values: whoever collects gets what is emitted from then on.

    Args:
        replay: How many of the latest values a new collector gets first.
        capacity: How many values a collector may fall behind before it loses the oldest.
        weigh: How many a value counts for; values of any size can be bounded by their bytes. The latest is held even
            if it weighs more than `capacity`.

    Attributes:
        dropped: Values lost so far by collectors that did not keep up.
    """

    def __init__(
        self, *, replay: int = 0, capacity: int = DEFAULT_CAPACITY, weigh: Callable[[T], int] = lambda _: 1
    ) -> None:
        self._replay: deque[T] = deque(maxlen=replay)
        self._capacity = max(capacity, replay, 1)
        self._weigh = weigh
        self._collectors: WeakSet[Collector[T]] = WeakSet()
        self._subscribed = asyncio.Event()
        self._home = OwnerLoop("the flow")
        self._closed = False
        self.dropped = 0

    def __repr__(self) -> str:
        state = "closed" if self._closed else "collected" if self.collected else "not collected"
        return f"<SharedFlow {state}>"

    def emit(self, value: T) -> None:
        """Hand `value` to every collector. After `close` it goes nowhere."""
        if self._closed:
            return
        self._replay.append(value)
        if self._collectors:
            weight = self._weigh(value)
            for collector in self._collectors:
                self.dropped += collector._push(value, weight)

    def close(self) -> None:
        """End every collector after what it already holds."""
        self._closed = True
        for collector in self._collectors:
            collector._end()

    @property
    def closed(self) -> bool:
        """Whether nothing more will be emitted."""
        return self._closed

    def __aiter__(self) -> AsyncIterator[T]:
        return self.collect()

    def collect(self) -> Collector[T]:
        """Subscribe now; nothing emitted after this call is missed."""
        collector = Collector(self, self._replay, closed=self._closed)
        self._collectors.add(collector)
        self._subscribed.set()
        return collector

    @property
    def collected(self) -> bool:
        """Whether somebody collects."""
        return bool(self._collectors)

    async def wait_collected(self) -> None:
        """Return as soon as somebody collects: for values that are not worth making for nobody."""
        self._home.enter()
        while not self._collectors:
            self._subscribed.clear()
            await self._subscribed.wait()

    async def first(self, predicate: Callable[[T], bool] | None = None, *, timeout: float | None = None) -> T:
        """Return the first value that satisfies `predicate` (any value without one).

        Args:
            predicate: Tells whether a value is the wanted one.
            timeout: Limit in seconds; `None` waits for ever.

        Raises:
            WaitTimeoutError: No such value came in time.
            FlowClosedError: The flow ended without such a value.
        """
        with self.collect() as collector:
            try:
                async with asyncio.timeout(timeout):
                    async for value in collector:
                        if predicate is None or predicate(value):
                            return value
            except TimeoutError:
                raise WaitTimeoutError(f"no matching value came within {timeout} s") from None
        raise FlowClosedError("the flow was closed before a matching value came")


class StateFlow(Generic[T]):
    """A value that changes: it can be read, waited for and collected.

    Collectors get the current value first and then every change, in order; setting an equal value is no
    change.
    """

    def __init__(self, value: T) -> None:
        self._value = value
        self._changes: SharedFlow[T] = SharedFlow(replay=1)
        self._changes.emit(value)

    def __repr__(self) -> str:
        return f"<StateFlow {self._value}>"

    @property
    def value(self) -> T:
        """The current value."""
        return self._value

    @property
    def collected(self) -> bool:
        """Whether anybody collects its changes."""
        return self._changes.collected

    def set(self, value: T) -> None:
        """Change the value; after `close` it stays as it is."""
        if value != self._value and not self._changes.closed:
            self._value = value
            self._changes.emit(value)

    def close(self) -> None:
        """Declare the current value the last one: collectors end after it."""
        self._changes.close()

    def __aiter__(self) -> AsyncIterator[T]:
        return self.collect()

    def collect(self) -> Collector[T]:
        """Subscribe now; the collector starts with the current value."""
        return self._changes.collect()

    @overload
    async def wait_for(self, wanted: type[S], *, timeout: float | None = None) -> S: ...
    @overload
    async def wait_for(self, wanted: T | Callable[[T], bool], *, timeout: float | None = None) -> T: ...
    async def wait_for(self, wanted: T | type[S] | Callable[[T], bool], *, timeout: float | None = None) -> T | S:
        """Return the first state that matches; the current one counts.

        Args:
            wanted: A value (compared by equality), a class (by `isinstance`) or a predicate.
            timeout: Limit in seconds; `None` waits for ever.

        Raises:
            WaitTimeoutError: The state did not come in time; names the wanted and the current state.
            FlowClosedError: The flow ended in another state.
        """
        try:
            return await self._changes.first(_matcher(wanted), timeout=timeout)
        except WaitTimeoutError:
            message = f"waited {timeout} s for {_describe(wanted)}; the state is still {self._value}"
            raise WaitTimeoutError(message) from None
        except FlowClosedError:
            message = f"waited for {_describe(wanted)}, but the state is {self._value} for good"
            raise FlowClosedError(message) from None


def _matcher(wanted: object) -> Callable[[Any], bool]:
    if isinstance(wanted, type):
        return lambda value: isinstance(value, wanted)
    if callable(wanted):
        return wanted
    return lambda value: value == wanted


def _describe(wanted: object) -> str:
    return str(getattr(wanted, "__name__", wanted))
