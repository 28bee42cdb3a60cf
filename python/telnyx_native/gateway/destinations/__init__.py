"""What a call to the gateway reaches: destinations, and what makes one of an address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from telnyx_native.states import CallTerminationReason, HangupCause

if TYPE_CHECKING:
    from telnyx_native.gateway.calls.leg import CallerLeg

__all__ = ["Destination", "Factory", "Outcome", "Transfer"]


@dataclass(frozen=True)
class Transfer:
    """The call goes on elsewhere.

    Attributes:
        address: Where: a user, a number, a group, or a destination such as `"tone:440"`.
    """

    address: str


Outcome = HangupCause | CallTerminationReason | Transfer
"""How a destination ends: why the call is to be hung up, or where it goes on."""


class Destination(Protocol):
    """Where a call goes."""

    async def serve(self, leg: CallerLeg) -> Outcome:
        """Serve a call, which another destination may have answered before; return what becomes of it.

        Cancelled when the caller hangs up. What it raises ends the call too, a MediaError for lack of audio.
        """


Factory = Callable[[str], Destination]
"""Makes a destination from what follows the colon of its address: `"440"` for `tone:440`, `""` for `tone`.

Raises ConfigurationError when that makes no sense.
"""
