"""The way of a call's audio through the network: its candidates, opened, watched, mended, and moved to another peer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from telnyx_native.call.machine import STANDING
from telnyx_native.errors import (
    CallError,
    MediaError,
    SocketConnectionError,
    TelnyxError,
    WaitTimeoutError,
    WarningCode,
)
from telnyx_native.media.joins import Bridge
from telnyx_native.media.negotiation import Negotiation, RemoteCandidates
from telnyx_native.media.peer import PeerConnectionState
from telnyx_native.signaling.messages import Candidate, EndOfCandidates

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from telnyx_native.call.lifecycle import Lifecycle
    from telnyx_native.call.observation import Observation
    from telnyx_native.config import AudioConfig, Limits, Timeouts
    from telnyx_native.logs import Log
    from telnyx_native.media.negotiation import MediaOptions
    from telnyx_native.media.peer import Peer
    from telnyx_native.signaling.messages import Dialog
    from telnyx_native.signaling.session import Session

__all__ = ["AudioPath", "PeerSource", "guard_path", "send_candidates", "watch_gathering"]

_UP_OR_CLOSED = (PeerConnectionState.CONNECTED, PeerConnectionState.CLOSED)
_DOWN_OR_CLOSED = (PeerConnectionState.DISCONNECTED, PeerConnectionState.FAILED, PeerConnectionState.CLOSED)

_WARNINGS = {
    PeerConnectionState.DISCONNECTED: (WarningCode.ICE_CONNECTIVITY_LOST, "nothing arrives any more"),
    PeerConnectionState.FAILED: (WarningCode.PEER_CONNECTION_FAILED, "it will not come back by itself"),
}


async def _over() -> None:
    raise CallError("the call is over")


class PeerSource(Protocol):
    """Who makes the media ends of calls."""

    @property
    def asks_servers(self) -> bool:
        """Whether they ask STUN or TURN servers for addresses."""

    def create_peer(self, audio: AudioConfig) -> Peer:
        """Make the media end of a call."""

    def create_successor(self, peer: Peer) -> Peer:
        """Make a media end that is to go on with the audio of `peer`."""


class AudioPath:
    """The media end of one call.

    Args:
        life: The life of the call.
        peers: Who makes the media end.
        renew: Replaces a path that is broken.
        observation: All that looks at the call from beside.
        timeouts: How long each step may take.
        limits: How much of something there may be.
        log: Where failures are noted.

    Attributes:
        candidates: The network candidates of the remote.
    """

    def __init__(
        self,
        life: Lifecycle,
        peers: PeerSource,
        renew: Callable[[], Awaitable[None]],
        *,
        observation: Observation,
        timeouts: Timeouts,
        limits: Limits,
        log: Log,
    ) -> None:
        self.candidates = RemoteCandidates(limits.queued_candidates, log)
        self._life = life
        self._peers = peers
        self._renew = renew
        self._observation = observation
        self._timeouts = timeouts
        self._limits = limits
        self._log = log
        self._negotiation: Negotiation | None = None
        self._work: list[asyncio.Task[None] | None] = []
        self._turn = asyncio.Lock()

    def require_open(self) -> None:
        """Raise `CallError` if the call has no audio yet."""
        if self._negotiation is None:
            raise CallError(f"the call has no audio in state {self._life.state}; accept it first")

    @property
    def negotiation(self) -> Negotiation:
        """The descriptions of the path.

        Raises:
            CallError: It was not opened yet.
        """
        self.require_open()
        assert self._negotiation is not None  # noqa: S101 - it is open
        return self._negotiation

    @property
    def peer(self) -> Peer:
        """The media end.

        Raises:
            CallError: It was not opened yet.
        """
        return self.negotiation.peer

    @property
    def stands(self) -> bool:
        """Whether audio can flow."""
        connected = PeerConnectionState.CONNECTED
        return self._negotiation is not None and self._negotiation.peer.connection_state.value is connected

    @property
    def is_bridged(self) -> bool:
        """Whether it leads to another call of this process."""
        return self._negotiation is not None and isinstance(self._negotiation.peer.joined, Bridge)

    def open(self, options: MediaOptions) -> Negotiation:
        """Begin, as the options ask."""
        peer = self._peers.create_peer(options.audio)
        peer.audio.muted = options.muted
        peer.log = peer.audio.log = self._log.child("media")
        self._negotiation = Negotiation(peer, options, self.candidates, gather_limit=self._timeouts.gather)
        self._follow(peer)
        self._observation.begin(peer.audio)
        self._life.spawn(self._follow_hold())
        return self._negotiation

    async def move(self, offer: str, send_answer: Callable[[str], Awaitable[None]]) -> None:
        """Take an offer of another path, and move the audio there once that stands. It may be the first one.

        Args:
            offer: The offer.
            send_answer: Brings our answer to the remote.

        Raises:
            SdpError: The offer cannot be used.
            MediaError: The path did not come up.
        """

        async def negotiate(path: Negotiation) -> None:
            await send_answer(await path.answer(offer, gather_limit=self._timeouts.reattach_gather))

        if self.negotiation.begun:
            await self._move(negotiate)
        else:
            async with self._turn:
                await negotiate(self.negotiation)
                await self.peer.wait_connected(self._timeouts.media)

    async def renew(self, exchange: Callable[[str], Awaitable[str]]) -> None:
        """Look for another way to the remote; returns when audio flows there, or the call is over.

        Where DTLS has failed no other way would help: another peer is offered, and the audio moves to it.

        Args:
            exchange: Brings an offer, with all its candidates, to the remote and returns its answer.

        Raises:
            SdpError: The answer cannot be used.
            MediaError: The path did not come up.
        """
        peer = self.peer
        if peer.is_beyond_repair:
            await self._replace(exchange)
        else:
            await self.negotiation.restart(exchange)
            await peer.connection_state.wait_for(lambda state: peer.is_beyond_repair or state in _UP_OR_CLOSED)
            if peer.is_beyond_repair:
                await self._replace(exchange)

    async def _replace(self, exchange: Callable[[str], Awaitable[str]]) -> None:
        async def negotiate(path: Negotiation) -> None:
            await path.take_answer(await exchange(await path.offer()))

        await self._move(negotiate)

    async def _move(self, negotiate: Callable[[Negotiation], Awaitable[None]]) -> None:
        """Move the audio to another peer, once that has negotiated and stands; one at a time, both sides may begin."""
        async with self._turn:
            old = self.negotiation
            new = old.renewed(self._peers.create_successor(old.peer))
            new.peer.log = old.peer.log
            try:
                await negotiate(new)
                await new.peer.wait_connected(self._timeouts.media)
                await new.peer.take_over(old.peer)
            except BaseException:
                await new.peer.close()
                raise
            self._negotiation = new
            self._follow(new.peer)

    async def close(self) -> None:
        """End it, if it was opened."""
        if self._negotiation is not None:
            await self._negotiation.peer.close()
        self._renew = _over  # so that nothing here leads back to the call: it is freed without the collector
        self._work.clear()

    def _follow(self, peer: Peer) -> None:
        for task in self._work:
            if task is not None:
                task.cancel()
        works = (self._guard, self._note_gathered, self._note_first_audio, self.candidates.feed)
        coroutines = [*(work(peer) for work in works), *self._observation.of_path(peer)]
        self._work = [self._life.spawn(work) for work in coroutines]

    async def _follow_hold(self) -> None:
        """A call on hold is not heard in a bridge or a conference."""
        async for held in self._life.held:
            if held or self.peer.held:
                self.peer.hold(held)

    async def _guard(self, peer: Peer) -> None:
        decided = (PeerConnectionState.CONNECTED, PeerConnectionState.FAILED)
        if await peer.connection_state.wait_for(decided.__contains__) is PeerConnectionState.FAILED:
            raise MediaError("the audio path did not come up: check that UDP may pass, or use TURN servers")
        self._life.timings.mark("media_connected")
        await guard_path(
            peer,
            self._mend,
            grace=self._timeouts.path_lost,
            attempts=self._limits.ice_restarts,
            warn=self._observation.warn,
            log=self._log,
        )

    async def _mend(self) -> None:
        # Before the answer, and while the connection to the server is being brought back, nobody could be asked.
        await self._life.states.wait_for(STANDING.__contains__)
        if not self.stands:
            await self._renew()

    async def _note_gathered(self, peer: Peer) -> None:
        await watch_gathering(peer, self._observation.warn, asks_servers=self._peers.asks_servers)
        peer.require_sockets()
        self._life.timings.mark("gathered")

    async def _note_first_audio(self, peer: Peer) -> None:
        await peer.audio_arrived.wait()
        self._life.timings.mark("first_audio")


async def guard_path(
    peer: Peer,
    restart: Callable[[], Awaitable[None]],
    *,
    grace: float,
    attempts: int,
    warn: Callable[[WarningCode, str], None],
    log: Log,
) -> None:
    """Call `restart` whenever the path is gone, until the peer is closed.

    A path that is interrupted gets `grace` seconds to come back by itself, one that failed does not; between two
    attempts there are always as many.

    Args:
        peer: Whose path.
        restart: Finds a new path; a `TelnyxError` means that it did not.
        grace: Seconds.
        attempts: How often in a row that may fail.
        warn: Takes what happens to the path.
        log: Where failures are noted.

    Raises:
        MediaError: No new path was found.
    """
    failures, closed = 0, PeerConnectionState.CLOSED
    while (state := await peer.connection_state.wait_for(_DOWN_OR_CLOSED.__contains__)) is not closed:
        if not failures:
            warn(*_WARNINGS[state])
        if (state is not PeerConnectionState.FAILED or failures) and await _comes_back(peer, grace):
            continue
        warn(WarningCode.MEDIA_RECOVERY_REQUIRED, f"attempt {failures + 1} of {attempts}")
        try:
            await restart()
            failures = 0
        except TelnyxError as error:
            failures += 1
            log.warning(f"no new audio path, attempt {failures} of {attempts}: {error}")
            if failures == attempts:
                raise MediaError("the audio path is broken, and no new one was found") from error


async def _comes_back(peer: Peer, grace: float) -> bool:
    try:
        await peer.connection_state.wait_for(_UP_OR_CLOSED.__contains__, timeout=grace)
    except WaitTimeoutError:
        return False
    return True


PATIENCE = 15.0
"""Seconds after which the search is taking too long (Telnyx JS SDK)."""


async def watch_gathering(peer: Peer, warn: Callable[[WarningCode, str], None], *, asks_servers: bool) -> None:
    """Return when all candidates are known, or the peer is closed.

    Args:
        peer: Whose candidates.
        warn: Takes what is odd.
        asks_servers: Whether STUN or TURN servers are asked for addresses beyond this machine's.
    """
    late = asyncio.get_running_loop().call_later(
        PATIENCE, warn, WarningCode.ICE_GATHERING_TIMEOUT, f"the search goes on after {PATIENCE:g} s"
    )
    try:
        kinds = {_kind_of(found.candidate) async for found in peer.candidates}
    finally:
        late.cancel()
    if peer.connection_state.value is PeerConnectionState.CLOSED:
        return
    if not kinds:
        warn(WarningCode.ICE_GATHERING_EMPTY, "check that this machine has a network")
    elif asks_servers and kinds == {"host"}:
        warn(WarningCode.ONLY_HOST_ICE_CANDIDATES, "no STUN or TURN server answered: check that UDP may pass")


def _kind_of(candidate: str) -> str:
    """The type of a candidate: `host`, `srflx`, `prflx` or `relay` (RFC 8839, 5.1)."""
    return candidate.partition(" typ ")[2].partition(" ")[0]


async def send_candidates(peer: Peer, dialog: Dialog, signaling: Session, log: Log) -> None:
    """Send the candidates of the latest description, and that there are no more; give up when the server is gone."""
    session_id = signaling.session_id
    try:
        async for found in peer.candidates:
            await signaling.tell(Candidate(session_id, dialog, found.candidate, found.sdp_mid, found.sdp_mline_index))
        await signaling.tell(EndOfCandidates(session_id, dialog))
    except SocketConnectionError as error:
        log.debug(f"candidates were not sent: {error}")
