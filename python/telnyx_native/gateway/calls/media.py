"""The audio of one leg: its peer, its descriptions and the candidates that trickle in."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Protocol

from telnyx_native.config import AudioConfig, OpusConfig, PeerConfig
from telnyx_native.errors import EngineClosedError, MediaError
from telnyx_native.media.sdp import MAX_CANDIDATE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from telnyx_native.gateway.limits import Counters, Limits
    from telnyx_native.media.engine import MediaEngine
    from telnyx_native.media.joins import PeerConference
    from telnyx_native.media.peer import Peer
    from telnyx_native.media.simulated_network import NetworkConditions, SimulatedNetwork

__all__ = ["EngineLease", "LegMedia", "PeerSource", "RemoteCandidate"]

logger = logging.getLogger(__name__)

CHEAP = AudioConfig(opus=OpusConfig(complexity=0))
"""A gateway encodes both ways of many calls, next to the programs that are tried with it."""


CLIENT_FIRST = 0.5
"""Seconds that a client has to offer another path when DTLS has failed, before the gateway does."""


class PeerSource(Protocol):
    """Where legs get their peers from."""

    def create_network(self) -> SimulatedNetwork:
        """Return a network for the packets of a leg, which does nothing to them unless it is told to."""

    def create_peer(self, network: SimulatedNetwork) -> Peer:
        """Return a new peer; the leg closes it."""

    def create_successor(self, peer: Peer, network: SimulatedNetwork) -> Peer:
        """Return a new peer that is to go on with the audio of `peer`."""

    def create_conference(self) -> PeerConference:
        """Return a new conference for peers; who wants it closes it."""


class EngineLease:
    """A share in the media engine of the running loop, taken when the first call needs it."""

    def __init__(self) -> None:
        self._engine: MediaEngine | None = None
        self._closed = False
        self._seeds = count()

    def create_network(self) -> SimulatedNetwork:
        """Return a network for the packets of a leg; its seed is the number of the leg."""
        from telnyx_native.media.simulated_network import SimulatedNetwork  # loads libwebrtc, too

        return SimulatedNetwork(next(self._seeds))

    def create_peer(self, network: SimulatedNetwork) -> Peer:
        """Return a new peer for calls on this machine and its networks: loopback, and no ICE servers."""
        return self._require_engine().create_peer(PeerConfig(loopback=True), CHEAP, network=network)

    def create_successor(self, peer: Peer, network: SimulatedNetwork) -> Peer:
        """Return a new peer that is to go on with the audio of `peer`."""
        if self._engine is None:
            raise EngineClosedError("the gateway is closed")
        return self._engine.create_successor(peer, PeerConfig(loopback=True), network=network)

    def create_conference(self) -> PeerConference:
        """Return a new conference for peers."""
        return self._require_engine().create_conference(AudioConfig())

    def _require_engine(self) -> MediaEngine:
        from telnyx_native.media.engine import MediaEngine  # loads libwebrtc: not before a call needs it

        if self._closed:
            raise EngineClosedError("the gateway is closed")
        if self._engine is None:
            self._engine = MediaEngine.acquire()
        return self._engine

    async def close(self) -> None:
        """Give the share back."""
        self._closed = True
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.release()


@dataclass(frozen=True)
class RemoteCandidate:
    """A network address at which a client may be reached."""

    candidate: str
    sdp_mid: str
    sdp_mline_index: int


class LegMedia:
    """The audio of one leg. The peer is made when it is first needed.

    Candidates may come before the description they belong to; they wait for it.

    Args:
        peers: Where the peer comes from.
        limits: What bounds the audio.
        counters: Where its troubles are counted.
        conditions: What happens to its packets.

    Attributes:
        limits: What bounds it.
        network: What its packets go through; `None` before there is a peer.
        renew: Offers the client another path, when DTLS has failed and the client does not.
    """

    def __init__(
        self, peers: PeerSource, limits: Limits, counters: Counters, conditions: NetworkConditions | None = None
    ) -> None:
        self._peers = peers
        self.limits = limits
        self.network: SimulatedNetwork | None = None
        self.renew: Callable[[], Awaitable[None]] | None = None
        self._conditions = conditions
        self._counters = counters
        self._peer: Peer | None = None
        self._successor: Peer | None = None
        self._moving: asyncio.Task[None] | None = None
        self._guarding: asyncio.Task[None] | None = None
        self._described_peer: Peer | None = None
        self._waiting: deque[RemoteCandidate] = deque()
        self._described = False
        self._closed = False

    @property
    def peer(self) -> Peer:
        """The peer.

        Raises:
            MediaError: The leg has no audio yet.
        """
        if self._peer is None:
            raise MediaError("the call has no audio before it is offered or answered")
        return self._peer

    async def answer(self, offer: str) -> str:
        """Take the client's offer; return our answer with all its candidates."""
        peer = self._create()
        await peer.create_answer(offer)
        await self._apply_waiting()
        return await peer.gathered()

    async def offer(self) -> str:
        """Return our offer with all its candidates."""
        peer = self._create()
        await peer.create_offer()
        return await peer.gathered()

    async def accept(self, answer: str) -> None:
        """Take the client's answer to our offer."""
        await self.peer.set_answer(answer)
        await self._apply_waiting()

    async def restart(self, offer: str) -> str:
        """Take an offer of another path; return our answer with all its candidates.

        It restarts ICE, or is of another peer of the client. Another peer answers that, and where DTLS has failed here.
        """
        # Candidates of the new generation must not reach the peer before the offer that announces them.
        self._described = False
        peer = self.peer
        try:
            if peer.is_beyond_repair or not peer.is_with(offer):
                await self._give_up_move()
                peer = self._successor = self._create_successor()
            await peer.create_answer(offer)
            self._described_peer = peer
        except MediaError:
            if peer is self._successor:
                await self._give_up_move()
            raise
        finally:
            await self._apply_waiting()
        answer = await peer.gathered()
        if peer is self._successor:
            self._moving = asyncio.create_task(self._move(self.peer, peer))
        return answer

    async def offer_anew(self) -> str:
        """Return the offer of a new path for a client that lost the old one; audio goes the old way meanwhile."""
        await self._give_up_move()
        successor = self._successor = self._create_successor()
        await successor.create_offer()
        return await successor.gathered()

    async def accept_anew(self, answer: str) -> None:
        """Take the client's answer to that offer; audio goes the new way as soon as it stands.

        Raises:
            MediaError: There was no such offer, or the answer cannot be used.
        """
        if self._successor is None or self._moving is not None:
            raise MediaError("no new path was offered")
        await self._successor.set_answer(answer)
        self._described_peer = self._successor
        self._moving = asyncio.create_task(self._move(self.peer, self._successor))

    async def add_candidate(self, candidate: RemoteCandidate) -> None:
        """Take a candidate of the client, now or when its description has come."""
        if len(candidate.candidate) > MAX_CANDIDATE or len(candidate.sdp_mid) > MAX_CANDIDATE:
            self._counters.dropped_candidates += 1
        elif self._described:
            await self._apply(candidate)
        elif len(self._waiting) < self.limits.queued_candidates:
            self._waiting.append(candidate)
        else:
            self._counters.dropped_candidates += 1

    async def connected(self) -> None:
        """Wait until audio flows.

        Raises:
            MediaError: It does not within the gateway's limit.
        """
        await self.peer.wait_connected(self.limits.connect_time)

    async def close(self) -> None:
        """Close the peer, if there is one."""
        self._closed = True
        self.renew = None
        guarding, self._guarding = self._guarding, None
        if guarding is not None:
            guarding.cancel()
        await self._give_up_move()
        if self._peer is not None:
            await self._peer.close()

    async def _move(self, old: Peer, new: Peer) -> None:
        try:
            await new.wait_connected(self.limits.connect_time)
            await new.take_over(old)
        except MediaError as error:
            logger.warning("a client's new path is not used: %s", error)
            return
        self._peer, self._successor, self._moving = new, None, None
        self._guard(new)

    async def _give_up_move(self) -> None:
        moving, self._moving = self._moving, None
        if moving is not None:
            moving.cancel()
            await asyncio.wait({moving})
        successor, self._successor = self._successor, None
        if successor is not None:
            await successor.close()

    def _create(self) -> Peer:
        if self._closed:
            raise EngineClosedError("the call is over")
        if self._peer is not None:
            raise MediaError("the call has its audio already")
        self.network = self._peers.create_network()
        if self._conditions is not None:
            self.network.sending.conditions = self.network.receiving.conditions = self._conditions
        self._peer = self._peers.create_peer(self.network)
        self._guard(self._peer)
        return self._peer

    def _create_successor(self) -> Peer:
        assert self.network is not None  # noqa: S101 - made with the peer
        return self._peers.create_successor(self.peer, self.network)

    def _guard(self, peer: Peer) -> None:
        if self._guarding is not None:
            self._guarding.cancel()
        self._guarding = asyncio.create_task(self._renew_when_broken(peer))

    async def _renew_when_broken(self, peer: Peer) -> None:
        """Offer another path when DTLS has failed. Where ICE has, that is up to the client."""
        while (await peer.connection_state.wait_for(lambda state: state.name in {"FAILED", "CLOSED"})).name != "CLOSED":
            if peer.is_beyond_repair:
                await asyncio.sleep(CLIENT_FIRST)
                if self._successor is None and self.renew is not None:
                    await self.renew()
                return
            await peer.connection_state.wait_for(lambda state: state.name != "FAILED")

    async def _apply_waiting(self) -> None:
        self._described = True
        while self._waiting:
            await self._apply(self._waiting.popleft())

    async def _apply(self, remote: RemoteCandidate) -> None:
        try:
            await (self._described_peer or self.peer).add_candidate(
                remote.candidate, remote.sdp_mid, remote.sdp_mline_index
            )
        except MediaError as error:
            self._counters.dropped_candidates += 1
            logger.debug("a candidate is of no use: %s", error)
