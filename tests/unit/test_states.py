from __future__ import annotations

import pytest
from hypothesis import strategies as st

from telnyx_native.states import (
    CallNetworkChangeReason,
    CallState,
    CallTerminationReason,
    GatewayState,
    HangupCause,
)

STATES = (
    CallState.NEW,
    CallState.CONNECTING,
    CallState.RINGING,
    CallState.ACTIVE,
    CallState.RENEGOTIATING,
    CallState.TRANSFERRING,
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


def test_reason_in_words() -> None:
    assert str(CallTerminationReason()) == "no reason given"
    assert str(CallTerminationReason("X", sip_reason="Gone")) == "X, Gone"


def test_unknown_gateway_state_is_unknown() -> None:
    assert GatewayState("REGED") is GatewayState.REGED
    assert GatewayState("BANANA") is GatewayState.UNKNOWN
