"""What a dispatcher keeps of workers and calls, and which worker has the least load."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from telnyx_native.fleet.dispatch_terms import WorkerState

if TYPE_CHECKING:
    from telnyx_native.fleet.dispatch_terms import Kind, WorkerInfo

__all__ = ["CallRecord", "LeastLoaded", "WorkerRecord"]


@dataclass(slots=True, eq=False)
class CallRecord:
    """A call: it waits while it has no worker, is reserved once it has, and then confirmed.

    Attributes:
        number: The number of its request; calls are served in this order.
        reported: Its worker's last report had it.
        failures: How many workers did not take it.
        position: The position in the queue that its caller heard last.
    """

    call_id: str
    kind: Kind
    caller: str
    number: int
    at: WorkerRecord | None = None
    confirmed: bool = False
    reported: bool = False
    failures: int = 0
    position: int = 0


@dataclass(slots=True, eq=False)
class WorkerRecord:
    """A worker, and what it holds.

    Attributes:
        turn: The number of its last assignment.
        outbound: How many of its calls are outbound.
        entry: Where it stands among the workers that have room, if it has.
        told: That it is drained was told.
    """

    worker: WorkerInfo
    state: WorkerState = WorkerState.LOST
    calls: dict[str, CallRecord] = field(default_factory=dict)
    turn: int = 0
    outbound: int = 0
    draining: bool = False
    told: bool = False
    entry: Entry | None = None

    @property
    def has_room(self) -> bool:
        """Whether a call can be assigned to it."""
        return self.state is WorkerState.UP and len(self.calls) < self.worker.capacity


class Entry(NamedTuple):
    """A worker's place; the smallest is the first."""

    load: float
    turn: int
    number: int
    record: WorkerRecord


class LeastLoaded:
    """The workers that have room, the one with the least load first.

    A heap, in which a worker that changes gets a new entry; old ones are dropped when they come up, or are too many.
    """

    def __init__(self) -> None:
        self._heap: list[Entry] = []
        self._numbers = count()
        self._size = 0

    def update(self, record: WorkerRecord) -> None:
        """Take note of a worker that has changed."""
        self._size += record.has_room - (record.entry is not None)
        record.entry = None
        if not record.has_room:
            return
        record.entry = Entry(len(record.calls) / record.worker.capacity, record.turn, next(self._numbers), record)
        heappush(self._heap, record.entry)
        if len(self._heap) > 4 * self._size + 64:
            self._heap = [entry for entry in self._heap if entry.record.entry is entry]
            heapify(self._heap)

    def first(self) -> WorkerRecord | None:
        """The worker with the least load; `None` if nobody has room."""
        while self._heap and self._heap[0].record.entry is not self._heap[0]:
            heappop(self._heap)
        return self._heap[0].record if self._heap else None
