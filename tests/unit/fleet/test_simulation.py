"""The simulated fleet: what must not happen does not, and the simulation would notice."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest

from telnyx_native.errors import ConfigurationError
from telnyx_native.fleet.dispatch import Dispatcher
from telnyx_native.fleet.dispatch_terms import Drained, Kind, Rules, WorkerInfo
from telnyx_native.fleet.simulation import Simulation
from telnyx_native.fleet.simulation_terms import CALM, Faults, Outcome, Quantiles, Scenario

SMALL = Scenario(
    workers=20,
    capacity=10,
    rate=7.0,
    duration=240.0,
    faults=Faults(crash=5.0, kill=37.0, lost=0.05, rolling=1),
    rules=Rules(queue=50, rebuild=5.0, inbound_share=0.1, sticky_callers=100),
)


@pytest.mark.parametrize("seed", range(6))
def test_small_fleet_in_which_everything_breaks(seed: int) -> None:
    outcome = Simulation(dataclasses.replace(SMALL, seed=seed)).run()
    assert outcome.holds, outcome
    assert outcome.crashes > 20
    assert outcome.kills == 6
    assert outcome.counters.reattached
    assert outcome.counters.put_back
    assert outcome.counters.adopted
    assert outcome.served > 1500


def test_rolling_update_cuts_no_call() -> None:
    faults = dataclasses.replace(CALM, rolling=2)
    outcome = Simulation(dataclasses.replace(SMALL, rate=5.0, faults=faults)).run()
    assert outcome.holds
    assert outcome.rolled > 3
    assert outcome.cut == outcome.counters.lost == 0
    assert outcome.served == outcome.calls - outcome.gave_up


def test_calm_fleet_with_room_lets_nobody_wait() -> None:
    outcome = Simulation(dataclasses.replace(SMALL, rate=4.0, faults=CALM)).run()
    assert outcome.holds
    assert outcome.waited == 0
    assert outcome.served == outcome.calls == outcome.counters.dispatched
    assert outcome.counters.unreported == outcome.counters.expired == outcome.counters.adopted == 0


def course(outcome: Outcome) -> dict[str, object]:
    """What happened, without what it took."""
    return {name: value for name, value in vars(outcome).items() if name not in ("cost", "decision")}


def test_the_same_seed_gives_the_same_course() -> None:
    first = Simulation(SMALL).run()
    assert course(Simulation(SMALL).run()) == course(first)
    assert course(Simulation(dataclasses.replace(SMALL, seed=2)).run()) != course(first)


@pytest.mark.timed
def test_large_fleet_decides_in_time() -> None:
    """A thousand workers for a second of calls; docs/fleet-scale.md has a long run."""
    outcome = Simulation(Scenario(rate=2000.0, seconds=5.0, duration=1.0)).run()
    assert outcome.holds
    assert outcome.most_at_once > 8_000
    assert outcome.decision.p99 < 1e-3


# What it would notice.


class Greedy(Dispatcher):
    """Believes that workers have twice their slots."""

    def report(self, worker: WorkerInfo, calls: Mapping[str, Kind], now: float, *, draining: bool = False):  # type: ignore[no-untyped-def]
        return super().report(dataclasses.replace(worker, capacity=2 * worker.capacity), calls, now, draining=draining)


class Forgetful(Dispatcher):
    """Does not hear of the end of every tenth call, nor what its worker says."""

    def release(self, call_id: str, now: float):  # type: ignore[no-untyped-def]
        return () if call_id.endswith("7") else super().release(call_id, now)

    def report(self, worker: WorkerInfo, calls: Mapping[str, Kind], now: float, *, draining: bool = False):  # type: ignore[no-untyped-def]
        old = self._records.get(worker.name)
        kept = {call_id: call.kind for call_id, call in old.calls.items()} if old else {}
        return super().report(worker, {**kept, **calls}, now, draining=draining)


class Hasty(Dispatcher):
    """Tells that a worker is drained as soon as it is to drain."""

    def drain(self, name: str, now: float):  # type: ignore[no-untyped-def]
        return (*super().drain(name, now), Drained(self._records[name].worker))


@pytest.mark.parametrize(
    ("kind", "noticed"), [(Greedy, "above_capacity"), (Forgetful, "leaked"), (Hasty, "closed_with_calls")]
)
def test_mistakes_are_noticed(monkeypatch: pytest.MonkeyPatch, kind: type[Dispatcher], noticed: str) -> None:
    monkeypatch.setattr("telnyx_native.fleet.simulation.Dispatcher", kind)
    faults = dataclasses.replace(CALM, rolling=1)
    outcome = Simulation(dataclasses.replace(SMALL, rate=9.0, faults=faults)).run()
    assert not outcome.holds
    assert getattr(outcome, noticed) > 0


def test_time_passes_also_when_nothing_happens() -> None:
    simulation = Simulation(dataclasses.replace(SMALL, workers=1, rate=0.01, duration=10.0, faults=CALM))
    assert simulation.advance(0.5)
    assert simulation.advance(simulation.now + 0.25)
    assert simulation.now == 0.75
    while simulation.advance(simulation.now + 1):
        pass
    assert simulation.outcome.holds


def test_quantiles() -> None:
    assert Quantiles.of(range(101)) == Quantiles(101, 50, 99, 100, 5050)
    assert Quantiles.of([]) == Quantiles(1, 0, 0, 0, 0)


@pytest.mark.parametrize("name", ["workers", "capacity", "rate", "seconds", "duration"])
def test_scenarios_that_cannot_be(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} is 0; it must be a number above 0"):
        dataclasses.replace(SMALL, **{name: 0})
