"""Declining a call that a push notification announced, over a connection made for nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_native.config import Limits, route
from telnyx_native.logs import Log
from telnyx_native.signaling.logins import Purpose, login_of
from telnyx_native.signaling.session import Session

if TYPE_CHECKING:
    from telnyx_native.config import TelnyxConfig, Timeouts, TxServerConfiguration
    from telnyx_native.errors import SocketConnectionError
    from telnyx_native.events import ReceivedResult
    from telnyx_native.push import PushMetaData

__all__ = ["decline"]


async def decline(meta: PushMetaData, config: TelnyxConfig, server: TxServerConfiguration, timeouts: Timeouts) -> None:
    """Connect to where the call is held, log in to decline it, and leave.

    Raises:
        SocketConnectionError: The server cannot be reached, or the connection ended too early.
        AuthenticationError: The server refused the login.
        GatewayRegistrationError: The SIP registration did not come up.
        RequestTimeoutError: The server did not answer.
    """
    log = Log("push", config.log_level, config.custom_logger)
    session = Session(timeouts, Limits(), _Deaf())
    try:
        first, fallback = route(config, server)
        await session.open(first, log, fallback=fallback, instance=meta.query())
        await session.login(login_of(config, Purpose.DECLINE_PUSH))
        log.info(f"declined call {meta.call_id}")
    finally:
        await session.close()


class _Deaf:
    """Hears nothing: whatever the server still says about the call is of no interest."""

    def on_message(self, method: str, result: ReceivedResult | None) -> bool:  # noqa: ARG002 - not heard
        return False

    def on_lost(self, error: SocketConnectionError) -> bool:  # noqa: ARG002
        return False

    def on_set_back(self) -> None:
        pass

    def on_punt(self) -> None:
        pass

    def on_login_lost(self) -> None:
        pass
