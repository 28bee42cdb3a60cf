"""`assistant`: calls to an AI assistant, with text beside the audio; what it says is up to a brain."""

from __future__ import annotations

import asyncio
import base64
import importlib.util
import inspect
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from telnyx_native.errors import CallError, ConfigurationError, WaitTimeoutError
from telnyx_native.gateway.destinations.sounds import PROMPT, FileSound, rendered
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Mapping
    from pathlib import Path

    from telnyx_native.gateway.calls.leg import CallerLeg
    from telnyx_native.gateway.destinations import Outcome

__all__ = [
    "ASSISTANT",
    "SCRIPT",
    "AssistantCall",
    "Brain",
    "UserMessage",
    "assistant_of",
    "load_brain",
    "scripted_brain",
]


ASSISTANT = "assistant"
"""The destination of calls to assistants, and the id of the one that there is by default."""


@dataclass(frozen=True)
class UserMessage:
    """What the caller has written.

    Attributes:
        id: The id of the message.
        text: The text.
        images: Addresses of images, or data URLs.
    """

    id: str
    text: str
    images: tuple[str, ...] = ()


class AssistantCall:
    """A call to an assistant: its audio, and the text beside it.

    Iterate over it for what the caller writes; it ends with the call.

    Args:
        leg: The call.

    Attributes:
        leg: The call, with its audio.
    """

    def __init__(self, leg: CallerLeg) -> None:
        self.leg = leg
        self._items = leg.items.collect()

    @property
    def variables(self) -> dict[str, Any]:
        """The assistant's dynamic variables: those of the login, and the call's `X-Account-Tier` as `account_tier`."""
        headers = self.leg.info.custom_headers.items()
        named = {name[2:].replace("-", "_").lower(): value for name, value in headers if name[:2].upper() == "X-"}
        return {**self.leg.info.variables, **named}

    async def __aiter__(self) -> AsyncIterator[UserMessage]:
        async for item in self._items:
            message = _read_message(item)
            if message is not None:
                yield message

    async def show(self, settings: Mapping[str, Any]) -> None:
        """Tell the client how the assistant's widget is to look."""
        await self._send("widget_settings", widget_settings=dict(settings))

    async def heard(self, text: str, *, item_id: str | None = None, partial: bool = False) -> None:
        """Put something into the transcript that the caller has said.

        Args:
            text: What was said.
            item_id: The id of the item; the same again replaces what was put there before.
            partial: Whether more of it comes: what a recogniser makes of speech before its end.
        """
        content = [{"type": "input_audio", "transcript": text}]
        status = "in_progress" if partial else "completed"
        item = {"type": "message", "role": "user", "status": status, "content": content}
        await self._send("conversation.item.created", item={"id": item_id or _new_id("item"), **item})

    async def say(self, text: str | AsyncIterable[str]) -> None:
        """Put something into the transcript that the assistant says: word by word, or as its parts come."""
        response, item = _new_id("resp"), _new_id("item")
        await self._send("response.created", response={"id": response, "status": "in_progress", "output": []})
        place = {"item_id": item, "response_id": response, "output_index": 0, "content_index": 0}
        async for part in _words(text) if isinstance(text, str) else text:
            await self._send("response.text.delta", delta=part, **place)
        await self._send("response.done", response={"id": response, "status": "completed"})

    async def play(self, pcm: bytes) -> None:
        """Say something aloud; a client that has subscribed is told of it first, as Telnyx's assistants do.

        What these messages look like there is not documented. Here they are `response.audio_stream.delta`, with half a
        second of 16-bit samples each in base64 and their `sample_rate`, and then `response.audio_stream.done`.

        Args:
            pcm: 16-bit samples, mono, at the rate of `leg.audio`.
        """
        rate = self.leg.audio.sample_rate
        if self.leg.follows_assistant:
            response = _new_id("resp")
            for start in range(0, len(pcm), rate):  # half a second of 16 bits
                delta = base64.b64encode(pcm[start : start + rate]).decode()
                await self._send("response.audio_stream.delta", response_id=response, sample_rate=rate, delta=delta)
            await self._send("response.audio_stream.done", response_id=response)
        await self.leg.audio.write(pcm)

    async def call_tool(self, name: str, arguments: Mapping[str, Any], *, timeout: float = 30.0) -> str:
        """Let the client run one of its tools; return its output.

        Raises:
            WaitTimeoutError: There was no output within `timeout` seconds.
            CallError: The call ended first.
        """
        call_id = _new_id("call")
        with self.leg.items.collect() as outputs:
            item = {"type": "function_call", "call_id": call_id, "name": name, "arguments": json.dumps(arguments)}
            for _ in range(2 if self.leg.repeats_tools else 1):
                await self._send("conversation.item.created", item=item)
            try:
                async with asyncio.timeout(timeout):
                    async for answer in outputs:
                        if answer.get("type") == "function_call_output" and answer.get("call_id") == call_id:
                            return str(answer.get("output") or "")
            except TimeoutError:
                raise WaitTimeoutError(f"the client returned nothing from {name} within {timeout:g} s") from None
        raise CallError(f"the call ended before {name} returned")

    async def _send(self, kind: str, **params: Any) -> None:
        await self.leg.send_ai_message({"type": kind, **params})


Brain = Callable[[AssistantCall], Awaitable[None]]
"""What an assistant says and does: any async function that takes a call.

The call is hung up at its end, and it is cancelled when the caller hangs up.
"""


@dataclass(frozen=True)
class Assistant:
    """An assistant as the destination of a call."""

    brain: Brain

    async def serve(self, leg: CallerLeg) -> Outcome:
        """Answer, and leave the rest to the brain."""
        call = AssistantCall(leg)
        await leg.answer()
        await leg.media.wait_connected()
        await self.brain(call)
        return HangupCause.NORMAL_CLEARING


def assistant_of(brains: Mapping[str, Brain]) -> Callable[[str], Assistant]:
    """Return what makes the destination of `assistant:ID`, or of `assistant` alone."""

    def make(name: str) -> Assistant:
        brain = brains.get(name or ASSISTANT)
        if brain is None:
            raise ConfigurationError(f"there is no assistant {name or ASSISTANT!r}")
        return Assistant(brain)

    return make


async def _words(text: str) -> AsyncIterator[str]:
    for word in re.finditer(r"\S+\s*", text):
        yield word[0]


def _read_message(item: Mapping[str, Any]) -> UserMessage | None:
    if item.get("type") != "message" or item.get("role") != "user":
        return None
    content = item.get("content")
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    texts = [part["text"] for part in parts if isinstance(part.get("text"), str)]
    images = [image.get("url") for part in parts if isinstance(image := part.get("image_url"), dict)]
    return UserMessage(
        id=str(item.get("id") or _new_id("item")),
        text=content if isinstance(content, str) else " ".join(texts),
        images=tuple(url for url in images if isinstance(url, str)),
    )


def _new_id(kind: str) -> str:
    return f"{kind}_{uuid4().hex}"


WIDGET_SETTINGS = {
    "theme": "dark",
    "default_state": "collapsed",
    "position": "fixed",
    "audio_visualizer_config": {"color": "verdant", "preset": "roundBars"},
    "start_call_text": "Talk to the gateway",
    "agent_thinking_text": "Thinking …",
    "speak_to_interrupt_text": "Speak to interrupt",
}

_TOOL_REQUEST = re.compile(r"use\s+(?P<tool>\w+)\s*(?P<arguments>\{.*\})?", re.IGNORECASE | re.DOTALL)

LONGEST_REPEATED = 1000
"""Characters of a message that are said again."""


async def scripted_brain(call: AssistantCall) -> None:
    """Greet aloud and in writing, repeat what the caller writes, and use a tool when asked to.

    `use get_time {"zone": "UTC"}` calls the client's tool `get_time` and says what it returned; `greet` greets again.
    """
    greeting = await rendered(FileSound(PROMPT), call.leg.audio.sample_rate)
    await call.play(bytes(greeting.data))
    await call.show(WIDGET_SETTINGS)
    await call.say("Hello, this is the gateway's assistant. Write something, or: use TOOL {ARGUMENTS}")
    async for message in call:
        await call.heard(message.text[:LONGEST_REPEATED], item_id=message.id)
        if message.text.strip().lower() == "greet":
            await call.play(bytes(greeting.data))
        else:
            await call.say(await _reply(call, message))


async def _reply(call: AssistantCall, message: UserMessage) -> str:
    wanted = _TOOL_REQUEST.fullmatch(message.text.strip())
    if wanted is None:
        images = f" and showed {len(message.images)} images" if message.images else ""
        return f"You wrote: {message.text[:LONGEST_REPEATED]}{images}"
    try:
        arguments: dict[str, Any] = json.loads(wanted["arguments"] or "{}")
    except (ValueError, RecursionError):
        return "I need the arguments as JSON"
    try:
        return f"{wanted['tool']} returned {await call.call_tool(wanted['tool'], arguments)}"
    except TimeoutError:
        return f"{wanted['tool']} did not return in time"


SCRIPT = "script"
"""The name of the brain that every gateway has."""


def load_brain(address: str, folder: Path) -> Brain:
    """Find the brain of an assistant.

    Args:
        address: `FILE.py:FUNCTION`, or `script` for the brain that every gateway has.
        folder: Where the file is, if its path is relative.

    Raises:
        ConfigurationError: There is no such file, it cannot be imported, or has no such async function.
    """
    if address == SCRIPT:
        return scripted_brain
    name, _, function = address.rpartition(":")
    path = folder / name
    if not name.endswith(".py") or not function:
        raise ConfigurationError(f"{address!r} is no brain: write FILE.py:FUNCTION, or {SCRIPT}")
    if not path.is_file():
        raise ConfigurationError(f"there is no file {path}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None  # noqa: S101 - it ends with .py
    assert spec.loader is not None  # noqa: S101 - likewise
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ConfigurationError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error
    brain = getattr(module, function, None)
    if not inspect.iscoroutinefunction(brain):
        raise ConfigurationError(f"{path} has no async function {function!r}")
    return cast("Brain", brain)
