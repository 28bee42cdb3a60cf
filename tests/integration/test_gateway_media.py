"""What only a client that trickles or restarts ICE asks of the gateway, with real media behind raw frames."""

from __future__ import annotations

import asyncio
import json
import re
from itertools import count

import pytest
from websockets.asyncio.client import connect

from support.field_descriptions import SHAPES
from support.limit import LIMIT
from support.signals import dominant_frequency, pcm
from telnyx_native.config import AudioConfig, PeerConfig
from telnyx_native.gateway import Gateway, User
from telnyx_native.media.engine import MediaEngine

RATE = 16_000
CALL = {"callID": "0b6f0b9e-7a0e-4e8e-9a63-0f1d7f6a9d11"}


class Client:
    """Frames and a peer, held together by hand."""

    def __init__(self, socket, peer):
        self.socket = socket
        self.peer = peer
        self._ids = map(str, count(1))

    async def ask(self, method, **params):
        """Send a request and return its result; requests of the server meanwhile are passed over."""
        message_id = next(self._ids)
        await self.socket.send(json.dumps({"jsonrpc": "2.0", "id": message_id, "method": method, "params": params}))
        return (await self.frame(lambda frame: frame.get("id") == message_id))["result"]

    async def expect(self, method):
        return (await self.frame(lambda frame: frame.get("method") == method))["params"]

    async def frame(self, wanted):
        async with asyncio.timeout(5):
            while not wanted(frame := json.loads(await self.socket.recv())):
                pass
        return frame

    async def heard_frequency(self):
        """Return the loudest frequency of the next half second."""
        scrap = bytearray(2 * RATE)
        while self.peer.audio.readinto(scrap):
            pass
        async with asyncio.timeout(5):
            return dominant_frequency(pcm(await self.peer.audio.read(RATE // 2)), RATE)


@pytest.fixture
async def gateway():
    async with Gateway([User("alice", "secret")]) as gateway:
        yield gateway


@pytest.fixture
async def client(gateway):
    engine = MediaEngine.acquire()
    peer = engine.create_peer(PeerConfig(loopback=True), AudioConfig())
    try:
        async with connect(gateway.url) as socket:
            client = Client(socket, peer)
            await client.ask("login", login="alice", passwd="secret")
            yield client
    finally:
        await peer.close()
        await engine.release()


def without_candidates(sdp):
    return "".join(line for line in sdp.splitlines(keepends=True) if not line.startswith("a=candidate"))


async def trickle(client):
    """Send the peer's candidates one by one, ahead of everything else."""
    gathered = await client.peer.gathered()
    lines = [line.removeprefix("a=") for line in gathered.splitlines() if line.startswith("a=candidate")]
    assert lines
    for line in lines:
        await client.ask("telnyx_rtc.candidate", candidate=line, sdpMid="0", sdpMLineIndex=0, dialogParams=CALL)
    await client.ask("telnyx_rtc.endOfCandidates", endOfCandidates=True, dialogParams=CALL)


async def call_tone(client, hz, shape=lambda sdp: sdp):
    offer = await client.peer.create_offer()
    dialog = CALL | {"destination_number": f"tone:{hz}"}
    await client.ask("telnyx_rtc.invite", sdp=shape(without_candidates(offer)), trickle=True, dialogParams=dialog)
    answer = (await client.expect("telnyx_rtc.answer"))["sdp"]
    await client.peer.set_answer(answer)
    await trickle(client)
    await client.peer.wait_connected(LIMIT)


async def test_trickled_candidates_connect_the_call(client):
    await call_tone(client, 700)
    await asyncio.sleep(0.5)
    assert await client.heard_frequency() == pytest.approx(700, abs=4)


async def test_audio_survives_an_ice_restart(client):
    await call_tone(client, 900)
    before = ice_user(await client.peer.gathered())
    await client.peer.create_offer(ice_restart=True)
    offer = await client.peer.gathered()
    assert ice_user(offer) != before
    result = await client.ask("telnyx_rtc.modify", action="updateMedia", sdp=offer, dialogParams=CALL, **CALL)
    assert result["action"] == "updateMedia"
    await client.peer.set_answer(result["sdp"])
    await asyncio.sleep(0.5)
    assert await client.heard_frequency() == pytest.approx(900, abs=4)


@pytest.mark.parametrize("shape", ["capitals", "several sections", "plain profile", "payload type twice"])
async def test_clients_that_write_as_the_field_does_are_understood(client, shape):
    await call_tone(client, 700, SHAPES[shape])
    await client.peer.create_offer(ice_restart=True)
    offer = SHAPES[shape](await client.peer.gathered())
    result = await client.ask("telnyx_rtc.modify", action="updateMedia", sdp=offer, dialogParams=CALL, **CALL)
    assert re.findall(r"m=\w+", result["sdp"]) == re.findall(r"m=\w+", offer)
    await client.peer.set_answer(result["sdp"])
    await asyncio.sleep(0.5)
    assert await client.heard_frequency() == pytest.approx(700, abs=4)


async def test_our_descriptions_carry_their_candidates(client, gateway):
    leg = await gateway.place_call("alice", from_="+15550199")
    offer = (await client.expect("telnyx_rtc.invite"))["sdp"]
    assert "a=candidate:" in offer
    await client.peer.create_answer(offer)
    answer = await client.peer.gathered()
    await client.ask("telnyx_rtc.answer", sdp=answer, dialogParams={"callID": leg.call_id})
    await leg.wait_answered(LIMIT)
    assert leg.audio.sample_rate == RATE


async def test_hostile_description_ends_its_call_only(client):
    for sdp in ("v=0\r\n", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "\x00" * 100, "v=0\r\nm=video 9 RTP/AVP 96\r\n"):
        await client.ask("telnyx_rtc.invite", sdp=sdp, dialogParams=CALL | {"destination_number": "echo"})
        bye = await client.expect("telnyx_rtc.bye")
        assert bye["cause"] == "INCOMPATIBLE_DESTINATION"
    await call_tone(client, 500)


def ice_user(sdp):
    return next(line for line in sdp.splitlines() if line.startswith("a=ice-ufrag:"))
