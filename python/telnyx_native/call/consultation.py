"""Consultations: the remote party of a call waits, while the application talks with a colleague about it.

Afterwards the two are connected (an attended, or warm, transfer), or all three talk, or the party is back.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from telnyx_native.call.machine import STANDING, is_decided
from telnyx_native.call.machine_terms import TransferOver, Transferring
from telnyx_native.errors import (
    CallError,
    ConfigurationError,
    ConsultationError,
    MediaError,
    RestError,
    TelnyxError,
)
from telnyx_native.event_loop import cancel_all
from telnyx_native.flow import StateFlow
from telnyx_native.media.joins import bridge
from telnyx_native.states import CallState, ConsultationState, HangupCause, TransferOutcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from telnyx_native.call.driver import CallDriver
    from telnyx_native.media.engine import MediaEngine
    from telnyx_native.media.joins import PeerConference
    from telnyx_native.media.output import AudioLayer
    from telnyx_native.media.sources import Playable
    from telnyx_native.media.stream import AudioStream
    from telnyx_native.states import CallTerminationReason

__all__ = ["Consultation", "begin_consultation", "outcome_of"]

DUCKED = 0.25
"""What is left of the music while the application says something to the party that waits."""

LEAVE_TIME = 5.0
"""Seconds within which both calls end that were handed to the network."""

_TALKING = (ConsultationState.BRIEFING, ConsultationState.MERGED)

_OUTCOMES = {
    HangupCause.USER_BUSY.name: TransferOutcome.BUSY,
    HangupCause.CALL_REJECTED.name: TransferOutcome.REJECTED,
    HangupCause.NO_ANSWER.name: TransferOutcome.NO_ANSWER,
    HangupCause.NO_USER_RESPONSE.name: TransferOutcome.NO_ANSWER,
    HangupCause.UNALLOCATED_NUMBER.name: TransferOutcome.WRONG_NUMBER,
    HangupCause.NO_ROUTE_DESTINATION.name: TransferOutcome.WRONG_NUMBER,
    HangupCause.INVALID_NUMBER_FORMAT.name: TransferOutcome.WRONG_NUMBER,
    HangupCause.NUMBER_CHANGED.name: TransferOutcome.WRONG_NUMBER,
}
"""What it means that the colleague's call ended so before the answer; every other cause is UNREACHABLE."""


def outcome_of(reason: CallTerminationReason | None) -> TransferOutcome:
    """Return what it means for a consultation that the colleague's call ended before the answer."""
    return _OUTCOMES.get((reason and reason.cause) or "", TransferOutcome.UNREACHABLE)


T = TypeVar("T")
"""`Call`, which is above this."""


class Consultation(Generic[T]):
    """A talk with a colleague about a call, whose remote party waits. Made by `Call.consult`.

    What is written to `colleague.audio` only the colleague hears. Leaving `async with` cancels it, unless it is
    completed. If the colleague hangs up, the party is back; if the party hangs up, so is the colleague's call.

    Attributes:
        colleague: The call to the colleague.
        state_flow: How far it is, and every change of that; it ends with the call.
    """

    def __init__(self, call: CallDriver, colleague: T, other: CallDriver, waiting: WaitingParty) -> None:
        self.colleague = colleague
        self.state_flow: StateFlow[ConsultationState] = StateFlow(ConsultationState.BRIEFING)
        self._call = call
        self._other = other
        self._waiting = waiting
        self._conference: _ThreeWay | None = None
        self._turn = asyncio.Lock()
        self._leaving = False
        self._call.life.spawn(self._follow_colleague())
        self._other.life.spawn(self._follow_call())

    def __repr__(self) -> str:
        return f"<Consultation about {self._call.dialog.call_id}: {self.state.name}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.state in _TALKING:
            await self.cancel()

    @property
    def state(self) -> ConsultationState:
        """How far it is."""
        return self.state_flow.value

    async def complete(self, *, leave: bool = False) -> None:
        """Connect the party that waits with the colleague.

        Without `leave` that is done here, natively: both calls go on in this process, until one of the two hangs up,
        which ends the other call, too. What the application writes to one of them, that one still hears.

        Args:
            leave: Hand both to the network, by Telnyx's Voice API: they go on without this process, and the two calls
                end here.

        Raises:
            CallError: The consultation is over, or one of the two has hung up, or the API refused (`code` is the
                API's). But for the first, everything is as it was.
            ConfigurationError: The client has no `CallControl`.
            AuthenticationError: The API key is not good.
            RestError: The API was not reached, refused for another reason, or the calls did not leave.
            RequestError: The server did not take the call off hold.
        """
        async with self._turn:
            self._require_talking()
            if leave:
                await self._leave()
            else:
                await self._waiting.release()
                self._require_talking()
                try:
                    bridge(self._call.path.peer, self._other.path.peer)
                except MediaError as error:
                    raise CallError(f"the two cannot be connected: {error}") from error
            self._end(ConsultationState.COMPLETED)
            await self._close_conference()

    async def merge(self) -> AudioStream:
        """Let all three talk: the party that waited, the colleague, and the application.

        `complete` leaves the two to themselves after that, and `cancel` the party to the application. So does a
        colleague who hangs up.

        Returns:
            What the application says to both, and hears of both. It ends with the talk of three.

        Raises:
            CallError: The consultation is over, or one of the two has hung up.
            RequestError: The server did not take the call off hold.
        """
        async with self._turn:
            self._require_talking()
            if self._conference is None:
                await self._waiting.release()
                self._require_talking()
                self._conference = _ThreeWay(self._call, self._other)
                self._call.life.happen(TransferOver())
                self.state_flow.set(ConsultationState.MERGED)
            return self._conference.audio

    async def cancel(self) -> None:
        """Hang up the colleague's call; the party that waited is back with the application when this returns.

        Raises:
            CallError: The consultation is over.
        """
        async with self._turn:
            self._require_talking()
            self._end(ConsultationState.CANCELLED)
            self._other.hang_up(None)
            await self._close_conference()
            await self._waiting.end()

    def _require_talking(self) -> None:
        if self.state not in _TALKING:
            raise CallError(f"the consultation is over: {self.state.value}")
        for driver in (self._call, self._other):
            driver.life.require_alive()

    def _end(self, state: ConsultationState) -> None:
        self._call.life.happen(TransferOver())
        self.state_flow.set(state)
        self.state_flow.close()

    async def _leave(self) -> None:
        """Have the network connect the two; returns when it has, and the calls are over."""
        control, ids = self._call.call_control, (self._call.telnyx_ids, self._other.telnyx_ids)
        if control is None:
            raise ConfigurationError(
                "leave needs a key of the Telnyx API: TelnyxClient(call_control=CallControl(api_key))"
            )
        one, other = (each.call_control_id for each in ids)
        if not one or not other:
            raise CallError("the server gave the calls no ids for the Voice API: complete without leave")
        self._leaving = True
        try:
            async with control.open() as api:
                await api.bridge(one, other)
            async with asyncio.timeout(LEAVE_TIME):
                await asyncio.gather(*(driver.life.wait_done() for driver in (self._call, self._other)))
        except TimeoutError:
            message = f"the API has taken the command, but the calls are still here after {LEAVE_TIME:g} s"
            raise RestError(message) from None
        finally:
            self._leaving = False

    async def _close_conference(self) -> None:
        conference, self._conference = self._conference, None
        if conference is not None:
            await conference.close()

    async def _follow_colleague(self) -> None:
        """When the colleague's call ends, the party is back, or, if the two were connected, gone."""
        await self._other.life.states.wait_for(CallState.DONE)
        if self.state is ConsultationState.COMPLETED:
            self._call.hang_up(None)
        elif self.state in _TALKING and not self._leaving:
            self._end(ConsultationState.COLLEAGUE_LEFT)
            await self._close_conference()
            await self._waiting.end()

    async def _follow_call(self) -> None:
        """When the call ends, so does the colleague's."""
        await self._call.life.states.wait_for(CallState.DONE)
        if self._leaving:
            return
        if self.state in _TALKING:
            self._end(ConsultationState.PARTY_LEFT)
            await self._close_conference()
        self._other.hang_up(None)


class WaitingParty:
    """The remote party of a call, which waits: on hold at the server, or with music.

    Args:
        call: The call.
        music: What it hears; `None` for the server's hold.
    """

    def __init__(self, call: CallDriver, music: Playable | None) -> None:
        self._call = call
        self._music = music
        self._layer: AudioLayer | None = None

    async def begin(self) -> None:
        """Let it wait; if that cannot be, all is as it was.

        Raises:
            CallError: The call is not active or on hold.
            RequestError: The server refused.
            ConfigurationError: The music cannot be played.
        """
        state = self._call.life.state
        if state not in (CallState.ACTIVE, CallState.HELD):
            raise CallError(f"nobody can be consulted about a call in state {state}; wait until it is active")
        self._call.life.happen(Transferring())
        try:
            if self._music is None:
                await self._call.hold("hold")
            else:
                self._play(self._music)
                await self._call.hold("unhold")
        except BaseException:
            self._stop_music()
            self._call.life.happen(TransferOver())
            raise

    async def release(self) -> None:
        """Let it wait no more.

        Raises:
            CallError: The call is over.
            RequestError: The server refused.
        """
        if self._music is None:
            await self._call.hold("unhold")
        self._stop_music()

    async def end(self) -> None:
        """Let it wait no more, as soon as that can be; cancelling this does not take it back."""
        returning = self._call.life.spawn(self._return())
        if returning is not None:
            await asyncio.wait({returning})

    async def _return(self) -> None:
        """Bring it back; a server that refuses leaves it on hold."""
        self._stop_music()
        life = self._call.life
        try:
            if life.held.value:
                await life.states.wait_for(STANDING.__contains__)
                await self._call.hold("unhold")
        except TelnyxError as error:
            if life.reason is None:
                self._call.log.warning(f"the call stays on hold: {error}")
        finally:
            life.happen(TransferOver())

    def _play(self, music: Playable) -> None:
        self._layer = self._call.path.peer.audio.layer(ducked=DUCKED)
        self._layer.play(music, loop=True)

    def _stop_music(self) -> None:
        if self._layer is not None:
            self._layer.close()


class _ThreeWay:
    """A conference of two calls and the application."""

    def __init__(self, *calls: CallDriver) -> None:
        from telnyx_native.media.engine import MediaEngine  # loads libwebrtc: not before somebody talks

        peers = [call.path.peer for call in calls]
        self._engine: MediaEngine = MediaEngine.acquire()
        self._conference: PeerConference = self._engine.create_conference(peers[0].audio_config)
        for peer in peers:
            self._conference.add(peer)

    @property
    def audio(self) -> AudioStream:
        """What the application says to both, and hears of both."""
        return self._conference.audio

    async def close(self) -> None:
        """End it; the calls go on."""
        self._conference.close()
        await self._engine.release()


async def begin_consultation(
    call: CallDriver,
    place: Callable[[], Awaitable[tuple[T, CallDriver]]],
    *,
    timeout: float,
    music: Playable | None,
) -> Consultation[T]:
    """Let the remote party of a call wait, and call a colleague. See `Call.consult`.

    Args:
        call: The call.
        place: Places the call to the colleague; returns it, and what drives it.
        timeout: Seconds that it may take until the colleague has answered.
        music: What the party that waits hears; `None` for the server's hold.
    """
    waiting = WaitingParty(call, music)
    await waiting.begin()
    other: CallDriver | None = None
    try:
        colleague, other = await place()
        await _answered(call, other, timeout)
    except BaseException:
        if other is not None:
            other.hang_up(HangupCause.ORIGINATOR_CANCEL)
        await waiting.end()
        raise
    return Consultation(call, colleague, other, waiting)


async def _answered(call: CallDriver, other: CallDriver, timeout: float) -> None:
    """Return once the colleague has answered.

    Raises:
        ConsultationError: That did not happen.
        CallError: The remote party of the call has hung up.
    """
    answering = asyncio.create_task(other.life.states.wait_for(is_decided))
    leaving = asyncio.create_task(call.life.states.wait_for(CallState.DONE))
    try:
        await asyncio.wait({answering, leaving}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        call.life.require_alive()
        if not answering.done():
            raise ConsultationError(f"nobody has answered within {timeout:g} s", TransferOutcome.NO_ANSWER)
        reason = other.life.reason
        if isinstance(answering.result(), CallState.DONE):
            raise ConsultationError(f"the colleague was not reached: {reason}", outcome_of(reason))
    finally:
        await cancel_all([answering, leaving])
