"""Where a call leads that a command places: the legs that ring for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway.accounts.users import address_of
from telnyx_native.gateway.calls.call_info import call_info_to
from telnyx_native.gateway.destinations.built_in import Refuse
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from telnyx_native.gateway.calls.call_info import CallInfo, Headers, Party, PlatformIds
    from telnyx_native.gateway.calls.leg import CalleeLeg
    from telnyx_native.gateway.calls.registry import Calls
    from telnyx_native.gateway.destinations.router import Router, Switchboard

__all__ = ["Outgoing", "infos_with"]


def infos_with(
    ids: PlatformIds, caller: Party, headers: Headers, client_state: str | None
) -> Callable[[str], CallInfo]:
    """Return what describes the phones' legs: the first has the ids of the call, others a `leg_id` of their own."""
    left = iter([ids])

    def describe(user: str) -> CallInfo:
        info = call_info_to(user, caller, headers, client_state=client_state)
        return replace(info, ids=next(left, None) or replace(ids, leg_id=str(uuid4())))

    return describe


class Outgoing:
    """Opens legs to what a call from a client would reach, too.

    Args:
        router: Where numbers lead.
        legs: The legs of all calls.
        switchboard: Leads calls to destinations.
    """

    def __init__(self, router: Router, legs: Calls, switchboard: Switchboard) -> None:
        self._router = router
        self._legs = legs
        self._switchboard = switchboard

    def open(self, to: str, info_for: Callable[[str], CallInfo]) -> Sequence[CalleeLeg] | HangupCause:
        """Open legs to an address, which do not ring yet; return why there are none.

        Args:
            to: The address.
            info_for: Describes the leg to a user, or to a destination.
        """
        try:
            users = self._router.users_at(to)
        except ConfigurationError:
            return self._open_to_destination(address_of(to), info_for)
        return self._legs.open_callee_legs(users, info_for) or HangupCause.USER_NOT_REGISTERED

    def _open_to_destination(
        self, address: str, info_for: Callable[[str], CallInfo]
    ) -> Sequence[CalleeLeg] | HangupCause:
        destination = self._router.route(address)
        if isinstance(destination, Refuse):
            return destination.cause
        leg = self._legs.open_leg_to_destination(address, info_for(address), self._switchboard.connect)
        return [leg] if leg else HangupCause.NORMAL_CIRCUIT_CONGESTION
