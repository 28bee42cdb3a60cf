"""Transfers of one call: asked for at Telnyx's Voice API, and followed until it is known what became of them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telnyx_native.call.machine_terms import TransferOver, Transferring
from telnyx_native.call_control import TransferOrder
from telnyx_native.errors import AuthenticationError, CallError, ConfigurationError, RestError
from telnyx_native.events import RemoteParty
from telnyx_native.signaling.messages import check_headers
from telnyx_native.states import CallState, HangupCause, TransferOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_native.call.lifecycle import Lifecycle
    from telnyx_native.call_control import CallControl, TransferApi
    from telnyx_native.events import CallIds
    from telnyx_native.flow import StateFlow
    from telnyx_native.logs import Log

__all__ = ["Transfers"]

SHORTEST_RINGING, LONGEST_RINGING = 5.0, 600.0
"""Seconds that the API lets somebody ring (`timeout_secs`)."""

LOOK_INTERVAL = 0.5
"""Seconds between two looks at what has become of a transfer."""

LATENESS = 10.0
"""Seconds after the ringing within which the API must tell what came of it."""

LEAVE_TIME = 3.0
"""Seconds within which a call ends whose parties were bridged with each other; if not, it was this end that was."""

LAST_LOOKS = 3
"""How often it is looked after the end of the call whether that was the transfer."""


@dataclass
class _Attempt:
    """How far a transfer is."""

    order: TransferOrder
    sent: bool = False
    outcome: TransferOutcome | None = None


class Transfers:
    """Transfers one call.

    Args:
        life: The life of the call.
        remote_party: Who is at the other end.
        control: What gives access to the API; `None` if the client has none.
        log: Where what is odd is logged.
    """

    def __init__(
        self, life: Lifecycle, remote_party: StateFlow[RemoteParty], control: CallControl | None, log: Log
    ) -> None:
        self._life = life
        self._remote_party = remote_party
        self._control = control
        self._log = log

    async def carry_out(
        self, ids: CallIds, to: str, *, caller: str | None, headers: Mapping[str, str], timeout: float
    ) -> TransferOutcome:
        """Transfer the call; return what became of it. See `Call.transfer`."""
        control = self._control
        if control is None:
            raise ConfigurationError(
                "a transfer needs a key of the Telnyx API: TelnyxClient(call_control=CallControl(api_key))"
            )
        if not to:
            raise ConfigurationError("to is empty; write a number, or a SIP address")
        if not SHORTEST_RINGING <= timeout <= LONGEST_RINGING:
            raise ConfigurationError(f"timeout: write {SHORTEST_RINGING:g} to {LONGEST_RINGING:g} seconds")
        check_headers(headers)
        self._require_standing()
        if not ids.call_control_id or not ids.session_id:
            raise CallError("the server gave the call no ids for the Voice API, so it cannot be transferred")
        attempt = _Attempt(TransferOrder(ids.call_control_id, ids.session_id, to, caller, dict(headers), timeout))
        try:
            return await self._life.carry_out(self._attempt(control, attempt))
        except CallError:
            over = attempt.sent and self._life.reason is not None
            if not over or not await self._was_transferred(control, attempt):
                raise
            return TransferOutcome.BRIDGED

    async def _attempt(self, control: CallControl, attempt: _Attempt) -> TransferOutcome:
        """Ask for the transfer, and wait for what comes of it, or for the end of the call."""
        async with control.open() as api:
            self._require_standing()
            self._life.happen(Transferring())
            try:
                attempt.sent = True
                await api.command(attempt.order)
                attempt.outcome = await self._follow(api, attempt.order)
                if attempt.outcome is TransferOutcome.BRIDGED:
                    await asyncio.sleep(LEAVE_TIME)  # the end of the call interrupts it
                    self._log.warning(f"the server connected this end of the call with {attempt.order.to}")
                    self._remote_party.set(RemoteParty(number=attempt.order.to))
                return attempt.outcome
            finally:
                self._life.happen(TransferOver())

    async def _follow(self, api: TransferApi, order: TransferOrder) -> TransferOutcome:
        failure = "nothing is listed about it"
        try:
            async with asyncio.timeout(order.timeout + LATENESS):
                while True:
                    await asyncio.sleep(LOOK_INTERVAL)
                    try:
                        if outcome := await api.outcome(order):
                            return outcome
                    except RestError as error:  # the next look may succeed
                        failure = str(error)
        except TimeoutError:
            raise RestError(f"the Telnyx API did not tell what became of the transfer: {failure}") from None

    async def _was_transferred(self, control: CallControl, attempt: _Attempt) -> bool:
        """Whether a call is over because its parties talk without it."""
        reason = self._life.reason
        if attempt.outcome is TransferOutcome.BRIDGED or (reason and reason.cause == HangupCause.BLIND_TRANSFER.name):
            return True
        with suppress(RestError, AuthenticationError):
            async with control.open() as api:
                for look in range(LAST_LOOKS):
                    if look:
                        await asyncio.sleep(LOOK_INTERVAL)
                    outcome = await api.outcome(attempt.order)
                    if outcome is not None:
                        return outcome is TransferOutcome.BRIDGED
        return False

    def _require_standing(self) -> None:
        state = self._life.state
        if state not in (CallState.ACTIVE, CallState.HELD):
            raise CallError(f"a call in state {state} cannot be transferred; wait until it is active")
