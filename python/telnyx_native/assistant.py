"""The AI assistant at the other end: its transcript, text and images to it, and tools that it may call."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from telnyx_native.errors import ConfigurationError, TelnyxError
from telnyx_native.flow import SharedFlow, StateFlow
from telnyx_native.signaling.envelope import new_id
from telnyx_native.signaling.messages import AudioStreamSubscription, ToolOutput, UserMessage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from telnyx_native.events import AiConversationResponse
    from telnyx_native.logs import Log
    from telnyx_native.signaling.session import Session

__all__ = [
    "LONGEST_TRANSCRIPT",
    "AiAssistant",
    "AssistantChannel",
    "FunctionCall",
    "Role",
    "Tool",
    "Tools",
    "Transcript",
    "TranscriptItem",
    "WidgetSettings",
    "image_url",
]

Tool = Callable[..., Awaitable[Any]]
"""An async function; the assistant's arguments reach it by name. It returns text, or something that JSON can say."""

ToolT = TypeVar("ToolT", bound=Tool)

AUDIO_STREAM = "response.audio_stream."
"""What the types of those messages begin with that tell of the assistant's audio."""

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

    def __init__(self, conversation: AssistantChannel) -> None:
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

    @property
    def audio_stream_flow(self) -> SharedFlow[AiConversationResponse]:
        """What the assistant tells of its audio, before that is heard, once `subscribe_audio_stream` has asked for it.

        These are its messages of the types `response.audio_stream.…`, as they come: Telnyx documents no more of them.
        """
        return self._conversation.audio_stream

    async def subscribe_audio_stream(self) -> None:
        """Ask the assistant to tell of its audio before it is played (Telnyx JS SDK 2.27.9).

        Raises:
            SocketConnectionError: There is no connection, or it ended.
        """
        await self._conversation.subscribe_audio_stream()

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


class AssistantChannel:
    """What is said beside the audio, and the tools that are called for it.

    Args:
        signaling: The way to the server.

    Attributes:
        transcript: What was said so far.
        tools: What the assistant may call.
        widget_settings: How the assistant wants to look; `None` until it has said so.
        audio_stream: What it tells of its audio.
    """

    def __init__(self, signaling: Session) -> None:
        self.transcript = Transcript()
        self.audio_stream: SharedFlow[AiConversationResponse] = SharedFlow()
        self.tools = Tools(self._return)
        self.widget_settings: StateFlow[WidgetSettings | None] = StateFlow(None)
        self._signaling = signaling

    async def say(self, text: str, image_urls: tuple[str, ...]) -> None:
        """Say something in writing; returns when it has left."""
        await self._signaling.tell(UserMessage(new_id(), text, image_urls))

    async def subscribe_audio_stream(self) -> None:
        """Ask the assistant to tell of its audio."""
        await self._signaling.notify(AudioStreamSubscription())

    def hear(self, message: AiConversationResponse, log: Log) -> None:
        """Take a message of the assistant."""
        self.transcript.hear(message.type, message.params)
        if message.type.startswith(AUDIO_STREAM):
            self.audio_stream.emit(message)
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
        self.audio_stream.close()
        self.widget_settings.close()

    async def _return(self, call_id: str, output: str) -> None:
        await self._signaling.notify(ToolOutput(call_id, output))


_SIGNATURES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
)


def image_url(image: str | bytes) -> str:
    """Return how an image is named on the wire.

    Args:
        image: Its address (`https://…`), a data URL, or the bytes of a JPEG, PNG, GIF or WebP file.

    Raises:
        ConfigurationError: It is none of these.
    """
    if isinstance(image, bytes):
        return f"data:{_media_type(image)};base64,{b64encode(image).decode()}"
    if image.startswith(("https://", "http://", "data:image/")):
        return image
    raise ConfigurationError("an image is an address such as https://…, a data URL, or the bytes of an image file")


def _media_type(image: bytes) -> str:
    if image[:4] == b"RIFF" and image[8:12] == b"WEBP":
        return "image/webp"
    for signature, media_type in _SIGNATURES:
        if image.startswith(signature):
            return media_type
    raise ConfigurationError("the bytes of the image are no JPEG, PNG, GIF or WebP file")


@dataclass(frozen=True)
class WidgetSettings:
    """The looks and words of an assistant, as its owner has set them in the Telnyx portal.

    What is missing has the value of the Telnyx iOS SDK.

    Attributes:
        theme: `"dark"` or `"light"`.
        default_state: `"collapsed"` or `"expanded"`.
        position: `"fixed"` or `"static"`.
        start_call_text: What the button says that starts a call.
        agent_thinking_text: What is shown while the assistant thinks.
        speak_to_interrupt_text: What is shown while it speaks.
        logo_icon_url: The address of its logo.
        view_history_url: Where earlier conversations are.
        report_issue_url: Where to report an issue.
        give_feedback_url: Where to give feedback.
        audio_visualizer_config: Colour and preset of the audio visualizer.
        raw: All settings as they came.
    """

    theme: str = "dark"
    default_state: str = "collapsed"
    position: str = "fixed"
    start_call_text: str = ""
    agent_thinking_text: str = ""
    speak_to_interrupt_text: str = ""
    logo_icon_url: str = ""
    view_history_url: str = ""
    report_issue_url: str = ""
    give_feedback_url: str = ""
    audio_visualizer_config: Mapping[str, Any] = field(
        default_factory=lambda: {"color": "verdant", "preset": "roundBars"}, hash=False
    )
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def parse(cls, settings: Mapping[str, Any]) -> WidgetSettings:
        """Read the settings; what has the wrong type is left at its default."""
        known: dict[str, Any] = {}
        for setting in fields(cls):
            value = settings.get(setting.name)
            kind = dict if setting.name == "audio_visualizer_config" else str
            if setting.name != "raw" and isinstance(value, kind):
                known[setting.name] = value
        return cls(**known, raw=dict(settings))


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


MOST_AT_A_TIME = 16
"""Tools that run side by side; one more is refused."""

REMEMBERED = 256
"""Uses whose output is kept, in case the assistant asks for the same again."""

LONGEST_OUTPUT = 256 * 1024
"""Characters that a tool may return."""


@dataclass(frozen=True)
class FunctionCall:
    """The assistant's wish to use a tool.

    Attributes:
        call_id: This use of it.
        name: The tool.
        arguments: JSON text with the arguments by name.
    """

    call_id: str
    name: str
    arguments: str

    @classmethod
    def parse(cls, item: object) -> FunctionCall | None:
        """Read an item of a conversation; `None` if it is something else."""
        if not isinstance(item, dict) or item.get("type") != "function_call":
            return None
        call_id, name, arguments = (item.get(key) for key in ("call_id", "name", "arguments"))
        if not isinstance(call_id, str) or not isinstance(name, str) or not call_id:
            return None
        return cls(call_id, name, arguments if isinstance(arguments, str) else json.dumps(arguments))


class Tools:
    """The tools by name, and those that are running.

    Args:
        answer: Sends the output of a tool; it takes the id of the use and the text.
    """

    def __init__(self, answer: Callable[[str, str], Awaitable[None]]) -> None:
        self._answer = answer
        self._tools: dict[str, tuple[Tool, float]] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._outputs: dict[str, str] = {}  # of the latest uses, the oldest first

    def register(self, name: str, tool: Tool, *, timeout: float) -> None:
        """Let the assistant use `tool` under `name`, in place of what had the name before.

        Raises:
            ConfigurationError: It is no async function, or has no name.
        """
        if not name or not iscoroutinefunction(tool):
            raise ConfigurationError(f"a tool is an async function with a name; {name!r} is not")
        if not timeout > 0:
            raise ConfigurationError(f"the timeout of tool {name!r} must be more than zero")
        self._tools[name] = (tool, timeout)

    def run(self, call: FunctionCall, log: Log) -> None:
        """Run a tool in the background and send what it returns.

        The same use, asked for again, does not run again; the output that it had is sent once more.
        """
        if call.call_id in self._running:
            return
        if call.call_id in self._outputs:
            work = self._send(call, self._outputs[call.call_id], log)
        elif len(self._running) >= MOST_AT_A_TIME:
            work = self._refuse(call, log)
        else:
            work = self._serve(call, log)
        task = asyncio.create_task(work, name=f"telnyx-tool-{call.name}")
        self._running[call.call_id] = task
        task.add_done_callback(lambda _: self._running.pop(call.call_id, None))

    def cancel(self) -> None:
        """Stop what is running."""
        for task in self._running.values():
            if task is not asyncio.current_task():
                task.cancel()

    async def stop(self, limit: float) -> None:
        """Stop what is running, and wait for it for at most `limit` seconds."""
        self.cancel()
        others = set(self._running.values()) - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=limit)

    async def _serve(self, call: FunctionCall, log: Log) -> None:
        output = self._outputs[call.call_id] = await self._output_of(call, log)
        if len(self._outputs) > REMEMBERED:
            del self._outputs[next(iter(self._outputs))]
        await self._send(call, output, log)

    async def _refuse(self, call: FunctionCall, log: Log) -> None:
        log.warning(f"the assistant uses more than {MOST_AT_A_TIME} tools at a time; {call.name} was refused")
        await self._send(call, _failure("too many tools are running; try again later"), log)

    async def _send(self, call: FunctionCall, output: str, log: Log) -> None:
        try:
            await self._answer(call.call_id, output)
        except TelnyxError as error:
            log.warning(f"the output of tool {call.name} was not sent: {error}")

    async def _output_of(self, call: FunctionCall, log: Log) -> str:
        if call.name not in self._tools:
            log.warning(f"the assistant asked for the tool {call.name}, which is not registered")
            return _failure(f"there is no tool {call.name}")
        tool, timeout = self._tools[call.name]
        try:
            arguments = _arguments_of(call)
            async with asyncio.timeout(timeout):
                return _as_text(await tool(**arguments))
        except ConfigurationError as error:
            log.warning(f"tool {call.name}: {error}")
            return _failure(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the tool's, and the assistant has to know
            log.error(f"tool {call.name} failed", error)
            return _failure(f"{type(error).__name__}: {error}".rstrip(": "))


def _arguments_of(call: FunctionCall) -> Mapping[str, Any]:
    try:
        arguments = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        raise ConfigurationError("the arguments are not JSON") from None
    if arguments is None:
        return {}
    if not isinstance(arguments, dict):
        raise ConfigurationError("the arguments are not a JSON object")
    return arguments


def _as_text(result: object) -> str:
    text = result if isinstance(result, str) else json.dumps(result)
    if len(text) > LONGEST_OUTPUT:
        raise ConfigurationError(f"the output has more than {LONGEST_OUTPUT} characters")
    return text


def _failure(why: str) -> str:
    return json.dumps({"error": why})
