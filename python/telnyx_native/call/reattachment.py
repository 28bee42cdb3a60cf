"""A call whose connection to the server was lost waits here until the server brings it back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from telnyx_native.codes import WarningCode
from telnyx_native.errors import CallError, RequestTimeoutError, SocketConnectionError, TelnyxError
from telnyx_native.states import CallNetworkChangeReason, CallState, CallTerminationReason, is_legal_transition

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from telnyx_native.call.lifecycle import Lifecycle
    from telnyx_native.logs import Log

__all__ = ["Reattachment"]


async def _over(_: str) -> None:
    raise CallError("the call is over")


def _stands_no_more() -> bool:
    return False


def _warn_nobody(_: WarningCode, __: str) -> None:
    return


class Reattachment:
    """Keeps one call through the loss of its connection, for a limited time. Its audio goes on meanwhile.

    Args:
        life: The life of the call.
        move: Answers the server's offer of a new audio path, and moves the audio there.
        stands: Whether the audio path of the call stands.
        warn: Takes what is odd.
        limit: Seconds from the loss until the call is given up.
        log: Where failures are noted.
    """

    def __init__(
        self,
        life: Lifecycle,
        move: Callable[[str], Awaitable[None]],
        *,
        stands: Callable[[], bool],
        warn: Callable[[WarningCode, str], None],
        limit: float,
        log: Log,
    ) -> None:
        self._life = life
        self._move = move
        self._stands = stands
        self._warn = warn
        self._limit = limit
        self._log = log
        self._deadline: asyncio.Task[None] | None = None
        self._attempt: asyncio.Task[None] | None = None
        self._offer = ""

    def wait(self, reason: CallNetworkChangeReason) -> None:
        """The connection was lost, for the first time or while the call was being brought back."""
        if self._attempt is not None:
            self._attempt.cancel()
        self._offer = ""
        self._life.enter(CallState.RECONNECTING(reason))
        if self._deadline is None:
            self._deadline = self._life.spawn(self._expire(reason))

    def take(self, offer: str) -> None:
        """Go on with the audio path that the server offers. One that cannot be had leaves the call on the old path."""
        if offer == self._offer:
            self._log.debug("the offer of a new audio path came twice")
            return
        self._offer = offer
        if self._attempt is not None:
            self._attempt.cancel()
        self._attempt = self._life.spawn(self._attach(offer))

    def give_up(self, reason: CallNetworkChangeReason) -> None:
        """The call cannot be brought back: it is dropped."""
        dropped = CallState.DROPPED(reason)
        if is_legal_transition(self._life.state, dropped):
            self._life.enter(dropped)
        self._life.finish(CallTerminationReason(reason.name, sip_reason=reason.description), tell=False)

    def close(self) -> None:
        """Let go of the call, which is over."""
        self._move, self._stands, self._warn = _over, _stands_no_more, _warn_nobody
        self._attempt = self._deadline = None

    async def _attach(self, offer: str) -> None:
        try:
            await self._move(offer)
        except (SocketConnectionError, RequestTimeoutError) as error:
            self._log.debug(f"the call was not brought back yet: {error}")
            return
        except TelnyxError as error:
            if not self._stands():
                raise
            self._warn(WarningCode.MEDIA_RECOVERY_REQUIRED, f"it stays on its old path, the new one is no use: {error}")
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if isinstance(self._life.state, CallState.RECONNECTING):
            self._life.enter(self._life.standing)

    async def _expire(self, reason: CallNetworkChangeReason) -> None:
        await asyncio.sleep(self._limit)
        self._log.warning(f"the call was not brought back within {self._limit:g} s")
        self.give_up(reason)
