from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.tokens import unsigned_token
from telnyx_native.config import TokenConfig
from telnyx_native.credentials import expiry_of


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
