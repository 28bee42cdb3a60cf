"""The envelope of every message: the JSON-RPC 2.0 dialect that Telnyx WebRTC speaks, for both directions.

It differs from JSON-RPC in that results are always objects, that a top-level `voice_sdk_id` names the server
instance that owns the session, and that debug reports carry a `type` where others carry a `method`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from math import inf
from typing import Any, NoReturn
from uuid import uuid4

from telnyx_native.errors import MalformedFrameError
from telnyx_native.untrusted_text import clean_json, one_line

__all__ = ["Error", "Frame", "MessageId", "Request", "Result", "new_id", "parse"]

_DEBUG_REPORT = "debug_report_"

LONGEST_NAME = 256
"""Characters of a method or an instance."""

LONGEST_TEXT = 1024
"""Characters of the text of an error."""

MessageId = str | float
"""Clients number their requests with UUIDs, servers with integers, some with fractions: echoed as they come."""


def new_id() -> str:
    """A fresh id for a request of a client, as the Telnyx JS SDK makes them."""
    return str(uuid4())


@dataclass(frozen=True)
class Request:
    """A request, or a notification when it has no id.

    Attributes:
        method: What is asked for.
        params: The details. They may hold secrets, so they are left out of the repr.
        id: What the answer refers to.
        voice_sdk_id: The server instance that owns the session.
    """

    method: str
    params: dict[str, Any] = field(default_factory=dict, repr=False)
    id: MessageId | None = None
    voice_sdk_id: str | None = None

    def encode(self) -> str:
        """The frame on the wire."""
        if self.method.startswith(_DEBUG_REPORT):
            return _encode(self.id, self.voice_sdk_id, type=self.method, **self.params)
        return _encode(self.id, self.voice_sdk_id, method=self.method, params=self.params)


@dataclass(frozen=True)
class Result:
    """The good answer to the request with the same id."""

    id: MessageId
    result: dict[str, Any] = field(default_factory=dict, repr=False)
    voice_sdk_id: str | None = None

    def encode(self) -> str:
        """The frame on the wire."""
        return _encode(self.id, self.voice_sdk_id, result=self.result)


@dataclass(frozen=True)
class Error:
    """The bad answer to the request with the same id; without id when the request could not be read.

    `cause` is the name of a hang-up cause, as FreeSWITCH adds it when a call could not be.
    """

    id: MessageId | None
    code: int
    message: str
    voice_sdk_id: str | None = None
    cause: str | None = None

    def encode(self) -> str:
        """The frame on the wire."""
        return _encode(self.id, self.voice_sdk_id, error={"code": self.code, "message": self.message})


Frame = Request | Result | Error


def parse(frame: str | bytes) -> Frame:
    """Read one frame.

    Missing or null `params` become an empty object; unknown members are ignored. All texts are cleaned here, once: they
    have no control characters and no halves of characters (see `untrusted_text.clean`).

    Raises:
        MalformedFrameError: The frame is not JSON, or not one of the three kinds. It carries the id of the
            frame when that could be read.
    """
    message = _load(frame)
    message_id = _message_id(message)
    if message.get("jsonrpc", "2.0") != "2.0":
        raise MalformedFrameError("jsonrpc is not 2.0", id=message_id)
    voice_sdk_id = message.get("voice_sdk_id")
    voice_sdk_id = one_line(voice_sdk_id)[:LONGEST_NAME] if isinstance(voice_sdk_id, str) else None

    if "method" in message:
        params = _object(message, "params", message_id, default={})
        return Request(_name(message, "method", message_id), params, message_id, voice_sdk_id)
    if "error" in message:
        error = _object(message, "error", message_id)
        cause = error.get("cause")
        text = one_line(str(error.get("message") or "Unknown error"))[:LONGEST_TEXT]
        return Error(message_id, _code(error), text, voice_sdk_id, cause if isinstance(cause, str) else None)
    if "result" in message:
        if message_id is None:
            raise MalformedFrameError("a result without id")
        return Result(message_id, _object(message, "result", message_id), voice_sdk_id)
    if "type" in message:
        body = {k: v for k, v in message.items() if k not in {"jsonrpc", "id", "type", "voice_sdk_id"}}
        return Request(_name(message, "type", message_id), body, message_id, voice_sdk_id)
    raise MalformedFrameError("neither request nor answer", id=message_id)


def _encode(message_id: MessageId | None, voice_sdk_id: str | None, **body: object) -> str:
    message: dict[str, object] = {"jsonrpc": "2.0"}
    if message_id is not None:
        message["id"] = message_id
    message |= body
    if voice_sdk_id is not None:
        message["voice_sdk_id"] = voice_sdk_id
    return json.dumps(message, separators=(",", ":"))


def _load(frame: str | bytes) -> dict[str, Any]:
    try:
        text = frame if isinstance(frame, str) else frame.decode()
        message = clean_json(json.loads(text, parse_constant=_refuse_constant), text)
    except (ValueError, RecursionError) as error:
        # The text of the error may quote the frame, and with it a secret: say only what kind it was.
        raise MalformedFrameError(f"not JSON ({type(error).__name__})") from None
    if not isinstance(message, dict):
        raise MalformedFrameError(f"a JSON {type(message).__name__} where an object is due")
    return message


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _message_id(message: dict[str, Any]) -> MessageId | None:
    message_id = message.get("id")
    is_id = isinstance(message_id, str | int | float) and not isinstance(message_id, bool)
    if message_id is None or (is_id and message_id not in (inf, -inf)):
        return message_id
    raise MalformedFrameError(f"the id is a {type(message_id).__name__}")


def _name(message: dict[str, Any], key: str, message_id: MessageId | None) -> str:
    name = message[key]
    if not isinstance(name, str) or not name:
        raise MalformedFrameError(f"{key} is not a name", id=message_id)
    return one_line(name)[:LONGEST_NAME]


def _object(
    message: dict[str, Any],
    key: str,
    message_id: MessageId | None,
    default: dict[str, Any] | None = None,
) -> dict[str, Any]:
    value = message.get(key)
    if value is None and default is not None:
        return default
    if not isinstance(value, dict):
        raise MalformedFrameError(f"{key} is a {type(value).__name__} where an object is due", id=message_id)
    return value


def _code(error: dict[str, Any]) -> int:
    try:
        return int(error["code"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return 0
