"""What commands say: the JSON of Telnyx's own client, read and checked."""

from __future__ import annotations

import binascii
import math
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

from telnyx_native.gateway.calls.call_info import Headers, headers_from_wire
from telnyx_native.gateway.limits import memory_size
from telnyx_native.gateway.voice_api.refusals import Refusal
from telnyx_native.states import HangupCause
from telnyx_native.untrusted_text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Answer", "Bridge", "Command", "Dial", "Hangup", "Reject", "StartPlayback", "StopPlayback", "Transfer"]

LONGEST_TEXT = 2000
"""Characters of a text that a command may have, but for what is to be played."""

MOST_HEADERS = 16_384
"""Bytes of memory that the SIP headers of a command may take."""

SHORTEST_RINGING, USUAL_RINGING, LONGEST_RINGING = 5, 30, 600
"""Seconds of `timeout_secs`."""

SHORTEST_CALL, LONGEST_CALL = 30, 14_400
"""Seconds of `time_limit_secs`; a call that has none may last the longest."""

MOST_REPEATS = 100
"""How often a sound may be played, unless for ever."""

REJECTIONS = {
    "USER_BUSY": HangupCause.USER_BUSY,
    "CALL_REJECTED": HangupCause.CALL_REJECTED,
    "NOT_FOUND": HangupCause.UNALLOCATED_NUMBER,
    "TEMPORARILY_UNAVAILABLE": HangupCause.SUBSCRIBER_ABSENT,
}
"""What an inbound call may be rejected with: SIP 486, 603, 404 and 480."""


class Body:
    """The body of a command: what is taken from it is of the kind that it must be. What is unknown is ignored."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def text(self, name: str, most: int = LONGEST_TEXT) -> str | None:
        """Return a text on one line; `None` if there is none."""
        value = self._values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or len(value) > most:
            raise Refusal.invalid(name, f"it must be a string of up to {most} characters")
        return one_line(value)

    def required_text(self, name: str) -> str:
        """Return a text that must be there."""
        text = self.text(name)
        if text is None:
            raise Refusal.missing(name)
        return text

    def number(self, name: str, least: int, most: int) -> int | None:
        """Return a whole number within bounds; `None` if there is none."""
        value = self._values.get(name)
        if value is None:
            return None
        whole = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not whole or value != int(value) or not least <= value <= most:
            raise Refusal.invalid(name, f"it must be a whole number from {least} to {most}")
        return int(value)

    def flag(self, name: str) -> bool:
        """Return whether something is wanted; it is not if nothing is said about it."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, bool):
            raise Refusal.invalid(name, "it must be true or false")
        return bool(value)

    def state(self, name: str) -> str | None:
        """Return a state of the application, which is base64."""
        text = self.text(name)
        try:
            b64decode(text or "", validate=True)
        except (binascii.Error, ValueError):
            raise Refusal.invalid(name, "it must be base64") from None
        return text

    def headers(self) -> Headers:
        """Return the SIP headers."""
        value = self._values.get("custom_headers")
        if value is None:
            return ()
        entries = value if isinstance(value, list) else [None]
        good = all(isinstance(each, dict) and isinstance(each.get("name"), str) for each in entries)
        if not good or memory_size(entries) > MOST_HEADERS:
            raise Refusal.invalid("custom_headers", "it must be a short list of objects with name and value")
        return headers_from_wire(entries)

    def destination(self) -> str:
        """Return where a call is to go: one number or SIP URI."""
        to = self._values.get("to")
        if isinstance(to, list) and len(to) == 1:
            to = to[0]
        if to is None or to == "":
            raise Refusal.missing("to")
        if not isinstance(to, str) or len(to) > LONGEST_TEXT or not to.isprintable():
            raise Refusal.invalid("to", "this gateway takes one number or SIP URI")
        return to

    def repeats(self) -> int | None:
        """Return how often a sound is played; `None` for ever."""
        value = self._values.get("loop")
        if value == "infinity":
            return None
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 4:
            return Body({"loop": int(value)}).number("loop", 1, MOST_REPEATS)
        return self.number("loop", 1, MOST_REPEATS) or 1

    def parks(self) -> bool:
        """Whether the call stays when the other side of its bridge goes."""
        value = self._values.get("park_after_unbridge")
        if value not in (None, "self"):
            raise Refusal.invalid("park_after_unbridge", 'it must be "self"')
        return value == "self"


@dataclass(frozen=True)
class Command:
    """What every command may say.

    Attributes:
        client_state: What later webhooks of the call repeat.
        command_id: A command with the id of another one for the same call is not carried out again.
        webhook_url: Where later webhooks of the call go.
    """

    client_state: str | None
    command_id: str | None
    webhook_url: str | None

    @classmethod
    def read(cls, body: Body) -> Self:
        """Read a command.

        Raises:
            Refusal: A parameter is missing, or not what it must be.
        """
        common = {
            "client_state": body.state("client_state"),
            "command_id": body.text("command_id"),
            "webhook_url": body.text("webhook_url"),
        }
        return cls(**common, **cls._read(body))

    @classmethod
    def _read(cls, _body: Body) -> dict[str, Any]:
        """Return what this kind of command says beside that."""
        return {}


@dataclass(frozen=True)
class Answer(Command):
    """Answer an inbound call; `headers` go with it."""

    headers: Headers

    @classmethod
    def _read(cls, body: Body) -> dict[str, Any]:
        return {"headers": body.headers()}


@dataclass(frozen=True)
class Reject(Command):
    """Refuse an inbound call that is not answered."""

    cause: HangupCause

    @classmethod
    def _read(cls, body: Body) -> dict[str, Any]:
        cause = REJECTIONS.get(body.required_text("cause"))
        if cause is None:
            raise Refusal.invalid("cause", f"it must be one of {', '.join(REJECTIONS)}")
        return {"cause": cause}


@dataclass(frozen=True)
class Hangup(Command):
    """End a call."""


@dataclass(frozen=True)
class NewLeg(Command):
    """What commands say that place a call.

    Attributes:
        to: A SIP URI, a number or a destination of the gateway.
        caller: The number that the called side sees.
        caller_name: The name that it sees.
        headers: SIP headers that travel with the call.
        ring_time: Seconds that it may ring.
        time_limit: Seconds that it may last.
        parks: Whether this call stays when the other side of its bridge goes.
    """

    to: str
    caller: str | None
    caller_name: str | None
    headers: Headers
    ring_time: int
    time_limit: int
    parks: bool

    @classmethod
    def _read(cls, body: Body) -> dict[str, Any]:
        return {
            "to": body.destination(),
            "caller": body.text("from", 128),
            "caller_name": body.text("from_display_name", 128),
            "headers": body.headers(),
            "ring_time": body.number("timeout_secs", SHORTEST_RINGING, LONGEST_RINGING) or USUAL_RINGING,
            "time_limit": body.number("time_limit_secs", SHORTEST_CALL, LONGEST_CALL) or LONGEST_CALL,
            "parks": body.parks(),
        }


@dataclass(frozen=True)
class Transfer(NewLeg):
    """Connect a call with a new one.

    Attributes:
        target_state: The `client_state` of the new call.
    """

    target_state: str | None

    @classmethod
    def _read(cls, body: Body) -> dict[str, Any]:
        return super()._read(body) | {"target_state": body.state("target_leg_client_state")}


@dataclass(frozen=True)
class Dial(NewLeg):
    """Place a call.

    Attributes:
        application: The name of the application that it belongs to.
        link_to: The call whose session it belongs to.
        bridges: Whether it is bridged with that call when it is answered.
    """

    caller: str
    application: str
    link_to: str | None
    bridges: bool

    @classmethod
    def _read(cls, body: Body) -> dict[str, Any]:
        body.required_text("from")
        link_to, bridges = body.text("link_to"), body.flag("bridge_on_answer")
        if link_to is None and (bridges or body.flag("bridge_intent") or body.parks()):
            raise Refusal.missing("link_to")
        return super()._read(body) | {
            "application": body.required_text("connection_id"),
            "link_to": link_to,
            "bridges": bridges,
        }


@dataclass(frozen=True)
class Bridge(Command):
    """Connect two calls.

    Attributes:
        other: The `call_control_id` of the other one.
        parks: Whether this call stays when the other one goes.
        prevents_double_bridge: Whether it is refused when the other one is bridged already.
    """

    other: str
    parks: bool
    prevents_double_bridge: bool

    @classmethod
    def _read(cls, body: Body) -> dict[str, Any]:
        return {
            "other": body.required_text("call_control_id"),
            "parks": body.parks(),
            "prevents_double_bridge": body.flag("prevent_double_bridge"),
        }


@dataclass(frozen=True)
class StartPlayback(Command):
    """Play something to the client of a call.

    Attributes:
        url: Where it is; `None` if it comes along.
        content: The sound itself: a file in base64.
        repeats: How often it is played; `None` for ever.
        stop: What it takes the place of, if not played after it.
    """

    url: str | None
    content: bytes
    repeats: int | None
    stop: Literal["current", "all"] | None

    @classmethod
    def _read(cls, body: Body) -> dict[str, Any]:
        url, content = body.text("audio_url"), body.text("playback_content", 1 << 16)
        if url is None and content is None:
            raise Refusal.missing("audio_url")
        try:
            sound = b64decode(content or "", validate=True)
        except (binascii.Error, ValueError):
            raise Refusal.invalid("playback_content", "it must be base64") from None
        return {"url": url, "content": sound, "repeats": body.repeats(), "stop": _what_stops(body)}


@dataclass(frozen=True)
class StopPlayback(Command):
    """Stop what is played.

    Attributes:
        stop: What is now, or also what waits.
    """

    stop: Literal["current", "all"]

    @classmethod
    def _read(cls, body: Body) -> dict[str, Any]:
        return {"stop": _what_stops(body) or "all"}


def _what_stops(body: Body) -> Literal["current", "all"] | None:
    match body.text("stop"):
        case None:
            return None
        case "current" | "all" as what:
            return what
    raise Refusal.invalid("stop", "it must be current or all")
