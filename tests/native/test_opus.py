"""How Opus is used in a call, seen in what goes over the wire."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
import pytest

from support.peers import LOOPBACK, connected
from support.signals import dominant_frequency, find, pcm, rms, tone
from telnyx_native.config import AudioConfig, OpusConfig
from telnyx_native.errors import ConfigurationError, MediaError
from telnyx_native.gateway.destinations.sounds import PROMPT
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.files import read_audio
from telnyx_native.media.peer import Peer
from telnyx_native.media.simulated_network import NetworkConditions, SimulatedNetwork

pytestmark = pytest.mark.sound


async def sent(peer: Peer, what: str) -> int:
    return next(entry[what] for entry in (await peer.stats()).values() if entry["type"] == "outbound-rtp")


async def received(peer: Peer, what: str) -> float:
    return next(float(entry[what]) for entry in (await peer.stats()).values() if entry["type"] == "inbound-rtp")


async def waited(peer: Peer) -> tuple[float, float]:
    """How long the samples that were played had waited in the jitter buffer, all together, and how many they were."""
    return await received(peer, "jitterBufferDelay"), await received(peer, "jitterBufferEmittedCount")


async def rate_of(peer: Peer, what: str, seconds: float = 1.0) -> float:
    """How much of it is sent in a second."""
    before, began = await sent(peer, what), asyncio.get_running_loop().time()
    await asyncio.sleep(seconds)
    return (await sent(peer, what) - before) / (asyncio.get_running_loop().time() - began)


@pytest.mark.parametrize("ptime", [10, 20, 40, 60])
@pytest.mark.timed
async def test_packet_time_holds_both_ways(engine: MediaEngine, ptime: int) -> None:
    async with connected(engine, AudioConfig(opus=OpusConfig(ptime=ptime))) as (caller, callee):
        await caller.audio.write(tone(440, 3, 16_000))
        for peer in (caller, callee):
            assert await rate_of(peer, "packetsSent") == pytest.approx(1000 / ptime, rel=0.15)
        heard = pcm(await callee.audio.read(16_000))
    assert dominant_frequency(heard[8_000:], 16_000) == pytest.approx(440, abs=10)


@pytest.mark.timed
async def test_packets_that_come_evenly_hardly_wait_in_the_jitter_buffer(engine: MediaEngine) -> None:
    async def delay(ptime: int) -> float:
        async with connected(engine, AudioConfig(opus=OpusConfig(ptime=ptime))) as (caller, callee):
            await caller.audio.write(tone(440, 2, 16_000))
            await callee.audio.read(16_000)
            await callee.audio.read(16_000)
            delay, samples = await waited(callee)
            return delay / samples

    async def is_short(ptime: int) -> bool:
        # A machine that is busy with something else makes jitter of its own: one undisturbed call of five will do.
        for _ in range(5):
            if await delay(ptime) < 0.035:
                return True
        return False

    assert await asyncio.gather(is_short(10), is_short(20)) == [True, True]


@pytest.mark.parametrize(
    ("rate", "decoded_at"), [(8_000, 16_000), (16_000, 16_000), (24_000, 48_000), (48_000, 48_000)]
)
async def test_no_more_bandwidth_is_decoded_than_the_application_wants(
    engine: MediaEngine, rate: int, decoded_at: int
) -> None:
    async def samples() -> tuple[float, float]:
        inbound = next(e for e in (await callee.stats()).values() if e["type"] == "inbound-rtp")
        return inbound["totalSamplesReceived"], inbound["totalSamplesDuration"]

    async with connected(engine, AudioConfig(sample_rate=48_000), AudioConfig(sample_rate=rate)) as (caller, callee):
        await caller.audio.write(tone(440, 3, 48_000))
        await callee.audio.read(rate // 2)
        before = await samples()
        heard = pcm(await callee.audio.read(rate))
        after = await samples()
    assert (after[0] - before[0]) / (after[1] - before[1]) == pytest.approx(decoded_at, rel=0.1)
    assert dominant_frequency(heard, rate) == pytest.approx(440, abs=10)


@pytest.mark.timed
async def test_bitrate_is_what_was_asked_for(engine: MediaEngine) -> None:
    async def bitrate(opus: OpusConfig) -> float:
        async with connected(engine, AudioConfig(opus=opus)) as (caller, _):
            await caller.audio.write(tone(440, 3, 16_000))
            await asyncio.sleep(0.5)
            return 8 * await rate_of(caller, "bytesSent")

    low, high = await asyncio.gather(
        bitrate(OpusConfig(bitrate=12_000, fec=False)), bitrate(OpusConfig(bitrate=64_000))
    )
    assert low < 16_000
    assert high > 24_000


async def test_fec_is_sent_while_the_remote_reports_losses(engine: MediaEngine) -> None:
    network = SimulatedNetwork(4)

    async def copies_per_second() -> float:
        before = await received(callee, "fecPacketsReceived")
        await asyncio.sleep(1)
        return await received(callee, "fecPacketsReceived") - before

    async def until(reached: Callable[[float], bool]) -> None:
        async with asyncio.timeout(40):  # only the second report counts, and they come every 5 s
            while not reached(await copies_per_second()):
                pass

    async with connected(engine, AudioConfig(), network=network) as (caller, callee):
        saying = asyncio.create_task(caller.audio.write(np.tile(read_audio(PROMPT, 16_000), 8)))
        await until(lambda copies: copies > 10)  # from the beginning
        await until(lambda copies: copies == 0)
        network.sending.conditions = NetworkConditions(loss=0.1)
        await until(lambda copies: copies > 10)
        saying.cancel()


async def test_copies_have_bits_of_their_own_unless_somebody_set_a_limit(engine: MediaEngine) -> None:
    async def said(opus: OpusConfig, limit: int | None = None) -> int:
        async with connected(engine, AudioConfig(opus=opus)) as (caller, callee):
            if limit is not None:
                await caller.set_max_bitrate(limit)
            began = await sent(caller, "bytesSent")
            await caller.audio.write(read_audio(PROMPT, 16_000)[: 2 * 2 * 16_000])
            await callee.audio.read(3 * 16_000)
            return await sent(caller, "bytesSent") - began

    plain, with_fec, at_bitrate, limited = await asyncio.gather(
        said(OpusConfig(fec=False)),
        said(OpusConfig()),
        said(OpusConfig(bitrate=32_000)),
        said(OpusConfig(), limit=32_000),
    )
    assert with_fec > 1.25 * plain
    assert at_bitrate < 1.15 * plain
    assert limited < 1.15 * plain


@pytest.mark.timed
async def test_what_is_lost_is_concealed_without_moving_the_rest(engine: MediaEngine) -> None:
    rate, piece = 16_000, 4_000
    network = SimulatedNetwork(3)
    async with connected(engine, AudioConfig(opus=OpusConfig(fec=False)), network=network) as (caller, callee):
        network.sending.conditions = NetworkConditions(loss=0.1)
        speech = pcm(read_audio(PROMPT, rate))[: 6 * rate]
        await caller.audio.write(speech)
        heard = pcm(await callee.audio.read(7 * rate))
    delay, _ = find(speech, heard)
    slack = rate // 20
    where = []
    for start in range(rate, len(speech) - piece, piece):
        part = speech[start : start + piece]
        if rms(part) > 500:
            where.append(find(part, heard[start + delay - slack : start + delay + piece + slack])[0])
    stayed = np.abs(np.diff(where)) < rate // 1000  # a late packet moves all that follows, once
    assert np.mean(stayed) > 0.6, where


@pytest.mark.timed
async def test_with_red_each_packet_repeats_the_one_before_and_losses_are_not_heard(engine: MediaEngine) -> None:
    async def bitrate_and_concealed(opus: OpusConfig) -> tuple[float, float]:
        network = SimulatedNetwork(2)
        audio = AudioConfig(opus=opus)
        async with connected(engine, audio, network=network) as (caller, callee):
            network.sending.conditions = NetworkConditions(loss=0.1)
            await caller.audio.write(tone(440, 5, 16_000))
            await callee.audio.read(3 * 16_000)  # the jitter buffer has learnt that copies are worth waiting for
            before = await received(callee, "concealedSamples")
            bitrate = 8 * await rate_of(caller, "bytesSent", 2.0)
            return bitrate, await received(callee, "concealedSamples") - before

    (plain, concealed), (doubled, left) = await asyncio.gather(
        bitrate_and_concealed(OpusConfig(fec=False)), bitrate_and_concealed(OpusConfig(fec=False, red=True))
    )
    assert doubled > 1.6 * plain
    assert concealed > 0.05 * 2 * 16_000
    assert left < 0.5 * concealed


@pytest.mark.timed
async def test_packets_wait_no_longer_for_red_than_for_copies_within_opus(engine: MediaEngine) -> None:
    async def delay(opus: OpusConfig) -> float:
        network = SimulatedNetwork(5)
        async with connected(engine, AudioConfig(opus=opus), network=network) as (caller, callee):
            network.sending.conditions = NetworkConditions(jitter=0.04, loss=0.05)
            await caller.audio.write(pcm(read_audio(PROMPT, 16_000))[: 6 * 16_000])
            await callee.audio.read(4 * 16_000)
            before = await waited(callee)
            await callee.audio.read(2 * 16_000)
            after = await waited(callee)
        return (after[0] - before[0]) / (after[1] - before[1])

    with_red, with_fec = await asyncio.gather(delay(OpusConfig(red=True)), delay(OpusConfig()))
    assert with_red < with_fec + 0.012


@pytest.mark.timed
async def test_a_live_call_can_be_told_to_send_less_and_then_as_before(engine: MediaEngine) -> None:
    async with connected(engine, AudioConfig(sample_rate=48_000, opus=OpusConfig(bitrate=64_000))) as (caller, _):
        noise = np.random.default_rng(1).integers(-8_000, 8_000, 5 * 48_000).astype(np.int16)
        await caller.audio.write(noise.tobytes())
        before = 8 * await rate_of(caller, "bytesSent")
        await caller.set_max_bitrate(16_000)
        limited = 8 * await rate_of(caller, "bytesSent")
        await caller.set_max_bitrate(None)
        after = 8 * await rate_of(caller, "bytesSent")
    assert limited < 22_000
    assert before > 40_000
    assert after > 40_000


async def test_a_bitrate_that_cannot_be_is_refused_and_so_is_one_too_early(engine: MediaEngine) -> None:
    peer = engine.create_peer(LOOPBACK, AudioConfig())
    with pytest.raises(ConfigurationError, match="bitrate"):
        await peer.set_max_bitrate(1_000)
    with pytest.raises(MediaError):
        await peer.set_max_bitrate(20_000)
    await peer.close()


@pytest.mark.timed
async def test_silence_costs_next_to_nothing_with_dtx(engine: MediaEngine) -> None:
    async with connected(engine, AudioConfig(opus=OpusConfig(dtx=True))) as (caller, _):
        await asyncio.sleep(1)
        assert await rate_of(caller, "packetsSent") < 10


@pytest.mark.parametrize("rate", [8_000, 48_000])
@pytest.mark.parametrize("complexity", [0, 10])
async def test_every_complexity_is_understood_at_every_rate(engine: MediaEngine, rate: int, complexity: int) -> None:
    audio = AudioConfig(sample_rate=rate, opus=OpusConfig(complexity=complexity))
    async with connected(engine, audio, audio) as (caller, callee):
        await caller.audio.write(tone(1000, 1, rate))
        heard = pcm(await callee.audio.read(rate))
    assert dominant_frequency(heard[rate // 2 :], rate) == pytest.approx(1000, abs=10)


@pytest.mark.parametrize("wrong", [{"ptime": 30}, {"bitrate": 1000}, {"complexity": 11}])
def test_what_opus_cannot_do_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError):
        OpusConfig(**wrong)
