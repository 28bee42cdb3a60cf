"""The terms of the dispatcher: its rules, the workers and calls it knows, and what it wants done."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from telnyx_native.errors import ConfigurationError

__all__ = [
    "Action",
    "Assign",
    "Counters",
    "Drained",
    "Drop",
    "Expire",
    "Kind",
    "Position",
    "Refusal",
    "Refuse",
    "Rules",
    "WorkerInfo",
    "WorkerLoad",
    "WorkerState",
]


class Kind(Enum):
    """Which side placed a call."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class WorkerState(Enum):
    """What a worker is good for. A suspended one did not take a call, and gets none until it has reported."""

    UP = "up"
    SUSPENDED = "suspended"
    DRAINING = "draining"
    LOST = "lost"


@dataclass(frozen=True)
class Rules:
    """How a dispatcher decides. All times are in seconds.

    Attributes:
        reservation: From the assignment of a call to its confirmation; then the slot is free again.
        failures: Workers that may fail to take a call; then it is refused. So one call does not suspend the whole
            fleet.
        queue: Calls of each kind that may wait.
        wait: Longest wait in the queue.
        announce: Between two announcements of positions in the queue. One pass over the queue makes each of them, so a
            change at its head costs nothing at once.
        report: Silence after which a worker counts as lost. Several times the pause between two reports.
        reattach: How long the calls of a lost worker are kept for it.
        unreported: How long a confirmed call that its worker does not report is kept. More than the pause between two
            reports: the last one may have been on its way when the call was answered.
        rebuild: Longest wait for the reports of the expected workers at the beginning.
        sticky_callers: Callers that are remembered, the latest; 0 switches it off. A caller gets the worker of the last
            time, if that has room.
        inbound_share: Part of the slots that outbound calls never get, from 0 to 1.
    """

    reservation: float = 30.0
    failures: int = 3
    queue: int = 1000
    wait: float = 120.0
    announce: float = 10.0
    report: float = 30.0
    reattach: float = 30.0
    unreported: float = 20.0
    rebuild: float = 10.0
    sticky_callers: int = 0
    inbound_share: float = 0.0

    def __post_init__(self) -> None:
        for name in ("reservation", "wait", "announce", "report", "reattach", "unreported", "rebuild"):
            value = getattr(self, name)
            if not (value > 0 and math.isfinite(value)):
                raise ConfigurationError(f"{name} is {value!r}; it must be a number of seconds above 0")
        for name in ("queue", "sticky_callers"):
            if getattr(self, name) < 0:
                raise ConfigurationError(f"{name} is {getattr(self, name)!r}; it must be 0 or more")
        if self.failures < 1:
            raise ConfigurationError(f"failures is {self.failures!r}; it must be 1 or more")
        if not 0 <= self.inbound_share <= 1:
            raise ConfigurationError(f"inbound_share is {self.inbound_share!r}; it must be from 0 to 1, such as 0.2")


@dataclass(frozen=True)
class WorkerInfo:
    """What a worker says of itself, in every report.

    Attributes:
        name: Its name, which it keeps when it is restarted. One process at a time has it: a successor that runs
            beside a draining worker needs another.
        address: The SIP address that calls are sent to.
        host: The machine that it runs on.
        capacity: Calls that it takes at once.
        incarnation: Grows with each start. Reports of an earlier one are ignored.
    """

    name: str
    address: str
    host: str
    capacity: int
    incarnation: int = 0

    def __post_init__(self) -> None:
        if not self.name:
            raise ConfigurationError("a worker has no name")
        if self.capacity < 1:
            raise ConfigurationError(f"worker {self.name}: capacity is {self.capacity!r}; it must be 1 or more")


@dataclass(frozen=True)
class WorkerLoad:
    """A worker as the dispatcher sees it, and how many of its slots are taken.

    Attributes:
        worker: What it said of itself.
        state: What it is good for.
        reserved: Slots of calls that were assigned and not yet confirmed.
        confirmed: Slots of calls that were answered, or that it reported.
    """

    worker: WorkerInfo
    state: WorkerState
    reserved: int
    confirmed: int


@dataclass
class Counters:
    """What happened since the dispatcher began.

    Attributes:
        dispatched: Calls that were assigned to a worker, each time.
        queued: Calls that had to wait.
        refused_full: Calls that found the queue full.
        refused_waited: Calls that waited too long.
        refused_failed: Calls that too many workers did not take.
        abandoned: Calls that ended before they were confirmed.
        expired: Reservations that nobody confirmed in time.
        failed: Calls that did not get to their worker.
        put_back: Calls that were dispatched again: not confirmed when their worker was lost, or failed.
        adopted: Calls that a worker reported and that were not known to be there.
        reattached: Calls that were there again after their worker had been lost or restarted.
        lost: Calls whose worker did not come back in time, or was removed with them.
        unreported: Confirmed calls that their worker did not report in time.
        contested: Reports of a call that another worker holds; that one keeps it.
        late: Confirmations of calls that have no reservation.
        stale: Reports of an earlier incarnation.
    """

    dispatched: int = 0
    queued: int = 0
    refused_full: int = 0
    refused_waited: int = 0
    refused_failed: int = 0
    abandoned: int = 0
    expired: int = 0
    failed: int = 0
    put_back: int = 0
    adopted: int = 0
    reattached: int = 0
    lost: int = 0
    unreported: int = 0
    contested: int = 0
    late: int = 0
    stale: int = 0


# What is to be done.


@dataclass(frozen=True, slots=True)
class Action:
    """Something to be done."""


@dataclass(frozen=True, slots=True)
class Assign(Action):
    """Send a call to a worker, where a slot is reserved. A call whose worker was lost is assigned a second time."""

    call_id: str
    worker: WorkerInfo


@dataclass(frozen=True, slots=True)
class Position(Action):
    """Tell a caller who waits his position in the queue; 1 is the next."""

    call_id: str
    position: int


class Refusal(Enum):
    """Why a call is not served."""

    FULL = "the queue is full"
    WAITED = "it waited too long"
    FAILED = "workers did not take it"


@dataclass(frozen=True, slots=True)
class Refuse(Action):
    """End a call that is not served; it is forgotten here."""

    call_id: str
    why: Refusal


@dataclass(frozen=True, slots=True)
class Expire(Action):
    """End a call that its worker did not answer in time; it is forgotten here, and its slot is free."""

    call_id: str
    worker: WorkerInfo


@dataclass(frozen=True, slots=True)
class Drop(Action):
    """Clean up after a call that is gone with its worker, or that its worker does not know; it is forgotten here."""

    call_id: str
    worker: WorkerInfo


@dataclass(frozen=True, slots=True)
class Drained(Action):
    """A draining worker has no call left, and may be closed."""

    worker: WorkerInfo
