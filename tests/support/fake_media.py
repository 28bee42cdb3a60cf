"""Media that carries nothing: for tests of what happens around it, above all when it fails."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

from telnyx_native.config import AudioConfig
from telnyx_native.errors import EngineClosedError, MediaError, SdpError
from telnyx_native.flow import SharedFlow, StateFlow
from telnyx_native.logs import Log
from telnyx_native.media.peer import PeerConnectionState
from telnyx_native.media.stream import AudioStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_native.config import PeerConfig


class FoundCandidate(NamedTuple):
    candidate: str
    sdp_mid: str = "0"
    sdp_mline_index: int = 0


class FakePeer:
    """A peer that connects when it has both descriptions, unless told otherwise."""

    def __init__(self) -> None:
        self.audio_config = AudioConfig()
        self.audio = AudioStream(self.audio_config)
        self.connection_state: StateFlow[PeerConnectionState] = StateFlow(PeerConnectionState.NEW)
        self.is_beyond_repair = False
        self.received_codec: str | None = None
        self.audio_arrived = asyncio.Event()
        self.log = Log("media")
        self.candidates: SharedFlow[FoundCandidate] = SharedFlow(replay=8)
        self.applied: list[str] = []
        self.added: list[str] = []
        self.restarts = 0
        self.gather_limit = 0.0
        self.carries_audio = True
        self.held = False
        self.closed = False
        self.connects = True
        self.refuses: MediaError | None = None
        self.gate: asyncio.Event | None = None

    def require_sockets(self) -> None:
        pass

    async def create_offer(self, *, ice_restart: bool = False) -> str:
        await asyncio.sleep(0)
        self.restarts += ice_restart
        return "v=0 offer"

    async def create_answer(self, offer: str) -> str:
        await asyncio.sleep(0)
        self._apply(offer)
        return "v=0 answer"

    async def set_provisional_answer(self, answer: str) -> None:
        await asyncio.sleep(0)
        self._apply(answer)

    async def set_answer(self, answer: str) -> None:
        await asyncio.sleep(0)
        self._apply(answer)

    def _apply(self, sdp: str) -> None:
        if self.refuses:
            raise self.refuses
        self.applied.append(sdp)
        if self.connects:
            self.become("CONNECTED")
            self.audio_arrived.set()

    async def add_candidate(self, candidate: str, sdp_mid: str, sdp_mline_index: int) -> None:
        if not candidate.startswith("candidate:"):
            raise SdpError("no candidate")
        self.added.append(candidate)

    def hold(self, held: bool) -> None:
        self.held = held

    async def gathered(self, *, limit: float) -> str:
        self.gather_limit = limit
        if self.gate:
            await self.gate.wait()
        if self.closed:
            raise EngineClosedError("the peer was closed")
        return "v=0 gathered"

    async def wait_connected(self, timeout: float) -> None:
        try:
            await self.connection_state.wait_for(PeerConnectionState.CONNECTED, timeout=timeout)
        except TimeoutError:
            raise MediaError(f"not connected within {timeout} s") from None

    def become(self, state: str) -> None:
        self.connection_state.set(PeerConnectionState[state])

    async def set_max_bitrate(self, bitrate: int | None) -> None:
        await asyncio.sleep(0)

    async def insert_dtmf(self, keys: str, *, duration: float, gap: float) -> None:
        await asyncio.sleep(0)

    async def take_over(self, predecessor: FakePeer) -> None:
        if self.closed or predecessor.closed:
            raise EngineClosedError("the peer was closed")
        self.carries_audio, predecessor.carries_audio = True, False
        await predecessor.close()

    async def stats(self) -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"T1": {"type": "transport"}}

    async def close(self) -> None:
        self.closed = True
        if self.carries_audio:
            self.audio._close()
        self.candidates.close()
        self.become("CLOSED")
        self.connection_state.close()


class FakeEngine:
    """Stands in for the native engine where it must not be needed."""

    def __init__(self) -> None:
        self.users = 0
        self.peers: list[FakePeer] = []
        self.configs: list[PeerConfig] = []
        self.prepare: Callable[[FakePeer], None] = lambda _: None

    def acquire(self) -> FakeEngine:
        self.users += 1
        return self

    def create_peer(self, config: PeerConfig, audio: AudioConfig | None) -> FakePeer:
        peer = FakePeer()
        self.prepare(peer)
        self.peers.append(peer)
        self.configs.append(config)
        return peer

    def create_successor(self, peer: FakePeer, config: PeerConfig) -> FakePeer:
        successor = self.create_peer(config, None)
        successor.audio, successor.carries_audio = peer.audio, False
        return successor

    async def release(self) -> None:
        self.users -= 1
