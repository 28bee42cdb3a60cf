"""The terms of the simulation: what is simulated, what goes wrong in it, and what came of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from telnyx_native.errors import ConfigurationError
from telnyx_native.fleet.dispatch_terms import Counters, Rules

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CALM", "Faults", "Outcome", "Quantiles", "Scenario"]


@dataclass(frozen=True)
class Faults:
    """What goes wrong, and how often.

    Attributes:
        crash: Seconds between two crashes of workers, on average; 0: none.
        unnoticed: Part of the crashes that nobody tells the dispatcher.
        stays_away: Part of the crashed workers that come back too late for their calls.
        kill: Seconds between two kills of the dispatcher; 0: none.
        lost: Part of the reports, confirmations and releases that are lost.
        rolling: Workers that drain at the same time, in a rolling update that never ends; 0: none.
        surge: Every minute, as many times more calls come for six seconds; 1: no more.
    """

    crash: float = 1.0
    unnoticed: float = 0.3
    stays_away: float = 0.1
    kill: float = 20.0
    lost: float = 0.02
    rolling: int = 20
    surge: float = 2.0


CALM = Faults(crash=0, kill=0, lost=0, rolling=0, surge=1)
"""Nothing goes wrong."""


@dataclass(frozen=True)
class Scenario:
    """What is simulated.

    Attributes:
        workers: How many workers there are.
        capacity: Calls that each takes.
        rate: Calls that come in a second.
        seconds: Mean duration of a call, in seconds.
        duration: Seconds for which calls come. As many as go on at once, on average, stand at the beginning.
        seed: Decides everything that is random.
        outbound: Part of the calls that are outbound.
        patience: Seconds that a caller waits in the queue, on average; infinite: as long as it takes.
        faults: What goes wrong.
        rules: The dispatcher's rules.
    """

    workers: int = 1000
    capacity: int = 60
    rate: float = 2000.0
    seconds: float = 25.0
    duration: float = 60.0
    seed: int = 1
    outbound: float = 0.2
    patience: float = 60.0
    faults: Faults = field(default_factory=Faults)
    rules: Rules = field(default_factory=lambda: Rules(queue=20_000, rebuild=5.0, inbound_share=0.05))

    def __post_init__(self) -> None:
        for name in ("workers", "capacity", "rate", "seconds", "duration"):
            value = getattr(self, name)
            if not (value > 0 and math.isfinite(value)):
                raise ConfigurationError(f"{name} is {value!r}; it must be a number above 0")


@dataclass(frozen=True)
class Quantiles:
    """What was measured many times.

    Attributes:
        count: How often.
        p50: The median.
        p99: What 99 of 100 do not exceed.
        worst: The largest.
        total: The sum.
    """

    count: int
    p50: float
    p99: float
    worst: float
    total: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Quantiles:
        """The quantiles of values; zeros if there are none."""
        ordered = sorted(values) or [0.0]
        last = len(ordered) - 1
        return cls(len(ordered), ordered[last // 2], ordered[math.ceil(last * 0.99)], ordered[-1], sum(ordered))


@dataclass
class Outcome:
    """What came of a simulation.

    Attributes:
        calls: Calls that came, with those that stood at the beginning.
        served: Calls that were answered.
        most_at_once: The most calls that workers had at the same time.
        gave_up: Callers who hung up while they waited.
        cut: Calls that a crash ended, because the worker did not come back in time.
        crashes: Crashes of workers.
        kills: Kills of the dispatcher.
        rolled: Workers that were drained, closed and started anew.
        above_capacity: Calls that were sent to a worker that had no slot for them. Must be 0.
        closed_with_calls: Draining workers that were closed with calls. Must be 0.
        leaked: Calls that the dispatcher kept after their end for longer than its rules explain. Must be 0.
        stranded: Calls that nobody served or refused at the end. Must be 0.
        waited: Part of the served calls that waited in the queue.
        wait: Simulated seconds from the request to the assignment, of all served calls.
        cost: CPU seconds of the dispatcher for each kind of event.
        decision: CPU seconds of all that decides where a call goes: requests and releases.
        counters: The dispatcher's own, over all kills.
    """

    calls: int = 0
    served: int = 0
    most_at_once: int = 0
    gave_up: int = 0
    cut: int = 0
    crashes: int = 0
    kills: int = 0
    rolled: int = 0
    above_capacity: int = 0
    closed_with_calls: int = 0
    leaked: int = 0
    stranded: int = 0
    waited: float = 0.0
    wait: Quantiles = field(default_factory=lambda: Quantiles.of([]))
    cost: dict[str, Quantiles] = field(default_factory=dict)
    decision: Quantiles = field(default_factory=lambda: Quantiles.of([]))
    counters: Counters = field(default_factory=Counters)

    @property
    def holds(self) -> bool:
        """Whether nothing happened that must not happen."""
        return not (self.above_capacity or self.closed_with_calls or self.leaked or self.stranded)
