"""From a login to a registration: waiting for the SIP gateway that the platform runs for the user.

Numbers and verdicts are those of the Telnyx Android SDK: the state is asked for up to three times, three
seconds apart.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from telnyx_native.errors import (
    GATEWAY_REGISTRATION_FAILED,
    GATEWAY_REGISTRATION_TIMEOUT,
    GatewayRegistrationError,
    RequestTimeoutError,
    TelnyxError,
)
from telnyx_native.events import ClientReadyResponse, GatewayStateResponse
from telnyx_native.states import GatewayState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["LOST_REGISTRATION", "Registration"]

_TIMED_OUT = {GatewayState.NOREG, GatewayState.EXPIRED}
LOST_REGISTRATION = {GatewayState.FAILED, GatewayState.FAIL_WAIT, GatewayState.DOWN, GatewayState.TIMEOUT}
"""States from which a registration does not come back by itself."""


class Registration:
    """One attempt to get registered.

    It is told what the server says (`hear`) while `complete` waits.

    Args:
        ask: Asks the server for the state, waiting at most `interval`.
        ready_timeout: Seconds to wait for the server to say that it is ready.
        interval: Seconds between two questions.
        polls: How often to ask.
    """

    def __init__(
        self,
        ask: Callable[[], Awaitable[GatewayStateResponse]],
        *,
        ready_timeout: float,
        interval: float,
        polls: int,
    ) -> None:
        self._ask = ask
        self._ready_timeout = ready_timeout
        self._interval = interval
        self._polls = polls
        self._heard: asyncio.Queue[ClientReadyResponse | GatewayStateResponse | TelnyxError] = asyncio.Queue()

    def hear(self, news: ClientReadyResponse | GatewayStateResponse | TelnyxError) -> None:
        """Take what the server pushed, or the error that ended the connection."""
        self._heard.put_nowait(news)

    async def complete(self) -> GatewayStateResponse:
        """Return once the gateway is registered.

        Raises:
            GatewayRegistrationError: It failed (code -32004) or took too long (code -32003).
            SocketConnectionError: The connection ended first.
        """
        first = await self._next(self._ready_timeout)
        if first is None:
            raise _timed_out("the server accepted the login but never said that it is ready")
        if isinstance(first, GatewayStateResponse) and _is_registered(first):
            return first
        for _ in range(self._polls):
            try:
                state = await self._ask()
            except RequestTimeoutError:
                continue
            if _is_registered(state):
                return state
            registered = await self._pushed()
            if registered:
                return registered
        raise _timed_out("Gateway registration has timed out")

    async def _pushed(self) -> GatewayStateResponse | None:
        """Listen for one interval; return the registered state if it is pushed meanwhile."""
        deadline = asyncio.get_running_loop().time() + self._interval
        while news := await self._next(deadline - asyncio.get_running_loop().time()):
            if isinstance(news, GatewayStateResponse) and _is_registered(news):
                return news
        return None

    async def _next(self, timeout: float) -> ClientReadyResponse | GatewayStateResponse | None:
        try:
            async with asyncio.timeout(timeout):
                news = await self._heard.get()
        except TimeoutError:
            return None
        if isinstance(news, TelnyxError):
            raise news
        return news


def _is_registered(response: GatewayStateResponse) -> bool:
    """Whether the state is the wanted one; raises if it never will be."""
    if response.state in _TIMED_OUT:
        raise _timed_out(f"Gateway registration has timed out: the gateway says {response.state.value}")
    if response.state in LOST_REGISTRATION:
        message = f"Gateway registration has failed: the gateway says {response.state.value}"
        raise GatewayRegistrationError(message, code=GATEWAY_REGISTRATION_FAILED)
    return response.state is GatewayState.REGED


def _timed_out(message: str) -> GatewayRegistrationError:
    hint = "; check the SIP connection of the user in the Telnyx portal, or try again"
    return GatewayRegistrationError(message + hint, code=GATEWAY_REGISTRATION_TIMEOUT)
