"""Calls with servers that write their descriptions as the field does: the remote side is a real peer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from support.field_descriptions import SHAPES, without_audio
from support.hearing import hear_tone, saying_tone
from support.limit import LIMIT
from support.telnyx_server import ScriptedServer, listening
from telnyx_native import (
    AudioConfig,
    Call,
    CallState,
    CredentialConfig,
    TelnyxClient,
    TxServerConfiguration,
)
from telnyx_native.config import PeerConfig, Timeouts
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.peer import Peer

RATE = 16_000
USUAL_SHAPES = ["capitals", "several sections", "plain profile", "payload type twice"]

Peers = Callable[[], Peer]


@pytest.fixture
async def peers() -> AsyncIterator[Peers]:
    """Makes the media of remote sides."""
    engine = MediaEngine.acquire()
    made: list[Peer] = []

    def make() -> Peer:
        made.append(engine.create_peer(PeerConfig(loopback=True), AudioConfig()))
        return made[-1]

    yield make
    for peer in made:
        await peer.close()
    await engine.release()


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    scripted = ScriptedServer()
    scripted.parts["telnyx_rtc.attach"] = lambda _: {}
    async with listening(scripted.serve) as address:
        scripted.address = address
        yield scripted


@asynccontextmanager
async def logged_in(server: ScriptedServer, **timeouts: float) -> AsyncIterator[TelnyxClient]:
    async with TelnyxClient(timeouts=Timeouts(**timeouts)) as made:
        await made.connect(TxServerConfiguration.parse(server.address), CredentialConfig("alice", "s3cret"))
        yield made


@pytest.fixture
async def client(server: ScriptedServer) -> AsyncIterator[TelnyxClient]:
    async with logged_in(server) as made:
        yield made


async def answer_of(peer: Peer, server: ScriptedServer) -> str:
    invite: dict[str, Any] = await server.received("telnyx_rtc.invite")
    await peer.create_answer(invite["params"]["sdp"])
    return await peer.gathered()


async def acknowledged(server: ScriptedServer, method: str) -> None:
    await server.received(lambda frame: frame.get("result", {}).get("method") == method)


async def hears(call: Call, speaker: Peer, hertz: int) -> None:
    async with saying_tone(speaker.audio, hertz):
        await hear_tone(call.audio, hertz)


async def inbound(client: TelnyxClient, server: ScriptedServer, sdp: str) -> Call:
    calls = client.incoming_calls.collect()
    server.push("telnyx_rtc.invite", callID="C1", sdp=sdp)
    return await asyncio.wait_for(anext(calls), LIMIT)


@pytest.mark.parametrize("shape", USUAL_SHAPES)
async def test_outbound_call(client: TelnyxClient, server: ScriptedServer, peers: Peers, shape: str) -> None:
    call, remote = await client.new_invite("somebody"), peers()
    server.push("telnyx_rtc.answer", callID=call.call_id, sdp=SHAPES[shape](await answer_of(remote, server)))
    await call.wait_active(LIMIT)
    await hears(call, remote, 620)


@pytest.mark.parametrize("shape", USUAL_SHAPES)
async def test_inbound_call(client: TelnyxClient, server: ScriptedServer, peers: Peers, shape: str) -> None:
    remote = peers()
    await remote.create_offer()
    call = await inbound(client, server, SHAPES[shape](await remote.gathered()))
    await call.accept()
    answer = await server.received("telnyx_rtc.answer")
    await remote.set_answer(answer["params"]["sdp"])
    await call.wait_active(LIMIT)
    await hears(call, remote, 620)


@pytest.mark.parametrize("shape", USUAL_SHAPES)
async def test_attach_to_a_call_that_stands(
    client: TelnyxClient, server: ScriptedServer, peers: Peers, shape: str
) -> None:
    call, remote, other = await client.new_invite("somebody"), peers(), peers()
    server.push("telnyx_rtc.answer", callID=call.call_id, sdp=await answer_of(remote, server))
    await call.wait_active(LIMIT)
    await other.create_offer()
    server.push("telnyx_rtc.attach", callID=call.call_id, sdp=SHAPES[shape](await other.gathered()))
    answer = await server.received("telnyx_rtc.attach")
    await other.set_answer(answer["params"]["sdp"])
    await hears(call, other, 900)


@pytest.mark.parametrize("spoilt", [without_audio, lambda _: "v=0", lambda sdp: sdp.replace("a=fingerprint", "a=x")])
async def test_an_attach_that_cannot_be_used_leaves_the_call_where_it_is(
    client: TelnyxClient, server: ScriptedServer, peers: Peers, spoilt: Callable[[str], str]
) -> None:
    call, remote, other = await client.new_invite("somebody"), peers(), peers()
    server.push("telnyx_rtc.answer", callID=call.call_id, sdp=await answer_of(remote, server))
    await call.wait_active(LIMIT)
    warnings = client.warning_flow.collect()
    await other.create_offer()
    server.push("telnyx_rtc.attach", callID=call.call_id, sdp=spoilt(await other.gathered()))
    warning = await asyncio.wait_for(anext(warnings), LIMIT)
    assert "stays on its old path" in warning.message
    assert call.state is CallState.ACTIVE
    await hears(call, remote, 620)


async def test_the_same_attach_twice_is_one(client: TelnyxClient, server: ScriptedServer, peers: Peers) -> None:
    call, remote, other = await client.new_invite("somebody"), peers(), peers()
    server.push("telnyx_rtc.answer", callID=call.call_id, sdp=await answer_of(remote, server))
    await call.wait_active(LIMIT)
    await other.create_offer()
    offer = await other.gathered()
    for _ in range(2):
        server.push("telnyx_rtc.attach", callID=call.call_id, sdp=offer)
    answer = await server.received("telnyx_rtc.attach")
    await other.set_answer(answer["params"]["sdp"])
    await hears(call, other, 900)
    assert len(server.sent("telnyx_rtc.attach")) == 1
    assert call.state is CallState.ACTIVE


async def test_an_answer_without_audio_ends_the_call_at_once(
    client: TelnyxClient, server: ScriptedServer, peers: Peers
) -> None:
    call = await client.new_invite("somebody")
    server.push("telnyx_rtc.answer", callID=call.call_id, sdp=without_audio(await answer_of(peers(), server)))
    reason = await call.wait_done(LIMIT)
    assert (reason.cause, reason.sip_code) == ("INCOMPATIBLE_DESTINATION", 488)
    bye = await server.received("telnyx_rtc.bye")
    assert bye["params"]["causeCode"] == 88


async def test_an_offer_without_audio_does_not_ring(client: TelnyxClient, server: ScriptedServer, peers: Peers) -> None:
    incoming = client.incoming_calls.collect()
    remote = peers()
    await remote.create_offer()
    offer = await remote.gathered()
    server.push("telnyx_rtc.invite", callID="C1", sdp=without_audio(offer))
    bye = await server.received("telnyx_rtc.bye")
    assert (bye["params"]["cause"], bye["params"]["causeCode"]) == ("INCOMPATIBLE_DESTINATION", 88)
    assert not client.calls
    server.push("telnyx_rtc.invite", callID="C2", sdp=offer)
    assert (await asyncio.wait_for(anext(incoming), LIMIT)).call_id == "C2"


# --- the order of descriptions ------------------------------------------------------------------------------------


async def test_an_answer_may_come_before_its_description(
    client: TelnyxClient, server: ScriptedServer, peers: Peers
) -> None:
    call, remote = await client.new_invite("somebody"), peers()
    sdp = await answer_of(remote, server)
    server.push("telnyx_rtc.answer", callID=call.call_id)
    await acknowledged(server, "telnyx_rtc.answer")
    server.push("telnyx_rtc.media", callID=call.call_id, sdp=sdp)
    await call.wait_active(LIMIT)
    await hears(call, remote, 620)


async def test_a_description_that_never_comes_ends_the_call(server: ScriptedServer) -> None:
    async with logged_in(server, description=0.3) as client:
        call = await client.new_invite("somebody")
        server.push("telnyx_rtc.answer", callID=call.call_id)
        assert (await call.wait_done(LIMIT)).cause == "MANDATORY_IE_MISSING"


async def test_an_answer_from_elsewhere_leaves_early_media_that_stands(
    client: TelnyxClient, server: ScriptedServer, peers: Peers
) -> None:
    """As in the Telnyx JS SDK: what is heard goes on."""
    call, early, late = await client.new_invite("somebody"), peers(), peers()
    server.push("telnyx_rtc.media", callID=call.call_id, sdp=await answer_of(early, server))
    await hears(call, early, 620)
    server.push("telnyx_rtc.answer", callID=call.call_id, sdp=await answer_of(late, server))
    await call.wait_active(LIMIT)
    await hears(call, early, 900)


async def test_an_answer_from_elsewhere_takes_the_place_of_early_media_that_never_stood(
    client: TelnyxClient, server: ScriptedServer, peers: Peers
) -> None:
    call, early, late = await client.new_invite("somebody"), peers(), peers()
    sdp = await answer_of(early, server)
    await early.close()
    server.push("telnyx_rtc.media", callID=call.call_id, sdp=sdp)
    await acknowledged(server, "telnyx_rtc.media")
    server.push("telnyx_rtc.answer", callID=call.call_id, sdp=await answer_of(late, server))
    await call.wait_active(LIMIT)
    await hears(call, late, 900)
