"""Negotiation, candidates, states and statistics of a peer."""

from __future__ import annotations

import asyncio
import re

import numpy as np
import pytest

from support.limit import LIMIT
from support.peers import LOOPBACK, connected, negotiate
from support.process import native_threads
from support.signals import dominant_frequency, pcm, rms, tone
from telnyx_native.config import AudioConfig, IceServer, PeerConfig
from telnyx_native.errors import ConfigurationError, EngineClosedError, MediaError, SdpError
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.joins import bridge
from telnyx_native.media.peer import IceCandidate, Peer, PeerConnectionState


def ice_ufrag(sdp: str) -> str:
    found = re.search(r"a=ice-ufrag:(\S+)", sdp)
    assert found
    return found[1]


async def test_an_offer_has_the_codecs_of_telephony(engine: MediaEngine) -> None:
    peer = engine.create_peer(LOOPBACK, AudioConfig())
    offer = await peer.create_offer()
    for codec in ("opus/48000/2", "red/48000/2", "G722/8000", "PCMU/8000", "PCMA/8000", "telephone-event/8000"):
        assert codec in offer
    assert offer.count("m=") == 1
    await peer.close()


async def test_gathered_has_the_candidates_that_were_trickled(engine: MediaEngine) -> None:
    peer = engine.create_peer(LOOPBACK, AudioConfig())
    await peer.create_offer()
    description = await peer.gathered()
    in_description = re.findall(r"a=(candidate:\S+)", description)
    await peer.close()
    trickled = [found.candidate.split()[0] async for found in peer.candidates]
    assert sorted(trickled) == sorted(in_description) != []


async def test_loopback_addresses_are_offered_only_when_asked_for(engine: MediaEngine) -> None:
    for config, expected in ((LOOPBACK, True), (PeerConfig(), False)):
        peer = engine.create_peer(config, AudioConfig())
        await peer.create_offer()
        assert (" 127.0.0.1 " in await peer.gathered()) is expected
        await peer.close()


async def test_relay_only_without_a_relay_offers_no_candidate(engine: MediaEngine) -> None:
    peer = engine.create_peer(PeerConfig(relay_only=True, loopback=True), AudioConfig())
    await peer.create_offer()
    assert "a=candidate" not in await peer.gathered()
    await peer.close()


async def test_a_server_that_never_answers_does_not_hold_up_the_offer(engine: MediaEngine) -> None:
    stun = IceServer(("stun:192.0.2.1:3478",))  # an address for documentation (RFC 5737): nobody is there
    peer = engine.create_peer(PeerConfig(ice_servers=(stun,), loopback=True), AudioConfig())
    await peer.create_offer()
    async with asyncio.timeout(1):
        assert "a=candidate" in await peer.gathered(limit=0.2)
    await peer.close()


async def test_a_turn_server_without_credentials_is_a_typed_error(engine: MediaEngine) -> None:
    peer = engine.create_peer(PeerConfig(ice_servers=(IceServer(("turn:127.0.0.1",)),)), AudioConfig())
    with pytest.raises(MediaError, match="ICE servers"):
        await peer.create_offer()


async def test_trickled_candidates_connect_two_peers(engine: MediaEngine) -> None:
    caller, callee = (engine.create_peer(LOOPBACK, AudioConfig()) for _ in range(2))

    async def trickle(source: Peer, target: Peer) -> None:
        async for found in source.candidates:
            await target.add_candidate(found.candidate, found.sdp_mid, found.sdp_mline_index)

    def without_candidates(sdp: str) -> str:
        return re.sub(r"a=candidate.*\r\n", "", sdp)

    offer = without_candidates(await caller.create_offer())
    answer = without_candidates(await callee.create_answer(offer))
    await caller.set_answer(answer)
    trickling = [asyncio.create_task(trickle(caller, callee)), asyncio.create_task(trickle(callee, caller))]
    await caller.wait_connected(LIMIT)
    await callee.wait_connected(LIMIT)
    await caller.close()
    await callee.close()
    async with asyncio.timeout(2):
        await asyncio.gather(*trickling, return_exceptions=True)


async def test_connection_states_are_reported_in_order(engine: MediaEngine) -> None:
    caller, callee = (engine.create_peer(LOOPBACK, AudioConfig()) for _ in range(2))
    states = caller.connection_state.collect()
    await negotiate(caller, callee)
    await caller.wait_connected(LIMIT)
    await caller.close()
    await callee.close()
    seen = [state async for state in states]
    assert seen[:3] == [PeerConnectionState.NEW, PeerConnectionState.CONNECTING, PeerConnectionState.CONNECTED]
    assert seen[-1] is PeerConnectionState.CLOSED


async def test_ice_restart_finds_a_new_path_while_audio_goes_on(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, callee):
        await caller.audio.write(tone(440, 3, 16_000))
        before = ice_ufrag(await caller.gathered())
        await caller.create_offer(ice_restart=True)
        offer = await caller.gathered()
        assert ice_ufrag(offer) != before
        await callee.create_answer(offer)
        await caller.set_answer(await callee.gathered())
        await callee.audio.read(16_000)
        heard = pcm(await callee.audio.read(16_000))
        assert caller.connection_state.value is PeerConnectionState.CONNECTED
    assert dominant_frequency(heard, 16_000) == pytest.approx(440, abs=5)


async def test_an_answer_without_bundle_and_with_the_old_profile_is_understood(engine: MediaEngine) -> None:
    """FreeSWITCH, which is behind Telnyx's servers, answers like this."""
    caller, callee = (engine.create_peer(LOOPBACK, AudioConfig()) for _ in range(2))
    await caller.create_offer()
    await callee.create_answer(await caller.gathered())
    answer = await callee.gathered()
    answer = re.sub(r"a=group:BUNDLE.*\r\n|a=extmap.*\r\n|a=rtcp-fb.*\r\n", "", answer)
    await caller.set_answer(answer.replace("UDP/TLS/RTP/SAVPF", "RTP/SAVPF") + "a=end-of-candidates\r\n")
    await caller.wait_connected(LIMIT)
    await caller.close()
    await callee.close()


async def test_stats_have_their_w3c_names(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, callee):
        await caller.audio.write(tone(440, 0.5, 16_000))
        await callee.audio.read(8_000)
        stats = await callee.stats()
    by_type = {entry["type"]: entry for entry in stats.values()}
    assert by_type["inbound-rtp"]["packetsReceived"] > 10
    assert by_type["inbound-rtp"]["packetsLost"] == 0
    assert by_type["transport"]["dtlsState"] == "connected"
    assert {"outbound-rtp", "candidate-pair", "codec"} <= set(by_type)


async def test_echo_returns_what_was_said(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, callee):
        callee.echo()
        await caller.audio.write(tone(700, 1.5, 16_000))
        heard = pcm(await caller.audio.read(20_000))
        assert dominant_frequency(heard[-8_000:], 16_000) == pytest.approx(700, abs=5)
        callee.leave()
        await caller.audio.write(tone(700, 1.0, 16_000))
        await caller.audio.read(12_000)
        assert rms(pcm(await caller.audio.read(4_000))) < 50


async def test_joined_calls_hear_each_other_and_part_again(engine: MediaEngine) -> None:
    async with connected(engine) as (alice, to_alice), connected(engine) as (bob, to_bob):
        bridge(to_alice, to_bob)
        await alice.audio.write(tone(500, 1.5, 16_000))
        await bob.audio.write(tone(900, 1.5, 16_000))
        at_bob, at_alice = pcm(await bob.audio.read(20_000)), pcm(await alice.audio.read(20_000))
        assert dominant_frequency(at_bob[-8_000:], 16_000) == pytest.approx(500, abs=5)
        assert dominant_frequency(at_alice[-8_000:], 16_000) == pytest.approx(900, abs=5)
        await to_bob.close()  # the other one goes on alone
        await alice.audio.write(tone(500, 0.2, 16_000))
        await alice.audio.drain()


async def test_a_successor_goes_on_with_the_audio_of_a_call(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, callee):
        callee.echo()
        successor, remote = engine.create_successor(caller, LOOPBACK), engine.create_peer(LOOPBACK, AudioConfig())
        remote.echo()
        await negotiate(remote, successor)
        await successor.wait_connected(LIMIT)
        audio = caller.audio
        await audio.write(tone(600, 3.0, 16_000))
        reading = asyncio.create_task(audio.read(32_000))  # has been waiting since the first path, and goes on
        await successor.take_over(caller)
        assert caller.connection_state.value is PeerConnectionState.CLOSED
        heard = pcm(await reading)[-8_000:]
        assert dominant_frequency(heard, 16_000) == pytest.approx(600, abs=5)
        await audio.drain()
        assert audio.counters.played == 3 * 16_000
        await successor.close()
        assert audio.closed
        await remote.close()


async def test_a_successor_that_is_given_up_leaves_the_call_alone(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, callee):
        callee.echo()
        await engine.create_successor(caller, LOOPBACK).close()
        assert not caller.audio.closed
        await caller.audio.write(tone(600, 1.0, 16_000))
        assert dominant_frequency(pcm(await caller.audio.read(20_000))[-8_000:], 16_000) == pytest.approx(600, abs=5)


async def test_joins_follow_the_successor(engine: MediaEngine) -> None:
    async with connected(engine) as (alice, to_alice), connected(engine) as (bob, to_bob):
        bridge(to_alice, to_bob)
        newer, to_newer = engine.create_successor(alice, LOOPBACK), engine.create_successor(to_alice, LOOPBACK)
        await negotiate(to_newer, newer)
        await newer.wait_connected(LIMIT)
        await to_newer.take_over(to_alice)
        await newer.take_over(alice)
        await alice.audio.write(tone(500, 2.5, 16_000))
        await bob.audio.write(tone(900, 2.5, 16_000))
        await bob.audio.read(24_000)
        await alice.audio.read(24_000)
        assert dominant_frequency(pcm(await bob.audio.read(8_000)), 16_000) == pytest.approx(500, abs=5)
        assert dominant_frequency(pcm(await alice.audio.read(8_000)), 16_000) == pytest.approx(900, abs=5)
        to_newer.leave()
        await newer.close()


async def test_a_peer_that_nobody_answers_times_out_with_advice(engine: MediaEngine) -> None:
    peer = engine.create_peer(LOOPBACK, AudioConfig())
    await peer.create_offer()
    with pytest.raises(MediaError, match=r"did not come up within 0.1 s.*TURN"):
        await peer.wait_connected(0.1)
    await peer.close()


async def test_after_close_every_operation_is_a_typed_error(engine: MediaEngine) -> None:
    peer = engine.create_peer(LOOPBACK, AudioConfig())
    await peer.close()
    await peer.close()
    for operation in (peer.create_offer(), peer.stats(), peer.gathered()):
        with pytest.raises(EngineClosedError):
            await operation
    with pytest.raises(MediaError):
        await peer.wait_connected(1)


async def test_an_operation_under_way_when_the_peer_closes_ends(engine: MediaEngine) -> None:
    peer = engine.create_peer(LOOPBACK, AudioConfig())
    offering = asyncio.create_task(peer.create_offer())
    await asyncio.sleep(0)
    await peer.close()
    async with asyncio.timeout(1):
        await asyncio.gather(offering, return_exceptions=True)


@pytest.mark.parametrize("where", ["offer", "answer"])
@pytest.mark.parametrize(
    "sdp",
    ["", "v=0", "v=0\r\nm=audio\r\n", "hello", "v=0\r\n" * 2000, "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n", "\0"],
    ids=["empty", "bare", "no codec", "text", "huge", "video", "nul"],
)
async def test_a_description_that_is_none_is_a_typed_error(engine: MediaEngine, where: str, sdp: str) -> None:
    peer = engine.create_peer(LOOPBACK, AudioConfig())
    if where == "answer":
        await peer.create_offer()
    with pytest.raises(SdpError):
        await (peer.create_answer(sdp) if where == "offer" else peer.set_answer(sdp))
    await peer.close()


@pytest.mark.parametrize(
    "bad",
    [
        IceCandidate("candidate:nonsense", "0", 0),
        IceCandidate("candidate:1 1 udp 1 localhost 9 typ host", "0", 0),
        IceCandidate("candidate:1 1 udp 1 127.0.0.1 9 typ\r\na=x", "0", 0),
        IceCandidate("x" * 5000, "0", 0),
    ],
)
async def test_a_candidate_that_is_none_is_a_typed_error(engine: MediaEngine, bad: IceCandidate) -> None:
    async with connected(engine) as (caller, _):
        with pytest.raises(SdpError):
            await caller.add_candidate(bad.candidate, bad.sdp_mid, bad.sdp_mline_index)
        assert caller.connection_state.value is PeerConnectionState.CONNECTED


async def test_a_candidate_before_the_description_is_a_typed_error(engine: MediaEngine) -> None:
    peer = engine.create_peer(LOOPBACK, AudioConfig())
    with pytest.raises(SdpError):
        await peer.add_candidate("candidate:1 1 udp 2122262783 127.0.0.1 9 typ host", "0", 0)
    await peer.close()


@pytest.mark.parametrize(
    "line",
    [
        "a=setup:holdconn",
        "a=fmtp:111 maxptime=0;ptime=0;stereo=1;maxaveragebitrate=-5",
        "a=ptime:0",
        "a=ssrc-group:SIM 1 2 3",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA",
    ],
)
@pytest.mark.parametrize("kind", ["offer", "answer"])
async def test_lines_that_would_end_the_process_are_harmless(engine: MediaEngine, kind: str, line: str) -> None:
    caller, callee = (engine.create_peer(LOOPBACK, AudioConfig()) for _ in range(2))
    await caller.create_offer()
    offer = await caller.gathered() + (f"{line}\r\n" if kind == "offer" else "")
    await callee.create_answer(offer)
    await caller.set_answer(await callee.gathered() + (f"{line}\r\n" if kind == "answer" else ""))
    await caller.audio.write(bytes(640))
    await caller.wait_connected(LIMIT)
    await caller.close()
    await callee.close()


async def test_a_handshake_that_fails_is_survived(engine: MediaEngine) -> None:
    for wait in range(20):
        caller, callee = (engine.create_peer(LOOPBACK, AudioConfig()) for _ in range(2))
        await negotiate(caller, callee)
        await asyncio.sleep(wait / 2000)
        await callee.close()
        await caller.close()


async def test_dtmf_keys_arrive_as_the_tones_they_stand_for(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, callee):
        await callee.audio.read(8_000)
        await caller.insert_dtmf("5", duration=0.5)
        heard = pcm(await callee.audio.read(16_000))
    loud = heard[np.abs(heard) > 500]
    assert len(loud) > 1_000
    spectrum = np.abs(np.fft.rfft(heard.astype(float)))
    low, high = (int(np.argmax(spectrum[first:last])) + first for first, last in ((600, 1000), (1100, 1700)))
    assert (low, high) == (pytest.approx(770, abs=10), pytest.approx(1336, abs=10))


@pytest.mark.parametrize("wrong", [("", 0.1, 0.05), ("12x", 0.1, 0.05), ("1", 0.01, 0.05), ("1", 0.1, 0.0)])
async def test_dtmf_that_no_telephone_has_is_refused(engine: MediaEngine, wrong: tuple[str, float, float]) -> None:
    keys, duration, gap = wrong
    async with connected(engine) as (caller, _):
        with pytest.raises(ConfigurationError):
            await caller.insert_dtmf(keys, duration=duration, gap=gap)


async def test_dtmf_before_the_call_is_connected_is_a_typed_error(engine: MediaEngine) -> None:
    peer = engine.create_peer(LOOPBACK, AudioConfig())
    with pytest.raises(MediaError, match="telephone-events"):
        await peer.insert_dtmf("1")
    await peer.close()


@pytest.mark.parametrize("name", ["attacker.example", "7f000001-dead-beef.local"])
async def test_no_name_of_a_candidate_is_looked_up(engine: MediaEngine, name: str) -> None:
    """Nor is one that got past the border: libwebrtc itself has no resolver for them."""
    caller, callee = (engine.create_peer(LOOPBACK, AudioConfig()) for _ in range(2))
    await caller.create_offer()
    offer = (await caller.gathered()).replace("127.0.0.1", name)
    threads = native_threads()
    answered, answer = engine._engine.operation()
    callee._native.create_answer(answered, offer)
    await answer
    refused, reason = engine._engine.operation()
    callee._native.add_candidate(refused, f"candidate:1 1 udp 1 {name} 9 typ host", "0", 0)
    with pytest.raises(MediaError, match="names of the remote party are not looked up"):
        await reason
    assert native_threads() == threads  # a look-up of libwebrtc's is a thread
    with pytest.raises(SdpError):
        await callee.add_candidate(f"candidate:1 1 udp 1 {name} 9 typ host", "0", 0)
