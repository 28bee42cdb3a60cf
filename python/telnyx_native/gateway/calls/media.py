"""The audio of one leg: its peer, and another one that it moves to."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING

from telnyx_native.config import AudioConfig, OpusConfig, PeerConfig
from telnyx_native.errors import EngineClosedError, MediaError
from telnyx_native.logs import Log, LogLevel
from telnyx_native.media.negotiation import MediaOptions, Negotiation, RemoteCandidates
from telnyx_native.media.peer import PeerConnectionState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from telnyx_native.gateway.limits import Counters, GatewayLimits
    from telnyx_native.media.engine import MediaEngine
    from telnyx_native.media.joins import PeerConference
    from telnyx_native.media.peer import Peer
    from telnyx_native.media.simulated_network import NetworkConditions, SimulatedNetwork

__all__ = ["EngineLease", "LegMedia"]

logger = logging.getLogger(__name__)

CHEAP = AudioConfig(opus=OpusConfig(complexity=0))
"""A gateway encodes both ways of many calls, next to the programs that are tried with it."""


GATHER_TIME = 1.0
"""Seconds to look for candidates before a description leaves."""

CLIENT_FIRST = 0.5
"""Seconds that a client has to offer another path when DTLS has failed, before the gateway does."""


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


class LegMedia:
    """The audio of one leg. The peer is made when it is first needed.

    Attributes:
        limits: What bounds it.
        network: What its packets go through; `None` before there is a peer.
        renew: Offers the client another path, when DTLS has failed and the client does not.
    """

    def __init__(
        self,
        engine: EngineLease,
        limits: GatewayLimits,
        counters: Counters,
        conditions: NetworkConditions | None = None,
    ) -> None:
        self.limits = limits
        self.network: SimulatedNetwork | None = None
        self.renew: Callable[[], Awaitable[None]] | None = None
        self._engine = engine
        self._conditions = conditions
        # Their trouble is counted, not logged: a client can send many.
        quiet = Log("gateway", LogLevel.ERROR)
        self._candidates = RemoteCandidates(max(limits.queued_candidates, 1), quiet, on_dropped=counters.count_dropped)
        self._path: Negotiation | None = None
        self._next_path: Negotiation | None = None
        self._moving: asyncio.Task[None] | None = None
        self._guarding: asyncio.Task[None] | None = None
        self._feeding: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def peer(self) -> Peer:
        """The peer.

        Raises:
            MediaError: The leg has no audio yet.
        """
        return self._current_path().peer

    async def answer(self, offer: str) -> str:
        """Take the client's offer; return our answer with all its candidates."""
        return await self._open().answer(offer)

    async def offer(self) -> str:
        """Return our offer with all its candidates."""
        return await self._open().offer()

    async def accept(self, answer: str) -> None:
        """Take the client's answer to our offer."""
        await self._current_path().take_answer(answer)

    async def restart(self, offer: str) -> str:
        """Take an offer of another path; return our answer with all its candidates.

        It restarts ICE, or is of another peer of the client. Another peer answers that, and where DTLS has failed here.
        """
        path = self._current_path()
        # Candidates of the new generation must not reach the peer before the offer that announces them.
        self._candidates.described.clear()
        try:
            if path.peer.is_beyond_repair or not path.peer.is_with(offer):
                path = await self._open_next()
            self._feed(path.peer)
            async with self._closing_on_failure(path):
                answer = await path.answer(offer)
        finally:
            self._candidates.described.set()
        if path is self._next_path:
            self._begin_move(path)
        return answer

    async def offer_new_path(self) -> str:
        """Return the offer of a new path for a client that lost the old one; audio goes the old way meanwhile."""
        path = await self._open_next()
        async with self._closing_on_failure(path):
            return await path.offer()

    async def accept_new_path(self, answer: str) -> None:
        """Take the client's answer to that offer; audio goes the new way as soon as it stands.

        Raises:
            MediaError: There was no such offer, or the answer cannot be used.
        """
        path = self._next_path
        if path is None or self._moving is not None:
            raise MediaError("no new path was offered")
        async with self._closing_on_failure(path):
            await path.take_answer(answer)
        self._feed(path.peer)
        self._begin_move(path)

    def add_candidate(self, candidate: str, sdp_mid: str, sdp_mline_index: int) -> None:
        """Take a candidate of the client; it waits until the description that it belongs to has come."""
        self._candidates.add(candidate, sdp_mid, sdp_mline_index)

    async def wait_connected(self) -> None:
        """Wait until audio flows.

        Raises:
            MediaError: It does not within the gateway's limit.
        """
        await self.peer.wait_connected(self.limits.connect_time)

    async def close(self) -> None:
        """Close the peer, if there is one."""
        self._closed = True
        self.renew = None
        await self._give_up_move()
        for task in (self._guarding, self._feeding):
            if task is not None:
                task.cancel()
        self._guarding = self._feeding = None
        if self._path is not None:
            await self._path.peer.close()

    def _current_path(self) -> Negotiation:
        if self._path is None:
            raise MediaError("the call has no audio before it is offered or answered")
        return self._path

    def _open(self) -> Negotiation:
        if self._closed:
            raise EngineClosedError("the call is over")
        if self._path is not None:
            raise MediaError("the call has its audio already")
        self.network = self._engine.create_network()
        if self._conditions is not None:
            self.network.sending.conditions = self.network.receiving.conditions = self._conditions
        peer = self._engine.create_peer(self.network)
        self._path = Negotiation(peer, MediaOptions(), self._candidates, gather_limit=GATHER_TIME)
        self._feed(peer)
        self._guard(peer)
        return self._path

    async def _open_next(self) -> Negotiation:
        """Return a path to which the audio can move, in place of another one that has not got that far."""
        await self._give_up_move()
        path = self._current_path()
        assert self.network is not None  # noqa: S101 - made with the path
        self._next_path = path.renewed(self._engine.create_successor(path.peer, self.network))
        return self._next_path

    @asynccontextmanager
    async def _closing_on_failure(self, path: Negotiation) -> AsyncIterator[None]:
        """Close the peer to which the audio should move, if its path cannot be negotiated."""
        try:
            yield
        except MediaError:
            if path is self._next_path:
                await self._give_up_move()
            raise

    def _begin_move(self, path: Negotiation) -> None:
        self._moving = asyncio.create_task(self._move(path))

    async def _move(self, path: Negotiation) -> None:
        old = self.peer
        try:
            await path.peer.wait_connected(self.limits.connect_time)
            await path.peer.take_over(old)
        except MediaError as error:
            logger.warning("a client's new path is not used: %s", error)
            self._feed(old)
            await path.peer.close()
            self._next_path = self._moving = None
            return
        self._path, self._next_path, self._moving = path, None, None
        self._guard(path.peer)

    async def _give_up_move(self) -> None:
        moving, self._moving = self._moving, None
        if moving is not None:
            moving.cancel()
            await asyncio.wait({moving})
        path, self._next_path = self._next_path, None
        if path is not None:
            self._feed(self.peer)
            await path.peer.close()

    def _feed(self, peer: Peer) -> None:
        """Hand the client's candidates to a peer from now on."""
        if self._feeding is not None:
            self._feeding.cancel()
        self._feeding = asyncio.create_task(self._candidates.feed(peer))

    def _guard(self, peer: Peer) -> None:
        if self._guarding is not None:
            self._guarding.cancel()
        self._guarding = asyncio.create_task(self._renew_when_broken(peer))

    async def _renew_when_broken(self, peer: Peer) -> None:
        """Offer another path when DTLS has failed. Where ICE has, that is up to the client."""
        failed, closed = PeerConnectionState.FAILED, PeerConnectionState.CLOSED
        while await peer.connection_state.wait_for((failed, closed).__contains__) is failed:
            if peer.is_beyond_repair:
                await asyncio.sleep(CLIENT_FIRST)
                if self._next_path is None and self.renew is not None:
                    await self.renew()
                return
            await peer.connection_state.wait_for(failed.__ne__)
