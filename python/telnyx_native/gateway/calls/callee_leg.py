"""The leg of a client that is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_native.errors import CallError
from telnyx_native.gateway.calls.leg import Leg, LegState, Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_native.gateway.calls.call_info import Dialog, Headers
    from telnyx_native.gateway.calls.media import LegMedia

__all__ = ["CalleeLeg"]


class CalleeLeg(Leg):
    """A call that the gateway places to a client: the client answers it or rejects it.

    Attributes:
        answer_headers: SIP headers that the client has sent with its answer.
    """

    def __init__(self, wire: Wire, dialog: Dialog, media: LegMedia, on_end: Callable[[Leg], None]) -> None:
        super().__init__(wire, dialog, media, on_end)
        self.remote_headers = dialog.headers
        self.answer_headers: Headers = ()

    async def invite(self) -> None:
        """Offer the call to the client, which begins to ring.

        Raises:
            MediaError: The audio cannot be offered.
        """
        sdp = await self.media.offer()
        if self.state.value is LegState.NEW:
            self.state.set(LegState.RINGING)
            await self._notify(
                "telnyx_rtc.invite",
                self.fields() | {"sdp": sdp, "variables": {}},
            )

    async def accept(self, sdp: str, headers: Headers = ()) -> None:
        """Take the client's answer.

        Args:
            sdp: Its description.
            headers: SIP headers that it comes with.

        Raises:
            CallError: The call does not ring.
            MediaError: The answer cannot be used.
        """
        if self.state.value is not LegState.RINGING:
            raise CallError(f"the call cannot be answered: it is {self.state.value.value}")
        await self.media.accept(sdp)
        self.answer_headers = headers

    def accepted(self) -> None:
        """Count the call as answered: the client has been told that its answer was taken."""
        self._be_answered()

    async def settled(self) -> CalleeLeg:
        """Wait until the client has answered or the leg is over; return the leg."""
        await self.state.wait_for(lambda state: state in {LegState.ANSWERED, LegState.ENDED})
        return self

    async def wait_answered(self, timeout: float = 30.0) -> None:
        """Wait until the client has answered and audio flows.

        Args:
            timeout: Limit in seconds.

        Raises:
            CallError: The call ended instead; the message says why.
            WaitTimeoutError: The client has not answered in time.
            MediaError: The client answered, but the audio was not connected in time.
        """
        await self.state.wait_for(lambda state: state in {LegState.ANSWERED, LegState.ENDED}, timeout=timeout)
        if self.reason is not None:
            raise CallError(f"the call was not answered: {self.reason}")
        await self.peer.wait_connected(timeout)
