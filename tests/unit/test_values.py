"""Public value types can be compared, hashed, copied and pickled, and not changed."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import pickle

import pytest

import telnyx_native
from telnyx_native import (
    AnonymousConfig,
    AudioConfig,
    ByeResponse,
    CallNetworkChangeReason,
    CallState,
    CallTerminationReason,
    CredentialConfig,
    HangupCause,
    IceServer,
    Limits,
    MicrophoneReport,
    PushConfig,
    RemoteParty,
    SocketResponse,
    SocketStatus,
    Timeouts,
    TokenConfig,
    TxServerConfiguration,
    Verdict,
    WidgetSettings,
)

PUBLIC = [getattr(telnyx_native, name) for name in telnyx_native.__all__ if name != "__version__"]
RECORDS = {telnyx_native.CallTimings, telnyx_native.HandsetCounters, telnyx_native.LoginTimings}
"""They are filled while things happen."""
DATA = [
    value for value in PUBLIC if inspect.isclass(value) and dataclasses.is_dataclass(value) and value not in RECORDS
]
ENUMS = [value for value in PUBLIC if inspect.isclass(value) and issubclass(value, enum.Enum)]

VALUES = [
    AnonymousConfig("assistant-1", user_variables={"name": "Alice"}),
    AudioConfig(48_000),
    ByeResponse("C1", custom_headers={"X-A": "1"}),
    CallState.ACTIVE,
    CallState.DONE(CallTerminationReason.of(HangupCause.USER_BUSY)),
    CallState.RECONNECTING(CallNetworkChangeReason.NETWORK_LOST),
    CredentialConfig("alice", "secret"),
    IceServer(("stun:stun.example.com",)),
    Limits(),
    MicrophoneReport(Verdict.DEGRADED, {"too_quiet": "speak up"}),
    PushConfig("token"),
    RemoteParty("Alice", "+15550100"),
    SocketResponse(SocketStatus.ESTABLISHED),
    Timeouts(connect=3),
    TokenConfig("token"),
    TxServerConfiguration(),
    WidgetSettings(raw={"theme": "light"}),
]


@pytest.mark.parametrize("kind", DATA, ids=lambda kind: kind.__name__)
def test_data_cannot_be_changed(kind: type) -> None:
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_copies_are_equal(value: object) -> None:
    copy = pickle.loads(pickle.dumps(value))
    assert copy == value
    assert hash(copy) == hash(value)
    assert repr(copy) == repr(value)


@pytest.mark.parametrize("kind", ENUMS, ids=lambda kind: kind.__name__)
def test_members_stay_themselves(kind: type[enum.Enum]) -> None:
    for member in kind:
        assert pickle.loads(pickle.dumps(member)) is member


def test_no_two_members_are_one() -> None:
    """Two members with the same value would be one, without a word."""
    for kind in ENUMS:
        aliases = {name for name, member in kind.__members__.items() if member.name != name}
        assert aliases <= {"EU_WEST"}, kind  # the name that Telnyx's Android SDK has for EU


def test_errors_survive_a_pickle() -> None:
    error = pickle.loads(pickle.dumps(telnyx_native.AuthenticationError("no", code=-32001)))
    assert (str(error), error.code, error.kind) == ("no", -32001, telnyx_native.AuthenticationError("no").kind)
