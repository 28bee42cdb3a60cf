"""Whether a client takes one more call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_native.errors import CallLimitError, DrainingError
from telnyx_native.states import CallDirection, CallState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_native.call import Call
    from telnyx_native.config import Limits

__all__ = ["Admission"]


class Admission:
    """Decides about calls before they begin.

    Args:
        calls: The calls that are not over.
        limits: How many there may be.

    Attributes:
        draining: Whether no more calls are taken at all.
    """

    def __init__(self, calls: Mapping[str, Call], limits: Limits) -> None:
        self.draining = False
        self._calls = calls
        self._limits = limits

    def require_room(self) -> None:
        """Let one more call begin, or raise.

        Raises:
            DrainingError: The client takes no more calls.
            CallLimitError: There are as many calls as there may be.
        """
        if self.draining:
            raise DrainingError("the client is draining: it takes no more calls until it has been disconnected")
        most = self._limits.max_concurrent_calls
        if most is not None and len(self._calls) >= most:
            message = (
                f"there are {len(self._calls)} calls, as many as Limits.max_concurrent_calls allows; end one first"
            )
            raise CallLimitError(message)

    def has_room_to_ring(self) -> bool:
        """Whether one more inbound call may ring."""
        try:
            self.require_room()
        except (DrainingError, CallLimitError):
            return False
        ringing = sum(_rings_here(call) for call in self._calls.values())
        return ringing < self._limits.ringing_calls


def _rings_here(call: Call) -> bool:
    return call.direction is CallDirection.INBOUND and call.state == CallState.RINGING
