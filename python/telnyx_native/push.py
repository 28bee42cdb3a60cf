"""Push notifications: what a login says to get them, what one says of its call, and that call until its INVITE."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar

from telnyx_native.errors import (
    ConfigurationError,
    FlowClosedError,
    InviteTimeoutError,
    SocketConnectionError,
    WaitTimeoutError,
)
from telnyx_native.flow import StateFlow
from telnyx_native.redaction import keep_secret
from telnyx_native.states import HangupCause

__all__ = ["PushConfig", "PushEnvironment", "PushKind", "PushMetaData", "PushProvider"]


class PushProvider(Enum):
    """Who delivers the notifications; the value is the one on the wire."""

    ANDROID = "android"
    """Firebase Cloud Messaging."""
    IOS = "ios"
    """Apple Push Notification service."""


class PushEnvironment(Enum):
    """Which of the provider's environments the token belongs to."""

    PRODUCTION = "production"
    DEBUG = "debug"


@dataclass(frozen=True)
class PushConfig:
    """Where calls are announced while no client is connected.

    Attributes:
        push_device_token: The device's token at the provider; never logged.
        provider: Who delivers the notifications.
        environment: Which of its environments the token belongs to.
        push_when_active: Announce calls while a client is connected, too.
        missed_calls: Tell of missed calls (Telnyx iOS SDK: `enableMissedCallNotifications`).
    """

    push_device_token: str = field(repr=False)
    provider: PushProvider = PushProvider.ANDROID
    environment: PushEnvironment = PushEnvironment.PRODUCTION
    push_when_active: bool = False
    missed_calls: bool = False

    def __post_init__(self) -> None:
        if not self.push_device_token:
            raise ConfigurationError("push_device_token is empty")
        keep_secret(self, "push_device_token")


class PushKind(Enum):
    """What a notification is about; the value is its `message`, where it has a fixed one."""

    INCOMING_CALL = ""
    MISSED_CALL = "Missed call!"
    ANSWERED_ELSEWHERE = "Answered Elsewhere"


@dataclass(frozen=True)
class PushMetaData:
    """What a notification says about its call.

    Attributes:
        kind: What the notification is about.
        caller_name: The name of who calls.
        caller_number: The number of who calls.
        call_id: The call, as the notification names it; its invitation may name it differently.
        voice_sdk_id: The server instance that holds the call.
        rtc_ip: The address of that instance, when it is to be pinned.
        rtc_port: Its port.
        parent_call_id: The call that this one belongs to.
    """

    kind: PushKind = PushKind.INCOMING_CALL
    caller_name: str = ""
    caller_number: str = ""
    call_id: str = ""
    voice_sdk_id: str = ""
    rtc_ip: str = ""
    rtc_port: int | None = None
    parent_call_id: str = ""

    @classmethod
    def parse(cls, payload: str | Mapping[str, Any]) -> PushMetaData:
        """Read a notification in any of the shapes in which Telnyx sends them.

        Args:
            payload: The data of a Firebase message (its `metadata` is JSON text), the dictionary of an Apple
                notification (its `metadata` is an object), or the metadata alone; each as an object or as JSON.

        Raises:
            ConfigurationError: It is none of these.
        """
        data = _object(payload)
        metadata = _object(data["metadata"]) if "metadata" in data else data
        port = _text(metadata, "rtc_port")
        return cls(
            kind=_kind_of(data),
            caller_name=_text(metadata, "caller_name"),
            caller_number=_text(metadata, "caller_number"),
            call_id=_text(metadata, "call_id"),
            voice_sdk_id=_text(metadata, "voice_sdk_id"),
            rtc_ip=_text(metadata, "rtc_ip"),
            rtc_port=int(port) if re.fullmatch("[0-9]{1,5}", port) and int(port) < 65_536 else None,
            parent_call_id=_text(metadata, "parent_call_id"),
        )

    def query(self) -> dict[str, str]:
        """What leads a connection to the server instance that holds the call."""
        query = {"voice_sdk_id": self.voice_sdk_id, "rtc_ip": self.rtc_ip, "rtc_port": str(self.rtc_port or "")}
        return {name: value for name, value in query.items() if value}


def _kind_of(data: Mapping[str, Any]) -> PushKind:
    """What a notification is about, by its text: Firebase has that in `message`, Apple in `aps.alert`, which may be an
    object with `title` and `body`. Any other text announces a call.
    """  # noqa: D205 - one sentence
    aps = data.get("aps")
    alert = aps.get("alert") if isinstance(aps, Mapping) else None
    said = [_text(alert, key) for key in ("title", "body")] if isinstance(alert, Mapping) else [alert]
    for text in (_text(data, "message"), *said):
        for kind in (PushKind.MISSED_CALL, PushKind.ANSWERED_ELSEWHERE):
            if isinstance(text, str) and text.strip().casefold().startswith(kind.value.rstrip("!").casefold()):
                return kind
    return PushKind.INCOMING_CALL


def _object(payload: object) -> Mapping[str, Any]:
    if isinstance(payload, str):
        try:
            payload = json.loads(payload)
        except (ValueError, RecursionError):
            raise ConfigurationError("the push metadata is not JSON; pass the notification's data as it came") from None
    if not isinstance(payload, Mapping):
        raise ConfigurationError(f"the push metadata is a {type(payload).__name__} where an object is due")
    return payload


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


CallT = TypeVar("CallT")


class PushedCall(Generic[CallT]):
    """Waits for the first INVITE, which is that of the announced call.

    Args:
        meta: What the notification said.
        limit: Seconds from `expect` to the INVITE.
        declined: Whether it is to be declined, not answered.

    Attributes:
        meta: What the notification said.
        declined: Whether it is to be declined, not answered.
    """

    def __init__(self, meta: PushMetaData, limit: float, *, declined: bool = False) -> None:
        self.meta = meta
        self.declined = declined
        self._limit = limit
        self._deadline = float("inf")
        self._call: StateFlow[CallT | None] = StateFlow(None)

    @property
    def call(self) -> CallT | None:
        """The call, once its INVITE has arrived."""
        return self._call.value

    def known_as(self, call_id: str) -> CallT | None:
        """The call, if it has arrived and `call_id` is its id in the notification."""
        return self.call if self.meta.call_id.lower() == call_id.lower() else None

    def expect(self) -> None:
        """Start the time limit."""
        self._deadline = asyncio.get_running_loop().time() + self._limit

    def take(self, call: CallT) -> None:
        """Take an inbound call; the first one is the announced call."""
        if self._call.value is None:
            self._call.set(call)

    def abort(self) -> None:
        """The connection is lost: the INVITE will not arrive."""
        self._call.close()

    async def wait(self) -> CallT:
        """Return the call once its INVITE has arrived.

        Raises:
            InviteTimeoutError: It did not come in time.
            SocketConnectionError: The connection ended first.
        """
        left = min(self._limit, self._deadline - asyncio.get_running_loop().time())
        try:
            call = await self._call.wait_for(lambda call: call is not None, timeout=max(0.0, left))
        except WaitTimeoutError:
            cause = HangupCause.ORIGINATOR_CANCEL
            message = f"no invitation came within {self._limit:g} s of the login ({cause.name}): the caller has gone"
            raise InviteTimeoutError(message, code=cause.code) from None
        except FlowClosedError:
            raise SocketConnectionError("the connection ended before the announced call came") from None
        assert call is not None  # noqa: S101 - that is what was waited for
        return call
