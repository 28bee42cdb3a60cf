"""What commands say, and how nonsense is refused."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_native.gateway.voice_api.commands import (
    Answer,
    Body,
    Bridge,
    Command,
    Dial,
    Hangup,
    Reject,
    StartPlayback,
    StopPlayback,
    Transfer,
)
from telnyx_native.gateway.voice_api.refusals import Refusal
from telnyx_native.states import HangupCause

KINDS: list[type[Command]] = [Answer, Bridge, Dial, Hangup, Reject, StartPlayback, StopPlayback, Transfer]

GOOD: dict[str, Any] = {
    "to": "sip:bob@x",
    "from": "+15550199",
    "connection_id": "support",
    "link_to": "v3:x",
    "call_control_id": "v3:y",
    "cause": "USER_BUSY",
    "audio_url": "file:a.wav",
    "client_state": "YQ==",
    "command_id": "1",
    "timeout_secs": 10,
    "custom_headers": [{"name": "X-A", "value": "b"}],
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_good_is_read_and_what_is_unknown_ignored(kind: type[Command]) -> None:
    command = kind.read(Body(GOOD | {"record": "record-from-answer"}))
    assert (command.client_state, command.command_id, command.webhook_url) == ("YQ==", "1", None)


def test_values_arrive() -> None:
    transfer = Transfer.read(Body(GOOD | {"park_after_unbridge": "self", "time_limit_secs": 60.0, "to": ["bob"]}))
    assert (transfer.to, transfer.caller, transfer.ring_time, transfer.time_limit) == ("bob", "+15550199", 10, 60)
    assert transfer.headers == (("X-A", "b"),)
    assert transfer.parks
    assert Reject.read(Body({"cause": "NOT_FOUND"})).cause is HangupCause.UNALLOCATED_NUMBER
    play = StartPlayback.read(Body({"playback_content": "UklGRg==", "loop": "infinity"}))
    assert (play.url, play.content, play.repeats) == (None, b"RIFF", None)
    assert [StartPlayback.read(Body(GOOD | {"loop": n})).repeats for n in (None, 3, "4")] == [1, 3, 4]


@pytest.mark.parametrize(
    ("kind", "wrong", "code", "pointer"),
    [
        (Transfer, {"to": None}, "10004", "/to"),
        (Transfer, {"to": ["a", "b"]}, "10015", "/to"),
        (Transfer, {"to": "a\nb"}, "10015", "/to"),
        (Transfer, {"timeout_secs": 4}, "10015", "/timeout_secs"),
        (Transfer, {"timeout_secs": "10"}, "10015", "/timeout_secs"),
        (Transfer, {"timeout_secs": float("nan")}, "10015", "/timeout_secs"),
        (Transfer, {"time_limit_secs": True}, "10015", "/time_limit_secs"),
        (Transfer, {"custom_headers": {"X-A": "b"}}, "10015", "/custom_headers"),
        (Transfer, {"custom_headers": [{"name": "X", "value": "v" * 20_000}]}, "10015", "/custom_headers"),
        (Transfer, {"park_after_unbridge": "both"}, "10015", "/park_after_unbridge"),
        (Transfer, {"from": "x" * 200}, "10015", "/from"),
        (Dial, {"from": None}, "10004", "/from"),
        (Dial, {"connection_id": None}, "10004", "/connection_id"),
        (Dial, {"link_to": None, "bridge_on_answer": True}, "10004", "/link_to"),
        (Dial, {"bridge_on_answer": "yes"}, "10015", "/bridge_on_answer"),
        (Reject, {"cause": "BORED"}, "10015", "/cause"),
        (Bridge, {"call_control_id": 7}, "10015", "/call_control_id"),
        (StartPlayback, {"audio_url": None}, "10004", "/audio_url"),
        (StartPlayback, {"playback_content": "é"}, "10015", "/playback_content"),
        (StartPlayback, {"loop": 0}, "10015", "/loop"),
        (StartPlayback, {"loop": "forever"}, "10015", "/loop"),
        (StopPlayback, {"stop": "some"}, "10015", "/stop"),
        (Hangup, {"client_state": "not base64!"}, "10015", "/client_state"),
        (Hangup, {"command_id": "x" * 3000}, "10015", "/command_id"),
    ],
)
def test_what_is_wrong_is_named(kind: type[Command], wrong: dict[str, Any], code: str, pointer: str) -> None:
    with pytest.raises(Refusal) as caught:
        kind.read(Body(GOOD | wrong))
    assert caught.value.status == HTTPStatus.UNPROCESSABLE_ENTITY
    (error,) = caught.value.body()["errors"]
    assert (error["code"], error["source"]["pointer"]) == (code, pointer)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(list(GOOD.values())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
NAMES = [*GOOD, "loop", "stop", "webhook_url", "park_after_unbridge", "bridge_on_answer", "time_limit_secs"]


@given(kind=st.sampled_from(KINDS), odd=st.dictionaries(st.sampled_from(NAMES), ANYTHING))
def test_nonsense_is_refused_or_read(kind: type[Command], odd: dict[str, Any]) -> None:
    with suppress(Refusal):
        kind.read(Body(GOOD | odd))
