"""The AI assistant at the other end of a call, seen by the application."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from telnyx_native.ai.images import image_url
from telnyx_native.ai.tools import Tool
from telnyx_native.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from telnyx_native.ai.conversation import Conversation
    from telnyx_native.ai.transcript import TranscriptItem
    from telnyx_native.ai.widget import WidgetSettings
    from telnyx_native.flow import SharedFlow, StateFlow

__all__ = ["AiAssistant"]

ToolT = TypeVar("ToolT", bound=Tool)

TOOL_TIMEOUT = 30.0
"""Seconds that a tool may take, unless it says otherwise."""


class AiAssistant:
    """Text beside the audio of a call with an assistant: `TelnyxClient.ai`.

    ```python
    @client.ai.tool("get_weather")
    async def get_weather(city: str) -> dict[str, object]:
        return {"city": city, "celsius": 21}
    ```
    """

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    @property
    def transcript(self) -> tuple[TranscriptItem, ...]:
        """What was said so far, oldest first; it is kept until the next anonymous login."""
        return self._conversation.transcript.items

    @property
    def transcript_update_flow(self) -> SharedFlow[tuple[TranscriptItem, ...]]:
        """The whole transcript, after each change."""
        return self._conversation.transcript.updates

    @property
    def widget_settings(self) -> StateFlow[WidgetSettings | None]:
        """How the assistant wants to look; `None` until it has said so."""
        return self._conversation.widget_settings

    async def send_message(self, text: str, images: Iterable[str | bytes] = ()) -> None:
        """Say something in writing; returns when it has left.

        Args:
            text: What to say.
            images: What to show: addresses (`https://…`), data URLs, or the bytes of JPEG, PNG, GIF or WebP files.

        Raises:
            ConfigurationError: There is neither text nor image, or an image is none.
            SocketConnectionError: There is no connection, or it ended.
        """
        urls = tuple(image_url(image) for image in images)
        if not text and not urls:
            raise ConfigurationError("a message to the assistant needs text or an image")
        await self._conversation.say(text, urls)

    def register_tool(self, name: str, tool: Tool, *, timeout: float = TOOL_TIMEOUT) -> None:
        """Let the assistant call a function.

        Tools run side by side, and are cancelled when the client disconnects. What goes wrong in one is logged,
        and the assistant is told.

        Args:
            name: Its name, as in the assistant's settings.
            tool: An async function; it gets the arguments by name, and returns text or something that JSON can say.
            timeout: Seconds that it may take.

        Raises:
            ConfigurationError: It is no async function, or has no name.
        """
        self._conversation.tools.register(name, tool, timeout=timeout)

    def tool(self, name: str, *, timeout: float = TOOL_TIMEOUT) -> Callable[[ToolT], ToolT]:
        """Decorate an async function that the assistant may call; see `register_tool`."""

        def register(tool: ToolT) -> ToolT:
            self.register_tool(name, tool, timeout=timeout)
            return tool

        return register
