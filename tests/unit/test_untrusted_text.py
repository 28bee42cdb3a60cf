"""What a remote may write into texts, and what is left of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_native.untrusted_text import clean, clean_json, is_call_id, one_line


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Zoë 😀 \u4e2d", "Zoë 😀 \u4e2d"),
        ("cut \ud83d", "cut \ufffd"),
        ("\ude00 cut", "\ufffd cut"),
        ("a\x00b\x07c", "a\ufffdb\ufffdc"),
        ("\x1b[31mred", "\ufffd[31mred"),
        ("\x9b31m\x7f", "\ufffd31m\ufffd"),
        ("two\r\nlines\tand tab", "two\r\nlines\tand tab"),
    ],
)
def test_control_characters_and_halves_are_replaced(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned
    assert clean_json(json.loads(json.dumps({text: [text]})), json.dumps({text: [text]})) == {cleaned: [cleaned]}


def test_one_line_is_one() -> None:
    assert one_line("a\r\nERROR forged\n\tb\u2028c") == "a ERROR forged b c"


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8))
def test_what_is_read_from_json_can_be_written_anywhere(value: object) -> None:
    for ensure_ascii in (True, False):
        text = json.dumps(value, ensure_ascii=ensure_ascii)
        written = json.dumps(clean_json(json.loads(text), text), ensure_ascii=False)
        assert written.encode()
        assert not any(0x7F <= ord(character) <= 0x9F for character in written)
        assert "\\u00" not in written.replace("\\\\", "")


@pytest.mark.parametrize("call_id", ["a", "C1", "0b6f3c4e-7a1d-4c0a-9d2e-0f8f1f6c7e11", "abc@10.0.0.1:5060", "a" * 128])
def test_ids_of_calls(call_id: str) -> None:
    assert is_call_id(call_id)


@pytest.mark.parametrize(
    "call_id",
    ["", ".", "..", "../../x", "/etc/passwd", "a/b", "a\\b", "a\x00", "a\r\nX: y", "a b", "é", "a" * 129, "-x"],
)
def test_what_is_no_id_of_a_call(call_id: str) -> None:
    assert not is_call_id(call_id)
