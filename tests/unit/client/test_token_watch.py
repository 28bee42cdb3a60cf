from __future__ import annotations

import asyncio
import time

import pytest

from support.limit import LIMIT
from support.tokens import token_for, unsigned_token
from telnyx_native.client import token_watch
from telnyx_native.client.token_watch import TokenWatch
from telnyx_native.config import TokenConfig
from telnyx_native.errors import TelnyxWarning
from telnyx_native.flow import SharedFlow


@pytest.fixture
async def warnings() -> SharedFlow[TelnyxWarning]:
    return SharedFlow(replay=8)


@pytest.mark.parametrize("left", [60, 119])
async def test_token_that_is_near_its_end_is_warned_of_at_once(
    warnings: SharedFlow[TelnyxWarning], left: float
) -> None:
    TokenWatch(warnings.emit).start(TokenConfig(token_for(left)))
    warning = await warnings.first(timeout=LIMIT)
    assert (warning.code, warning.name) == (34001, "TOKEN_EXPIRING_SOON")
    assert "expires soon" in warning.message


async def test_notice_is_given_two_minutes_ahead(warnings: SharedFlow[TelnyxWarning]) -> None:
    started = time.monotonic()
    TokenWatch(warnings.emit).start(TokenConfig(token_for(token_watch.NOTICE + 0.1)))
    await warnings.first(timeout=LIMIT)
    assert time.monotonic() - started > 0.08


async def test_new_token_takes_the_place_of_the_old_one(warnings: SharedFlow[TelnyxWarning]) -> None:
    watch = TokenWatch(warnings.emit)
    watch.start(TokenConfig(token_for(60)))
    watch.start(TokenConfig(token_for(3600)))
    with pytest.raises(TimeoutError):
        await warnings.first(timeout=0.05)
    watch.stop()
    watch.stop()


@pytest.mark.parametrize("token", ["opaque", token_for(10**9)], ids=["opaque", "lasts"])
async def test_nothing_to_warn_of(warnings: SharedFlow[TelnyxWarning], token: str) -> None:
    watch = TokenWatch(warnings.emit)
    watch.start(TokenConfig(token))
    with pytest.raises(TimeoutError):
        await warnings.first(timeout=0.05)
    watch.stop()


async def test_a_token_that_looks_expired_is_warned_of_and_left_to_the_server(
    warnings: SharedFlow[TelnyxWarning],
) -> None:
    """It is the clock of this machine that says so."""
    token = unsigned_token(exp=1_700_000_000)
    watch = TokenWatch(warnings.emit)
    watch.check(TokenConfig(token))
    warning = await warnings.first(timeout=LIMIT)
    assert "2023-11-14T22:13:20Z; the server decides" in warning.message
    assert token not in warning.message
    later = warnings.collect()
    assert "the server decides" in (await anext(later)).message
    watch.start(TokenConfig(token))  # once is enough
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(later), 0.05)


@pytest.mark.parametrize("token", ["opaque", token_for(86_400)], ids=["opaque", "lasts"])
async def test_token_that_may_be_good(warnings: SharedFlow[TelnyxWarning], token: str) -> None:
    TokenWatch(warnings.emit).check(TokenConfig(token))
    with pytest.raises(TimeoutError):
        await warnings.first(timeout=0.05)
