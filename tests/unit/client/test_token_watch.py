from __future__ import annotations

import time

import pytest

from support.tokens import token_for, unsigned_token
from telnyx_native.client import token_watch
from telnyx_native.client.token_watch import TokenWatch, require_unexpired
from telnyx_native.codes import ErrorCode, TelnyxWarning
from telnyx_native.config import TokenConfig
from telnyx_native.errors import AuthenticationError
from telnyx_native.flow import SharedFlow


@pytest.fixture
async def warnings() -> SharedFlow[TelnyxWarning]:
    return SharedFlow(replay=8)


@pytest.mark.parametrize("left", [60, 119])
async def test_token_that_is_near_its_end_is_warned_of_at_once(
    warnings: SharedFlow[TelnyxWarning], left: float
) -> None:
    TokenWatch(warnings.emit).start(TokenConfig(token_for(left)))
    warning = await warnings.first(timeout=1)
    assert (warning.code, warning.name) == (34001, "TOKEN_EXPIRING_SOON")
    assert "expires soon" in warning.message


async def test_notice_is_given_two_minutes_ahead(warnings: SharedFlow[TelnyxWarning]) -> None:
    started = time.monotonic()
    TokenWatch(warnings.emit).start(TokenConfig(token_for(token_watch.NOTICE + 0.1)))
    await warnings.first(timeout=1)
    assert time.monotonic() - started > 0.08


async def test_new_token_takes_the_place_of_the_old_one(warnings: SharedFlow[TelnyxWarning]) -> None:
    watch = TokenWatch(warnings.emit)
    watch.start(TokenConfig(token_for(60)))
    watch.start(TokenConfig(token_for(3600)))
    with pytest.raises(TimeoutError):
        await warnings.first(timeout=0.05)
    watch.stop()
    watch.stop()


@pytest.mark.parametrize("token", ["opaque", token_for(10**9)])
async def test_nothing_to_warn_of(warnings: SharedFlow[TelnyxWarning], token: str) -> None:
    watch = TokenWatch(warnings.emit)
    watch.start(TokenConfig(token))
    with pytest.raises(TimeoutError):
        await warnings.first(timeout=0.05)
    watch.stop()


def test_expired_token() -> None:
    token = unsigned_token(exp=1_700_000_000)
    with pytest.raises(AuthenticationError, match="expired at 2023-11-14T22:13:20Z") as caught:
        require_unexpired(TokenConfig(token))
    assert caught.value.kind is ErrorCode.LOGIN_FAILED
    assert token not in str(caught.value)


@pytest.mark.parametrize("token", ["opaque", token_for(86_400)])
def test_token_that_may_be_good(token: str) -> None:
    require_unexpired(TokenConfig(token))
