"""The leg of a client that calls."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from telnyx_native.gateway.calls.call_info import headers_to_wire
from telnyx_native.gateway.calls.hangup import reason_of
from telnyx_native.gateway.calls.leg import Leg, LegState, Wire
from telnyx_native.gateway.destinations.sounds import Ringback, rendered
from telnyx_native.states import CallTerminationReason, HangupCause

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from telnyx_native.gateway.calls.call_info import Dialog
    from telnyx_native.gateway.calls.media import LegMedia

__all__ = ["CallerLeg"]


DESCRIPTION_DELAY = 0.5
"""Seconds between an answer and its description, where that comes late on purpose."""


class CallerLeg(Leg):
    """A call that a client places: the gateway lets it ring, answers it or ends it.

    Attributes:
        describes_late: Whether it is answered without a description, which follows, on purpose.
    """

    cause_before_answer = HangupCause.ORIGINATOR_CANCEL
    display_direction = "inbound"

    def __init__(
        self, wire: Wire, dialog: Dialog, media: LegMedia, on_end: Callable[[Leg], None], *, offer: str
    ) -> None:
        super().__init__(wire, dialog, media, on_end)
        self._offer = offer
        self._has_early_media = False
        self.describes_late = False

    async def ring(self) -> None:
        """Tell the client that the called side is being alerted. Once, and not after the answer."""
        if self.state.value is LegState.NEW:
            self.state.set(LegState.RINGING)
            await self._notify("telnyx_rtc.ringing", self.fields())

    async def begin_early_media(self) -> None:
        """Let the client hear something before the answer; rings first if the call does not ring yet.

        Does nothing when it hears something already.

        Raises:
            MediaError: The client's offer cannot be used, or the leg is over.
        """
        if self._has_early_media or self.state.value is LegState.ANSWERED:
            return
        await self.ring()
        sdp = await self._answer_offer()
        self._has_early_media = True
        await self._notify_of_audio("telnyx_rtc.media", {"sdp": sdp})

    async def answer(self) -> None:
        """Answer the call; audio flows as soon as it is connected. Does nothing when it is answered.

        Rings first if the call does not ring yet: clients learn the ids of the call from that.

        Raises:
            MediaError: The client's offer cannot be used, or the leg is over.
        """
        if self.state.value is LegState.ANSWERED:
            return
        await self.ring()
        # After early media, the client has our description already.
        description = {} if self._has_early_media else {"sdp": await self._answer_offer()}
        late = self.describes_late and bool(description)
        await self._notify_of_audio("telnyx_rtc.answer", {} if late else description)
        if late:
            await asyncio.sleep(DESCRIPTION_DELAY)
            await self._notify_of_audio("telnyx_rtc.media", description)
        self._be_answered()

    async def _answer_offer(self) -> str:
        offer, self._offer = self._offer, ""  # nobody needs it a second time
        return await self.media.answer(offer)

    @asynccontextmanager
    async def ringback(self) -> AsyncIterator[None]:
        """Let the client hear a ringback tone, if it can hear anything yet, until the context ends."""
        if not self._has_early_media and self.state.value is not LegState.ANSWERED:
            yield
            return
        ringing = asyncio.create_task(self._ring_audibly())
        try:
            yield
        finally:
            ringing.cancel()
            await asyncio.gather(ringing, return_exceptions=True)
            self.audio.clear()

    async def _ring_audibly(self) -> None:
        period = await rendered(Ringback(), self.audio.sample_rate)
        while True:
            await self.audio.write(period.data)

    async def _notify_of_audio(self, method: str, description: Mapping[str, str]) -> None:
        if self.state.value is LegState.RINGING:
            await self._notify(
                method,
                {
                    "callID": self.call_id,
                    **description,
                    "dialogParams": {"custom_headers": headers_to_wire(self.remote_headers)},
                    "variables": {},
                    **self.dialog.ids.fields(),
                },
            )

    def _seen_from_outside(self, reason: CallTerminationReason) -> CallTerminationReason:
        # Whatever cause the client gives, a caller who leaves before the answer has cancelled.
        return reason if self.state.value is LegState.ANSWERED else reason_of(HangupCause.ORIGINATOR_CANCEL)
