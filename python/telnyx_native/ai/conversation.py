"""The conversation with an AI assistant, as the client leads it. An application has `AiAssistant` of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_native.ai.tools import FunctionCall, Tools
from telnyx_native.ai.transcript import Transcript
from telnyx_native.ai.widget import WidgetSettings
from telnyx_native.flow import StateFlow
from telnyx_native.signaling.envelope import new_id
from telnyx_native.signaling.messages import ToolOutput, UserMessage

if TYPE_CHECKING:
    from telnyx_native.events import AiConversationResponse
    from telnyx_native.logs import Log
    from telnyx_native.signaling.messages import Signaling

__all__ = ["Conversation"]


class Conversation:
    """What is said beside the audio, and the tools that are called for it.

    Args:
        signaling: The way to the server.

    Attributes:
        transcript: What was said so far.
        tools: What the assistant may call.
        widget_settings: How the assistant wants to look; `None` until it has said so.
    """

    def __init__(self, signaling: Signaling) -> None:
        self.transcript = Transcript()
        self.tools = Tools(self._return)
        self.widget_settings: StateFlow[WidgetSettings | None] = StateFlow(None)
        self._signaling = signaling

    async def say(self, text: str, image_urls: tuple[str, ...]) -> None:
        """Say something in writing; returns when it has left."""
        await self._signaling.tell(UserMessage(new_id(), text, image_urls))

    def hear(self, message: AiConversationResponse, log: Log) -> None:
        """Take a message of the assistant."""
        self.transcript.hear(message.type, message.params)
        match message.type:
            case "widget_settings":
                settings = message.params.get("widget_settings")
                self.widget_settings.set(WidgetSettings.parse(settings if isinstance(settings, dict) else {}))
            case "conversation.item.created" if call := FunctionCall.parse(message.params.get("item")):
                self.tools.run(call, log)

    def begin(self) -> None:
        """A new conversation begins: forget the one before."""
        self.transcript.clear()
        self.widget_settings.set(None)

    def on_call_ended(self) -> None:
        """The call is over: nothing more will be said."""
        self.transcript.finish()

    def on_lost(self) -> None:
        """The connection is gone: no tool is of use any more."""
        self.transcript.finish()
        self.tools.cancel()

    async def stop(self, limit: float) -> None:
        """Stop the tools that are running; takes no longer than `limit` seconds."""
        self.transcript.finish()
        await self.tools.stop(limit)

    def close(self) -> None:
        """End the flows."""
        self.transcript.updates.close()
        self.widget_settings.close()

    async def _return(self, call_id: str, output: str) -> None:
        await self._signaling.notify(ToolOutput(call_id, output))
