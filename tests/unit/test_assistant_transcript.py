from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_native import assistant
from telnyx_native.assistant import Transcript


@pytest.fixture
def transcript() -> Transcript:
    return Transcript()


def created(item_id: object = "u1", text: str = "Hello?", **changes: Any) -> tuple[str, dict[str, Any]]:
    content = [{"type": "input_audio", "transcript": text}]
    item = {"id": item_id, "type": "message", "role": "user", "status": "completed", "content": content}
    return "conversation.item.created", {"item": item | changes}


def delta(text: str, item_id: object = "a1", response_id: object = "r1") -> tuple[str, dict[str, Any]]:
    return "response.text.delta", {"delta": text, "item_id": item_id, "response_id": response_id}


def done(response_id: str = "r1") -> tuple[str, dict[str, Any]]:
    return "response.done", {"response": {"id": response_id, "status": "completed"}}


def seen(transcript: Transcript) -> list[tuple[str, str, bool]]:
    return [(item.role, item.content, item.is_partial) for item in transcript.items]


def test_user_and_assistant_take_turns(transcript: Transcript) -> None:
    transcript.hear(*created())
    transcript.hear(*delta("We open "))
    transcript.hear(*delta("at nine."))
    assert seen(transcript) == [("user", "Hello?", False), ("assistant", "We open at nine.", True)]
    transcript.hear(*done())
    assert seen(transcript)[1] == ("assistant", "We open at nine.", False)


def test_words_of_the_user_as_they_are_spoken(transcript: Transcript) -> None:
    transcript.hear(*created(text="When do", status="in_progress"))
    assert seen(transcript) == [("user", "When do", True)]
    (begun,) = transcript.items
    transcript.hear(*created(text="When do you open?", status="in_progress"))
    transcript.hear(*created(text="When do you open?"))
    assert seen(transcript) == [("user", "When do you open?", False)]
    assert transcript.items[0].timestamp == begun.timestamp


def test_user_who_stops_in_the_middle(transcript: Transcript) -> None:
    transcript.hear(*created(text="When", status="in_progress"))
    transcript.hear(*delta("At nine."))
    assert seen(transcript) == [("user", "When", False), ("assistant", "At nine.", True)]


def test_item_keeps_the_time_it_began(transcript: Transcript) -> None:
    transcript.hear(*delta("a"))
    (first,) = transcript.items
    transcript.hear(*delta("b"))
    assert transcript.items[0].timestamp == first.timestamp
    assert first.timestamp.tzinfo is not None


def test_next_item_ends_the_one_before(transcript: Transcript) -> None:
    transcript.hear(*delta("one", "a1", None))
    transcript.hear(*delta("two", "a2", None))
    assert [item.is_partial for item in transcript.items] == [False, True]
    transcript.hear(*created("u1"))
    assert [item.is_partial for item in transcript.items] == [False, False, False]


def test_end_of_another_response_changes_nothing(transcript: Transcript) -> None:
    transcript.hear(*delta("one", "a1", "r2"))
    transcript.hear(*done("r1"))
    assert transcript.items[0].is_partial
    transcript.hear("response.done", {})
    assert not transcript.items[0].is_partial


def test_words_after_an_interruption_are_joined_all_the_same(transcript: Transcript) -> None:
    transcript.hear(*delta("We open "))
    transcript.hear(*created())
    transcript.hear(*delta("at nine."))
    transcript.hear(*done())
    assert seen(transcript)[0] == ("assistant", "We open at nine.", False)


def test_end_of_the_call_ends_everything(transcript: Transcript) -> None:
    transcript.hear(*delta("We op"))
    transcript.finish()
    assert seen(transcript) == [("assistant", "We op", False)]


@pytest.mark.parametrize(
    "item",
    [created(status="incomplete"), created(role="assistant"), created(role="system"), created(7), created(content=[])],
)
def test_items_that_do_not_count(transcript: Transcript, item: tuple[str, dict[str, Any]]) -> None:
    transcript.hear(*item)
    assert transcript.items == ()


@pytest.mark.parametrize(
    ("content", "text", "images"),
    [
        ("plain", "plain", ()),
        ([{"type": "text", "text": "a"}, {"transcript": "b"}, 7], "a b", ()),
        ([{"type": "image_url", "image_url": {"url": "https://x/y.png"}}, {"image_url": 7}], "", ("https://x/y.png",)),
    ],
)
def test_contents(transcript: Transcript, content: object, text: str, images: tuple[str, ...]) -> None:
    transcript.hear(*created(content=content))
    (item,) = transcript.items
    assert (item.content, item.images) == (text, images)


async def test_every_change_is_published(transcript: Transcript) -> None:
    updates = transcript.updates.collect()
    transcript.hear(*delta("a"))
    transcript.hear(*delta("b"))
    transcript.hear(*done())
    transcript.hear(*done())
    transcript.clear()
    transcript.clear()
    transcript.updates.close()
    versions = [[(item.content, item.is_partial) for item in items] async for items in updates]
    assert versions == [[("a", True)], [("ab", True)], [("ab", False)], []]


def test_turn_is_bounded(transcript: Transcript, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assistant, "LONGEST_ITEM", 5)
    for _ in range(9):
        transcript.hear(*delta("abc"))
    assert seen(transcript) == [("assistant", "abcab", True)]


def test_transcript_is_bounded(transcript: Transcript, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assistant, "LONGEST_TRANSCRIPT", 3)
    for number in range(5):
        transcript.hear(*delta("x", f"a{number}"))
    assert [item.id for item in transcript.items] == ["a2", "a3", "a4"]


WORDS = st.text(max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | WORDS | st.integers(),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(WORDS, v, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(["item", "delta", "item_id", "response", "response_id", "id", "role", "status", "content"])


@given(
    st.sampled_from(["conversation.item.created", "response.text.delta", "response.done", "x"]),
    st.dictionaries(KEYS, JSON | st.dictionaries(KEYS, JSON)),
)
def test_odd_messages_do_no_harm(kind: str, params: dict[str, Any]) -> None:
    transcript = Transcript()
    transcript.hear(kind, params)
    transcript.finish()
    assert not any(item.is_partial for item in transcript.items)
