"""What can be changed about a call that stands: on hold, off hold, a new audio path."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from telnyx_native.call.machine import STANDING
from telnyx_native.call.machine_terms import Held, Renegotiate, Renegotiated, Resumed
from telnyx_native.errors import CallError, ErrorCode, MediaError, RequestError, RequestTimeoutError
from telnyx_native.signaling.messages import Hold, UpdateMedia

if TYPE_CHECKING:
    from telnyx_native.call.audio_path import AudioPath
    from telnyx_native.call.lifecycle import Lifecycle
    from telnyx_native.signaling.messages import Dialog, HoldAction
    from telnyx_native.signaling.session import Session

__all__ = ["Modifications"]

_HOLD_STATES = {"held": True, "active": False, "unheld": False}
"""What servers answer, and whether that is on hold; `unheld` is what the Telnyx React Native SDK knows, too."""

_OUTCOMES = {"hold": True, "unhold": False}


class Modifications:
    """Changes one call, one change at a time, in the order in which they are asked for.

    Args:
        life: The life of the call.
        signaling: The way to the server.
        restart_limit: Seconds that finding a new audio path may take.
    """

    def __init__(self, life: Lifecycle, signaling: Session, *, restart_limit: float) -> None:
        self._life = life
        self._signaling = signaling
        self._restart_limit = restart_limit
        self._turn = asyncio.Lock()

    async def hold(self, dialog: Dialog, action: HoldAction) -> bool:
        """Put the call on hold or take it off; return whether it is on hold now. The server decides.

        Raises:
            CallError: The call does not stand.
            RequestError: The server refused, or left the call as it was.
        """
        return await self._life.carry_out(self._hold(dialog, action))

    async def renew_path(self, dialog: Dialog, path: AudioPath) -> None:
        """Find another audio path.

        Raises:
            CallError: The call does not stand.
            RequestError: The server refused, or answered without a session description.
            MediaError: The new path did not come up in time, or the server's description cannot be used.
        """
        await self._life.carry_out(self._renew_path(dialog, path))

    async def _hold(self, dialog: Dialog, action: HoldAction) -> bool:
        async with self._turn:
            self._require_standing()
            wanted = _OUTCOMES.get(action)
            if wanted is not self._life.machine.held:
                held = await self._ask_for_hold(dialog, action)
                self._life.happen(Held() if held else Resumed())
                if wanted is not None and held is not wanted:
                    message = f"the server answered {action}, but the call is {'' if held else 'not '}on hold"
                    raise RequestError(message, kind=ErrorCode.HOLD_FAILED)
            return self._life.machine.held

    async def _ask_for_hold(self, dialog: Dialog, action: HoldAction) -> bool:
        try:
            result = await self._signaling.request(Hold(self._signaling.session_id, dialog, action))
        except RequestError as error:
            message = f"the server refused {action}: {error}"
            raise RequestError(message, code=error.code, kind=ErrorCode.HOLD_FAILED) from None
        held = _HOLD_STATES.get(str(result.get("holdState")))
        if held is None:
            message = f"the server's answer to {action} does not say whether the call is on hold"
            raise RequestError(message, kind=ErrorCode.HOLD_FAILED)
        return held

    async def _renew_path(self, dialog: Dialog, path: AudioPath) -> None:
        async with self._turn:
            self._require_standing()
            self._life.happen(Renegotiate())
            try:
                async with asyncio.timeout(self._restart_limit):
                    await path.renew(partial(self._exchange, dialog))
            except RequestTimeoutError:
                raise
            except TimeoutError:
                message = f"no new audio path was found within {self._restart_limit:g} s: check that UDP may pass"
                raise MediaError(message, kind=ErrorCode.ICE_RESTART_FAILED) from None
            finally:
                self._life.happen(Renegotiated())

    async def _exchange(self, dialog: Dialog, offer: str) -> str:
        try:
            result = await self._signaling.request(UpdateMedia(self._signaling.session_id, dialog, offer))
        except RequestError as error:
            message = f"the server refused a new audio path: {error}"
            raise RequestError(message, code=error.code, kind=ErrorCode.ICE_RESTART_FAILED) from None
        answer = result.get("sdp")
        if not isinstance(answer, str) or not answer:
            message = "the server's answer to the offer of a new audio path has no session description"
            raise RequestError(message, kind=ErrorCode.ICE_RESTART_FAILED)
        return answer

    def _require_standing(self) -> None:
        state = self._life.state
        if state not in STANDING:
            raise CallError(f"a call in state {state} cannot be changed; wait until it is active")
