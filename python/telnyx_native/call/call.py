"""One call: its state, its audio, and what can be done with it."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from telnyx_native.call.consultation import begin_consultation
from telnyx_native.call.machine import is_decided
from telnyx_native.config import AnswerDetectionConfig, AudioConfig
from telnyx_native.errors import CallError, ChannelLimitError, ConfigurationError
from telnyx_native.media.joins import bridge
from telnyx_native.media.negotiation import MediaOptions
from telnyx_native.media.recording import begin_packet_recording, begin_recording
from telnyx_native.states import CallDirection, CallState, HangupCause

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from telnyx_native.call.consultation import Consultation
    from telnyx_native.call.driver import CallDriver
    from telnyx_native.call.lifecycle import CallTimings
    from telnyx_native.config import AudioCodec, RecordingConfig
    from telnyx_native.events import CallIds, CallMessage, RemoteParty
    from telnyx_native.flow import SharedFlow, StateFlow
    from telnyx_native.media.answer_detection import AnswerDetection, Beep, GreetingEnd
    from telnyx_native.media.call_progress import CallProgress
    from telnyx_native.media.detectors import DtmfReceived, VoiceActivity
    from telnyx_native.media.peer import Peer
    from telnyx_native.media.quality import CallQualityMetrics
    from telnyx_native.media.recording import Recording
    from telnyx_native.media.sources import Playable
    from telnyx_native.media.stream import AudioStream
    from telnyx_native.media.turns import TurnEvent
    from telnyx_native.snapshot import JSONValue
    from telnyx_native.states import CallTerminationReason, TransferOutcome

__all__ = ["Call"]

PlaceCall = Callable[[str, str | None, Mapping[str, str], AudioConfig], Awaitable["Call"]]
"""Places another call of the client: to whom, the caller's number that is shown, headers, and its audio."""


class Call:
    """A call, outbound or inbound, made by `TelnyxClient`."""

    def __init__(self, driver: CallDriver, place: PlaceCall) -> None:
        self._driver = driver
        self._place = place

    def __repr__(self) -> str:
        return f"<Call {self.call_id} {self.direction.value} {self.state}>"

    @property
    def call_id(self) -> str:
        """The id of the call on the wire."""
        return self._driver.dialog.call_id

    @property
    def direction(self) -> CallDirection:
        """Who placed it."""
        return self._driver.direction

    @property
    def telnyx_ids(self) -> CallIds:
        """Its ids on Telnyx's side, as far as they are known."""
        return self._driver.telnyx_ids

    @property
    def remote_headers(self) -> dict[str, str]:
        """SIP headers that the remote side sent, for example with its invitation or answer.

        Of a name that came several times, the values are one, in their order, with commas between (RFC 3261, 7.3.1).
        """
        return self._driver.remote_headers

    @property
    def remote_party_flow(self) -> StateFlow[RemoteParty]:
        """The party at the other end; it changes when the server says so, for example after a transfer."""
        return self._driver.remote_party

    @property
    def call_state_flow(self) -> StateFlow[CallState]:
        """The state, and every change of it; the last one is `CallState.DONE`."""
        return self._driver.life.states

    @property
    def state(self) -> CallState:
        """The current state."""
        return self._driver.life.state

    @property
    def termination_reason(self) -> CallTerminationReason | None:
        """Why the call ended; `None` while it has not."""
        return self._driver.life.reason

    @property
    def timings(self) -> CallTimings:
        """When the call reached which step."""
        return self._driver.life.timings

    @property
    def destination_number(self) -> str:
        """Who is called."""
        return self._driver.dialog.destination_number

    @property
    def remote_party(self) -> RemoteParty:
        """Who is at the other end."""
        return self.remote_party_flow.value

    @property
    def caller_name(self) -> str:
        """The name of who calls."""
        return self.remote_party.name if self._is_inbound else self._driver.dialog.caller_name

    @property
    def caller_number(self) -> str:
        """The number of who calls."""
        return self.remote_party.number if self._is_inbound else self._driver.dialog.caller_number

    @property
    def client_state(self) -> str | None:
        """The text that goes with the call for the application on Telnyx's side."""
        return self._driver.dialog.client_state

    @property
    def resumed(self) -> bool:
        """Whether it was answered in another process, see `TelnyxClient.resume`."""
        return self._driver.resumed

    @property
    def application_state(self) -> JSONValue:
        """What the application wants back when another process resumes the call: any JSON; `None` at first.

        Setting it keeps a copy, which goes with the session's snapshots: set it again after each change.

        Raises:
            ConfigurationError: JSON cannot say it, or it has more than 65,536 characters.
        """
        return self._driver.application_state

    @application_state.setter
    def application_state(self, state: JSONValue) -> None:
        self._driver.keep(state)

    def log_scope(self) -> AbstractContextManager[None]:
        """Records that are logged inside, by any code, belong to this call: see `LogContextFilter`.

        It holds for the task or thread that enters it, and for tasks that are started inside.
        """
        return self._driver.log.scope()

    @property
    def audio(self) -> AudioStream:
        """The audio to write and to read.

        Raises:
            CallError: The call is inbound and not accepted yet.
        """
        return self._peer.audio

    def bridge(self, other: Call) -> None:
        """Let two calls hear each other, natively, until one of them ends or `unjoin` is called.

        What the application writes to one of them is still heard by that one. A call on hold neither hears nor is
        heard. Each leaves the echo, bridge or conference that it was in.

        Raises:
            CallError: One of them is inbound and not accepted yet.
            MediaError: One of them is over, or of another event loop, or both are the same.
        """
        bridge(self._peer, other._peer)

    def echo(self) -> None:
        """Send back what the other side says, natively, until `unjoin` is called.

        Raises:
            CallError: The call is inbound and not accepted yet.
            MediaError: The call is over.
        """
        self._peer.echo()

    def unjoin(self) -> None:
        """Leave the echo, bridge or conference that the call is in, if any; the call goes on by itself.

        Raises:
            CallError: The call is inbound and not accepted yet.
        """
        self._peer.leave()

    @property
    def bridged(self) -> bool:
        """Whether it hears another call, after `bridge` or `Consultation.complete`."""
        return self._driver.path.is_bridged

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
    def deafened(self) -> bool:
        """Whether the application, or a loudspeaker, hears silence."""
        return self.audio.deaf

    def deaf(self) -> None:
        """Hear silence instead of the remote party; detectors, taps and recordings go on."""
        self.audio.deaf = True

    def undeaf(self) -> None:
        """Hear the remote party again."""
        self.audio.deaf = False

    def toggle_deaf(self) -> bool:
        """Become deaf, or hear again; return whether it is deaf now."""
        self.audio.deaf = not self.audio.deaf
        return self.audio.deaf

    @property
    def dtmf_flow(self) -> SharedFlow[DtmfReceived]:
        """Keys that the remote presses, each once, when it is let go; the flow ends with the call.

        They come as telephone-events (RFC 4733), and with `AudioConfig.dtmf_tones` also as a sound.

        Raises:
            CallError: The call is inbound and not accepted yet.
        """
        return self.audio.dtmf_flow

    @property
    def voice_activity_flow(self) -> SharedFlow[VoiceActivity]:
        """When the remote begins to speak, and when it stops; the flow ends with the call.

        It is looked for natively while somebody collects this, as `AudioConfig.voice_activity` says.

        Raises:
            CallError: The call is inbound and not accepted yet.
        """
        return self.audio.voice_activity_flow

    @property
    def turn_flow(self) -> SharedFlow[TurnEvent]:
        """Who speaks from when to when, on both sides: `Turn`, `Response`, `BargeIn`, `DoubleTalk`, `DeadAir`.

        Each is told when it is over, with the times at which it was in the sound, found natively to 10 ms. It is looked
        for while somebody collects this, as `AudioConfig.voice_activity` says; the flow ends with the call.

        Raises:
            CallError: The call is inbound and not accepted yet.
        """
        return self.audio.turn_flow

    @property
    def call_progress_flow(self) -> SharedFlow[CallProgress]:
        """What the network tells with tones: ringback, busy, congestion, SIT, and the tones of fax machines.

        They are looked for natively while somebody collects this, before the answer (in early media) as after it. A
        signal that goes on is told once. The flow ends with the call.

        Raises:
            CallError: The call is inbound and not accepted yet.
        """
        return self.audio.call_progress_flow

    async def detect_answer(self, config: AnswerDetectionConfig | None = None) -> AnswerDetection:
        """Find out who answered: a human, a machine, a fax or nobody.

        It waits until the call is active, listens from then on, and decides by the pauses of what is said and by tones,
        usually within two seconds after the first word. Call it before anything is said to the remote: it listens, and
        whoever is spoken to behaves differently. Audio can be read meanwhile. Cancelling this ends the listening.

        Args:
            config: The limits.

        Raises:
            CallError: The call ended before that was clear, or this is running already.
        """
        await self.wait_active()
        return await self._driver.answer_detections.detect(self.audio, config or AnswerDetectionConfig())

    async def wait_for_beep(self, timeout: float | None = 30.0, *, config: AnswerDetectionConfig | None = None) -> Beep:
        """Return the beep of an answering machine, within 100 ms after its end.

        A beep that `detect_answer` has heard counts. Several may wait at the same time.

        Args:
            timeout: Seconds; `None` waits until the call ends.
            config: What is silence, and what a word.

        Raises:
            WaitTimeoutError: There was none in time.
            CallError: The call ended first.
        """
        await self.wait_active()
        return await self._driver.answer_detections.wait_for_beep(
            self.audio, config or AnswerDetectionConfig(), timeout
        )

    async def wait_greeting_ended(self, config: AnswerDetectionConfig | None = None) -> GreetingEnd:
        """Return when a machine may be spoken to: after its beep, or when it is silent for long without one.

        Args:
            config: How long (`greeting_silence_duration_millis`), and how long to wait in all
                (`greeting_total_analysis_time_millis`).

        Raises:
            CallError: The call ended first.
        """
        await self.wait_active()
        return await self._driver.answer_detections.wait_greeting_ended(self.audio, config or AnswerDetectionConfig())

    async def record(self, path: str | Path, config: RecordingConfig | None = None) -> Recording:
        """Record the call from now on, in stereo: left what is received, right what is sent.

        The recording ends with the call, or when it is stopped before; `async with` stops it, too.

        Args:
            path: The file: `.wav`, `.flac`, or `.opus` or `.ogg`. It is replaced.
            config: Parts, a beep, who is told of complete files; by default one file and nothing else.

        Raises:
            CallError: The call is inbound and not accepted yet, or is over.
            ConfigurationError: There is no such kind of file, it cannot have the call's rate, or cannot be written; or
                another recording of the call beeps already.
        """
        self._driver.life.require_alive()
        recording = await begin_recording(path, self.audio, config)
        self._driver.recordings.append(recording)
        return recording

    async def record_packets(self, path: str | Path, config: RecordingConfig | None = None) -> Recording:
        """Record what is received from now on as it was sent: its Opus packets, without decoding them.

        That takes a tenth of the CPU of an `.opus` of `record`, and loses nothing. What did not arrive is concealed by
        who plays the file, in which every moment keeps its time. What is sent is not in it.

        Args:
            path: The file: `.opus` or `.ogg`. It is replaced.
            config: As for `record`.

        Raises:
            CallError: The call is inbound and not accepted yet, or is over; or its codec is not Opus.
            ConfigurationError: It is no such file, or cannot be written; or another recording of the call beeps.
        """
        self._driver.life.require_alive()
        codec = self._peer.received_codec
        if codec not in {None, "opus"}:
            raise CallError(f"the call is received as {codec}, and only Opus goes into a file as it is: use record()")
        recording = await begin_packet_recording(path, self.audio, config)
        self._driver.recordings.append(recording)
        return recording

    @property
    def call_quality_flow(self) -> SharedFlow[CallQualityMetrics]:
        """How good the call sounds: measured every second, while the call is active and somebody collects."""
        return self._driver.observation.quality.metrics

    @property
    def on_call_quality_change(self) -> Callable[[CallQualityMetrics], None] | None:
        """Set this to be called with each measurement of `call_quality_flow`, and to `None` for no more."""
        return self._driver.observation.quality.listener

    @on_call_quality_change.setter
    def on_call_quality_change(self, listener: Callable[[CallQualityMetrics], None] | None) -> None:
        self._driver.observation.quality.listener = listener

    @property
    def held(self) -> bool:
        """Whether it is on hold; also in states that tell something else, such as TRANSFERRING."""
        return self._driver.life.held.value

    async def hold(self) -> None:
        """Put the call on hold; does nothing when it is. Cancelling this does not take it back.

        Raises:
            CallError: The call is not active, or ended meanwhile.
            RequestError: The server refused; the call is as it was.
        """
        await self._driver.hold("hold")

    async def unhold(self) -> None:
        """Take the call off hold; does nothing when it is active. Cancelling this does not take it back.

        Raises:
            CallError: The call is not on hold, or ended meanwhile.
            RequestError: The server refused; the call is as it was.
        """
        await self._driver.hold("unhold")

    async def toggle_hold(self) -> bool:
        """Hold or unhold; return whether the call is on hold now. Cancelling this does not take it back.

        Raises:
            CallError: The call is neither active nor on hold, or ended meanwhile.
            RequestError: The server refused; the call is as it was.
        """
        return await self._driver.hold("toggleHold")

    async def dtmf(self, keys: str) -> None:
        """Press keys; the server makes the tones.

        Args:
            keys: Any of 0-9, *, # and A-D; `w` waits half a second before the next, `W` a second.

        Raises:
            ConfigurationError: There are no such keys.
            CallError: The call is not answered, or ended meanwhile.
            RequestError: The server refused.
        """
        await self._driver.press(keys)

    async def dtmf_in_band(self, keys: str, *, duration: float = 0.1, gap: float = 0.05) -> None:
        """Press keys in the audio stream (RFC 4733), as a telephone does; returns when they are queued.

        For a remote that does not hear what the server makes of `dtmf`.

        Args:
            keys: Any of 0-9, *, # and A-D; `,` waits two seconds before the next.
            duration: Seconds each key is held.
            gap: Seconds between two keys.

        Raises:
            ConfigurationError: There are no such keys, or a length is out of range.
            CallError: The call is inbound and not accepted yet.
            MediaError: The remote takes no such keys, or the audio is not connected.
        """
        await self._peer.insert_dtmf(keys, duration=duration, gap=gap)

    @property
    def message_flow(self) -> SharedFlow[CallMessage]:
        """Text messages that the remote party sends within the call; the flow ends with the call."""
        return self._driver.messages

    async def message(self, body: str, to: str | None = None) -> None:
        """Send the remote party a text message within the call, if the server passes it on.

        Args:
            body: What it says, up to 10,000 characters.
            to: Whom it is for; the remote party by default.

        Raises:
            ConfigurationError: It is empty or too long.
            CallError: The call is not answered, or ended meanwhile.
            RequestError: The server refused.
        """
        await self._driver.message(body, to)

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
        await self._peer.set_max_bitrate(bitrate)

    async def restart_ice(self) -> None:
        """Replace the audio path while the call goes on; done by itself when the path breaks.

        The call is RENEGOTIATING meanwhile. Cancelling this does not take it back.

        Raises:
            CallError: The call is neither active nor on hold, or ended meanwhile.
            RequestError: The server refused; the old path is used as long as it lasts.
            MediaError: The new path did not come up in time, or the server's description cannot be used.
        """
        await self._driver.restart_ice()

    async def transfer(
        self,
        to: str,
        *,
        caller: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 30.0,
        call_control_id: str | None = None,
    ) -> TransferOutcome:
        """Connect the remote party with somebody else, by Telnyx's Voice API (a blind transfer).

        The call is TRANSFERRING while `to` rings, and goes on as before: what is written is heard. When `to` answers,
        the call ends here; if nobody does, it is as it was. Cancelling this does not take it back.

        Args:
            to: A number, or a SIP address such as `"sip:bob@sip.telnyx.com"`.
            caller: The number that `to` sees; by default the one that was called first, as Telnyx has it.
            headers: SIP headers for `to`; by convention their names start with `X-`.
            timeout: Seconds for which `to` may ring, 5 to 600.
            call_control_id: The leg that the API is told to transfer, if not that of this call
                (`Call.telnyx_ids`): for calls that an application of the Voice API has led here.

        Returns:
            BRIDGED, or why it came to nothing.

        Raises:
            ConfigurationError: The client has no `CallControl`, or an argument cannot work.
            AuthenticationError: The API key is not good.
            CallError: The call is not active or on hold, the server gave it no ids, the API refused the command
                (`code` is the API's), or the call ended before anybody answered.
            RestError: The API was not reached, refused for another reason, or did not tell the outcome.
        """
        return await self._driver.transfer(
            to, caller=caller, headers=headers or {}, timeout=timeout, call_control_id=call_control_id
        )

    async def consult(
        self,
        to: str,
        *,
        caller: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 30.0,
        music: Playable | None = None,
    ) -> Consultation[Call]:
        """Let the remote party wait, and talk with a colleague about the call (an attended, or warm, transfer).

        ```py
        async with await call.consult("+15551234567") as consultation:
            await consultation.colleague.audio.play("this_is_about_an_invoice.wav")
            await consultation.complete()
        ```

        The call is TRANSFERRING until the consultation is over. If the colleague is not reached, the remote party is
        back when this raises; so it is when this is cancelled.

        Args:
            to: Who is called: a number, a SIP address or a user.
            caller: The number that the colleague sees; by default as the credentials say.
            headers: SIP headers for the colleague; by convention their names start with `X-`.
            timeout: Seconds within which the colleague has to answer.
            music: What the remote party hears meanwhile, again and again, as `AudioStream.play` takes it. Without it
                the call is put on hold, and the remote party hears what the server plays.

        Raises:
            CallError: The call is not active or on hold, or the remote party hung up.
            ConsultationError: The colleague was not reached: busy, no answer, and the like.
            ConfigurationError: An argument cannot work.
            CallLimitError: There are `Limits.max_concurrent_calls` calls.
            DrainingError: The client takes no more calls.
            RequestError: The server refused the hold or the INVITE.
            SocketConnectionError: The connection to the server is gone.
        """
        if not to:
            raise ConfigurationError("to is empty; write a number, a SIP address or a user")
        if not 0 < timeout < math.inf:
            raise ConfigurationError("timeout: write a number of seconds")

        async def place() -> tuple[Call, CallDriver]:
            colleague = await self._place(to, caller, headers or {}, self._peer.audio_config)
            return colleague, colleague._driver  # noqa: SLF001 - another call

        return await begin_consultation(self._driver, place, timeout=timeout, music=music)

    async def stats(self) -> dict[str, dict[str, Any]]:
        """The statistics of the media, by id, as W3C `getStats` defines them."""
        return await self._peer.stats()

    async def wait_active(self, timeout: float | None = None) -> None:
        """Return once the call is answered and its audio connected.

        Raises:
            CallError: The call ended instead; the message says why.
            ChannelLimitError: It ended because the account has no channel left: try again when another call has ended.
            WaitTimeoutError: It did not happen within `timeout` seconds.
        """
        state = await self.call_state_flow.wait_for(is_decided, timeout=timeout)
        if isinstance(state, CallState.DONE):
            kind = ChannelLimitError if state.reason and state.reason.channel_limit_exceeded else CallError
            raise kind(f"the call ended before it was active: {state.reason}")

    async def wait_done(self, timeout: float | None = None) -> CallTerminationReason:
        """Return the reason once the call is over and everything it held is freed.

        Raises:
            WaitTimeoutError: It was not over within `timeout` seconds.
        """
        return await self._driver.life.wait_done(timeout)

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
            preferred_codecs: Those of the offered codecs to choose from first; by default as `audio` says.

        Raises:
            CallError: The call is not ringing here, or ended meanwhile.
            ConfigurationError: A header or a codec cannot work.
            MediaError: The offered audio cannot be used.
            RequestError: The server refused the answer.
        """
        options = MediaOptions.of(audio, muted, use_trickle_ice, preferred_codecs)
        await self._driver.accept(options, custom_headers or {})

    async def reject(self, cause: HangupCause = HangupCause.USER_BUSY) -> None:
        """Refuse an inbound call.

        Raises:
            CallError: The call is not ringing here.
        """
        self._driver.require_ringing_here("rejected")
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
        self._driver.hang_up(cause)

    @property
    def _peer(self) -> Peer:
        """The media end: another one after the call was brought back."""
        return self._driver.path.peer

    @property
    def _is_inbound(self) -> bool:
        return self.direction is CallDirection.INBOUND
