from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_native.errors import INVALID_REQUEST, MalformedFrameError
from telnyx_native.signaling.envelope import Error, Frame, Request, Result, new_id, parse
from telnyx_native.untrusted_text import one_line

json_objects = st.dictionaries(
    st.sampled_from(["jsonrpc", "id", "method", "params", "result", "error", "type", "voice_sdk_id", "x"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("2.0"),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
        max_leaves=4,
    ),
)
texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=200)
names = texts.filter(lambda text: text and one_line(text) == text)
ids = texts | st.integers() | st.floats(allow_nan=False, allow_infinity=False)


def survives(frame: str | bytes) -> None:
    try:
        assert isinstance(parse(frame), Request | Result | Error)
    except MalformedFrameError as error:
        assert error.code == INVALID_REQUEST  # noqa: PT017 - either outcome is right


@given(st.text() | st.binary())
def test_any_frame_is_parsed_or_malformed(frame: str | bytes) -> None:
    survives(frame)


@given(json_objects)
def test_any_json_is_parsed_or_malformed(value: object) -> None:
    survives(json.dumps(value))


@given(
    st.builds(Request, names, st.dictionaries(texts, texts), ids | st.none(), st.none() | names)
    | st.builds(Result, ids, st.dictionaries(texts, st.integers()), st.none() | names)
    | st.builds(Error, ids | st.none(), st.integers(), names, st.none() | names)
)
def test_what_is_encoded_parses_to_the_same(frame: Frame) -> None:
    assert parse(frame.encode()) == frame


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ('{"method":"m"}', Request("m")),
        ('{"jsonrpc":"2.0","id":"a","method":"m","params":null}', Request("m", {}, "a")),
        ('{"id":7,"method":"m","params":{"a":1},"voice_sdk_id":"V"}', Request("m", {"a": 1}, 7, "V")),
        ('{"id":7,"method":"m","voice_sdk_id":{}}', Request("m", {}, 7)),
        ('{"id":"a","result":{"b":2}}', Result("a", {"b": 2})),
        ('{"id":"a","error":{"code":-32000,"message":"no"}}', Error("a", -32000, "no")),
        ('{"id":null,"error":{"code":"-32000"}}', Error(None, -32000, "Unknown error")),
        ('{"id":1,"error":{}}', Error(1, 0, "Unknown error")),
        (
            '{"jsonrpc":"2.0","id":"a","type":"debug_report_start","call_id":"c"}',
            Request("debug_report_start", {"call_id": "c"}, "a"),
        ),
    ],
)
def test_frames_of_the_wire(text: str, frame: Frame) -> None:
    assert parse(text) == frame
    assert parse(text.encode()) == frame


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#SPU 100",
        "[]",
        '"text"',
        "{",
        "{}",
        '{"method":1}',
        '{"method":""}',
        '{"id":true,"method":"m"}',
        '{"id":1e999,"method":"m"}',
        '{"id":"a","result":null}',
        '{"id":"a","result":"ok"}',
        '{"id":"a","method":"m","params":[]}',
        '{"result":{}}',
        '{"id":"a","error":"no"}',
        '{"jsonrpc":"1.0","method":"m"}',
        '{"method":"m","params":{"a":NaN}}',
        "[" * 100_000,
        '{"id":' + "9" * 5000 + "}",
    ],
)
def test_malformed_frames(text: str) -> None:
    with pytest.raises(MalformedFrameError):
        parse(text)


def test_malformed_answer_keeps_its_id() -> None:
    with pytest.raises(MalformedFrameError) as caught:
        parse('{"id":"a","result":"ok"}')
    assert caught.value.id == "a"


def test_secrets_are_in_no_repr_and_no_error() -> None:
    frame = '{"id":"a","method":"login","params":{"passwd":"hunter2"}}'
    assert "hunter2" not in repr(parse(frame))
    with pytest.raises(MalformedFrameError) as caught:
        parse(frame[:-3])
    assert "hunter2" not in repr(caught.value)
    assert caught.value.__suppress_context__


def test_ids_are_unique() -> None:
    assert new_id() != new_id()


def test_a_debug_report_has_its_type_beside_its_content() -> None:
    frame = json.loads(Request("debug_report_start", {"debug_report_id": "r1"}, id="m1").encode())
    assert frame == {"jsonrpc": "2.0", "id": "m1", "type": "debug_report_start", "debug_report_id": "r1"}
