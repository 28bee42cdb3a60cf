"""The leg of a client that calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_native.gateway.leg import Leg, LegState, Wire
from telnyx_native.gateway.reasons import reason_of
from telnyx_native.states import CallTerminationReason, HangupCause

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_native.gateway.dialog import Dialog
    from telnyx_native.gateway.media import LegMedia

__all__ = ["CallerLeg"]


class CallerLeg(Leg):
    """A call that a client places: the gateway lets it ring, answers it or ends it."""

    cause_before_answer = HangupCause.ORIGINATOR_CANCEL
    display_direction = "inbound"

    def __init__(
        self, wire: Wire, dialog: Dialog, media: LegMedia, on_end: Callable[[Leg], None], *, offer: str
    ) -> None:
        super().__init__(wire, dialog, media, on_end)
        self._offer = offer

    async def ring(self) -> None:
        """Tell the client that the called side is being alerted. Once, and not after the answer."""
        if self.state.value is LegState.NEW:
            self.state.set(LegState.RINGING)
            await self._notify(
                "telnyx_rtc.ringing", self.dialog.fields() | {"display_direction": self.display_direction}
            )

    async def answer(self) -> None:
        """Answer the call; audio flows as soon as it is connected.

        Rings first if the call does not ring yet: clients learn the ids of the call from that.

        Raises:
            MediaError: The client's offer cannot be used, or the leg is over.
        """
        await self.ring()
        sdp = await self.media.answer(self._offer)
        if self.state.value is LegState.RINGING:
            await self._notify(
                "telnyx_rtc.answer",
                {
                    "callID": self.call_id,
                    "sdp": sdp,
                    "dialogParams": {"custom_headers": []},
                    "variables": {},
                    **self.dialog.ids.fields(),
                },
            )
        if self.state.value is LegState.RINGING:
            self.state.set(LegState.ANSWERED)

    def _seen_from_outside(self, reason: CallTerminationReason) -> CallTerminationReason:
        # Whatever cause the client gives, a caller who leaves before the answer has cancelled.
        return reason if self.state.value is LegState.ANSWERED else reason_of(HangupCause.ORIGINATOR_CANCEL)
