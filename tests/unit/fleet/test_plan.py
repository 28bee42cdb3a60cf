"""The Erlang formulas, by published values, by exact arithmetic, and by a simulated fleet."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_native.errors import ConfigurationError
from telnyx_native.fleet.dispatch_terms import Rules
from telnyx_native.fleet.plan import MAX_ERLANGS, erlang_b, erlang_c, plan, wanted_workers
from telnyx_native.fleet.simulation import Simulation
from telnyx_native.fleet.simulation_terms import CALM, Scenario


@pytest.mark.parametrize(
    ("slots", "erlangs", "blocked"),
    [  # the usual tables of Erlang B; the fourth is the example of erlang.com's calculator
        (1, 0.0101, 0.01),
        (5, 1.36, 0.01),
        (10, 4.46, 0.01),
        (15, 8.108, 0.01),
        (20, 12.0, 0.01),
        (10, 5.08, 0.02),
        (50, 40.3, 0.02),
        (100, 84.1, 0.01),
    ],
)
def test_published_table_of_erlang_b(slots: int, erlangs: float, blocked: float) -> None:
    assert erlang_b(erlangs, slots) == pytest.approx(blocked, rel=0.03)  # tables have three digits


def test_published_example_of_erlang_c() -> None:
    """360 calls in half an hour, of 4 minutes, with 55 agents: the example of A. Mitchell's "The Erlang-C Formula"."""
    assert erlang_c(48.0, 55) == pytest.approx(0.239, abs=0.0005)


def test_published_example_of_staffing() -> None:
    """200 calls in an hour, of 3 minutes, 80 % in 20 s: 14 agents, of Call Centre Helper's worked example."""
    needed = plan(calls_per_hour=200, seconds=180, wait=20, calls_per_worker=14)
    assert needed.slots == 14
    assert needed.workers == needed.hosts == 1
    assert needed.waits == pytest.approx(0.174, abs=0.0005)
    assert needed.service_level == pytest.approx(0.888, abs=0.0005)
    assert needed.mean_wait == pytest.approx(7.8, abs=0.05)
    assert needed.occupancy == pytest.approx(0.714, abs=0.0005)


@given(st.integers(1, 60), st.integers(1, 600))
def test_exact_values(slots: int, tenths: int) -> None:
    """The definition, in fractions: B(n) = (A^n / n!) / sum of A^k / k!."""
    erlangs = Fraction(tenths, 10)
    terms = [erlangs**k / math.factorial(k) for k in range(slots + 1)]
    blocked = terms[-1] / sum(terms)
    assert erlang_b(float(erlangs), slots) == pytest.approx(float(blocked), rel=1e-9)
    if slots > erlangs:
        waits = blocked / (1 - erlangs / slots * (1 - blocked))
        assert erlang_c(float(erlangs), slots) == pytest.approx(float(waits), rel=1e-9)
    else:
        assert erlang_c(float(erlangs), slots) == 1.0


@pytest.mark.parametrize(("erlangs", "slots"), [(5_000.0, 5_100), (50_000.0, 50_200)])
def test_many_slots_lose_no_digits(erlangs: float, slots: int) -> None:
    """By logarithms of the terms, relative to the last one."""
    last = slots * math.log(erlangs) - math.lgamma(slots + 1)
    total = math.fsum(math.exp(k * math.log(erlangs) - math.lgamma(k + 1) - last) for k in range(slots + 1))
    assert erlang_b(erlangs, slots) == pytest.approx(1 / total, rel=1e-6)
    assert 0 < erlang_c(erlangs, slots) < 1


def test_smallest_number_of_slots() -> None:
    needed = plan(calls_per_hour=1200, seconds=180, wait=10, calls_per_worker=10, workers_per_host=4)
    assert needed.erlangs == 60
    waits = erlang_c(60, needed.slots - 1)
    assert 1 - waits * math.exp(-(needed.slots - 1 - 60) * 10 / 180) < 0.8 <= needed.service_level
    assert needed.workers == math.ceil(needed.slots / 10)
    assert needed.hosts == math.ceil(needed.workers / 4)


def test_who_may_not_wait_at_all() -> None:
    needed = plan(calls_per_hour=1200, seconds=180, wait=0, service_level=0.99)
    assert needed.service_level == 1 - needed.waits >= 0.99


def test_simulated_fleet_waits_as_calculated() -> None:
    """14 slots and 10 erlangs, once more, with the real dispatcher; calls take 1.3 s to a worker and to its answer."""
    scenario = Scenario(
        workers=2,
        capacity=7,
        rate=200 / 3600,
        seconds=180 - 1.275,
        duration=3e5,
        outbound=0,
        patience=math.inf,
        faults=CALM,
        rules=Rules(wait=1e6, announce=1e6),
    )
    outcome = Simulation(scenario).run()
    assert outcome.holds
    assert outcome.calls > 16_000
    assert outcome.waited == pytest.approx(erlang_c(10, 14), abs=0.02)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"calls_per_hour": 0}, "calls_per_hour is 0; it must be a number above 0"),
        ({"seconds": math.nan}, "seconds is nan; it must be a number above 0"),
        ({"wait": -1}, "wait is -1; it must be a number of seconds, 0 or more"),
        ({"service_level": 1}, "service_level is 1; it must be above 0 and below 1, such as 0.8"),
        ({"calls_per_worker": 0}, "calls_per_worker is 0"),
        ({"workers_per_host": -2}, "workers_per_host is -2"),
        ({"calls_per_hour": 1e9}, "50,000,000 calls at once are more than the 1,000,000 that are calculated"),
    ],
)
def test_what_makes_no_sense(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        plan(**({"calls_per_hour": 1200, "seconds": 180, "wait": 10} | values))
    with pytest.raises(ConfigurationError, match="slots is 0"):
        erlang_b(1.0, 0)


def test_the_largest_traffic_is_calculated() -> None:
    erlangs = 0.99 * MAX_ERLANGS
    needed = plan(calls_per_hour=erlangs * 60, seconds=60, wait=10)
    assert erlangs < needed.slots < 1.01 * erlangs


@pytest.mark.parametrize(("calls", "spare", "workers"), [(0, 0, 0), (0, 5, 1), (95, 5, 10), (96, 5, 11)])
def test_wanted_workers(calls: int, spare: int, workers: int) -> None:
    assert wanted_workers(calls, spare, 10) == workers


def test_wanted_workers_of_nothing() -> None:
    with pytest.raises(ConfigurationError, match="calls is -1"):
        wanted_workers(-1, 0, 10)
