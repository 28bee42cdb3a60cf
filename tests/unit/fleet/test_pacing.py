"""How fast, and at what time of day."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_native.errors import ConfigurationError
from telnyx_native.fleet.pacing import TokenBucket, Window, time_zone

NEW_YORK = ZoneInfo("America/New_York")
OFFICE = Window(time(9), time(17, 30), frozenset(range(5)))


def at(text: str, zone: ZoneInfo = NEW_YORK) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def shown(seconds: float, zone: ZoneInfo = NEW_YORK) -> str:
    return datetime.fromtimestamp(seconds, zone).isoformat(" ", "minutes")


def test_bucket_lets_a_burst_through_and_then_its_rate() -> None:
    bucket = TokenBucket(2.0, 3, now=100.0)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.ready_at(100.0) == 100.5
    assert not bucket.take(100.4)
    assert bucket.take(100.5)
    assert [bucket.take(200.0) for _ in range(4)] == [True, True, True, False]


def test_clock_that_goes_back_gives_no_tokens() -> None:
    bucket = TokenBucket(1.0, now=100.0)
    assert bucket.take(100.0)
    assert not bucket.take(50.0)
    assert bucket.ready_at(50.0) == 101.0
    assert bucket.take(101.0)


@given(st.floats(0.01, 1e5), st.integers(1, 10), st.integers(1, 300))
def test_who_comes_when_there_is_a_token_gets_it_and_no_more(rate: float, burst: int, calls: int) -> None:
    begin = now = 1.8e9  # seconds since 1970 are no finer than 0.2 µs
    bucket = TokenBucket(rate, burst, now=now)
    for _ in range(calls):
        now = bucket.ready_at(now)
        while not bucket.take(now):
            now = bucket.ready_at(now)
    assert calls <= burst + (now - begin) * rate + 0.01 + rate * 1e-6


@pytest.mark.parametrize(("rate", "burst"), [(0.0, 1), (-1.0, 1), (float("nan"), 1), (float("inf"), 1), (1.0, 0)])
def test_buckets_that_cannot_be(rate: float, burst: int) -> None:
    with pytest.raises(ConfigurationError, match=r"rate is|burst is"):
        TokenBucket(rate, burst, now=0.0)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-03-04 12:00", "2026-03-04 12:00-05:00"),  # a Wednesday
        ("2026-03-04 09:00", "2026-03-04 09:00-05:00"),
        ("2026-03-04 08:59", "2026-03-04 09:00-05:00"),
        ("2026-03-04 17:30", "2026-03-05 09:00-05:00"),
        ("2026-03-06 17:30", "2026-03-09 09:00-04:00"),  # a weekend, in which summer time begins
        ("2026-10-30 20:00", "2026-11-02 09:00-05:00"),  # and one in which it ends
    ],
)
def test_office_hours(now: str, opens: str) -> None:
    assert shown(OFFICE.open_at(at(now), NEW_YORK)) == opens


def test_an_opening_that_summer_time_leaves_out() -> None:
    window = Window(time(2, 30), time(5))
    assert shown(window.open_at(at("2026-03-08 01:00"), NEW_YORK)) == "2026-03-08 03:30-04:00"


def test_the_window_is_where_it_rings() -> None:
    now = at("2026-03-04 12:00", ZoneInfo("UTC"))
    assert shown(OFFICE.open_at(now, ZoneInfo("Asia/Tokyo")), ZoneInfo("UTC")) == "2026-03-05 00:00+00:00"
    assert OFFICE.open_at(now, ZoneInfo("Europe/Berlin")) == now


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]),
    st.times(),
    st.times(),
    st.frozensets(st.integers(0, 6), min_size=1),
)
def test_it_opens_within_nine_days_and_is_open_then(
    when: datetime, name: str, one: time, other: time, days: frozenset[int]
) -> None:
    if one == other:
        return
    window, now = Window(min(one, other), max(one, other), days), when.timestamp()
    opens = window.open_at(now, ZoneInfo(name))
    assert now <= opens <= now + 9 * 86400
    # An opening that is left out, and a window that is left out with it, are the exception.
    again = window.open_at(opens, ZoneInfo(name))
    assert again == opens or datetime.fromtimestamp(opens, ZoneInfo(name)).time() > window.opens


@pytest.mark.parametrize(
    ("opens", "closes", "days", "message"),
    [
        (time(20), time(8), {0}, "the window from 20:00 to 08:00 has no time"),
        (time(9), time(9), {0}, "has no time"),
        (time(9, tzinfo=UTC), time(10), {0}, "without one"),
        (time(9), time(10), set(), "days are"),
        (time(9), time(10), {7}, r"days are \[7\]"),
    ],
)
def test_windows_that_cannot_be(opens: time, closes: time, days: set[int], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Window(opens, closes, frozenset(days))


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "/etc/passwd", "", "America", "a" * 1000])
def test_names_that_are_no_time_zone(name: str) -> None:
    with pytest.raises(ConfigurationError, match="is no time zone"):
        time_zone(name)
