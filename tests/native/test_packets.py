"""The encoded packets of a call, as they arrive."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from support.limit import LIMIT
from support.peers import LOOPBACK, connected, negotiate
from support.signals import silence, tone
from telnyx_native._audio import AudioPort, PacketTap
from telnyx_native.config import AudioConfig, OpusConfig
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.packets import EncodedPacket, PacketCodec
from telnyx_native.media.simulated_network import NetworkConditions, SimulatedNetwork

RATE = 16_000
OPUS = 1


def port() -> AudioPort:
    return AudioPort(RATE, 1600, 1600)


def test_a_packet_comes_out_as_it_went_in() -> None:
    one = port()
    one.take_packet(OPUS, 1, 2, b"nobody wants it yet")
    tap = PacketTap(one)
    one.tick(bytes(320))
    one.take_packet(OPUS, 65_535, 2**32 - 1, b"payload")
    one.take_packet(2, 0, 0, b"", 8000)
    assert tap.read() == (b"payload", OPUS, 0, 48_000, 65_535, 2**32 - 1, 0, 0, 160)
    assert tap.read() == (b"", 2, 0, 8000, 0, 0, 0, 0, 160)
    assert tap.read() is None
    assert tap.lost == 0


def test_each_tap_has_all_packets_from_its_beginning_on() -> None:
    one = port()
    first = PacketTap(one)
    one.take_packet(OPUS, 1, 0, b"a")
    second = PacketTap(one)
    one.take_packet(OPUS, 2, 0, b"b")
    read = [[packet[0] for packet in iter(tap.read, None)] for tap in (first, second)]
    assert read == [[b"a", b"b"], [b"b"]]
    first.close()
    one.take_packet(OPUS, 3, 0, b"c")
    assert first.read() is None
    assert second.read() is not None


@given(sizes=st.lists(st.integers(0, 1500), min_size=1, max_size=60), rounds=st.integers(1, 12))
def test_who_falls_behind_loses_the_oldest_and_knows_how_many(sizes: list[int], rounds: int) -> None:
    one = port()
    tap = PacketTap(one)
    sent = []
    for number in range(len(sizes) * rounds):
        payload = bytes([number % 256]) * sizes[number % len(sizes)]
        one.take_packet(OPUS, number, 0, payload)
        sent.append(payload)
    read = [packet[0] for packet in iter(tap.read, None)]
    assert read == sent[len(sent) - len(read) :]
    assert tap.lost == len(sent) - len(read)
    if not tap.lost:
        assert len(read) == len(sent)
    else:
        assert sum(map(len, read)) > 180_000 or max(sizes) < 100


def test_a_payload_that_no_datagram_holds_is_left_out_and_counted() -> None:
    one = port()
    tap = PacketTap(one)
    one.take_packet(OPUS, 1, 0, bytes(1501))
    one.take_packet(OPUS, 2, 0, b"b")
    packet = tap.read()
    assert packet is not None
    assert packet[0] == b"b"
    assert tap.lost == 1


async def collected(engine: MediaEngine, *, network: SimulatedNetwork | None = None) -> list[EncodedPacket]:
    """Two seconds of a call with Opus: half of it a tone, half of it silence that is hardly sent."""
    dtx = AudioConfig(opus=OpusConfig(dtx=True))
    async with connected(engine, dtx, network=network) as (caller, callee):
        with callee.audio.tap_packets() as packets:
            await caller.audio.write(tone(440, 1, RATE))
            await caller.audio.write(silence(1, RATE))
            found: list[EncodedPacket] = []
            async with asyncio.timeout(LIMIT):
                async for packet in packets:
                    found.append(packet)
                    if packet.timestamp - found[0].timestamp & 0x7FFF_FFFF >= 1.5 * 48_000:
                        break
            return found


async def test_packets_tell_what_was_sent_and_when(engine: MediaEngine) -> None:
    before = time.monotonic()
    packets = await collected(engine)
    assert {(packet.codec, packet.clock_rate) for packet in packets} == {(PacketCodec.OPUS, 48_000)}
    assert len({packet.ssrc for packet in packets}) == len({packet.payload_type for packet in packets}) == 1
    steps = [(b.sequence_number - a.sequence_number) % 2**16 for a, b in pairwise(packets)]
    assert set(steps) == {1}
    pauses = [(b.timestamp - a.timestamp) % 2**32 for a, b in pairwise(packets)]
    assert pauses[:40] == [960] * 40
    assert max(pauses) > 4 * 960  # nothing was sent in between
    assert before < packets[0].arrived < packets[-1].arrived <= time.monotonic()
    assert all(a.at <= b.at for a, b in pairwise(packets))


async def test_what_the_network_loses_is_missing_by_its_number(engine: MediaEngine) -> None:
    network = SimulatedNetwork(1, sending=NetworkConditions(loss=0.3))
    packets = await collected(engine, network=network)
    steps = [(b.sequence_number - a.sequence_number) % 2**16 for a, b in pairwise(packets)]
    assert max(steps) > 1


async def test_iterating_gives_packets_as_they_come_until_the_call_ends(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, callee):
        packets = callee.audio.tap_packets()
        await caller.audio.write(tone(440, 0.5, RATE))
        seen = 0
        async with asyncio.timeout(LIMIT):
            async for _ in packets:
                seen += 1
                if seen == 10:
                    await callee.close()
        assert seen >= 10
        assert packets.ended
        packets.close()
        assert await packets.read() is None


async def test_closing_a_tap_ends_who_waits_for_it(engine: MediaEngine) -> None:
    callee = engine.create_peer(LOOPBACK, AudioConfig())
    packets = callee.audio.tap_packets()
    waiting = asyncio.create_task(packets.read())
    await asyncio.sleep(0)
    packets.close()
    async with asyncio.timeout(LIMIT):
        assert await waiting is None
    await callee.close()


async def test_packets_go_on_where_the_audio_moves_to_another_peer(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, callee):
        with callee.audio.tap_packets() as packets:
            first = await packets.read()
            assert first is not None
            other = engine.create_peer(LOOPBACK, AudioConfig())
            successor = engine.create_successor(callee, LOOPBACK)
            await negotiate(other, successor)
            await successor.wait_connected(LIMIT)
            await successor.take_over(callee)
            await other.audio.write(tone(440, 0.5, RATE))
            async with asyncio.timeout(LIMIT):
                async for packet in packets:
                    if packet.ssrc != first.ssrc:
                        break
            await other.close()
            await successor.close()
        del caller
