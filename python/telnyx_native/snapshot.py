"""What another process needs to go on with the calls of a client: see `TelnyxClient.session_snapshot` and `resume`.

A server keeps answered calls for a while when their client is gone, and brings them back to whoever logs in with the
same session. So a snapshot is small: which session, which calls, and what the application keeps with each. Whoever has
one and the login can take the calls over; store it like a password.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from telnyx_native.errors import ConfigurationError
from telnyx_native.redaction import keep_secret
from telnyx_native.states import CallDirection

__all__ = ["MAX_APPLICATION_STATE", "CallSnapshot", "JSONValue", "SessionSnapshot"]

JSONValue = dict[str, "JSONValue"] | list["JSONValue"] | str | int | float | bool | None
"""What JSON can say."""

MAX_APPLICATION_STATE = 64 * 1024
"""Characters of JSON that an application may keep with a call."""

MAX_CALLS = 10_000
"""Calls that a snapshot may have: many times what one client can hold."""

VERSION = 1
"""Of the JSON. Another one is refused: what it says may mean something else."""


@dataclass(frozen=True)
class CallSnapshot:
    """An answered call.

    Attributes:
        call_id: Its id on the wire.
        direction: Who placed it.
        destination_number: Who was called.
        caller_name: The name of who calls.
        caller_number: The number of who calls.
        remote_name: The name of the remote.
        remote_number: The number of the remote.
        client_state: The text for the application on Telnyx's side.
        telnyx_session_id: Its `CallIds.session_id`.
        telnyx_leg_id: Its `CallIds.leg_id`.
        call_control_id: Its `CallIds.call_control_id`.
        held: Whether it is on hold.
        muted: Whether the remote hears silence.
        custom_headers: The SIP headers that this side sent.
        remote_headers: The SIP headers of the remote.
        application_state: What the application keeps with it, see `Call.application_state`.
    """

    call_id: str
    direction: CallDirection
    destination_number: str = field(default="", repr=False)
    caller_name: str = field(default="", repr=False)
    caller_number: str = field(default="", repr=False)
    remote_name: str = field(default="", repr=False)
    remote_number: str = field(default="", repr=False)
    client_state: str | None = field(default=None, repr=False)
    telnyx_session_id: str | None = field(default=None, repr=False)
    telnyx_leg_id: str | None = field(default=None, repr=False)
    call_control_id: str | None = field(default=None, repr=False)
    held: bool = False
    muted: bool = False
    custom_headers: dict[str, str] = field(default_factory=dict, repr=False)
    remote_headers: dict[str, str] = field(default_factory=dict, repr=False)
    application_state: JSONValue = field(default=None, repr=False)


@dataclass(frozen=True)
class SessionSnapshot:
    """A session with its answered calls, as it was at one moment. It can be pickled, and written as JSON.

    Attributes:
        session_id: The server's id of the session; never logged.
        account: Whose login it was; with tokens, a digest.
        server_instance: The instance of the server that has the calls, if it named itself.
        calls: The calls that are answered.
        taken_at: When.
    """

    session_id: str = field(repr=False)
    account: str = field(repr=False)
    server_instance: str | None = None
    calls: tuple[CallSnapshot, ...] = ()
    taken_at: datetime = field(default_factory=lambda: datetime.now(UTC), compare=False)

    def __post_init__(self) -> None:
        keep_secret(self, "session_id")

    def to_json(self) -> str:
        """Return it as a line of JSON, with its secrets."""
        return json.dumps(
            {
                "version": VERSION,
                "session_id": self.session_id,
                "account": self.account,
                "server_instance": self.server_instance,
                "taken_at": self.taken_at.isoformat(),
                "calls": [{**vars(call), "direction": call.direction.value} for call in self.calls],
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ConfigurationError: It is something else, or of another version; the message says what is wrong.
        """
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            raise ConfigurationError("this is no session snapshot: it is not JSON") from None
        reader = _Reader("snapshot", value)
        if (version := reader.value("version")) != VERSION:
            raise ConfigurationError(f"this session snapshot has version {version!r}, and {VERSION} can be read")
        calls = reader.value("calls")
        if not isinstance(calls, list) or len(calls) > MAX_CALLS:
            raise ConfigurationError(f"snapshot: calls is not a list of at most {MAX_CALLS}")
        return cls(
            session_id=reader.text("session_id"),
            account=reader.text("account"),
            server_instance=reader.optional_text("server_instance"),
            calls=tuple(_read_call(_Reader(f"snapshot: call {i}", call)) for i, call in enumerate(calls)),
            taken_at=reader.moment("taken_at"),
        )


def _read_call(reader: _Reader) -> CallSnapshot:
    return CallSnapshot(
        call_id=reader.text("call_id"),
        direction=reader.direction("direction"),
        destination_number=reader.text("destination_number"),
        caller_name=reader.text("caller_name"),
        caller_number=reader.text("caller_number"),
        remote_name=reader.text("remote_name"),
        remote_number=reader.text("remote_number"),
        client_state=reader.optional_text("client_state"),
        telnyx_session_id=reader.optional_text("telnyx_session_id"),
        telnyx_leg_id=reader.optional_text("telnyx_leg_id"),
        call_control_id=reader.optional_text("call_control_id"),
        held=reader.flag("held"),
        muted=reader.flag("muted"),
        custom_headers=reader.headers("custom_headers"),
        remote_headers=reader.headers("remote_headers"),
        application_state=check_application_state(reader.value("application_state")),
    )


def check_application_state(state: Any) -> JSONValue:
    """Return a copy of what an application keeps with a call.

    Raises:
        ConfigurationError: JSON cannot say it, or it is longer than `MAX_APPLICATION_STATE`.
    """
    try:
        text = json.dumps(state, allow_nan=False)
        copy: JSONValue = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"application_state is no JSON: {error}") from None
    if len(text) > MAX_APPLICATION_STATE:
        message = f"application_state has {len(text)} characters of JSON; {MAX_APPLICATION_STATE} are kept"
        raise ConfigurationError(message)
    return copy


class _Reader:
    """The members of a JSON object, each checked for its type."""

    def __init__(self, name: str, value: object) -> None:
        if not isinstance(value, dict):
            raise ConfigurationError(f"{name}: this is no JSON object")
        self._name = name
        self._value = value

    def value(self, key: str) -> Any:
        return self._value.get(key)

    def text(self, key: str) -> str:
        text: str = self._checked(key, str, "a text")
        return text

    def optional_text(self, key: str) -> str | None:
        return None if self.value(key) is None else self.text(key)

    def flag(self, key: str) -> bool:
        flag: bool = self._checked(key, bool, "true or false")
        return flag

    def headers(self, key: str) -> dict[str, str]:
        headers: dict[str, str] = self._checked(key, dict, "an object of texts")
        if not all(isinstance(text, str) for text in headers.values()):
            raise ConfigurationError(f"{self._name}: {key} is not an object of texts")
        return headers

    def direction(self, key: str) -> CallDirection:
        try:
            return CallDirection(self.text(key))
        except ValueError:
            raise ConfigurationError(f"{self._name}: {key} is neither inbound nor outbound") from None

    def moment(self, key: str) -> datetime:
        try:
            moment = datetime.fromisoformat(self.text(key))
        except ValueError:
            raise ConfigurationError(f"{self._name}: {key} is not a time in ISO 8601") from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _checked(self, key: str, kind: type[Any], what: str) -> Any:
        if not isinstance(value := self.value(key), kind):
            raise ConfigurationError(f"{self._name}: {key} is not {what}")
        return value
