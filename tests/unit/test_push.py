from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_native.errors import ConfigurationError
from telnyx_native.push import PushConfig, PushKind, PushMetaData

METADATA = {
    "caller_name": "Bob",
    "caller_number": "+15550101",
    "call_id": "6f0d9f7e-0000-4000-8000-000000000000",
    "voice_sdk_id": "VSDK1/+x",
}
PARSED = PushMetaData(
    caller_name="Bob", caller_number="+15550101", call_id=METADATA["call_id"], voice_sdk_id="VSDK1/+x"
)


@pytest.mark.parametrize(
    "payload",
    [
        {"metadata": json.dumps(METADATA), "message": "Incoming call!"},
        {"metadata": json.dumps(METADATA)},
        {"aps": {"alert": "call"}, "metadata": METADATA},
        METADATA,
        json.dumps(METADATA),
        json.dumps({"metadata": METADATA}),
        json.dumps({"metadata": json.dumps(METADATA)}),
    ],
    ids=["firebase", "firebase without message", "apple", "object", "json", "apple as json", "firebase as json"],
)
def test_shapes(payload: str | dict[str, Any]) -> None:
    assert PushMetaData.parse(payload) == PARSED
    assert PARSED.query() == {"voice_sdk_id": "VSDK1/+x"}


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Missed call!", PushKind.MISSED_CALL),
        ("Answered Elsewhere", PushKind.ANSWERED_ELSEWHERE),
        ("Incoming call!", PushKind.INCOMING_CALL),
        ("", PushKind.INCOMING_CALL),
        (None, PushKind.INCOMING_CALL),
        (["x"], PushKind.INCOMING_CALL),
    ],
)
def test_kinds(message: object, kind: PushKind) -> None:
    assert PushMetaData.parse({"message": message, "metadata": "{}"}).kind is kind


@pytest.mark.parametrize(
    "alert", ["{}", {"body": "{}"}, {"title": "{}", "body": "from Bob"}, {"title": "Bob", "body": "{}"}]
)
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Missed call!", PushKind.MISSED_CALL),
        ("Missed call from Bob", PushKind.MISSED_CALL),
        ("Answered Elsewhere", PushKind.ANSWERED_ELSEWHERE),
        ("answered elsewhere ", PushKind.ANSWERED_ELSEWHERE),
        ("Bob is calling", PushKind.INCOMING_CALL),
    ],
)
def test_kinds_of_apple(alert: object, text: str, kind: PushKind) -> None:
    """Apple has the text in `aps.alert`, which is a string or an object."""
    shaped = json.loads(json.dumps(alert).replace("{}", text))
    assert PushMetaData.parse({"aps": {"alert": shaped}, "metadata": METADATA}).kind is kind


@pytest.mark.parametrize("aps", [None, 7, [], {"alert": 7}, {"alert": {"body": None}}, {}])
def test_odd_notifications_of_apple_announce_a_call(aps: object) -> None:
    assert PushMetaData.parse({"aps": aps, "metadata": METADATA}) == PARSED


@pytest.mark.parametrize(
    ("port", "expected"),
    [(8443, 8443), ("8443", 8443), ("x", None), (70_000, None), (-1, None), ("٣", None), (True, None)],
)
def test_pinned_instance(port: object, expected: int | None) -> None:
    meta = PushMetaData.parse({"rtc_ip": "192.0.2.7", "rtc_port": port, "parent_call_id": "P"})
    assert meta.rtc_port == expected
    assert meta.parent_call_id == "P"
    assert meta.query() == {"rtc_ip": "192.0.2.7"} | ({"rtc_port": str(expected)} if expected else {})


@pytest.mark.parametrize("payload", ["", "{", "[]", "7", {"metadata": "x"}, {"metadata": None}, {"metadata": [1]}])
def test_what_is_no_push(payload: str | dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="push metadata"):
        PushMetaData.parse(payload)


@given(
    st.dictionaries(
        st.sampled_from([*METADATA, "metadata", "message", "rtc_port"]), st.text() | st.integers() | st.none()
    )
)
def test_odd_values_do_no_harm(payload: dict[str, Any]) -> None:
    try:
        PushMetaData.parse(payload).query()
    except ConfigurationError:
        assert "metadata" in payload


def test_device_token_is_in_no_repr() -> None:
    assert "f1rebase" not in repr(PushConfig("f1rebase"))
    with pytest.raises(ConfigurationError, match="push_device_token"):
        PushConfig("")
