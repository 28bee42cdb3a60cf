from __future__ import annotations

import re
from enum import Enum
from pathlib import Path

import pytest

import telnyx_native
from telnyx_native import errors
from telnyx_native.errors import (
    AuthenticationError,
    ConfigurationError,
    ErrorCode,
    SocketConnectionError,
    TelnyxError,
    TelnyxWarning,
    WarningCode,
)

PACKAGE = Path(telnyx_native.__file__).parent


@pytest.mark.parametrize(("table", "first"), [(ErrorCode, 40_000), (WarningCode, 30_000)])
def test_numbers_are_unique_and_in_their_range(table: type[Enum], first: int) -> None:
    codes = [entry.code for entry in table]  # type: ignore[attr-defined]
    assert len(set(codes)) == len(codes)
    assert all(first < code < first + 10_000 for code in codes)
    assert codes == sorted(codes)
    assert all(entry.message for entry in table)  # type: ignore[attr-defined]


@pytest.mark.parametrize("entry", [*ErrorCode, *WarningCode], ids=lambda entry: entry.name)
def test_every_entry_is_met(entry: Enum) -> None:
    name = f"{type(entry).__name__}.{entry.name}"
    assert any(re.search(rf"\b{name}\b", source.read_text()) for source in PACKAGE.rglob("*.py"))


def test_fatal_is_what_the_js_sdk_calls_so() -> None:
    assert ErrorCode.LOGIN_FAILED.fatal
    assert not ErrorCode.WEBSOCKET_ERROR.fatal


def test_errors_have_the_entry_of_their_class_or_one_of_their_own() -> None:
    assert SocketConnectionError("lost").kind is ErrorCode.WEBSOCKET_ERROR
    unreachable = SocketConnectionError("unreachable", kind=ErrorCode.WEBSOCKET_CONNECTION_FAILED)
    assert unreachable.kind is ErrorCode.WEBSOCKET_CONNECTION_FAILED
    assert AuthenticationError("no", code=-32001).kind is ErrorCode.LOGIN_FAILED
    assert ConfigurationError("no").kind is None


def test_every_entry_of_a_class_is_in_the_table() -> None:
    classes = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, TelnyxError)]
    assert {kind._usual_kind for kind in classes} <= {None, *ErrorCode}


def test_warning_with_and_without_detail() -> None:
    assert TelnyxWarning.of(WarningCode.LOW_MOS) == TelnyxWarning(31004, "LOW_MOS", "Low call quality")
    assert TelnyxWarning.of(WarningCode.LOW_MOS, "2.1").message == "Low call quality: 2.1"
