"""Two peers of one engine, connected to each other over loopback; the caller, if asked for, through a bad network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from support.limit import LIMIT
from telnyx_native.config import AudioConfig, PeerConfig
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.peer import Peer
from telnyx_native.media.simulated_network import SimulatedNetwork

LOOPBACK = PeerConfig(loopback=True)


async def negotiate(caller: Peer, callee: Peer) -> None:
    await caller.create_offer()
    await callee.create_answer(await caller.gathered())
    await caller.set_answer(await callee.gathered())


@asynccontextmanager
async def connected(
    engine: MediaEngine,
    caller_audio: AudioConfig | None = None,
    callee_audio: AudioConfig | None = None,
    *,
    network: SimulatedNetwork | None = None,
) -> AsyncIterator[tuple[Peer, Peer]]:
    caller = engine.create_peer(LOOPBACK, caller_audio or AudioConfig(), network=network)
    callee = engine.create_peer(LOOPBACK, callee_audio or AudioConfig())
    try:
        await negotiate(caller, callee)
        await caller.wait_connected(LIMIT)
        await callee.wait_connected(LIMIT)
        yield caller, callee
    finally:
        await caller.close()
        await callee.close()
