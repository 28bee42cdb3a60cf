"""Push notifications: which devices are to be notified of calls, and with what.

Nothing leaves this machine. What Firebase or Apple would deliver is an event of the gateway.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from telnyx_native.flow import SharedFlow
from telnyx_native.push import PushKind, PushProvider

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from telnyx_native.gateway.calls.call_info import CallInfo

__all__ = ["PushDevice", "PushIntent", "PushNotification", "PushService"]

logger = logging.getLogger(__name__)

MOST_DEVICES = 10
"""Devices of a user; beyond it the oldest goes."""

LONGEST_TOKEN = 4096
"""Characters of a device's token; longer ones are not taken."""

_INCOMING = "Incoming call!"
"""Clients take any text that is none of the fixed ones for this."""


class PushIntent(Enum):
    """What a client that logs in wants with the calls that wait for it."""

    NONE = "leave them"
    TAKE = "have them"
    DECLINE = "decline them"

    @classmethod
    def of_login(cls, params: Mapping[str, Any]) -> PushIntent:
        """Read the parameters of a login; the clients differ in names, and in texts or truth values."""
        wanted = params.get("loginParams")
        if not isinstance(wanted, dict):
            return cls.NONE
        if _is_true(wanted.get("decline_push")):
            return cls.DECLINE
        return cls.TAKE if _is_true(wanted.get("attach_call")) or _is_true(wanted.get("attach_calls")) else cls.NONE


@dataclass(frozen=True)
class PushDevice:
    """A device that calls are announced to.

    Attributes:
        token: Its token at the provider; never logged.
        provider: Who would deliver the notifications.
        when_active: Whether calls are announced while a client is connected, too.
        missed_calls: Whether it wants to hear of missed calls.
    """

    token: str = field(repr=False)
    provider: PushProvider
    when_active: bool = False
    missed_calls: bool = False

    @classmethod
    def of_login(cls, params: Mapping[str, Any]) -> PushDevice | None:
        """Read the parameters of a login; `None` if they name no device."""
        variables, agent = params.get("userVariables"), params.get("User-Agent")
        token = variables.get("push_device_token") if isinstance(variables, dict) else None
        if not isinstance(variables, dict) or not isinstance(token, str) or not 0 < len(token) <= LONGEST_TOKEN:
            return None
        apple = variables.get("push_notification_provider") == PushProvider.IOS.value
        return cls(
            token=token,
            provider=PushProvider.IOS if apple else PushProvider.ANDROID,
            when_active=_is_true(variables.get("push_when_active")),
            # Firebase devices always hear of them; the iOS and React Native SDKs say it in their name.
            missed_calls=not apple or (isinstance(agent, str) and "-mpn-" in agent),
        )


@dataclass(frozen=True)
class PushNotification:
    """What a device would get.

    Attributes:
        user: Whose device it is.
        provider: Who would deliver it.
        kind: What it is about.
        metadata: What it says about the call: `caller_name`, `caller_number`, `call_id`, `voice_sdk_id`.
    """

    user: str
    provider: PushProvider
    kind: PushKind
    metadata: Mapping[str, str]

    @property
    def payload(self) -> dict[str, Any]:
        """The notification as an app gets it.

        Firebase carries the metadata as JSON text. Apple carries it as an object, and the text in `aps.alert`, where
        notifications have what is shown (Apple, "Generating a remote notification").
        """
        text, metadata = self.kind.value or _INCOMING, dict(self.metadata)
        if self.provider is PushProvider.ANDROID:
            return {"message": text, "metadata": json.dumps(metadata)}
        return {"aps": {"alert": text}, "message": text, "metadata": metadata}


class PushService:
    """Knows the devices of the users, and makes the notifications.

    Attributes:
        sent: The notifications, as they are made.
    """

    def __init__(self, on_sent: Callable[[PushNotification], None]) -> None:
        self._on_sent = on_sent
        self.sent: SharedFlow[PushNotification] = SharedFlow()
        self._devices: dict[str, dict[str, PushDevice]] = {}

    def register(self, user: str, device: PushDevice) -> None:
        """Announce the calls of a user to a device from now on."""
        devices = self._devices.setdefault(user, {})
        devices.pop(device.token, None)
        devices[device.token] = device
        if len(devices) > MOST_DEVICES:
            del devices[next(iter(devices))]

    def forget(self, user: str, token: str | None) -> None:
        """Announce nothing more to a device of a user, or to none of them without a token."""
        if token is None:
            self._devices.pop(user, None)
        else:
            self._devices.get(user, {}).pop(token, None)

    def announces(self, user: str, *, active: bool) -> bool:
        """Whether a call to a user is announced to a device, when a client is connected or not."""
        return any(device.when_active or not active for device in self._devices.get(user, {}).values())

    def notify(self, user: str, kind: PushKind, info: CallInfo, voice_sdk_id: str) -> None:
        """Notify the devices of a user about a call."""
        metadata = {
            "caller_name": info.caller.name,
            "caller_number": info.caller.number,
            "call_id": info.call_id,
            "voice_sdk_id": voice_sdk_id,
        }
        for device in self._devices.get(user, {}).values():
            if kind is not PushKind.MISSED_CALL or device.missed_calls:
                logger.info("push to %s: %s", user, kind.value or _INCOMING)
                notification = PushNotification(user, device.provider, kind, metadata)
                self.sent.emit(notification)
                self._on_sent(notification)

    def close(self) -> None:
        """End the notifications."""
        self.sent.close()


def _is_true(value: object) -> bool:
    return value is True or value == "true"
