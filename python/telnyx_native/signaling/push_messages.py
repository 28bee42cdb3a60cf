"""What a client says about push notifications after its login."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from telnyx_native.config import CredentialConfig, TokenConfig
from telnyx_native.errors import ConfigurationError
from telnyx_native.events import SocketMethod
from telnyx_native.push import PushProvider

if TYPE_CHECKING:
    from telnyx_native.config import TelnyxConfig
    from telnyx_native.push import PushConfig

__all__ = ["AttachCalls", "DisablePush"]


@dataclass(frozen=True)
class AttachCalls:
    """Ask for the call that a push announced; its invitation follows.

    Attributes:
        push: How the push came; `None` if this client does not know.
    """

    method: ClassVar[SocketMethod] = SocketMethod.ATTACH_CALLS
    sticky: ClassVar[bool] = False

    push: PushConfig | None

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        if self.push is None:
            return {"userVariables": {}}
        environment = {"push_notification_environment": self.push.environment.value}
        provider = {"push_notification_provider": self.push.provider.value}
        if self.push.provider is PushProvider.IOS:  # each as the SDK of its platform says it
            return provider | {"loginParams": {}, "userVariables": environment}
        return {"userVariables": environment | provider}


@dataclass(frozen=True)
class DisablePush:
    """Ask for no more notifications on a device.

    Attributes:
        identity: Whose notifications: `user` or `login_token`, as on the wire.
        push: The device.
    """

    method: ClassVar[SocketMethod] = SocketMethod.DISABLE_PUSH
    sticky: ClassVar[bool] = False

    identity: dict[str, str] = field(repr=False)
    push: PushConfig

    @classmethod
    def of(cls, config: TelnyxConfig | None) -> DisablePush:
        """The request of whoever is logged in.

        Raises:
            ConfigurationError: The login named no device.
        """
        match config:
            case CredentialConfig(sip_user=user, push=push) if push is not None:
                return cls({"user": user}, push)
            case TokenConfig(sip_token=token, push=push) if push is not None:
                return cls({"login_token": token}, push)
            case _:
                raise ConfigurationError("there is no push to disable: log in with a PushConfig first")

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        return self.identity | {
            # The device travels under this name in Telnyx's mobile SDKs.
            "User-Agent": {
                "push_device_token": self.push.push_device_token,
                "push_notification_provider": self.push.provider.value,
                "push_notification_environment": self.push.environment.value,
            }
        }
