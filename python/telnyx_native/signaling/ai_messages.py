"""What a client says to an AI assistant. A message names no call: it belongs to the login."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from telnyx_native.events import SocketMethod

__all__ = ["ToolOutput", "UserMessage"]


@dataclass(frozen=True)
class _Item:
    method: ClassVar[SocketMethod] = SocketMethod.AI_CONVERSATION
    sticky: ClassVar[bool] = False


@dataclass(frozen=True)
class UserMessage(_Item):
    """Say something in writing.

    Attributes:
        id: The id of the message.
        text: What is said.
        images: What is shown: addresses of images, or data URLs.
    """

    id: str
    text: str = field(repr=False)
    images: tuple[str, ...] = field(default=(), repr=False)

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        content: list[dict[str, Any]] = [{"type": "input_text", "text": self.text}] if self.text else []
        content += [{"type": "image_url", "image_url": {"url": url}} for url in self.images]
        item = {"id": self.id, "type": "message", "role": "user", "content": content}
        return {"type": "conversation.item.create", "previous_item_id": None, "item": item}


@dataclass(frozen=True)
class ToolOutput(_Item):
    """Return what a tool returned.

    Attributes:
        call_id: The use of the tool.
        output: What came of it.
    """

    call_id: str
    output: str = field(repr=False)

    def params(self) -> dict[str, Any]:
        """The parameters of the notification."""
        item = {"type": "function_call_output", "call_id": self.call_id, "output": self.output}
        return {"type": "conversation.item.create", "item": item}
