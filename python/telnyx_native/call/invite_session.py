"""What is said about a call between this side and the server: invitation, answer, what it becomes, good-bye.

An application has `Call` of it; the client that leads it has this.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from telnyx_native.call.audio_path import AudioPath, PeerSource
from telnyx_native.call.lifecycle import ANSWERED, Lifecycle
from telnyx_native.call.modification import Modifications
from telnyx_native.call.observation import Observation, Observers
from telnyx_native.call.reattachment import Reattachment
from telnyx_native.call.trickle import send_candidates
from telnyx_native.errors import CallError, MediaError, SdpError, TelnyxError
from telnyx_native.events import (
    AnswerResponse,
    ByeResponse,
    CallEvent,
    CallIds,
    CandidateResponse,
    DisplayResponse,
    MediaResponse,
    RemoteParty,
    RingingResponse,
)
from telnyx_native.flow import StateFlow
from telnyx_native.media.sdp import parse
from telnyx_native.signaling.call_messages import Dtmf, Hold
from telnyx_native.signaling.messages import Answer, Attach, Bye, Dialog, Invite
from telnyx_native.states import (
    CallDirection,
    CallNetworkChangeReason,
    CallState,
    CallTerminationReason,
    HangupCause,
)
from telnyx_native.version import USER_AGENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_native.config import Limits, Timeouts
    from telnyx_native.logs import Log
    from telnyx_native.media.negotiation import MediaOptions, Negotiation
    from telnyx_native.media.peer import Peer
    from telnyx_native.media.recording import Recording
    from telnyx_native.signaling.call_messages import HoldAction
    from telnyx_native.signaling.messages import Signaling

__all__ = ["CallHost", "InviteSession"]

MAX_HEADERS_SIZE = 64 * 1024
"""Characters of SIP headers that are kept of the other side; a message that would bring more has none for us."""


class CallHost(PeerSource, Protocol):
    """Who gives a call its audio, and forgets it in the end."""

    def on_call_ended(self, call_id: str, teardown: asyncio.Task[None]) -> None:
        """Forget the call; `teardown` says good-bye to the server and frees the audio."""


class InviteSession:
    """Leads one call through signalling: placed or ringing, answered, kept through lost connections, ended.

    Args:
        dialog: What identifies the call on the wire, and what both sides are told of each other.
        direction: Who places it.
        host: Who gives it its audio.
        signaling: The way to the server.
        timeouts: How long each step may take.
        limits: How much of something there may be.
        observers: Who wants to know about it.
        log: Where its story is noted.

    Attributes:
        dialog: As given, with what was learnt since.
        direction: Who placed it.
        telnyx_ids: Its ids on Telnyx's side, as far as they are known.
        remote_headers: SIP headers that the other side sent.
        remote_party: Who is at the other end.
        life: Its state, and its end.
        path: Its audio.
        observation: All that looks at it from beside.
        recordings: What is stopped when it ends.
        log: Where its story is noted.
    """

    def __init__(
        self,
        dialog: Dialog,
        direction: CallDirection,
        *,
        host: CallHost,
        signaling: Signaling,
        timeouts: Timeouts,
        limits: Limits,
        observers: Observers,
        log: Log,
    ) -> None:
        self.dialog = dialog
        self.direction = direction
        self.telnyx_ids = CallIds()
        self.remote_headers: dict[str, str] = {}
        self.remote_party: StateFlow[RemoteParty] = StateFlow(_remote_party(dialog, direction))
        self.log = log
        self.life = Lifecycle(
            dialog.call_id, tear_down=self._tear_down, on_end=partial(host.on_call_ended, dialog.call_id), log=log
        )
        self.observation = Observation(dialog.call_id, self.life, observers, signaling, log)
        self.path = AudioPath(
            self.life,
            host,
            self.restart_ice,
            observation=self.observation,
            timeouts=timeouts,
            limits=limits,
            log=log,
        )
        self.recordings: list[Recording] = []
        self._signaling = signaling
        self._timeouts = timeouts
        self._modifications = Modifications(self.life, signaling, restart_limit=timeouts.ice_restart)
        self._reattachment = Reattachment(
            self.life,
            partial(self.path.move, send_answer=self._attach),
            stands=lambda: self.path.stands,
            warn=self.observation.warn,
            limit=timeouts.reconnect,
            log=log,
        )
        self._offer = ""
        self._first_sdp: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._last_sdp = ""
        self._answered = asyncio.Event()
        self._known_to_server = False

    # What the application wants.

    async def place(self, options: MediaOptions) -> None:
        """Send the invitation of an outbound call; returns when the server has taken it."""
        with self.life.ended_by_failure(self._usual_reason()):
            negotiation = self.path.open(options)
            self.life.enter(CallState.CONNECTING)
            sdp = await negotiation.offer()
            self.life.require_alive()
            self._known_to_server = True
            self.life.spawn(self._follow_invitation(negotiation))
            self.life.timings.mark("invite_sent")
            trickle = options.use_trickle_ice
            await self._signaling.request(
                Invite(self._signaling.session_id, self.dialog, sdp, USER_AGENT, trickle=trickle)
            )
            if trickle:  # not before the server knows the call that they belong to
                self.life.spawn(send_candidates(negotiation.peer, self.dialog, self._signaling, self.log))

    async def accept(self, options: MediaOptions, custom_headers: Mapping[str, str]) -> None:
        """Answer an inbound call; returns when the server has taken the answer."""
        self.require_ringing_here("accepted")
        self.dialog = replace(self.dialog, custom_headers=dict(custom_headers))
        with self.life.ended_by_failure(self._usual_reason()):
            negotiation = self.path.open(options)
            self.life.enter(CallState.CONNECTING)
            sdp = await negotiation.answer(self._offer)
            self.life.require_alive()
            trickle = options.use_trickle_ice
            await self._signaling.request(
                Answer(self._signaling.session_id, self.dialog, sdp, USER_AGENT, trickle=trickle)
            )
            self.life.require_alive()
            if trickle:
                self.life.spawn(send_candidates(negotiation.peer, self.dialog, self._signaling, self.log))
            self._answered.set()
            self.life.timings.mark("answered")
            self.life.spawn(self._reach_active(negotiation.peer))

    async def hold(self, action: HoldAction) -> bool:
        """Put the call on hold or take it off; return whether it is on hold now."""
        return await self._modifications.hold(self.dialog, action)

    async def press(self, keys: str) -> None:
        """Let the server press keys."""
        message = Dtmf(self._signaling.session_id, self.dialog, keys)
        if self.life.state not in ANSWERED:
            raise CallError(f"no keys can be pressed in a call in state {self.life.state}; wait until it is active")
        await self.life.carry_out(self._signaling.request(message))

    async def restart_ice(self) -> None:
        """Replace the audio path while the call goes on."""
        self.path.negotiation  # noqa: B018 - a call without audio has none to be replaced
        await self._modifications.renew_path(self.dialog, self.path)

    def finish(self, cause: HangupCause | None) -> None:
        """Hang up, cancel or refuse."""
        self.life.finish(CallTerminationReason.of(cause) if cause else self._usual_reason())

    def require_ringing_here(self, done: str) -> None:
        """Raise `CallError` unless the call waits to be accepted or rejected."""
        if self.direction is not CallDirection.INBOUND or self.life.state != CallState.RINGING:
            raise CallError(f"an {self.direction.value} call in state {self.life.state} cannot be {done}")

    # What the server says.

    def ring(self, offer: str) -> None:
        """Begin an inbound call that brought the session description `offer`; one that cannot be used ends it."""
        self._known_to_server = True
        try:
            parse(offer)
        except SdpError as error:
            self.life.fail(HangupCause.INCOMPATIBLE_DESTINATION, str(error))
            return
        self._offer = offer
        self.life.timings.mark("ringing")
        self.life.enter(CallState.RINGING)

    def handle(self, event: CallEvent) -> None:
        """Take what the server says about this call; late and repeated messages do no harm."""
        self.telnyx_ids = replace(self.telnyx_ids, **{name: id_ for name, id_ in vars(event.ids).items() if id_})
        headers = self.remote_headers | event.custom_headers
        if sum(map(len, (*headers, *headers.values()))) <= MAX_HEADERS_SIZE:
            self.remote_headers = headers
        match event:
            case ByeResponse():
                self.life.finish(event.reason, tell=False)
            case RingingResponse() if self._awaits_answer and self.life.state == CallState.CONNECTING:
                self.life.timings.mark("ringing")
                self.life.enter(CallState.RINGING)
            case CandidateResponse():
                self.path.candidates.add(event.candidate, event.sdp_mid, event.sdp_mline_index)
            case DisplayResponse(party=party):
                known = self.remote_party.value
                self.remote_party.set(RemoteParty(party.name or known.name, party.number or known.number))
            case MediaResponse(sdp=sdp) if self.direction is CallDirection.OUTBOUND:
                self._take_remote_sdp(sdp)
            case AnswerResponse(sdp=sdp) if self._awaits_answer:
                self._take_answer(sdp)
            case _:
                self.log.debug(f"{type(event).__name__} changes nothing for a call in state {self.life.state}")

    def await_reattachment(self, reason: CallNetworkChangeReason) -> None:
        """The connection to the server is gone, and is being made again. Servers keep answered calls that long."""
        if self.life.state in ANSWERED or isinstance(self.life.state, CallState.RECONNECTING):
            self._reattachment.wait(reason)
        else:
            self.drop(reason)

    def reattach(self, offer: str) -> None:
        """The server brings the call back, and offers a new audio path; a call without one has nothing to move."""
        if self.life.state in ANSWERED or isinstance(self.life.state, CallState.RECONNECTING):
            self._reattachment.take(offer)
        else:
            self.log.debug(f"a call in state {self.life.state} cannot be brought back")

    def drop(self, reason: CallNetworkChangeReason) -> None:
        """The connection to the server is gone, and the call with it."""
        self._reattachment.give_up(reason)

    # The steps of a call.

    async def _follow_invitation(self, negotiation: Negotiation) -> None:
        sdp = await self._first_sdp
        if not self._answered.is_set():
            await negotiation.take_provisional_answer(sdp)
            await self._answered.wait()
            # A path that stands is kept, as the Telnyx JS SDK keeps it, whatever the answer says.
            sdp = sdp if self.path.stands else self._last_sdp
        await negotiation.take_answer(sdp)
        await self._reach_active(negotiation.peer)

    async def _expect_description(self) -> None:
        try:
            async with asyncio.timeout(self._timeouts.description):
                await asyncio.shield(self._first_sdp)
        except TimeoutError:
            self.life.fail(HangupCause.MANDATORY_IE_MISSING, "the answer has no session description")

    async def _reach_active(self, peer: Peer) -> None:
        await peer.wait_connected(self._timeouts.media)
        self.life.timings.mark("media_connected")
        self.life.timings.mark("active")
        self.life.enter(CallState.ACTIVE)

    async def _tear_down(self, reason: CallTerminationReason, tell: bool) -> None:
        self.remote_party.close()
        await self.observation.close()
        try:
            if tell and self._known_to_server:
                bye = Bye(self._signaling.session_id, self.dialog, reason)
                await self._signaling.request(bye, timeout=self._timeouts.bye)
        except TelnyxError as error:
            self.log.debug(f"no good-bye for call {self.dialog.call_id}: {error}")
        finally:
            await self.path.close()
            self._reattachment.close()
            for recording in self.recordings:
                try:
                    await recording.stop()
                except MediaError as error:
                    (self.log.debug if recording.failed else self.log.unretrieved)(str(error))

    @property
    def _awaits_answer(self) -> bool:
        return self.direction is CallDirection.OUTBOUND and not self._answered.is_set()

    def _take_answer(self, sdp: str | None) -> None:
        self.life.timings.mark("answered")
        self._answered.set()
        if sdp:
            self._take_remote_sdp(sdp)
        elif not self._first_sdp.done():  # messages may overtake each other
            self.life.spawn(self._expect_description())

    def _take_remote_sdp(self, sdp: str) -> None:
        self._last_sdp = sdp
        if not self._first_sdp.done():
            self._first_sdp.set_result(sdp)

    async def _attach(self, sdp: str) -> None:
        """Answer the server's offer to bring the call back."""
        await self._signaling.request(Attach(self._signaling.session_id, self.dialog, sdp, USER_AGENT))
        if self.life.standing == CallState.HELD:  # not every server remembers
            await self._signaling.request(Hold(self._signaling.session_id, self.dialog, "hold"))

    def _usual_reason(self) -> CallTerminationReason:
        """The reasons that Telnyx's mobile SDKs give when the application names none."""
        refused = self.direction is CallDirection.INBOUND and not self._answered.is_set()
        return CallTerminationReason.of(HangupCause.USER_BUSY if refused else HangupCause.NORMAL_CLEARING)


def _remote_party(dialog: Dialog, direction: CallDirection) -> RemoteParty:
    if direction is CallDirection.INBOUND:
        return RemoteParty(dialog.caller_name, dialog.caller_number)
    return RemoteParty(number=dialog.destination_number)
