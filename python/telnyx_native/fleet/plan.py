"""How many slots, workers and hosts a traffic needs: the Erlang C formula.

Calls come at random (Poisson), last exponentially distributed times, and wait in one queue as long as it takes. So it
is a little pessimistic where callers give up. With A = arrivals a second x mean seconds of a call (erlangs), n slots:

    B(0) = 1,  B(n) = A B(n-1) / (n + A B(n-1))    part of the calls that find no slot, if none may wait (Erlang B)
    C(n) = B(n) / (1 - A/n (1 - B(n)))             part of the calls that wait (Erlang C), for n > A
    P(wait <= t) = 1 - C(n) exp(-(n - A) t / h)    with the mean duration h
    mean wait = C(n) h / (n - A)

The recurrence only adds and divides positive numbers of like size, so it neither overflows nor loses digits, where
powers and factorials do from some hundred slots on. Sources: A. K. Erlang, "Solution of some problems in the theory of
probabilities of significance in automatic telephone exchanges" (1917); ITU-D SG 2, "Teletraffic Engineering Handbook"
(2005), chapters 7 (the recurrence) and 12 (waiting times).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from telnyx_native.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MAX_ERLANGS", "Plan", "erlang_b", "erlang_c", "plan", "wanted_workers"]

MAX_ERLANGS = 1_000_000.0
"""The most traffic that is calculated: a second of computing."""


@dataclass(frozen=True)
class Plan:
    """What a traffic needs, and what callers get of it.

    Attributes:
        erlangs: Calls that go on at once, on average.
        slots: The smallest number of calls at once that gives the service level.
        workers: Workers that have these slots.
        hosts: Hosts for these workers.
        waits: Part of the calls that wait at all, with exactly these slots.
        mean_wait: Mean wait of all calls, in seconds.
        service_level: Part of the calls that wait no longer than was asked for.
        occupancy: Part of the slots that are taken, on average.
    """

    erlangs: float
    slots: int
    workers: int
    hosts: int
    waits: float
    mean_wait: float
    service_level: float
    occupancy: float


def plan(
    *,
    calls_per_hour: float,
    seconds: float,
    wait: float,
    service_level: float = 0.8,
    calls_per_worker: int = 10,
    workers_per_host: int = 4,
) -> Plan:
    """What a traffic needs.

    Args:
        calls_per_hour: Calls that come in the busiest hour.
        seconds: How long a call lasts, on average.
        wait: Seconds that a caller may wait.
        service_level: Part of the callers that shall wait no longer.
        calls_per_worker: Calls that a worker takes at once.
        workers_per_host: Workers that a host has room for.

    Raises:
        ConfigurationError: A value makes no sense, or there is more traffic than `MAX_ERLANGS`.
    """
    _require("calls_per_hour", calls_per_hour, above=0)
    _require("seconds", seconds, above=0)
    if not (wait >= 0 and math.isfinite(wait)):
        raise ConfigurationError(f"wait is {wait!r}; it must be a number of seconds, 0 or more")
    if not 0 < service_level < 1:
        raise ConfigurationError(f"service_level is {service_level!r}; it must be above 0 and below 1, such as 0.8")
    _require("calls_per_worker", calls_per_worker, above=0)
    _require("workers_per_host", workers_per_host, above=0)
    erlangs = calls_per_hour / 3600 * seconds
    if erlangs > MAX_ERLANGS:
        most = f"{MAX_ERLANGS:,.0f}"
        raise ConfigurationError(f"{erlangs:,.0f} calls at once are more than the {most} that are calculated")
    for slots, blocked in _blocking(erlangs):
        if slots <= erlangs:
            continue  # the queue would grow for ever
        waits = _waiting(erlangs, slots, blocked)
        level = 1 - waits * math.exp(-(slots - erlangs) * wait / seconds)
        if level >= service_level:
            workers = math.ceil(slots / calls_per_worker)
            return Plan(
                erlangs=erlangs,
                slots=slots,
                workers=workers,
                hosts=math.ceil(workers / workers_per_host),
                waits=waits,
                mean_wait=waits * seconds / (slots - erlangs),
                service_level=level,
                occupancy=erlangs / slots,
            )
    raise AssertionError  # enough slots serve everybody


def erlang_b(erlangs: float, slots: int) -> float:
    """The part of calls that find all slots taken, if none may wait.

    Raises:
        ConfigurationError: There is no traffic, or less than one slot.
    """
    _require("erlangs", erlangs, above=0)
    _require("slots", slots, above=0)
    return next(blocked for number, blocked in _blocking(erlangs) if number == slots)


def erlang_c(erlangs: float, slots: int) -> float:
    """The part of calls that have to wait; 1.0 if there are no more slots than erlangs.

    Raises:
        ConfigurationError: There is no traffic, or less than one slot.
    """
    blocked = erlang_b(erlangs, slots)
    return 1.0 if slots <= erlangs else _waiting(erlangs, slots, blocked)


def wanted_workers(calls: int, spare: int, calls_per_worker: int) -> int:
    """Workers for the calls that there are, and for some more that may come before another worker is up.

    Raises:
        ConfigurationError: A number is negative, or a worker takes no call.
    """
    _require("calls", calls, above=-1)
    _require("spare", spare, above=-1)
    _require("calls_per_worker", calls_per_worker, above=0)
    return math.ceil((calls + spare) / calls_per_worker)


def _blocking(erlangs: float) -> Iterator[tuple[int, float]]:
    """Numbers of slots, from 1 on, with the part of the calls that is blocked."""
    blocked = 1.0
    for slots in count(1):
        blocked = erlangs * blocked / (slots + erlangs * blocked)
        yield slots, blocked


def _waiting(erlangs: float, slots: int, blocked: float) -> float:
    return blocked / (1 - erlangs / slots * (1 - blocked))


def _require(name: str, value: float, *, above: float) -> None:
    if not (value > above and math.isfinite(value)):
        raise ConfigurationError(f"{name} is {value!r}; it must be a number above {above}")
