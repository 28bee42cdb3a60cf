"""The call that a push notification announced, until its INVITE arrives."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from telnyx_native.errors import FlowClosedError, InviteTimeoutError, SocketConnectionError, WaitTimeoutError
from telnyx_native.flow import StateFlow
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from telnyx_native.call import Call
    from telnyx_native.push import PushMetaData

__all__ = ["PushedCall"]


class PushedCall:
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
        self._call: StateFlow[Call | None] = StateFlow(None)

    @property
    def call(self) -> Call | None:
        """The call, once its INVITE has arrived."""
        return self._call.value

    def known_as(self, call_id: str) -> Call | None:
        """The call, if it has arrived and `call_id` is its id in the notification."""
        return self.call if self.meta.call_id.lower() == call_id.lower() else None

    def expect(self) -> None:
        """Start the time limit."""
        self._deadline = asyncio.get_running_loop().time() + self._limit

    def take(self, call: Call) -> None:
        """Take an inbound call; the first one is the announced call."""
        if self._call.value is None:
            self._call.set(call)

    def abandon(self) -> None:
        """The connection is lost: the INVITE will not arrive."""
        self._call.close()

    async def wait(self) -> Call:
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
