from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.limit import LIMIT
from support.tokens import token_for, unsigned_token
from telnyx_native import credentials
from telnyx_native.config import TokenConfig
from telnyx_native.credentials import TokenWatch, expiry_of
from telnyx_native.errors import TelnyxWarning
from telnyx_native.flow import SharedFlow


@pytest.mark.parametrize("expiry", [1_700_000_000, 1_700_000_000.5, 0, -1])
def test_expiry_is_read(expiry: float) -> None:
    token = unsigned_token(sub="alice", exp=expiry)
    assert expiry_of(token) == TokenConfig(token).expires_at == datetime.fromtimestamp(expiry, UTC)


@pytest.mark.parametrize("expiry", ["soon", None, True, [], float("inf"), float("nan"), 10**400, -1e18])
def test_senseless_expiry_is_none(expiry: object) -> None:
    assert expiry_of(unsigned_token(exp=expiry)) is None


@pytest.mark.parametrize(
    "token", ["opaque", "a.b", "a.b.c", "..", "a.bnVsbA.c", "a.W10.c", "ä.ö.ü", f"a.{'W1' * 9999}.c"]
)
def test_what_is_no_jwt_has_no_expiry(token: str) -> None:
    assert expiry_of(token) is None


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    assert expiry_of(text) is None
    assert expiry_of(f"a.{text}.c") is None


@pytest.fixture
async def warnings() -> SharedFlow[TelnyxWarning]:
    return SharedFlow(replay=8)


@pytest.mark.parametrize("left", [60, 119])
async def test_token_that_is_near_its_end_is_warned_of_at_once(
    warnings: SharedFlow[TelnyxWarning], left: float
) -> None:
    TokenWatch(warnings.emit).start(expiry_of(token_for(left)))
    warning = await warnings.first(timeout=LIMIT)
    assert (warning.code, warning.name) == (34001, "TOKEN_EXPIRING_SOON")
    assert "expires soon" in warning.message


async def test_notice_is_given_two_minutes_ahead(warnings: SharedFlow[TelnyxWarning]) -> None:
    started = time.monotonic()
    TokenWatch(warnings.emit).start(expiry_of(token_for(credentials.NOTICE + 0.1)))
    await warnings.first(timeout=LIMIT)
    assert time.monotonic() - started > 0.08


async def test_new_token_takes_the_place_of_the_old_one(warnings: SharedFlow[TelnyxWarning]) -> None:
    watch = TokenWatch(warnings.emit)
    watch.start(expiry_of(token_for(60)))
    watch.start(expiry_of(token_for(3600)))
    with pytest.raises(TimeoutError):
        await warnings.first(timeout=0.05)
    watch.stop()
    watch.stop()


@pytest.mark.parametrize("token", ["opaque", token_for(10**9)], ids=["opaque", "lasts"])
async def test_nothing_to_warn_of(warnings: SharedFlow[TelnyxWarning], token: str) -> None:
    watch = TokenWatch(warnings.emit)
    watch.start(expiry_of(token))
    with pytest.raises(TimeoutError):
        await warnings.first(timeout=0.05)
    watch.stop()


async def test_a_token_that_looks_expired_is_warned_of_and_left_to_the_server(
    warnings: SharedFlow[TelnyxWarning],
) -> None:
    """It is the clock of this machine that says so."""
    token = unsigned_token(exp=1_700_000_000)
    watch = TokenWatch(warnings.emit)
    watch.check(expiry_of(token))
    warning = await warnings.first(timeout=LIMIT)
    assert "2023-11-14T22:13:20Z; the server decides" in warning.message
    assert token not in warning.message
    later = warnings.collect()
    assert "the server decides" in (await anext(later)).message
    watch.start(expiry_of(token))  # once is enough
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(later), 0.05)


@pytest.mark.parametrize("token", ["opaque", token_for(86_400)], ids=["opaque", "lasts"])
async def test_token_that_may_be_good(warnings: SharedFlow[TelnyxWarning], token: str) -> None:
    TokenWatch(warnings.emit).check(expiry_of(token))
    with pytest.raises(TimeoutError):
        await warnings.first(timeout=0.05)
