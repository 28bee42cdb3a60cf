"""One call: its state, its audio, and what can be done with it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from telnyx_native.call.audio_path import AudioPath, PeerSource
from telnyx_native.call.lifecycle import Lifecycle
from telnyx_native.call.modification import Modifications
from telnyx_native.call.observation import Observation, Observers
from telnyx_native.call.reattachment import Reattachment
from telnyx_native.call.trickle import send_candidates
from telnyx_native.config import AudioConfig
from telnyx_native.errors import CallError, MediaError, TelnyxError
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
from telnyx_native.media.negotiation import MediaOptions
from telnyx_native.media.recording import Recording
from telnyx_native.media.tap import AudioDirection
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
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from telnyx_native.call.timings import CallTimings
    from telnyx_native.config import AudioCodec, Limits, Timeouts
    from telnyx_native.flow import SharedFlow
    from telnyx_native.logs import Log
    from telnyx_native.media.dtmf import DtmfReceived
    from telnyx_native.media.negotiation import Negotiation
    from telnyx_native.media.peer import Peer
    from telnyx_native.media.quality import CallQualityMetrics
    from telnyx_native.media.stream import AudioStream
    from telnyx_native.media.voice_activity import VoiceActivity
    from telnyx_native.signaling.requester import Signaling

__all__ = ["Call", "CallHost"]

MOST_HEADERS = 200
"""SIP headers that are kept of the other side; a message that would bring more has none for us."""

_STANDING = (CallState.ACTIVE, CallState.HELD)
_ANSWERED = (*_STANDING, CallState.RENEGOTIATING)


class CallHost(PeerSource, Protocol):
    """Who gives a call its audio, and forgets it in the end."""

    def on_call_ended(self, call: Call, teardown: asyncio.Task[None]) -> None:
        """Forget the call; `teardown` says good-bye to the server and frees the audio."""


class Call:
    """A call, outbound or inbound, made by `TelnyxClient`.

    Attributes:
        call_id: The id of the call on the wire.
        direction: Who placed it.
        telnyx_ids: Its ids on Telnyx's side, as far as they are known.
        remote_headers: SIP headers that the other side sent, with its invitation or answer say.
        remote_party_flow: Who is at the other end; it changes when the server says so, after a transfer say.
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
        self.call_id: str = dialog.call_id
        self.direction = direction
        self.telnyx_ids = CallIds()
        self.remote_headers: dict[str, str] = {}
        self.remote_party_flow: StateFlow[RemoteParty] = StateFlow(_remote_party(dialog, direction))
        self._dialog = dialog
        self._signaling = signaling
        self._timeouts = timeouts
        self._log = log
        self._life = Lifecycle(
            dialog.call_id, tear_down=self._tear_down, on_end=partial(host.on_call_ended, self), log=log
        )
        self._modifications = Modifications(self._life, signaling, restart_limit=timeouts.ice_restart)
        self._observation = Observation(dialog.call_id, self._life, observers, signaling, log)
        self._path = AudioPath(
            self._life,
            host,
            self.restart_ice,
            observation=self._observation,
            timeouts=timeouts,
            limits=limits,
            log=log,
        )
        self._reattachment = Reattachment(
            self._life, partial(self._path.move, send_answer=self._attach), limit=timeouts.reconnect, log=log
        )
        self._recordings: list[Recording] = []
        self._offer = ""
        self._remote_sdp: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._answered = asyncio.Event()
        self._known_to_server = False

    def __repr__(self) -> str:
        return f"<Call {self.call_id} {self.direction.value} {self.state}>"

    @property
    def call_state_flow(self) -> StateFlow[CallState]:
        """The state, and every change of it; the last one is `CallState.DONE`."""
        return self._life.states

    @property
    def state(self) -> CallState:
        """The current state."""
        return self._life.state

    @property
    def termination_reason(self) -> CallTerminationReason | None:
        """Why the call ended; `None` while it has not."""
        return self._life.reason

    @property
    def timings(self) -> CallTimings:
        """When the call reached which step."""
        return self._life.timings

    @property
    def destination_number(self) -> str:
        """Who is called."""
        return self._dialog.destination_number

    @property
    def remote_party(self) -> RemoteParty:
        """Who is at the other end."""
        return self.remote_party_flow.value

    @property
    def caller_name(self) -> str:
        """The name of who calls."""
        return self.remote_party.name if self._is_inbound else self._dialog.caller_name

    @property
    def caller_number(self) -> str:
        """The number of who calls."""
        return self.remote_party.number if self._is_inbound else self._dialog.caller_number

    @property
    def client_state(self) -> str | None:
        """The text that goes with the call for the application on Telnyx's side."""
        return self._dialog.client_state

    def log_scope(self) -> AbstractContextManager[None]:
        """Records that are logged inside, by whom ever, are about this call: see `LogContextFilter`.

        It holds for the task or thread that enters it, and for tasks that are started inside.
        """
        return self._log.scope()

    @property
    def audio(self) -> AudioStream:
        """The audio to write and to read.

        Raises:
            CallError: The call is inbound and not accepted yet.
        """
        return self.peer.audio

    @property
    def peer(self) -> Peer:
        """The media end of the call: another one after the call was brought back.

        Raises:
            CallError: The call is inbound and not accepted yet.
        """
        return self._path.peer

    def bridge(self, other: Call) -> None:
        """Let two calls hear each other, natively, until one of them ends or `unjoin` is called.

        What the application writes to one of them is still heard by that one. A call on hold neither hears nor is
        heard. Each leaves the echo, bridge or conference that it was in.

        Raises:
            CallError: One of them is inbound and not accepted yet.
            MediaError: One of them is over, or of another event loop, or both are the same.
        """
        self.peer.join(other.peer)

    def echo(self) -> None:
        """Send back what the other side says, natively, until `unjoin` is called.

        Raises:
            CallError: The call is inbound and not accepted yet.
            MediaError: The call is over.
        """
        self.peer.echo()

    def unjoin(self) -> None:
        """Leave the echo, bridge or conference that the call is in, if any; the call goes on by itself.

        Raises:
            CallError: The call is inbound and not accepted yet.
        """
        self.peer.leave()

    @property
    def muted(self) -> bool:
        """Whether the other side hears silence."""
        return self.audio.muted

    def mute(self) -> None:
        """Let the other side hear silence; what is written plays on unheard."""
        self.audio.muted = True

    def unmute(self) -> None:
        """Let the other side hear what is written."""
        self.audio.muted = False

    def toggle_mute(self) -> bool:
        """Mute or unmute; return whether it is muted now."""
        self.audio.muted = not self.audio.muted
        return self.audio.muted

    @property
    def dtmf_flow(self) -> SharedFlow[DtmfReceived]:
        """Keys that the far end presses, each once, when it is let go; the flow ends with the call.

        They come as telephone-events (RFC 4733), and with `AudioConfig.dtmf_tones` also as a sound.

        Raises:
            CallError: The call is inbound and not accepted yet.
        """
        return self.audio.dtmf_flow

    @property
    def voice_activity_flow(self) -> SharedFlow[VoiceActivity]:
        """When the far end begins to speak, and when it stops; the flow ends with the call.

        It is looked for natively while somebody collects this, as `AudioConfig.voice_activity` says.

        Raises:
            CallError: The call is inbound and not accepted yet.
        """
        return self.audio.voice_activity_flow

    async def record(self, path: str | Path) -> Recording:
        """Record the call from now on, in stereo: left what is received, right what is sent.

        The recording ends with the call, or when it is stopped before; `async with` stops it, too.

        Args:
            path: The file: `.wav`, `.flac`, or `.opus` or `.ogg`. It is replaced.

        Raises:
            CallError: The call is inbound and not accepted yet, or is over.
            ConfigurationError: There is no such kind of file, it cannot have the call's rate, or cannot be written.
        """
        self._life.require_alive()
        recording = await Recording.begin(path, self.audio.tap(AudioDirection.BOTH))
        self._recordings.append(recording)
        return recording

    @property
    def call_quality_flow(self) -> SharedFlow[CallQualityMetrics]:
        """How good the call sounds: measured every second, while the call is active and somebody collects."""
        return self._observation.quality.metrics

    @property
    def on_call_quality_change(self) -> Callable[[CallQualityMetrics], None] | None:
        """Set this to be called with each measurement of `call_quality_flow`, and to `None` for no more."""
        return self._observation.quality.listener

    @on_call_quality_change.setter
    def on_call_quality_change(self, listener: Callable[[CallQualityMetrics], None] | None) -> None:
        self._observation.quality.listener = listener

    async def hold(self) -> None:
        """Put the call on hold; does nothing when it is. Cancelling this does not take it back.

        Raises:
            CallError: The call is not active, or ended meanwhile.
            RequestError: The server refused; the call is as it was.
        """
        await self._modifications.hold(self._dialog, "hold")

    async def unhold(self) -> None:
        """Take the call off hold; does nothing when it is active. Cancelling this does not take it back.

        Raises:
            CallError: The call is not on hold, or ended meanwhile.
            RequestError: The server refused; the call is as it was.
        """
        await self._modifications.hold(self._dialog, "unhold")

    async def toggle_hold(self) -> bool:
        """Hold or unhold; return whether the call is on hold now. Cancelling this does not take it back.

        Raises:
            CallError: The call is neither active nor on hold, or ended meanwhile.
            RequestError: The server refused; the call is as it was.
        """
        return await self._modifications.hold(self._dialog, "toggleHold")

    async def dtmf(self, keys: str) -> None:
        """Press keys; the server makes the tones.

        Args:
            keys: Any of 0-9, *, # and A-D; `w` waits half a second before the next, `W` a second.

        Raises:
            ConfigurationError: There are no such keys.
            CallError: The call is not answered, or ended meanwhile.
            RequestError: The server refused.
        """
        message = Dtmf(self._signaling.session_id, self._dialog, keys)
        if self.state not in _ANSWERED:
            raise CallError(f"no keys can be pressed in a call in state {self.state}; wait until it is active")
        await self._life.carry_out(self._signaling.request(message))

    async def dtmf_in_band(self, keys: str, *, duration: float = 0.1, gap: float = 0.05) -> None:
        """Press keys in the audio stream (RFC 4733), as a telephone does; returns when they are queued.

        For a far end that does not hear what the server makes of `dtmf`.

        Args:
            keys: Any of 0-9, *, # and A-D; `,` waits two seconds before the next.
            duration: Seconds each key is held.
            gap: Seconds between two keys.

        Raises:
            ConfigurationError: There are no such keys, or a length is out of range.
            CallError: The call is inbound and not accepted yet.
            MediaError: The far end takes no such keys, or the audio is not connected.
        """
        await self.peer.insert_dtmf(keys, duration=duration, gap=gap)

    async def set_max_bitrate(self, bitrate: int | None) -> None:
        """Limit what is sent from now on, for a network that has become narrow.

        Args:
            bitrate: Bits of audio a second, 6,000 to 510,000; `None` for what the call began with
                (`OpusConfig.bitrate`). G.711 and G.722 have only the one bitrate.

        Raises:
            ConfigurationError: It is out of range.
            CallError: The call is inbound and not accepted yet.
            MediaError: Nothing was negotiated yet.
        """
        await self.peer.set_max_bitrate(bitrate)

    async def restart_ice(self) -> None:
        """Replace the audio path while the call goes on; done by itself when the path breaks.

        The call is RENEGOTIATING meanwhile. Cancelling this does not take it back.

        Raises:
            CallError: The call is neither active nor on hold, or ended meanwhile.
            RequestError: The server refused; the old path is used as long as it lasts.
            MediaError: The new path did not come up in time, or the server's description cannot be used.
        """
        await self._modifications.restart_ice(self._dialog, self._path.negotiation)

    async def stats(self) -> dict[str, dict[str, Any]]:
        """The statistics of the media, by id, as W3C `getStats` defines them."""
        return await self.peer.stats()

    async def wait_active(self, timeout: float | None = None) -> None:
        """Return once the call is answered and its audio connected.

        Raises:
            CallError: The call ended instead; the message says why.
            WaitTimeoutError: It did not happen within `timeout` seconds.
        """
        state = await self.call_state_flow.wait_for(_is_decided, timeout=timeout)
        if isinstance(state, CallState.DONE):
            raise CallError(f"the call ended before it was active: {state.reason}")

    async def wait_done(self) -> CallTerminationReason:
        """Return the reason once the call is over and everything it held is freed."""
        return await self._life.wait_done()

    async def accept(
        self,
        *,
        custom_headers: Mapping[str, str] | None = None,
        audio: AudioConfig | None = None,
        muted: bool = False,
        use_trickle_ice: bool = False,
        preferred_codecs: Sequence[AudioCodec] = (),
    ) -> None:
        """Answer an inbound call; returns when the server has taken the answer.

        Args:
            custom_headers: SIP headers for the caller; by convention their names start with `X-`.
            audio: How the audio is to be written and read.
            muted: Whether the call begins muted.
            use_trickle_ice: Whether to answer at once, and send network candidates as they are found.
            preferred_codecs: The codecs to choose from first, of those that the caller offers.

        Raises:
            CallError: The call is not ringing here, or ended meanwhile.
            ConfigurationError: A header or a codec cannot work.
            MediaError: The offered audio cannot be used.
            RequestError: The server refused the answer.
        """
        self._require_ringing_here("accepted")
        options = MediaOptions(audio or AudioConfig(), muted, use_trickle_ice, tuple(preferred_codecs))
        self._dialog = replace(self._dialog, custom_headers=dict(custom_headers or {}))
        with self._life.ended_by_failure(self._usual_reason()):
            negotiation = self._path.open(options)
            self._life.enter(CallState.CONNECTING)
            sdp = await negotiation.answer(self._offer)
            self._life.require_alive()
            await self._signaling.request(
                Answer(self._signaling.session_id, self._dialog, sdp, USER_AGENT, trickle=use_trickle_ice)
            )
            self._life.require_alive()
            if use_trickle_ice:
                self._life.spawn(send_candidates(negotiation.peer, self._dialog, self._signaling, self._log))
            self._answered.set()
            self.timings.mark("answered")
            self._life.spawn(self._reach_active(negotiation.peer))

    async def reject(self, cause: HangupCause = HangupCause.USER_BUSY) -> None:
        """Refuse an inbound call.

        Raises:
            CallError: The call is not ringing here.
        """
        self._require_ringing_here("rejected")
        await self.end(cause)

    async def end(self, cause: HangupCause | None = None) -> None:
        """Hang up, cancel or refuse; returns when everything is freed. A call that is over is left alone.

        Args:
            cause: What the other side is told; by default USER_BUSY for an inbound call that was not
                answered, and otherwise NORMAL_CLEARING.
        """
        self.hang_up(cause)
        await self.wait_done()

    def hang_up(self, cause: HangupCause | None = None) -> None:
        """Like `end`, but without waiting for what has to be freed."""
        self._life.finish(CallTerminationReason.of(cause) if cause else self._usual_reason())

    # What the client tells the call.

    async def place(self, options: MediaOptions) -> None:
        """Send the invitation of an outbound call; returns when the server has taken it."""
        with self._life.ended_by_failure(self._usual_reason()):
            negotiation = self._path.open(options)
            self._life.enter(CallState.CONNECTING)
            sdp = await negotiation.offer()
            self._life.require_alive()
            self._known_to_server = True
            self._life.spawn(self._follow_invitation(negotiation))
            self.timings.mark("invite_sent")
            trickle = options.use_trickle_ice
            await self._signaling.request(
                Invite(self._signaling.session_id, self._dialog, sdp, USER_AGENT, trickle=trickle)
            )
            if trickle:  # not before the server knows the call that they belong to
                self._life.spawn(send_candidates(negotiation.peer, self._dialog, self._signaling, self._log))

    def ring(self, offer: str) -> None:
        """Begin an inbound call that brought the session description `offer`."""
        self._known_to_server = True
        self._offer = offer
        self.timings.mark("ringing")
        self._life.enter(CallState.RINGING)

    def handle(self, event: CallEvent) -> None:
        """Take what the server says about this call; late and repeated messages do no harm."""
        self.telnyx_ids = self.telnyx_ids.updated(event.ids)
        if len(self.remote_headers | event.custom_headers) <= MOST_HEADERS:
            self.remote_headers |= event.custom_headers
        match event:
            case ByeResponse():
                self._life.finish(event.reason, tell=False)
            case RingingResponse() if self._awaits_answer and self.state == CallState.CONNECTING:
                self.timings.mark("ringing")
                self._life.enter(CallState.RINGING)
            case CandidateResponse():
                self._path.candidates.add(event.candidate, event.sdp_mid, event.sdp_mline_index)
            case DisplayResponse(party=party):
                known = self.remote_party
                self.remote_party_flow.set(RemoteParty(party.name or known.name, party.number or known.number))
            case MediaResponse(sdp=sdp) if self._awaits_answer:
                self._take_remote_sdp(sdp)
            case AnswerResponse(sdp=sdp) if self._awaits_answer:
                self._take_answer(sdp)
            case _:
                self._log.debug(f"{type(event).__name__} changes nothing for {self!r}")

    def await_reattachment(self, reason: CallNetworkChangeReason) -> None:
        """The connection to the server is gone, and is being made again. Servers keep answered calls that long."""
        if self.state in _ANSWERED or isinstance(self.state, CallState.RECONNECTING):
            self._reattachment.wait(reason)
        else:
            self.drop(reason)

    def reattach(self, offer: str) -> None:
        """The server brings the call back, and offers a new audio path; a call without one has nothing to move."""
        if self.state in _ANSWERED or isinstance(self.state, CallState.RECONNECTING):
            self._reattachment.take(offer)
        else:
            self._log.debug(f"{self!r} is not answered, so it cannot be brought back")

    def drop(self, reason: CallNetworkChangeReason) -> None:
        """The connection to the server is gone, and the call with it."""
        self._reattachment.give_up(reason)

    # The steps of a call.

    async def _follow_invitation(self, negotiation: Negotiation) -> None:
        await negotiation.take_answer(await self._remote_sdp)
        await self._answered.wait()
        await self._reach_active(negotiation.peer)

    async def _reach_active(self, peer: Peer) -> None:
        await peer.wait_connected(self._timeouts.media)
        self.timings.mark("media_connected")
        self.timings.mark("active")
        self._life.enter(CallState.ACTIVE)

    async def _tear_down(self, reason: CallTerminationReason, tell: bool) -> None:
        self.remote_party_flow.close()
        await self._observation.close()
        try:
            if tell and self._known_to_server:
                bye = Bye(self._signaling.session_id, self._dialog, reason)
                await self._signaling.request(bye, timeout=self._timeouts.bye)
        except TelnyxError as error:
            self._log.debug(f"no good-bye for call {self.call_id}: {error}")
        finally:
            await self._path.close()
            for recording in self._recordings:
                try:
                    await recording.stop()
                except MediaError as error:
                    self._log.warning(str(error))

    @property
    def _is_inbound(self) -> bool:
        return self.direction is CallDirection.INBOUND

    @property
    def _awaits_answer(self) -> bool:
        return self.direction is CallDirection.OUTBOUND and not self._answered.is_set()

    def _take_answer(self, sdp: str | None) -> None:
        if sdp:
            self._take_remote_sdp(sdp)
        if not self._remote_sdp.done():
            self._life.fail(HangupCause.MANDATORY_IE_MISSING, "the answer has no session description")
            return
        self.timings.mark("answered")
        self._answered.set()

    def _take_remote_sdp(self, sdp: str) -> None:
        """Only the first one counts: an answer after early media may repeat it."""
        if not self._remote_sdp.done():
            self._remote_sdp.set_result(sdp)

    async def _attach(self, sdp: str) -> None:
        """Answer the server's offer to bring the call back."""
        await self._signaling.request(Attach(self._signaling.session_id, self._dialog, sdp, USER_AGENT))
        if self._life.standing == CallState.HELD:  # not every server remembers
            await self._signaling.request(Hold(self._signaling.session_id, self._dialog, "hold"))

    def _usual_reason(self) -> CallTerminationReason:
        """The reasons that Telnyx's mobile SDKs give when the application names none."""
        refused = self.direction is CallDirection.INBOUND and not self._answered.is_set()
        return CallTerminationReason.of(HangupCause.USER_BUSY if refused else HangupCause.NORMAL_CLEARING)

    def _require_ringing_here(self, done: str) -> None:
        if self.direction is not CallDirection.INBOUND or self.state != CallState.RINGING:
            raise CallError(f"an {self.direction.value} call in state {self.state} cannot be {done}")


def _is_decided(state: CallState) -> bool:
    return state in _ANSWERED or isinstance(state, CallState.DONE)


def _remote_party(dialog: Dialog, direction: CallDirection) -> RemoteParty:
    if direction is CallDirection.INBOUND:
        return RemoteParty(dialog.caller_name, dialog.caller_number)
    return RemoteParty(number=dialog.destination_number)
