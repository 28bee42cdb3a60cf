"""A bad network is as bad as it was asked to be, in the same way each time, and a call goes through it."""

from __future__ import annotations

import asyncio
import statistics
from itertools import pairwise

import pytest

from support.peers import connected
from support.signals import dominant_frequency, pcm, tone
from telnyx_native.errors import ConfigurationError
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.peer import Peer, PeerConnectionState
from telnyx_native.media.simulated_network import NetworkConditions, SimulatedLink, SimulatedNetwork

pytestmark = pytest.mark.sound

RTP = bytes([128, 111]) + bytes(98)
STUN = bytes(100)
PACKET = 0.02


def fates(link: SimulatedLink, count: int, *, packet: bytes = RTP, period: float = PACKET) -> list[list[float]]:
    """How long each copy of each packet takes."""
    return [[due - i * period for due in link.offer(i * period, packet)] for i in range(count)]


def lengths_of_losses(taken: list[list[float]]) -> list[int]:
    runs, run = [], 0
    for copies in [*taken, [0.0]]:
        if copies:
            runs.append(run)
            run = 0
        else:
            run += 1
    return [run for run in runs if run]


def test_a_good_network_changes_nothing() -> None:
    assert fates(SimulatedLink(), 100) == [[pytest.approx(0, abs=1e-5)]] * 100


def test_the_same_seed_makes_the_same_fate_of_each_packet_and_another_seed_another() -> None:
    bad = NetworkConditions(delay=0.01, jitter=0.04, loss=0.1, burst=3, reorder=0.05, duplicate=0.05)
    first, again, other = (fates(SimulatedLink(seed, bad), 2_000) for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_what_is_sent_between_rtp_packets_does_not_change_their_fate() -> None:
    lossy = NetworkConditions(loss=0.3, burst=2)
    alone, beside = SimulatedLink(1, lossy), SimulatedLink(1, lossy)
    for i in range(500):
        if i % 3 == 0:
            beside.offer(i * PACKET, STUN)
        assert bool(alone.offer(i * PACKET, RTP)) is bool(beside.offer(i * PACKET, RTP))


def test_loss_is_as_frequent_as_asked_for_and_independent() -> None:
    taken = fates(SimulatedLink(3, NetworkConditions(loss=0.2)), 20_000)
    assert sum(not copies for copies in taken) / len(taken) == pytest.approx(0.2, abs=0.01)
    assert statistics.mean(lengths_of_losses(taken)) == pytest.approx(1 / 0.8, abs=0.05)


def test_bursts_are_as_long_as_asked_for_at_the_same_loss() -> None:
    link = SimulatedLink(3, NetworkConditions(loss=0.1, burst=4))
    taken = fates(link, 50_000)
    assert sum(not copies for copies in taken) / len(taken) == pytest.approx(0.1, abs=0.01)
    assert statistics.mean(lengths_of_losses(taken)) == pytest.approx(4, abs=0.3)
    assert link.counters.lost + link.counters.passed == 50_000


def test_jitter_spreads_the_delay_and_keeps_the_order() -> None:
    taken = fates(SimulatedLink(5, NetworkConditions(delay=0.05, jitter=0.04)), 5_000)
    delays = [copies[0] for copies in taken]
    assert min(delays) == pytest.approx(0.051, abs=0.001)
    assert max(delays) == pytest.approx(0.089, abs=0.001)
    arrivals = [i * PACKET + delay for i, delay in enumerate(delays)]
    assert arrivals == sorted(arrivals)


def test_some_packets_are_overtaken_and_some_come_twice() -> None:
    link = SimulatedLink(5, NetworkConditions(reorder=0.1, duplicate=0.05))
    taken = fates(link, 10_000)
    arrivals = [i * PACKET + copies[0] for i, copies in enumerate(taken)]
    overtaken = sum(after < before for before, after in pairwise(arrivals))
    assert overtaken / len(taken) == pytest.approx(0.1 * 0.9, abs=0.01)
    assert sum(len(copies) == 2 for copies in taken) / len(taken) == pytest.approx(0.05, abs=0.01)
    assert link.counters.reordered == pytest.approx(1_000, abs=100)
    assert link.counters.duplicated == pytest.approx(500, abs=70)


def test_a_limit_on_the_rate_queues_packets_and_drops_what_waits_too_long() -> None:
    # 128 bytes every 20 ms are 51.2 kb/s. Half of that passes, after a queue that is full.
    link = SimulatedLink(0, NetworkConditions(rate=25_600, queue=0.1))
    taken = fates(link, 1_000)
    assert sum(bool(copies) for copies in taken) == pytest.approx(500, abs=10)
    assert max(copies[0] for copies in taken if copies) == pytest.approx(0.1 + 0.04, abs=0.021)
    assert link.counters.overflowed == pytest.approx(500, abs=10)


@pytest.mark.parametrize("wrong", [{"loss": 1.1}, {"delay": -1}, {"burst": 0.5}, {"rate": 10}, {"queue": 100}])
def test_conditions_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        NetworkConditions(**wrong)  # type: ignore[arg-type]


async def test_a_call_goes_through_it_and_both_ends_are_affected_by_one(engine: MediaEngine) -> None:
    network = SimulatedNetwork(1)
    async with connected(engine, network=network) as (caller, callee):
        network.sending.conditions = NetworkConditions(delay=0.02, jitter=0.02, loss=0.2)
        await caller.audio.write(tone(440, 4.0, 16_000))
        await callee.audio.write(tone(660, 4.0, 16_000))
        heard = pcm(await callee.audio.read(3 * 16_000))
        back = pcm(await caller.audio.read(3 * 16_000))
        lost_by_callee, lost_by_caller = await lost_packets(callee), await lost_packets(caller)
    assert dominant_frequency(heard, 16_000) == pytest.approx(440, abs=5)
    assert dominant_frequency(back, 16_000) == pytest.approx(660, abs=5)
    assert lost_by_caller == 0
    assert lost_by_callee == pytest.approx(30, abs=20)
    assert network.sending.counters.lost > 10
    assert network.receiving.counters.lost == 0


async def test_a_link_that_is_cut_loses_the_connection_and_finds_it_again(engine: MediaEngine) -> None:
    network = SimulatedNetwork()
    async with connected(engine, network=network) as (_, callee):
        network.sending.conditions = network.receiving.conditions = NetworkConditions(loss=1)
        await callee.connection_state.wait_for(PeerConnectionState.DISCONNECTED.__eq__, timeout=15)
        network.sending.conditions = network.receiving.conditions = NetworkConditions()
        await callee.connection_state.wait_for(PeerConnectionState.CONNECTED.__eq__, timeout=15)


async def test_audio_goes_on_both_ways_over_another_port_after_a_nat_forgot_us(engine: MediaEngine) -> None:
    network = SimulatedNetwork()
    async with connected(engine, network=network) as (caller, callee):
        network.rebind()
        await asyncio.gather(until_heard(caller, callee, 440), until_heard(callee, caller, 660))
        seen = {entry.get("candidateType") for entry in (await callee.stats()).values()}
    assert "prflx" in seen  # an address that no candidate had told of


async def until_heard(speaker: Peer, listener: Peer, frequency: int) -> None:
    async with asyncio.timeout(20):
        heard = 0.0
        while heard != pytest.approx(frequency, abs=5):
            await speaker.audio.write(tone(frequency, 0.2, 16_000))
            heard = dominant_frequency(pcm(await listener.audio.read(3_200)), 16_000)


async def lost_packets(peer: Peer) -> int:
    stats = (await peer.stats()).values()
    return next(int(entry["packetsLost"]) for entry in stats if entry["type"] == "inbound-rtp")
