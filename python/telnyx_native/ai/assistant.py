"""The AI assistant at the other end of a call, seen by the application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from telnyx_native.ai.images import image_url
from telnyx_native.ai.tools import FunctionCall, Tool, Tools
from telnyx_native.ai.transcript import Transcript, TranscriptItem
from telnyx_native.ai.widget import WidgetSettings
from telnyx_native.errors import ConfigurationError
from telnyx_native.flow import SharedFlow, StateFlow
from telnyx_native.signaling.ai_messages import ToolOutput, UserMessage
from telnyx_native.signaling.envelope import new_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from telnyx_native.events import AiConversationResponse
    from telnyx_native.logs import Log
    from telnyx_native.signaling.messages import Message

__all__ = ["AiAssistant", "Channel"]

ToolT = TypeVar("ToolT", bound=Tool)

TOOL_TIMEOUT = 30.0
"""Seconds that a tool may take, unless it says otherwise."""


class Channel(Protocol):
    """The way to the assistant."""

    async def tell(self, message: Message) -> None:
        """Send a request whose answer nobody waits for."""

    async def notify(self, message: Message) -> None:
        """Send a notification."""


class AiAssistant:
    """Text beside the audio of a call with an assistant: `TelnyxClient.ai`.

    ```python
    @client.ai.tool("get_weather")
    async def get_weather(city: str) -> dict[str, object]:
        return {"city": city, "celsius": 21}
    ```

    Args:
        channel: The way to the assistant.

    Attributes:
        widget_settings: How the assistant wants to look; `None` until it has said so.
    """

    def __init__(self, channel: Channel) -> None:
        self.widget_settings: StateFlow[WidgetSettings | None] = StateFlow(None)
        self._channel = channel
        self._transcript = Transcript()
        self._tools = Tools(self._return)

    @property
    def transcript(self) -> tuple[TranscriptItem, ...]:
        """What was said so far, oldest first; it is kept until the next anonymous login."""
        return self._transcript.items

    @property
    def transcript_update_flow(self) -> SharedFlow[tuple[TranscriptItem, ...]]:
        """The whole transcript, after each change."""
        return self._transcript.updates

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
        await self._channel.tell(UserMessage(new_id(), text, urls))

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
        self._tools.register(name, tool, timeout=timeout)

    def tool(self, name: str, *, timeout: float = TOOL_TIMEOUT) -> Callable[[ToolT], ToolT]:
        """Decorate an async function that the assistant may call; see `register_tool`."""

        def register(tool: ToolT) -> ToolT:
            self.register_tool(name, tool, timeout=timeout)
            return tool

        return register

    # What the client tells.

    def hear(self, message: AiConversationResponse, log: Log) -> None:
        """Take a message of the assistant."""
        self._transcript.hear(message.type, message.params)
        match message.type:
            case "widget_settings":
                settings = message.params.get("widget_settings")
                self.widget_settings.set(WidgetSettings.parse(settings if isinstance(settings, dict) else {}))
            case "conversation.item.created" if call := FunctionCall.parse(message.params.get("item")):
                self._tools.run(call, log)

    def begin(self) -> None:
        """A new conversation begins: forget the one before."""
        self._transcript.clear()
        self.widget_settings.set(None)

    def on_call_ended(self) -> None:
        """The call is over: nothing more will be said."""
        self._transcript.finish()

    def on_lost(self) -> None:
        """The connection is gone: no tool is of use any more."""
        self._transcript.finish()
        self._tools.cancel()

    async def stop(self, limit: float) -> None:
        """Stop the tools that are running; takes no longer than `limit` seconds."""
        self._transcript.finish()
        await self._tools.stop(limit)

    def close(self) -> None:
        """End the flows."""
        self._transcript.updates.close()
        self.widget_settings.close()

    async def _return(self, call_id: str, output: str) -> None:
        await self._channel.notify(ToolOutput(call_id, output))
