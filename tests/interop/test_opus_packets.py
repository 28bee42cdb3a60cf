"""What we send over the wire is read, packet by packet, by Opus' own decoder behind another WebRTC stack (aiortc)."""

from __future__ import annotations

import asyncio
import ctypes.util
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from support.limit import LIMIT
from support.peers import LOOPBACK
from support.signals import Pcm, dominant_frequency, rms, tone
from telnyx_native.config import AudioConfig, OpusConfig
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.peer import Peer
from telnyx_native.media.simulated_network import NetworkConditions, SimulatedNetwork

aiortc = pytest.importorskip("aiortc")
if ctypes.util.find_library("opus") is None:
    pytest.skip("libopus0 is not installed", allow_module_level=True)
opuslib = pytest.importorskip("opuslib")

pytestmark = [pytest.mark.sound, pytest.mark.interop]

RATE = 48_000


@pytest.fixture
async def engine() -> AsyncIterator[MediaEngine]:
    engine = MediaEngine.acquire()
    yield engine
    await engine.release()


@asynccontextmanager
async def received_by_aiortc(
    engine: MediaEngine, opus: OpusConfig, network: SimulatedNetwork | None = None
) -> AsyncIterator[tuple[Peer, list[Any]]]:
    """A call to aiortc, and the RTP packets that it decrypts, as they come."""
    caller = engine.create_peer(LOOPBACK, AudioConfig(sample_rate=RATE, opus=opus), network=network)
    callee = aiortc.RTCPeerConnection()
    packets: list[Any] = []
    await caller.create_offer()
    await callee.setRemoteDescription(aiortc.RTCSessionDescription(await caller.gathered(), "offer"))
    receiver = callee.getTransceivers()[0].receiver
    handle = receiver._handle_rtp_packet

    async def keep(packet: Any, arrival_time_ms: int) -> None:
        packets.append(packet)
        await handle(packet, arrival_time_ms=arrival_time_ms)

    receiver._handle_rtp_packet = keep
    await callee.setLocalDescription(await callee.createAnswer())
    await caller.set_answer(callee.localDescription.sdp)
    try:
        await caller.wait_connected(LIMIT)
        yield caller, packets
    finally:
        await caller.close()
        await callee.close()


def decoded(packets: list[Any], samples: int) -> Pcm:
    decoder = opuslib.Decoder(RATE, 1)
    return np.concatenate([np.frombuffer(decoder.decode(packet.payload, samples), np.int16) for packet in packets])


async def say(caller: Peer, seconds: float) -> None:
    await caller.audio.write(tone(440, seconds, RATE))
    await caller.audio.drain()
    await asyncio.sleep(0.2)


@pytest.mark.parametrize("ptime", [10, 20, 40, 60])
async def test_every_packet_is_opus_of_the_length_that_was_asked_for(engine: MediaEngine, ptime: int) -> None:
    async with received_by_aiortc(engine, OpusConfig(ptime=ptime)) as (caller, packets):
        await say(caller, 1.5)
    samples = ptime * RATE // 1000
    numbers = [packet.sequence_number for packet in packets]
    assert [(number - numbers[0]) & 0xFFFF for number in numbers] == list(range(len(numbers)))
    steps = {(after.timestamp - before.timestamp) & 0xFFFFFFFF for before, after in pairwise(packets)}
    assert steps == {samples}
    heard = decoded(packets, samples)
    assert len(heard) == len(packets) * samples
    loudest = heard[np.argmax(np.abs(heard) > 2_000) :][:RATE]
    assert dominant_frequency(loudest, RATE) == pytest.approx(440, abs=5)


async def test_a_lost_packet_is_in_the_next_one_when_the_remote_reports_loss(engine: MediaEngine) -> None:
    network = SimulatedNetwork(seed=3)
    async with received_by_aiortc(engine, OpusConfig(ptime=20), network) as (caller, packets):
        network.sending.conditions = NetworkConditions(loss=0.2)
        await say(caller, 9)  # the first reports of loss take some seconds
    late = packets[len(packets) // 2 :]
    restored = 0
    decoder = opuslib.Decoder(RATE, 1)
    for before, after in pairwise(late):
        if (after.sequence_number - before.sequence_number) & 0xFFFF == 2 and len(after.payload) > 20:
            copy = np.frombuffer(decoder.decode(after.payload, 960, decode_fec=True), np.int16)
            restored += rms(copy) > 500
        decoder.decode(after.payload, 960)
    assert restored > 10
