"""One call's transport and audio: offer and answer, candidates, connection state, statistics."""

from __future__ import annotations

import asyncio
import errno
import json
import os
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from telnyx_native.config import AudioCodec, require_bitrate
from telnyx_native.errors import ConfigurationError, EngineClosedError, MediaError, SdpError, WaitTimeoutError
from telnyx_native.flow import SharedFlow, StateFlow
from telnyx_native.logs import Log, LogLevel
from telnyx_native.media.description import (
    RemoteDescription,
    answering,
    asking_for_ptime,
    in_order,
    preferring,
    with_opus,
    without_comfort_noise,
)
from telnyx_native.media.detectors import DTMF_KEYS
from telnyx_native.media.sdp import write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from telnyx_native import _webrtc
    from telnyx_native.config import AudioConfig
    from telnyx_native.media.native_engine import NativeEngine
    from telnyx_native.media.sdp import Codec, Description
    from telnyx_native.media.stream import AudioStream

__all__ = ["IceCandidate", "Peer", "PeerConnectionState"]

KEPT_CANDIDATES = 64
"""Local candidates kept for who asks late; a host with more addresses than that trickles only the newest."""

CODEC_NAMES = {codec.mime_type.partition("/")[2].lower() for codec in AudioCodec}
"""Of the codecs that hold audio; RED, CN and telephone-events go beside them."""

ADVICE = {
    os.strerror(errno.EMFILE): "Raise the limit of open files of the process (RLIMIT_NOFILE), or close some.",
    os.strerror(errno.ENFILE): "Raise the limit of open files of the machine (fs.file-max).",
    os.strerror(errno.EADDRINUSE): "All ports of udp_ports are taken: name more, or hold fewer calls.",
    os.strerror(errno.EACCES): "The process may not use the ports of udp_ports: name some above 1023.",
}
"""What helps, by what the system says when a socket cannot be had."""


class PeerConnectionState(StrEnum):
    """How far ICE and DTLS are, together (W3C `RTCPeerConnectionState`)."""

    NEW = "new"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    FAILED = "failed"
    CLOSED = "closed"


class DtlsState(StrEnum):
    """How far DTLS is (W3C `RTCDtlsTransportState`)."""

    NEW = "new"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    CLOSED = "closed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class IceCandidate:
    """One address at which this side may be reached.

    Attributes:
        candidate: The candidate attribute, `"candidate:..."`.
        sdp_mid: The media section it belongs to, by name.
        sdp_mline_index: The media section it belongs to, by position.
    """

    candidate: str
    sdp_mid: str
    sdp_mline_index: int


class Join:
    """Peers of one engine, each of which hears all others; `media.joins` has the kinds of it.

    Args:
        engine: That of the peers.
        native: Its native half; it ends when nothing holds it any more.
    """

    def __init__(self, engine: NativeEngine, native: _webrtc.Conference) -> None:
        self._engine = engine
        self._native = native
        self._members: dict[Peer, None] = {}

    @property
    def members(self) -> tuple[Peer, ...]:
        """Who is in it, in the order in which they came."""
        return tuple(self._members)

    def check(self, peer: Peer) -> None:
        """Raise `MediaError` if a peer cannot take part, because its clock is another one."""
        if peer.engine is not self._engine:
            raise MediaError("calls of different event loops cannot hear each other")

    def admit(self, peer: Peer, native: _webrtc.Peer, *, muted: bool) -> None:
        """Take a peer in, or change whether it is heard."""
        if peer not in self._members and len(self._members) >= self._engine.max_members:
            raise MediaError(f"a conference has {self._engine.max_members} members at most")
        native.join(0, self._native, not muted)
        self._members[peer] = None

    def forget(self, peer: Peer) -> None:
        """A peer left."""
        self._members.pop(peer, None)

    def replace(self, peer: Peer, successor: Peer) -> None:
        """A peer goes on as another."""
        self._members = {successor if member is peer else member: None for member in self._members}


class Peer:
    """A peer connection with one audio track each way. Made by `MediaEngine`.

    Attributes:
        engine: What it runs on.
        joined: The bridge or conference that it takes part in, if there is one.
        audio: What the application says and hears.
        audio_config: How that is carried.
        log: Where it tells what nobody waits for; the standard `logging` tree, unless a call has given it its own.
        received_codec: The name of the codec that the remote is to send; `None` before it was negotiated.
        connection_state: Whether audio can flow.
        dtls_state: How far DTLS is.
        audio_arrived: Set once the first packet of the remote's audio is here.
        candidates: Local candidates as they are found; who collects late gets the earlier ones too. It ends when there
            are no more; a later description that looks for new ones begins a new flow.
    """

    def __init__(self, engine: NativeEngine, audio: AudioStream, audio_config: AudioConfig, *, standby: bool) -> None:
        self.audio = audio
        self.audio_config = audio_config
        self.log = Log("media", LogLevel.ALL)
        self.connection_state: StateFlow[PeerConnectionState] = StateFlow(PeerConnectionState.NEW)
        self.dtls_state = DtlsState.NEW
        self.candidates: SharedFlow[IceCandidate] = SharedFlow(replay=KEPT_CANDIDATES)
        self.received_codec: str | None = None
        self._remote = RemoteDescription()
        self.engine = engine
        self.joined: Join | None = None
        self.audio_arrived = asyncio.Event()
        self._gathered = asyncio.Event()
        self._has_candidates = False
        self._gathering_trouble = ""
        self._held = False
        self._closing: asyncio.Future[str] | None = None
        self._carries_audio = not standby

    def opened_by(self, native: _webrtc.Peer, opened: asyncio.Future[str]) -> None:
        """Take over the native half; for `MediaEngine`."""
        self._native = native
        self._opened = opened

    def __repr__(self) -> str:
        return f"<Peer {self._native.id} {self.connection_state.value}>"

    # --- negotiation -----------------------------------------------------------------------------------------------

    async def create_offer(self, *, ice_restart: bool = False) -> str:
        """Make an offer and apply it locally; candidates follow, see `gathered` and `candidates`.

        Args:
            ice_restart: Look for a new path: the offer carries new ICE credentials.
        """
        self._begin_gathering()
        return self._outgoing(await self._run(lambda operation: self._native.create_offer(operation, ice_restart)))

    async def create_answer(self, offer: str) -> str:
        """Apply the remote's offer, make an answer and apply that locally; candidates follow.

        Raises:
            SdpError: The offer cannot be used.
        """
        description = self._remote.take_offer(offer)
        # In an order of our own: the answer that libwebrtc makes keeps it, and so does what it sends.
        codecs = preferring(description.audio.codecs, self.audio_config.preferred_codecs)
        self._note_codec(codecs)
        incoming = self._incoming(replace(description, audio=replace(description.audio, codecs=codecs)))
        self._begin_gathering()
        return self._outgoing(await self._negotiate(lambda operation: self._native.create_answer(operation, incoming)))

    async def set_provisional_answer(self, answer: str) -> None:
        """Apply an answer to our offer that another one may follow, from another place even; audio flows with it.

        Raises:
            SdpError: The answer cannot be used.
        """
        description = self._remote.take_answer(answer)
        self._note_codec(description.audio.codecs)
        incoming = self._incoming(description)
        await self._negotiate(lambda operation: self._native.set_provisional_answer(operation, incoming))

    async def set_answer(self, answer: str) -> None:
        """Apply the remote's answer to our offer.

        Raises:
            SdpError: The answer cannot be used.
        """
        description = self._remote.take_answer(answer)
        self._note_codec(description.audio.codecs)
        incoming = self._incoming(description)
        await self._negotiate(lambda operation: self._native.set_answer(operation, incoming))

    async def gathered(self, *, limit: float = 1.0) -> str:
        """Return the local description with its candidates.

        That is once all are known, or after `limit` seconds with those known by then.

        Raises:
            MediaError: There are none, because no socket could be had.
        """
        try:
            async with asyncio.timeout(limit):
                await self._gathered.wait()
        except TimeoutError:
            self.log.debug(f"candidates are still being gathered after {limit:g} s; going on without the rest")
        self.require_sockets()
        return self._outgoing(await self._run(self._native.local_description))

    def require_sockets(self) -> None:
        """Raise `MediaError` if there are no candidates, because no socket could be had."""
        if self._gathering_trouble:
            raise MediaError(self._gathering_trouble)

    @property
    def is_beyond_repair(self) -> bool:
        """Whether DTLS is over, so that no other way to the remote helps; another peer has to take the place of this.

        It is over when OpenSSL met what it cannot go on from, or the remote ended it.
        """
        return self.dtls_state in {DtlsState.FAILED, DtlsState.CLOSED}

    def is_with(self, description: str) -> bool:
        """Whether a description is of the remote that this peer has talked to: it has the same DTLS certificate.

        Raises:
            SdpError: It is no description of a call.
        """
        return self._remote.is_of_same_certificate(description)

    @property
    def dropped_candidates(self) -> int:
        """Candidates of the remote that were unusable, or too many, so far."""
        return self._remote.dropped_candidates

    async def add_candidate(self, candidate: str, sdp_mid: str, sdp_mline_index: int) -> None:
        """Use a candidate that the remote found after its description.

        Raises:
            SdpError: It is of no use, there are too many, or there is no remote description yet.
        """
        checked = self._remote.take_candidate(candidate, sdp_mid, sdp_mline_index)
        await self._negotiate(lambda operation: self._native.add_candidate(operation, checked, "", 0))

    async def wait_connected(self, timeout: float) -> None:
        """Wait until audio can flow.

        Raises:
            MediaError: The connection failed, was closed, or did not come up within `timeout` seconds.
        """
        ended = {PeerConnectionState.CONNECTED, PeerConnectionState.FAILED, PeerConnectionState.CLOSED}
        try:
            state = await self.connection_state.wait_for(ended.__contains__, timeout=timeout)
        except WaitTimeoutError:
            state = self.connection_state.value
        if state is not PeerConnectionState.CONNECTED:
            raise MediaError(
                f"the audio path did not come up within {timeout:g} s (it is {state}): check that UDP may pass, or use "
                f"TURN servers"
            )

    # --- while connected -------------------------------------------------------------------------------------------

    async def stats(self) -> dict[str, dict[str, Any]]:
        """Return the connection's statistics by id, under their W3C names (`getStats`)."""
        entries: list[dict[str, Any]] = json.loads(await self._run(self._native.get_stats))
        return {entry["id"]: entry for entry in entries}

    async def set_max_bitrate(self, bitrate: int | None) -> None:
        """Limit what is sent from now on; G.711 and G.722 have only the one bitrate.

        Args:
            bitrate: Bits of audio a second, 6,000 to 510,000; `None` for what the call began with.

        Raises:
            ConfigurationError: It is out of range.
            MediaError: Nothing was negotiated yet.
        """
        if bitrate is not None:
            require_bitrate(bitrate)
        await self._run(lambda operation: self._native.set_max_bitrate(operation, bitrate or 0))

    async def insert_dtmf(self, keys: str, *, duration: float = 0.1, gap: float = 0.05) -> None:
        """Send DTMF keys in the audio stream, as telephone-events (RFC 4733); returns when they are queued.

        Args:
            keys: Any of `0-9`, `A-D`, `*`, `#`, and `,` for a pause of two seconds.
            duration: Seconds each key is held, 0.04 to 6.
            gap: Seconds between two keys, at least 0.03.

        Raises:
            ConfigurationError: There is no such key, or a length is out of range.
            MediaError: The remote takes no telephone-events, or is not connected yet.
        """
        unknown = set(keys.upper()) - {*DTMF_KEYS, ","}
        if unknown or not keys:
            raise ConfigurationError(f"no telephone has the keys {''.join(sorted(unknown))!r}")
        if not (0.04 <= duration <= 6 and 0.03 <= gap <= 6):
            raise ConfigurationError("a DTMF key lasts 0.04 to 6 seconds, with a gap of 0.03 to 6")
        await self._run(
            lambda operation: self._native.insert_dtmf(operation, keys, round(1000 * duration), round(1000 * gap))
        )

    @property
    def closed(self) -> bool:
        """Whether it is closed for good; its last event has come."""
        return self.connection_state.value is PeerConnectionState.CLOSED

    def require_open(self) -> None:
        """Raise `EngineClosedError` if the peer is closed."""
        if self._closing is not None or self.closed:
            raise EngineClosedError("the call's media is closed")

    def echo(self) -> None:
        """Send back what is received, natively, from the next 10 ms on.

        Raises:
            MediaError: The peer is closed.
        """
        self.require_open()
        self.leave()
        self._native.set_echo(0, True)

    def enter(self, join: Join, *, muted: bool = False) -> None:
        """Leave the join that the peer is in, and enter another one; for `media.joins`.

        Raises:
            MediaError: The peer is closed, or of another engine, or the join is full.
        """
        self.require_open()
        join.check(self)
        if self.joined is not join:
            self.leave()
        join.admit(self, self._native, muted=muted)
        self.joined = join

    def leave(self) -> None:
        """End an echo, a join of two (for both), or taking part in a conference."""
        self._native.set_echo(0, False)
        self._native.leave(0)
        self._part()

    @property
    def held(self) -> bool:
        """Whether the peer is on hold."""
        return self._held

    def hold(self, held: bool) -> None:
        """Whether the peer is on hold: then it neither hears nor is heard in an echo or a join, though it stays in it.

        What the application writes and reads is not concerned.
        """
        self._held = held
        self._native.set_held(0, held)

    async def take_over(self, predecessor: Peer) -> None:
        """Go on with the audio of `predecessor`, and with its joins; from the next 10 ms on it goes this way.

        The predecessor is closed. Nothing that was written or received is lost.

        Raises:
            MediaError: One of the two is closed.
        """
        # Before it is done: the predecessor, which it closes, must not leave its join then.
        self._inherit(predecessor)
        self._held = predecessor._held
        try:
            await self._run(lambda operation: self._native.take_over(operation, predecessor._native))
        except MediaError:
            predecessor._inherit(self)
            raise
        if self._held is not predecessor._held:
            self.hold(predecessor._held)  # it was told meanwhile, too late to have handed that on
        self.audio._wake()  # noqa: SLF001 - what the clock had reported for the predecessor may have been lost with it

    async def break_dtls(self) -> None:
        """Let the DTLS transport fail, as it does when OpenSSL meets what it cannot go on from; for tests."""
        await self._run(self._native.break_dtls)

    async def close(self) -> None:
        """End the connection. Nothing is received any more; what was received can still be read. Idempotent."""
        if self._closing is None:
            try:
                operation, self._closing = self.engine.operation()
            except EngineClosedError:  # which has closed its peers
                return
            self._native.close(operation)
        await asyncio.shield(self._closing)

    # --- from the engine -------------------------------------------------------------------------------------------

    def on_event(self, kind: str, text: str, mid: str, index: int) -> None:
        """Take an event of the native half; for `MediaEngine`."""
        if kind == "candidate":
            self._has_candidates = True
            self.candidates.emit(IceCandidate(text, mid, index + self._remote.sections_before))
        elif kind == "dtls_state":
            self.dtls_state = DtlsState(text)
        elif kind == "gathering_done":
            if text and not self._has_candidates:
                self._gathering_trouble = self._explained(text)
            self._gathered.set()
            self.candidates.close()
        elif kind == "connection_state":
            self._on_state(PeerConnectionState(text))
        elif kind == "first_packet":
            self.audio_arrived.set()
        elif kind == "failed":
            self.log.debug(f"a native operation of {self!r} failed: {text}")

    def _explained(self, trouble: str) -> str:
        """What it means to a call that a socket could not be had."""
        return f"the call has no UDP socket: {trouble}. {ADVICE.get(trouble, '')}".rstrip()

    def _begin_gathering(self) -> None:
        self._gathered.clear()
        self._has_candidates, self._gathering_trouble = False, ""
        if self.candidates.closed:
            self.candidates = SharedFlow(replay=KEPT_CANDIDATES)

    def _on_state(self, state: PeerConnectionState) -> None:
        self.connection_state.set(state)
        if state is PeerConnectionState.CLOSED:
            self._part()
            if self._carries_audio:
                self.audio._close()  # noqa: SLF001 - it is its own
            self.candidates.close()
            self.connection_state.close()

    def _inherit(self, predecessor: Peer) -> None:
        predecessor._carries_audio, self._carries_audio = False, True
        self.joined, predecessor.joined = predecessor.joined, None
        if self.joined is not None:
            self.joined.replace(predecessor, self)

    def _part(self) -> None:
        """Take leave of the join, if there is one; natively that is done."""
        join, self.joined = self.joined, None
        if join is not None:
            join.forget(self)

    def _note_codec(self, codecs: Sequence[Codec]) -> None:
        """The first codec of an answer, be it the remote's or ours, is what is sent both ways (RFC 3264, 6.1)."""
        self.received_codec = next((codec.name for codec in codecs if codec.name.lower() in CODEC_NAMES), None)

    def _incoming(self, description: Description) -> str:
        if description.dropped_candidates:
            self.log.debug(f"{description.dropped_candidates} candidates of the remote's description are not used")
        audio = with_opus(description.audio, self.audio_config.opus, self.audio.sample_rate)
        return write(replace(description, audio=audio).alone)

    def _outgoing(self, description: str) -> str:
        description = asking_for_ptime(without_comfort_noise(description), self.audio_config.opus.ptime)
        description = in_order(description, self.audio_config.preferred_codecs)
        return description if self._remote.offer is None else answering(description, self._remote.offer)

    async def _run(self, start: Callable[[int], None]) -> str:
        """Run a native operation and return what it answers."""
        if self._closing is not None:
            raise EngineClosedError("the call's media is closed")
        operation, answer = self.engine.operation()
        start(operation)
        try:
            return await answer
        except MediaError:
            if self._opened.done() and (reason := self._opened.exception()):
                raise reason from None
            raise

    async def _negotiate(self, start: Callable[[int], None]) -> str:
        """Run an operation on something that came from the remote."""
        try:
            return await self._run(start)
        except EngineClosedError:
            raise
        except MediaError as error:
            raise SdpError(f"the remote's description cannot be used: {error}") from error
