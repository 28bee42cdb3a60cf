"""The leg of a client that is called."""

from __future__ import annotations

from telnyx_native.errors import CallError
from telnyx_native.gateway.leg import Leg, LegState

__all__ = ["CalleeLeg"]


class CalleeLeg(Leg):
    """A call that the gateway places to a client: the client answers it or rejects it."""

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
                self.dialog.fields() | {"sdp": sdp, "display_direction": self.display_direction, "variables": {}},
            )

    async def accept(self, sdp: str) -> None:
        """Take the client's answer.

        Raises:
            CallError: The call does not ring.
            MediaError: The answer cannot be used.
        """
        if self.state.value is not LegState.RINGING:
            raise CallError(f"the call cannot be answered: it is {self.state.value.value}")
        await self.media.accept(sdp)

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
