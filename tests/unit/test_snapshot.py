"""Snapshots of sessions as JSON, and what is not one."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_native import CallDirection, CallSnapshot, ConfigurationError, SessionSnapshot
from telnyx_native.snapshot import MAX_APPLICATION_STATE, check_application_state

CALL = CallSnapshot(
    "5f1e",
    CallDirection.INBOUND,
    "+15550100",
    "Ann",
    "+15550199",
    "Ann",
    "+15550199",
    client_state="gold",
    call_control_id="v3:1",
    held=True,
    custom_headers={"X-A": "1"},
    remote_headers={"X-B": "2"},
    application_state={"step": ["menu", 2, None]},
)
SNAPSHOT = SessionSnapshot("very-secret-id", "alice", "rtc-7", (CALL,))


def test_json_brings_back_all_of_it() -> None:
    again = SessionSnapshot.from_json(SNAPSHOT.to_json())
    assert again == SNAPSHOT
    assert again.taken_at == SNAPSHOT.taken_at
    assert "\n" not in SNAPSHOT.to_json()
    assert pickle.loads(pickle.dumps(again)) == SNAPSHOT


def test_no_secret_is_shown() -> None:
    for text in (repr(SNAPSHOT), str(SNAPSHOT), f"{SNAPSHOT}", f"{SNAPSHOT.session_id}"):
        for secret in ("very-secret-id", "+15550199", "gold", "Ann", "menu"):
            assert secret not in text
    assert json.loads(SNAPSHOT.to_json())["session_id"] == "very-secret-id"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, "has version 2"),
        ({"session_id": None}, "session_id is not a text"),
        ({"account": 7}, "account is not a text"),
        ({"server_instance": []}, "server_instance is not a text"),
        ({"taken_at": "yesterday"}, "taken_at is not a time"),
        ({"calls": {}}, "calls is not a list"),
        ({"calls": [7]}, "call 0: this is no JSON object"),
    ],
)
def test_what_is_no_snapshot(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        SessionSnapshot.from_json(json.dumps(json.loads(SNAPSHOT.to_json()) | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"call_id": None}, "call_id is not a text"),
        ({"direction": "sideways"}, "neither inbound nor outbound"),
        ({"held": 1}, "held is not true or false"),
        ({"custom_headers": {"X": 1}}, "custom_headers is not an object of texts"),
        ({"application_state": "x" * MAX_APPLICATION_STATE}, "characters of JSON"),
    ],
)
def test_what_is_no_call(changes: dict[str, Any], message: str) -> None:
    value = json.loads(SNAPSHOT.to_json())
    value["calls"][0] |= changes
    with pytest.raises(ConfigurationError, match=message):
        SessionSnapshot.from_json(json.dumps(value))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_nothing_but_a_snapshot_is_read(value: object) -> None:
    with pytest.raises(ConfigurationError):
        SessionSnapshot.from_json(json.dumps(value))


@pytest.mark.parametrize("text", ["", "{", b"\xff\xfe", "[" * 10_000])
def test_what_is_no_json(text: str | bytes) -> None:
    with pytest.raises(ConfigurationError, match="not JSON"):
        SessionSnapshot.from_json(text)


@pytest.mark.parametrize("state", [{1, 2}, float("nan"), object(), b"bytes"])
def test_what_an_application_cannot_keep(state: object) -> None:
    with pytest.raises(ConfigurationError, match="no JSON"):
        check_application_state(state)


def test_what_is_kept_is_a_copy() -> None:
    state = {"tries": [1]}
    kept = check_application_state(state)
    state["tries"].append(2)
    assert kept == {"tries": [1]}
