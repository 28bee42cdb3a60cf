"""The brain an assistant has when nobody gave it another: a script, to try a client against."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from telnyx_native.gateway.sounds import PROMPT, FileSound, rendered

if TYPE_CHECKING:
    from telnyx_native.gateway.assistant import Conversation, UserMessage

__all__ = ["scripted_brain"]

WIDGET_SETTINGS = {
    "theme": "dark",
    "default_state": "collapsed",
    "position": "fixed",
    "audio_visualizer_config": {"color": "verdant", "preset": "roundBars"},
    "start_call_text": "Talk to the gateway",
    "agent_thinking_text": "Thinking …",
    "speak_to_interrupt_text": "Speak to interrupt",
}

_WISH = re.compile(r"use\s+(?P<tool>\w+)\s*(?P<arguments>\{.*\})?", re.IGNORECASE | re.DOTALL)

LONGEST_REPEATED = 1000
"""Characters of a message that are said again."""


async def scripted_brain(conversation: Conversation) -> None:
    """Greet aloud and in writing, repeat what the caller writes, and use a tool when asked to.

    `use get_time {"zone": "UTC"}` calls the client's tool `get_time` and says what it returned.
    """
    greeting = await rendered(FileSound(PROMPT), conversation.leg.audio.sample_rate)
    conversation.leg.audio.write_nowait(greeting.data)
    await conversation.show(WIDGET_SETTINGS)
    await conversation.say("Hello, this is the gateway's assistant. Write something, or: use TOOL {ARGUMENTS}")
    async for message in conversation:
        await conversation.heard(message.text[:LONGEST_REPEATED], item_id=message.id)
        await conversation.say(await _reply(conversation, message))


async def _reply(conversation: Conversation, message: UserMessage) -> str:
    wish = _WISH.fullmatch(message.text.strip())
    if wish is None:
        images = f" and showed {len(message.images)} images" if message.images else ""
        return f"You wrote: {message.text[:LONGEST_REPEATED]}{images}"
    try:
        arguments: dict[str, Any] = json.loads(wish["arguments"] or "{}")
    except (ValueError, RecursionError):
        return "I need the arguments as JSON"
    try:
        return f"{wish['tool']} returned {await conversation.call_tool(wish['tool'], arguments)}"
    except TimeoutError:
        return f"{wish['tool']} did not return in time"
