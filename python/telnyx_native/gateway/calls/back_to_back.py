"""Calls that the gateway places to destinations of its own: two legs, back to back (SIP calls it a B2BUA, RFC 7092)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from telnyx_native.errors import CallError, MediaError
from telnyx_native.gateway.calls.call_info import CallInfo, Party, PlatformIds
from telnyx_native.gateway.calls.leg import CalleeLeg, CallerLeg, Client, Leg
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from telnyx_native.gateway.calls.media import LegMedia

__all__ = ["BackToBack"]

logger = logging.getLogger(__name__)


class _Side(Client):
    """What a leg takes for its client."""

    def __init__(self, name: str, take: Callable[[str, Mapping[str, Any]], Any]) -> None:
        self._name = name
        self._take = take

    @property
    def user_name(self) -> str:
        return self._name

    @property
    def account(self) -> object:
        return self

    async def notify(self, method: str, params: Mapping[str, Any]) -> None:
        await self._take(method, params)


class BackToBack:
    """A call to a destination, as if a client had placed it: what that client would do is done here.

    Args:
        address: Where the call leads.
        info: What is known of the call.
        new_media: Makes the audio of a leg.
        connect: Leads the call to its destination; the `Switchboard` does.
        track: Told of the second leg, when it begins.
        on_end: Told of each leg that is over.

    Attributes:
        leg: The call as the gateway sees it: it rings when it is invited, and is answered when the destination answers.
    """

    def __init__(
        self,
        address: str,
        info: CallInfo,
        new_media: Callable[[], LegMedia],
        connect: Callable[[CallerLeg], None],
        track: Callable[[Leg], None],
        on_end: Callable[[Leg], None],
    ) -> None:
        self._address = address
        self._new_media = new_media
        self._connect = connect
        self._track = track
        self._on_end = on_end
        self._placed: CallerLeg | None = None
        self.leg = CalleeLeg(_Side(address, self._on_call), info, new_media(), on_end)

    async def _on_call(self, method: str, params: Mapping[str, Any]) -> None:
        """Do what a client does that is called: place the same call to the destination."""
        if method == "telnyx_rtc.invite":
            info = self.leg.info
            placed = CallInfo(
                info.call_id,
                info.caller,
                Party(info.callee.name, self._address),
                info.headers,
                info.client_state,
                ids=PlatformIds(session_id=info.ids.session_id),
            )
            side = _Side(info.caller.number, self._on_answer)
            self._placed = CallerLeg(side, placed, self._new_media(), self._on_end, offer=params["sdp"])
            self._track(self._placed)
            self._connect(self._placed)
        elif method == "telnyx_rtc.bye" and self._placed is not None:
            self._placed.ended_by_client(dict(params))
            await self._placed.close()

    async def _on_answer(self, method: str, params: Mapping[str, Any]) -> None:
        """Do what a client does that has placed a call: take early media, hand on the answer, and the end."""
        if method in {"telnyx_rtc.media", "telnyx_rtc.answer"} and "sdp" in params:
            try:
                await self.leg.accept(params["sdp"])
            except (CallError, MediaError) as error:
                logger.info("the call to %s has no audio: %s", self._address, error)
                await self.leg.hang_up(HangupCause.NORMAL_TEMPORARY_FAILURE)
                return
        if method == "telnyx_rtc.answer":
            self.leg.mark_answered()
        elif method == "telnyx_rtc.bye":
            self.leg.ended_by_client(dict(params))
            await self.leg.close()
