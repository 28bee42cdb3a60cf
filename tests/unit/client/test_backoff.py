from __future__ import annotations

import pytest

from telnyx_native.client.backoff import FIRST, LONGEST, LONGEST_IN_CALL, PATIENCE_IN_CALL, SPREAD, Backoff


def delays(count: int, *, urgent: bool) -> list[float]:
    backoff = Backoff(lambda: urgent)
    return [backoff.next() for _ in range(count)]


def test_delays_double_up_to_the_longest() -> None:
    for attempt, delay in enumerate(delays(12, urgent=False)):
        assert delay == pytest.approx(min(FIRST * 2**attempt, LONGEST), rel=SPREAD)


def test_calls_do_not_wait_long() -> None:
    assert max(delays(50, urgent=True)) <= LONGEST_IN_CALL * (1 + SPREAD)


def test_clients_that_lost_a_server_together_come_back_one_by_one() -> None:
    assert len({delays(1, urgent=True)[0] for _ in range(50)}) > 40


def test_attempts_make_way_while_calls_wait_but_not_all_of_them() -> None:
    calls, none = Backoff(lambda: True), Backoff(lambda: False)
    assert [calls.patience() for _ in range(6)] == [PATIENCE_IN_CALL, PATIENCE_IN_CALL, None] * 2
    assert [none.patience() for _ in range(3)] == [None] * 3
