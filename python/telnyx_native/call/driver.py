"""Drives one call: hands what the application and the server say to its machine, and does what the machine wants.

An application has `Call` of it; the client has this.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol
from weakref import WeakValueDictionary

from telnyx_native.call.answer_detection import AnswerDetections
from telnyx_native.call.audio_path import AudioPath, PeerSource, send_candidates
from telnyx_native.call.lifecycle import Lifecycle
from telnyx_native.call.machine import ACCEPTED, Machine, Rules
from telnyx_native.call.machine_terms import (
    Accept,
    Action,
    Alerting,
    Answered,
    AnswerSent,
    Attach,
    Bye,
    Connected,
    ConnectionGone,
    ConnectionLost,
    Described,
    Detached,
    Dial,
    GiveUpMove,
    HangUp,
    Move,
    Moved,
    MoveFailed,
    OfferMade,
    Rang,
    Restored,
    State,
    TakeAnswer,
    TakeProvisionalAnswer,
    WarnOfMove,
)
from telnyx_native.call.modification import Modifications
from telnyx_native.call.observation import Observation, Observers
from telnyx_native.call.transfer import Transfers
from telnyx_native.errors import CallError, MediaError, SdpError, TelnyxError, WarningCode
from telnyx_native.events import (
    AnswerResponse,
    AttachResponse,
    ByeResponse,
    CallEvent,
    CallIds,
    CallMessage,
    CandidateResponse,
    DisplayResponse,
    InviteResponse,
    MediaResponse,
    MessageResponse,
    RemoteParty,
    RingingResponse,
)
from telnyx_native.flow import SharedFlow, StateFlow
from telnyx_native.media.sdp import parse
from telnyx_native.signaling import messages
from telnyx_native.signaling.messages import Dtmf, Hold
from telnyx_native.snapshot import CallSnapshot, JSONValue, check_application_state
from telnyx_native.states import (
    CallDirection,
    CallNetworkChangeReason,
    CallTerminationReason,
    HangupCause,
)
from telnyx_native.version import USER_AGENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_native.call_control import CallControl
    from telnyx_native.config import Limits, Timeouts
    from telnyx_native.logs import Log
    from telnyx_native.media.negotiation import MediaOptions, Negotiation
    from telnyx_native.media.peer import Peer
    from telnyx_native.media.recording import Recording
    from telnyx_native.signaling.messages import Dialog, HoldAction
    from telnyx_native.signaling.session import Session
    from telnyx_native.states import TransferOutcome

__all__ = ["CallDriver", "CallHost"]

_accepted: WeakValueDictionary[str, CallDriver] = WeakValueDictionary()
"""The inbound calls that clients of this process have accepted, by call id."""

HEADERS_OF_A_CALL = 64 * 1024
"""Characters of SIP headers that are kept of the other side; a message that would bring more has none for us."""


class CallHost(PeerSource, Protocol):
    """Who gives a call its audio, keeps its snapshot, and forgets it in the end."""

    def on_call_changed(self) -> None:
        """Something changed that a snapshot has."""

    def on_call_ended(self, call_id: str, teardown: asyncio.Task[None]) -> None:
        """Forget the call; `teardown` says good-bye to the server and frees the audio."""


class CallDriver:
    """Drives one call: placed or ringing, answered, kept through lost connections, ended.

    Args:
        dialog: What identifies the call on the wire, and what both sides are told of each other.
        direction: Which side placed it.
        host: Gives it its audio.
        signaling: The way to the server.
        timeouts: How long each step may take.
        limits: How much of something there may be.
        observers: Those that want to know about it.
        log: What happens to it is logged there.
        call_control: What asks the Voice API about it.

    Attributes:
        dialog: As given, with what was learnt since.
        direction: Which side placed it.
        telnyx_ids: Its ids on Telnyx's side, as far as they are known.
        remote_headers: SIP headers that the remote side sent.
        remote_party: The remote side.
        life: Its state, and its end.
        path: Its audio.
        observation: All that looks at it from beside.
        messages: Text messages of the remote party; it ends with the call.
        recordings: What is stopped when it ends.
        answer_detections: Finds out who answered.
        resumed: Whether it was answered in another process.
        application_state: What the application keeps with it.
        call_control: What asks the Voice API about it; `None` if the client has none.
        log: What happens to it is logged there.
    """

    def __init__(
        self,
        dialog: Dialog,
        direction: CallDirection,
        *,
        host: CallHost,
        signaling: Session,
        timeouts: Timeouts,
        limits: Limits,
        observers: Observers,
        log: Log,
        call_control: CallControl | None = None,
    ) -> None:
        self.dialog = dialog
        self.direction = direction
        self.telnyx_ids = CallIds()
        self.remote_headers: dict[str, str] = {}
        self.remote_party: StateFlow[RemoteParty] = StateFlow(_remote_party(dialog, direction))
        self.log = log
        self.life = Lifecycle(
            dialog.call_id,
            Machine(Rules(timeouts.description, timeouts.reconnect), direction),
            perform=self._perform,
            tear_down=self._tear_down,
            on_change=host.on_call_changed,
            on_end=partial(host.on_call_ended, dialog.call_id),
            log=log,
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
        self.messages: SharedFlow[CallMessage] = SharedFlow()
        self.recordings: list[Recording] = []
        self.answer_detections = AnswerDetections(self.life)
        self.resumed = False
        self.application_state: JSONValue = None
        self.call_control = call_control
        self._on_change = host.on_call_changed
        self._signaling = signaling
        self._timeouts = timeouts
        self._modifications = Modifications(self.life, signaling, restart_limit=timeouts.ice_restart)
        self._transfers = Transfers(self.life, self.remote_party, call_control, log)
        self._describing = asyncio.Lock()
        self._moving: asyncio.Task[None] | None = None
        self._offer = ""

    # What the application wants.

    async def place(self, options: MediaOptions) -> None:
        """Send the invitation of an outbound call; returns when the server has taken it."""
        with self.life.ended_by_failure():
            negotiation = self._open(options)
            self.life.happen(Dial())
            sdp = await negotiation.offer()
            self.life.require_alive()
            self.life.happen(OfferMade())
            trickle = options.use_trickle_ice
            await self._signaling.request(
                messages.Invite(self._signaling.session_id, self.dialog, sdp, USER_AGENT, trickle=trickle)
            )
            if trickle:  # not before the server knows the call that they belong to
                self.life.spawn(send_candidates(negotiation.peer, self.dialog, self._signaling, self.log))

    async def accept(self, options: MediaOptions, custom_headers: Mapping[str, str]) -> None:
        """Answer an inbound call; returns when the server has taken the answer."""
        if self.direction is CallDirection.INBOUND and self.life.machine.state in ACCEPTED:
            self.observation.warn(WarningCode.ANSWER_WHILE_PEER_ACTIVE, "the first one counts")
        self.require_ringing_here("accepted")
        self._require_unanswered_elsewhere()
        self.dialog = replace(self.dialog, custom_headers=dict(custom_headers))
        with self.life.ended_by_failure():
            negotiation = self._open(options)
            self.life.happen(Accept())
            sdp = await negotiation.answer(self._offer)
            self.life.require_alive()
            trickle = options.use_trickle_ice
            await self._signaling.request(
                messages.Answer(self._signaling.session_id, self.dialog, sdp, USER_AGENT, trickle=trickle)
            )
            self.life.require_alive()
            if trickle:
                self.life.spawn(send_candidates(negotiation.peer, self.dialog, self._signaling, self.log))
            self.life.happen(AnswerSent())
            self.life.spawn(self._connect(negotiation.peer))

    async def hold(self, action: HoldAction) -> bool:
        """Put the call on hold or take it off; return whether it is on hold now."""
        return await self._modifications.hold(self.dialog, action)

    async def press(self, keys: str) -> None:
        """Let the server press keys."""
        message = Dtmf(self._signaling.session_id, self.dialog, keys)
        if not self.life.machine.is_answered:
            raise CallError(f"no keys can be pressed in a call in state {self.life.state}; wait until it is active")
        await self.life.carry_out(self._signaling.request(message))

    async def message(self, body: str, to: str | None) -> None:
        """Send a text message within the call."""
        sender = self._signaling.account or ""
        recipient = self.remote_party.value.number if to is None else to
        message = messages.TextMessage(self._signaling.session_id, self.dialog, sender, recipient, body)
        if not self.life.machine.is_answered:
            raise CallError(f"no message can be sent in a call in state {self.life.state}; wait until it is active")
        await self.life.carry_out(self._signaling.request(message))

    async def restart_ice(self) -> None:
        """Replace the audio path while the call goes on."""
        self.path.require_open()
        await self._modifications.renew_path(self.dialog, self.path)

    async def transfer(
        self, to: str, *, caller: str | None, headers: Mapping[str, str], timeout: float, call_control_id: str | None
    ) -> TransferOutcome:
        """Connect the remote party with somebody else; return what became of it."""
        ids = self.telnyx_ids
        if call_control_id is not None:
            ids = replace(ids, call_control_id=call_control_id)
        return await self._transfers.carry_out(ids, to, caller=caller, headers=headers, timeout=timeout)

    def _require_unanswered_elsewhere(self) -> None:
        """Check that no other client of this process, which has logged in as the same user, has answered the call."""
        other = _accepted.get(self.dialog.call_id.lower())
        if other is not None and other.life.reason is None:
            self.observation.warn(WarningCode.DUPLICATE_INBOUND_ANSWER, "the first one counts")
            raise CallError(f"call {self.dialog.call_id} is accepted by another client of this process already")
        _accepted[self.dialog.call_id.lower()] = self

    def hang_up(self, cause: HangupCause | None) -> None:
        """Hang up, cancel or reject."""
        self.life.happen(HangUp(cause))

    def keep(self, state: JSONValue) -> None:
        """Keep what the application needs to go on with the call in another process."""
        self.application_state = check_application_state(state)
        self._on_change()

    def snapshot(self) -> CallSnapshot | None:
        """What another process needs to go on with the call; `None` if the server would not keep it."""
        if not self.life.machine.is_kept:
            return None
        party, ids = self.remote_party.value, self.telnyx_ids
        return CallSnapshot(
            self.dialog.call_id,
            self.direction,
            self.dialog.destination_number,
            self.dialog.caller_name,
            self.dialog.caller_number,
            party.name,
            party.number,
            self.dialog.client_state,
            ids.session_id,
            ids.leg_id,
            ids.call_control_id,
            held=self.life.machine.held,
            muted=self.path.peer.audio.muted,
            custom_headers=dict(self.dialog.custom_headers),
            remote_headers=self.remote_headers,
            application_state=self.application_state,
        )

    def restore(self, kept: CallSnapshot, options: MediaOptions) -> None:
        """Be the call of a snapshot, which the server is about to bring back."""
        self.resumed = True
        self.telnyx_ids = CallIds(kept.telnyx_session_id, kept.telnyx_leg_id, kept.call_control_id)
        self.remote_headers = dict(kept.remote_headers)
        self.remote_party.set(RemoteParty(kept.remote_name, kept.remote_number))
        self.application_state = kept.application_state
        self._open(options)
        self.life.happen(Restored(kept.held))

    def detach(self) -> None:
        """Let go of the call, which goes on at the server."""
        self.life.happen(Detached())

    def require_ringing_here(self, done: str) -> None:
        """Raise `CallError` unless the call waits to be accepted or rejected."""
        if self.life.machine.state is not State.RINGING:
            raise CallError(f"an {self.direction.value} call in state {self.life.state} cannot be {done}")

    # What the server says.

    def handle(self, event: CallEvent) -> None:
        """Take what the server says about this call."""
        self._learn(event)
        match event:
            case AttachResponse(sdp=offer):
                self.life.happen(Attach(offer))
            case InviteResponse(sdp=offer):
                self._ring(offer)
            case RingingResponse():
                self.life.happen(Alerting())
            case MediaResponse(sdp=sdp) if sdp:
                self.life.happen(Described(sdp))
            case AnswerResponse(sdp=sdp):
                self.life.happen(Answered(sdp, self.path.stands))
            case ByeResponse(reason=reason):
                self.life.happen(Bye(reason))
            case CandidateResponse():
                self.path.candidates.add(event.candidate, event.sdp_mid, event.sdp_mline_index)
            case MessageResponse(message=message):
                self.messages.emit(message)
            case DisplayResponse(party=party):
                known = self.remote_party.value
                self.remote_party.set(RemoteParty(party.name or known.name, party.number or known.number))
            case _:
                self.log.debug(f"{type(event).__name__} changes nothing for a call")

    def _learn(self, event: CallEvent) -> None:
        """Keep what any message may bring: ids and headers."""
        self.telnyx_ids = replace(self.telnyx_ids, **{name: id_ for name, id_ in vars(event.ids).items() if id_})
        headers = self.remote_headers | event.custom_headers
        if sum(map(len, (*headers, *headers.values()))) <= HEADERS_OF_A_CALL:
            self.remote_headers = headers
        if self.life.machine.is_kept:
            self._on_change()

    def _open(self, options: MediaOptions) -> Negotiation:
        negotiation = self.path.open(options)
        negotiation.peer.audio.on_muted = self._on_change
        return negotiation

    def _ring(self, offer: str) -> None:
        """Begin an inbound call; an offer that cannot be used ends it."""
        self._offer = offer
        try:
            parse(offer)
        except SdpError as error:
            self.life.happen(Rang(error))
        else:
            self.life.happen(Rang())

    def await_reattachment(self, reason: CallNetworkChangeReason) -> None:
        """The connection to the server is gone, and is being made again."""
        self.life.happen(ConnectionLost(reason))

    def drop(self, reason: CallNetworkChangeReason) -> None:
        """The connection to the server is gone for good, or the server did not keep the call."""
        self.life.happen(ConnectionGone(reason))

    # What the machine wants.

    def _perform(self, action: Action) -> None:
        match action:
            case TakeProvisionalAnswer(sdp):
                self.life.spawn(self._take_provisional_answer(sdp))
            case TakeAnswer(sdp):
                self.life.spawn(self._take_answer(sdp))
            case Move(offer):
                self._give_up_move()
                self._moving = self.life.spawn(self._move(offer))
            case GiveUpMove():
                self._give_up_move()
            case WarnOfMove(error):
                detail = f"it stays on its old path, the new one is no use: {error}"
                self.observation.warn(WarningCode.MEDIA_RECOVERY_REQUIRED, detail)

    async def _take_provisional_answer(self, sdp: str) -> None:
        async with self._describing:
            await self.path.negotiation.take_provisional_answer(sdp)

    async def _take_answer(self, sdp: str) -> None:
        async with self._describing:
            await self.path.negotiation.take_answer(sdp)
        await self._connect(self.path.peer)

    async def _connect(self, peer: Peer) -> None:
        await peer.wait_connected(self._timeouts.media)
        self.life.timings.mark("media_connected")
        self.life.happen(Connected())

    async def _move(self, offer: str) -> None:
        try:
            await self.path.move(offer, send_answer=self._attach)
        except TelnyxError as error:
            self.log.debug(f"the audio was not moved: {error}")
            self.life.happen(MoveFailed(error, self.path.stands))
        else:
            self.life.happen(Moved())

    def _give_up_move(self) -> None:
        if self._moving is not None:
            self._moving.cancel()
        self._moving = None

    async def _tear_down(self, reason: CallTerminationReason, tell: bool) -> None:
        self.remote_party.close()
        self.messages.close()
        await self.observation.close()
        try:
            if tell:
                bye = messages.Bye(self._signaling.session_id, self.dialog, reason)
                await self._signaling.request(bye, timeout=self._timeouts.bye)
        except TelnyxError as error:
            self.log.debug(f"no good-bye for call {self.dialog.call_id}: {error}")
        finally:
            await self.path.close()
            self._moving = None
            for recording in self.recordings:
                try:
                    await recording.complete()
                except MediaError as error:
                    (self.log.debug if recording.failed else self.log.unretrieved)(str(error))

    async def _attach(self, sdp: str) -> None:
        """Answer the server's offer to bring the call back."""
        await self._signaling.request(messages.Attach(self._signaling.session_id, self.dialog, sdp, USER_AGENT))
        if self.life.machine.held:  # not every server remembers
            await self._signaling.request(Hold(self._signaling.session_id, self.dialog, "hold"))


def _remote_party(dialog: Dialog, direction: CallDirection) -> RemoteParty:
    if direction is CallDirection.INBOUND:
        return RemoteParty(dialog.caller_name, dialog.caller_number)
    return RemoteParty(number=dialog.destination_number)
