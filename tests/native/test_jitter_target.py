"""How long the jitter buffer lets packets wait, for arrivals of all kinds."""

from __future__ import annotations

import random

import pytest

from telnyx_native._webrtc import JitterTarget

PACKET = 20.0


def after(delays: list[float], target: JitterTarget | None = None, *, began: float = 1_000.0) -> JitterTarget:
    """A target that has seen packets which came so many milliseconds late."""
    target = target or JitterTarget()
    for delay in delays:
        target.arrived(began + delay, PACKET)
    return target


def jittery(maximum: float, seconds: float, seed: int = 1) -> list[float]:
    return [random.Random(f"{seed} {i}").uniform(0, maximum) for i in range(round(seconds * 1000 / PACKET))]


def test_packets_that_come_evenly_wait_for_next_to_nothing() -> None:
    assert after(jittery(0.5, 1)).delay <= 4


def test_what_jitters_is_waited_for_within_a_second() -> None:
    target = after(jittery(0.5, 5))
    after(jittery(40, 1), target)
    assert target.delay == pytest.approx(40, abs=6)


def test_a_disturbed_first_second_is_forgotten_in_a_few_more() -> None:
    target = after(jittery(50, 1))
    assert target.delay > 30
    after(jittery(0.5, 5), target)
    assert target.delay <= 4


def test_jitter_that_is_over_is_forgotten_slowly() -> None:
    target = after(jittery(40, 20))
    after(jittery(0.5, 2), target)
    assert target.delay > 30
    after(jittery(0.5, 20), target)
    assert target.delay <= 4


def test_a_single_late_packet_changes_nothing_and_one_a_second_does() -> None:
    calm = jittery(0.5, 0.98)
    once = after([*calm * 10, 30.0, *calm])
    assert once.delay <= 4
    often = after([*calm, 30.0] * 10)
    assert often.delay == pytest.approx(33, abs=2)


def test_packets_so_late_that_waiting_costs_more_than_it_gains_are_let_go() -> None:
    assert after([*jittery(0.5, 0.98), 300.0] * 10).delay <= 4


def test_a_path_that_becomes_longer_for_good_is_no_jitter() -> None:
    target = after(jittery(0.5, 10))
    after(jittery(0.5, 20), target, began=1_080.0)
    assert target.delay <= 4
    assert target.offset == pytest.approx(1_083, abs=3)


def test_a_path_that_becomes_shorter_is_used_at_once() -> None:
    target = after(jittery(0.5, 10), began=1_300.0)
    after(jittery(0.5, 20), target)
    assert target.offset == pytest.approx(1_003, abs=3)
    assert target.delay <= 4


def test_clocks_that_drift_apart_are_followed_for_hours() -> None:
    target = JitterTarget()
    offset = 0.0
    for delay in jittery(0.5, 3600):  # 200 millionths
        offset += 200e-6 * PACKET
        target.arrived(offset + delay, PACKET)
    assert target.offset == pytest.approx(offset + 3, abs=3)


def test_another_count_of_time_begins_anew() -> None:
    target = after(jittery(40, 10))
    after(jittery(0.5, 1), target, began=-4_000_000.0)
    assert target.delay <= 4
