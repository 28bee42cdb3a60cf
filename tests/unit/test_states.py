from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_native.states import (
    CallNetworkChangeReason,
    CallState,
    CallTerminationReason,
    GatewayState,
    HangupCause,
    is_legal_transition,
)

STATES = (
    CallState.NEW,
    CallState.CONNECTING,
    CallState.RINGING,
    CallState.ACTIVE,
    CallState.RENEGOTIATING,
    CallState.HELD,
    CallState.ERROR,
    CallState.DONE(),
    CallState.DROPPED(CallNetworkChangeReason.NETWORK_LOST),
    CallState.RECONNECTING(CallNetworkChangeReason.NETWORK_SWITCH),
)
states = st.sampled_from(STATES)


def test_states_with_reason_match_like_classes() -> None:
    state: CallState = CallState.DONE(CallTerminationReason.of(HangupCause.USER_BUSY))
    match state:
        case CallState.DONE(reason):
            assert reason == CallTerminationReason("USER_BUSY", 17, 486)
        case _:
            pytest.fail("no match")
    assert isinstance(state, CallState)
    assert str(state) == "DONE(USER_BUSY 17, SIP 486)"


def test_states_compare_by_value() -> None:
    lost = CallNetworkChangeReason.NETWORK_LOST
    dropped: CallState = CallState.DROPPED(lost)
    assert dropped == CallState.DROPPED(lost)
    assert dropped != CallState.RECONNECTING(lost)
    assert str(dropped) == "DROPPED(NETWORK_LOST)"
    assert lost.description == "Network lost"


@given(states)
def test_nothing_follows_done(state: CallState) -> None:
    assert not is_legal_transition(CallState.DONE(), state)


@given(states)
def test_everything_but_done_can_end(state: CallState) -> None:
    assert is_legal_transition(state, CallState.DONE()) == (state.name != "DONE")


@given(states)
def test_nothing_becomes_new(state: CallState) -> None:
    assert not is_legal_transition(state, CallState.NEW)


@pytest.mark.parametrize("state", STATES)
def test_only_an_answered_or_recovered_call_is_held(state: CallState) -> None:
    expected = state.name in {"ACTIVE", "RENEGOTIATING", "RECONNECTING"}
    assert is_legal_transition(state, CallState.HELD) == expected


def test_reason_in_words() -> None:
    assert str(CallTerminationReason()) == "no reason given"
    assert str(CallTerminationReason("X", sip_reason="Gone")) == "X, Gone"


def test_unknown_gateway_state_is_unknown() -> None:
    assert GatewayState("REGED") is GatewayState.REGED
    assert GatewayState("BANANA") is GatewayState.UNKNOWN
