"""Audio before the answer: a scripted server, and behind it a real peer that plays an announcement."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from support.limit import LIMIT
from support.signals import dominant_frequency, pcm, tone
from support.telnyx_server import ScriptedServer, listening
from telnyx_native import AudioConfig, CallState, CredentialConfig, TelnyxClient, TxServerConfiguration
from telnyx_native.config import PeerConfig
from telnyx_native.media.engine import MediaEngine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from telnyx_native.media.peer import Peer

RATE = 16_000


@pytest.fixture
async def remote() -> AsyncIterator[Peer]:
    engine = MediaEngine.acquire()
    peer = engine.create_peer(PeerConfig(loopback=True), AudioConfig())
    yield peer
    await peer.close()
    await engine.release()


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    scripted = ScriptedServer()
    async with listening(scripted.serve) as address:
        scripted.address = address
        yield scripted


@pytest.fixture
async def client(server: ScriptedServer) -> AsyncIterator[TelnyxClient]:
    async with TelnyxClient() as made:
        await made.connect(TxServerConfiguration.parse(server.address), CredentialConfig("alice", "s3cret"))
        yield made


async def answer_of(peer: Peer, server: ScriptedServer) -> str:
    invite: dict[str, Any] = await server.received("telnyx_rtc.invite")
    await peer.create_answer(invite["params"]["sdp"])
    return await peer.gathered()


@pytest.mark.parametrize("repeats", [False, True])
async def test_announcement_before_the_answer(
    client: TelnyxClient, server: ScriptedServer, remote: Peer, repeats: bool
) -> None:
    call = await client.new_invite("announcement")
    sdp = await answer_of(remote, server)
    server.push("telnyx_rtc.ringing", callID=call.call_id)
    server.push("telnyx_rtc.media", callID=call.call_id, sdp=sdp)
    remote.audio.write_nowait(tone(620, 4.0, RATE).data)
    await asyncio.wait_for(call.audio.read(RATE), LIMIT)
    heard = pcm(await call.audio.read(RATE // 2))
    assert dominant_frequency(heard, RATE) == pytest.approx(620, abs=10)
    assert call.state is CallState.RINGING

    server.push("telnyx_rtc.answer", callID=call.call_id, **({"sdp": sdp} if repeats else {}))
    await call.wait_active(LIMIT)
    timings = call.timings
    assert timings.media_connected is not None
    assert timings.answered is not None
    assert timings.media_connected < timings.answered
    remote.audio.clear()
    remote.audio.write_nowait(tone(900, 3.0, RATE).data)
    await call.audio.read(RATE)
    assert dominant_frequency(pcm(await call.audio.read(RATE // 2)), RATE) == pytest.approx(900, abs=10)


async def test_candidates_that_follow_the_answer(client: TelnyxClient, server: ScriptedServer, remote: Peer) -> None:
    """The server trickles, and so does the client: neither description names an address."""
    call = await client.new_invite("announcement", use_trickle_ice=True)
    invite = await server.received("telnyx_rtc.invite")
    assert "a=candidate" not in invite["params"]["sdp"]
    answer = await remote.create_answer(invite["params"]["sdp"])
    assert "a=candidate" not in answer
    async with asyncio.timeout(LIMIT):
        async for found in remote.candidates:
            server.push("telnyx_rtc.candidate", callID=call.call_id, candidate=f"a={found.candidate}", sdpMid="0")
    server.push("telnyx_rtc.endOfCandidates", callID=call.call_id)
    server.push("telnyx_rtc.answer", callID=call.call_id, sdp=answer)
    await call.wait_active(LIMIT)
    await server.received("telnyx_rtc.endOfCandidates")
    assert len(server.sent("telnyx_rtc.candidate")) >= 1
