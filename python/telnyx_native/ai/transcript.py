"""What was said between a user and an assistant, as it comes in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from telnyx_native.flow import SharedFlow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["LONGEST_TRANSCRIPT", "Role", "Transcript", "TranscriptItem"]

Role = Literal["user", "assistant"]

LONGEST_TRANSCRIPT = 1000
"""Items a transcript keeps; beyond that the oldest go."""


LONGEST_ITEM = 100_000
"""Characters of one turn; what comes after them is left out."""

_USER_STATUSES = ("in_progress", "completed")
"""Of what the user says: it comes again, longer, until it is complete (Telnyx iOS SDK)."""


@dataclass(frozen=True)
class TranscriptItem:
    """One side's turn.

    Attributes:
        id: Its id.
        role: Whose turn it was.
        content: What was said.
        timestamp: When it began, in UTC.
        is_partial: Whether more of it may come.
        images: What was shown with it: addresses of images, or data URLs.
    """

    id: str
    role: Role
    content: str
    timestamp: datetime = field(default_factory=lambda: datetime.now(UTC))
    is_partial: bool = False
    images: tuple[str, ...] = ()


class Transcript:
    """Puts the messages of an assistant together to a transcript.

    Attributes:
        updates: The whole transcript, after each change.
    """

    def __init__(self) -> None:
        self.updates: SharedFlow[tuple[TranscriptItem, ...]] = SharedFlow()
        self._items: dict[str, TranscriptItem] = {}
        self._responses: dict[str, str] = {}  # of which response a partial item is

    @property
    def items(self) -> tuple[TranscriptItem, ...]:
        """The transcript so far, oldest first."""
        return tuple(self._items.values())

    def hear(self, kind: str, params: Mapping[str, Any]) -> None:
        """Take a message of the assistant; one that says nothing for the transcript does no harm."""
        match kind:
            case "conversation.item.created":
                self._take_item(params.get("item"))
            case "response.text.delta":
                self._take_delta(params)
            case "response.done":
                self._end_response(params.get("response"))

    def finish(self) -> None:
        """Nothing more will come of what has begun: the call is over."""
        self._finalise(lambda _: True)

    def clear(self) -> None:
        """Forget everything said so far."""
        self._responses.clear()
        if self._items:
            self._items.clear()
            self._publish()

    def _take_item(self, item: object) -> None:
        """A new item ends the ones before. Of the assistant's only the deltas count, as in Telnyx's mobile SDKs."""
        if not isinstance(item, dict):
            return
        item_id, status = item.get("id"), item.get("status")
        self._finalise(lambda other: other != item_id)
        if item.get("role") != "user" or status not in _USER_STATUSES or not isinstance(item_id, str):
            return
        text, images = _read_content(item.get("content"))
        if text or images:
            self._put(TranscriptItem(item_id, "user", text, is_partial=status == "in_progress", images=images))

    def _take_delta(self, params: Mapping[str, Any]) -> None:
        item_id, delta = params.get("item_id"), params.get("delta")
        if not isinstance(item_id, str) or not isinstance(delta, str) or not item_id:
            return
        self._finalise(lambda other: other != item_id)
        response_id = params.get("response_id")
        if isinstance(response_id, str):
            self._responses[item_id] = response_id
        known = self._items.get(item_id) or TranscriptItem(item_id, "assistant", "")
        self._put(replace(known, content=(known.content + delta)[:LONGEST_ITEM], is_partial=True))

    def _end_response(self, response: object) -> None:
        ended = response.get("id") if isinstance(response, dict) else None
        self._finalise(lambda item_id: ended is None or self._responses.get(item_id) in (None, ended))

    def _finalise(self, belongs: Callable[[str], bool]) -> None:
        over = [item for item in self._items.values() if item.is_partial and belongs(item.id)]
        for item in over:
            self._items[item.id] = replace(item, is_partial=False)
            self._responses.pop(item.id, None)
        if over:
            self._publish()

    def _put(self, item: TranscriptItem) -> None:
        earlier = self._items.get(item.id)
        self._items[item.id] = replace(item, timestamp=earlier.timestamp) if earlier else item
        while len(self._items) > LONGEST_TRANSCRIPT:
            oldest = next(iter(self._items))
            del self._items[oldest]
            self._responses.pop(oldest, None)
        self._publish()

    def _publish(self) -> None:
        self.updates.emit(self.items)


def _read_content(content: object) -> tuple[str, tuple[str, ...]]:
    """Text and images of an item, whose content is text or a list of parts."""
    if isinstance(content, str):
        return content, ()
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    texts = [part.get("transcript") or part.get("text") for part in parts]
    images = [image.get("url") for part in parts if isinstance(image := part.get("image_url"), dict)]
    return " ".join(t for t in texts if isinstance(t, str)), tuple(url for url in images if isinstance(url, str))
