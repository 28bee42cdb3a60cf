from __future__ import annotations

from collections.abc import Callable

import pytest

from telnyx_native.signaling import ping_metrics
from telnyx_native.signaling.ping_metrics import PingHistory, SocketConnectionQuality


@pytest.fixture
def pings_at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., PingHistory]:
    def play(*moments: float) -> PingHistory:
        history = PingHistory()
        history.begin()
        for moment in moments:
            monkeypatch.setattr(ping_metrics, "monotonic", lambda moment=moment: moment)
            history.note()
        return history

    return play


def test_without_a_connection_there_is_no_quality() -> None:
    assert PingHistory().metrics.value.quality is SocketConnectionQuality.DISCONNECTED


def test_one_ping_says_nothing(pings_at: Callable[..., PingHistory]) -> None:
    assert pings_at(0.0).metrics.value.quality is SocketConnectionQuality.CALCULATING


@pytest.mark.parametrize(
    ("deviation", "quality"),
    [
        (0.05, SocketConnectionQuality.EXCELLENT),
        (0.15, SocketConnectionQuality.GOOD),
        (0.25, SocketConnectionQuality.FAIR),
        (0.4, SocketConnectionQuality.POOR),
    ],
)
def test_bands(pings_at: Callable[..., PingHistory], deviation: float, quality: SocketConnectionQuality) -> None:
    assert pings_at(0.0, 30 + deviation, 60.0).metrics.value.quality is quality


def test_intervals(pings_at: Callable[..., PingHistory]) -> None:
    metrics = pings_at(0.0, 29.0, 60.0).metrics.value
    assert (metrics.total_pings, metrics.missed_pings) == (3, 1)
    assert (metrics.interval, metrics.average_interval) == (31.0, 30.0)
    assert (metrics.shortest_interval, metrics.longest_interval, metrics.jitter) == (29.0, 31.0, 1.0)


def test_pings_that_did_not_come_are_counted(pings_at: Callable[..., PingHistory]) -> None:
    assert pings_at(0.0, 120.0).metrics.value.missed_pings == 3


def test_history_is_bounded(pings_at: Callable[..., PingHistory]) -> None:
    history = pings_at(*(30.0 * n for n in range(100)))
    assert history.metrics.value.total_pings == 100
    assert len(history._moments) == ping_metrics.LONGEST_HISTORY


def test_quality_ends_with_the_connection(pings_at: Callable[..., PingHistory]) -> None:
    history = pings_at(0.0, 30.0)
    history.end()
    assert history.metrics.value.quality is SocketConnectionQuality.DISCONNECTED
    history.begin()
    assert history.metrics.value.total_pings == 0
