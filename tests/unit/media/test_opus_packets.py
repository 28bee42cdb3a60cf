"""Opus packets in order of time, with something in the place of what did not come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_native.media.opus_packets import OpusTimeline, concealing, duration_of, opus_payloads
from telnyx_native.media.packets import EncodedPacket, PacketCodec

SILK_20 = 9 << 3
HYBRID_10 = 14 << 3
CELT_2_5 = 28 << 3
FRAME = 960


def packet(
    number: int, *, arrived: float | None = None, ssrc: int = 1, ticks: int = FRAME, base: int = 5000, first: int = 60
) -> EncodedPacket:
    """The packet of a number from 0 on: 20 ms each, which arrive on time unless said otherwise."""
    return EncodedPacket(
        payload=bytes([SILK_20, number % 256, number // 256]),
        codec=PacketCodec.OPUS,
        payload_type=111,
        clock_rate=48_000,
        sequence_number=(first + number) % 2**16,
        timestamp=(base + number * ticks) % 2**32,
        ssrc=ssrc,
        arrived=100 + 0.02 * number if arrived is None else arrived,
        at=0.0,
    )


def numbers(payloads: Iterable[bytes]) -> list[int | None]:
    """Which packets came out: their numbers, and None for 20 ms in the place of one."""
    found: list[int | None] = []
    for payload in payloads:
        if len(payload) == 3:
            found.append(payload[1] + 256 * payload[2])
        else:
            found += [None] * (duration_of(payload) // FRAME)
    return found


def timeline(arriving: Sequence[EncodedPacket], *, began: float = 100.0) -> OpusTimeline:
    line = OpusTimeline(began)
    for one in arriving:
        line.arrive(one)
    return line


@pytest.mark.parametrize(
    ("packet", "milliseconds"),
    [
        (bytes([0]), 10),
        (bytes([3 << 3, 1]), 60),
        (bytes([SILK_20, 1]), 20),
        (bytes([HYBRID_10, 1]), 10),
        (bytes([HYBRID_10 + 8, 1]), 20),
        (bytes([CELT_2_5, 1]), 2.5),
        (bytes([31 << 3, 1]), 20),
        (bytes([SILK_20 | 1, 1, 1]), 40),
        (bytes([SILK_20 | 2, 1, 1, 1]), 40),
        (bytes([SILK_20 | 3, 6]), 120),
        (bytes([CELT_2_5 | 3, 0xC0 | 48, 0]), 120),
    ],
)
def test_a_packet_says_how_long_it_is(packet: bytes, milliseconds: float) -> None:
    assert duration_of(packet) == 48 * milliseconds


@pytest.mark.parametrize(
    "packet", [b"", bytes([SILK_20 | 3]), bytes([SILK_20 | 3, 0]), bytes([SILK_20 | 3, 7]), bytes([SILK_20 | 1, 1])]
)
def test_what_is_no_packet_is_refused(packet: bytes) -> None:
    with pytest.raises(ValueError, match="Opus"):
        duration_of(packet)


@given(toc=st.integers(0, 255), ticks=st.integers(0, 100_000))
def test_a_gap_of_any_length_is_filled_to_2_5_ms_in_any_mode(toc: int, ticks: int) -> None:
    filled = list(concealing(toc, ticks))
    assert sum(map(duration_of, filled)) == ticks // 120 * 120
    assert all(len(one) <= 2 for one in filled)
    assert all(one[0] & 4 == toc & 4 for one in filled)  # mono stays mono


def red(*blocks: tuple[int, bytes], main: bytes) -> bytes:
    headers = b"".join((0xEF << 24 | ago << 10 | len(block)).to_bytes(4, "big") for ago, block in blocks)
    return headers + bytes([111]) + b"".join(block for _, block in blocks) + main


def red_packet(payload: bytes, number: int, **more: float) -> EncodedPacket:
    plain = packet(number, **more)  # type: ignore[arg-type]
    return EncodedPacket(
        payload, PacketCodec.RED, 63, 48_000, plain.sequence_number, plain.timestamp, 1, plain.arrived, 0.0
    )


def test_red_is_several_packets() -> None:
    both = red_packet(red((FRAME, b"before"), main=b"now"), 7)
    assert opus_payloads(both) == [(both.timestamp - FRAME, b"before"), (both.timestamp, b"now")]
    alone = red_packet(red(main=b"now"), 7)
    assert opus_payloads(alone) == [(alone.timestamp, b"now")]


@given(payload=st.binary(max_size=40))
def test_no_red_is_too_strange(payload: bytes) -> None:
    line = timeline([packet(0), red_packet(payload, 1)])
    out = [*line.take(100.02), *line.finish(101)]  # what it repeats may be from before the first packet
    assert sum(map(duration_of, out)) == line.end


def test_what_comes_in_order_goes_on_at_once() -> None:
    line = timeline([packet(n) for n in range(5)])
    assert numbers(line.take(100.08)) == [0, 1, 2, 3, 4]
    assert line.end == 5 * FRAME


def test_numbers_and_timestamps_wrap_around() -> None:
    wrapping = [packet(n, base=2**32 - 2 * FRAME, first=2**16 - 2) for n in range(5)]
    assert numbers(timeline(wrapping).take(100.08)) == [0, 1, 2, 3, 4]


def test_a_packet_that_is_late_is_waited_for() -> None:
    line = timeline([packet(0), packet(2), packet(3)])
    assert numbers(line.take(100.1)) == [0]
    line.arrive(packet(1, arrived=100.2))
    assert numbers(line.take(100.2)) == [1, 2, 3]


def test_a_packet_that_is_lost_is_concealed_and_no_time_is_lost() -> None:
    line = timeline([packet(0), packet(3), packet(4)])
    assert numbers(line.take(100.3)) == [0]
    assert numbers(line.take(100.5)) == [None, None, 3, 4]
    assert line.end == 5 * FRAME
    line.arrive(packet(1, arrived=100.6))
    assert numbers(line.take(101)) == []


def test_a_lost_packet_that_red_repeats_is_there() -> None:
    first, second, third = (packet(n).payload for n in range(3))
    line = timeline([red_packet(red(main=first), 0), red_packet(red((FRAME, second), main=third), 2)])
    assert numbers(line.take(100.5)) == [0, 1, 2]


def test_what_comes_twice_is_there_once() -> None:
    assert numbers(timeline([packet(0), packet(0), packet(1), packet(0), packet(1)]).take(100.1)) == [0, 1]


def test_a_pause_of_the_sender_is_silence_at_once() -> None:
    """With DTX the numbers go on, and the timestamps jump."""
    silent = EncodedPacket(packet(20).payload, PacketCodec.OPUS, 111, 48_000, 61, 5000 + 20 * FRAME, 1, 100.4, 0.0)
    out = numbers(timeline([packet(0), silent]).take(100.4))
    assert out == [0, *[None] * 19, 20]


def test_before_the_first_packet_is_silence() -> None:
    out = numbers(timeline([packet(10), packet(11)]).take(100.7))
    assert out == [*[None] * 10, 10, 11]


def test_silence_goes_on_while_nothing_comes() -> None:
    line = timeline([packet(0)])
    assert numbers(line.take(101.9)) == [0]
    assert len(numbers(line.take(105.0))) == 199
    assert len(numbers(line.finish(105.0))) == 50
    assert line.end == 5 * 48_000


def test_another_source_begins_where_it_arrives() -> None:
    other = [packet(n, ssrc=2, base=77, arrived=100.5 + 0.02 * n) for n in range(3)]
    out = numbers(timeline([*(packet(n) for n in range(5)), *other]).take(100.9))
    assert out == [0, 1, 2, 3, 4, *[None] * 20, 0, 1, 2]


@pytest.mark.parametrize("jump", [2**31 - 1, 2**30, 10**6, -(10**6), -(2**30)])
def test_timestamps_that_cannot_be_begin_anew(jump: int) -> None:
    """No remote party can make a file of a day by one packet."""
    jumped = [packet(n, base=(5000 + jump) % 2**32) for n in range(5, 8)]
    out = numbers(timeline([*(packet(n) for n in range(5)), *jumped]).take(100.6))
    assert out == list(range(8))


@pytest.mark.parametrize("stood_still", [0.6, 1.5, 5.0, 30.0])
def test_a_remote_whose_timestamps_stood_still_is_where_it_is_heard(stood_still: float) -> None:
    """As of servers that send nothing while a call is on hold, and go on as if there had been no time."""
    line, out = OpusTimeline(100.0), []
    for n in range(200):
        late = stood_still if n >= 50 else 0.0
        if n == 50:
            out += list(line.take(101 + late))  # as the recording's thread does meanwhile
        line.arrive(packet(n, arrived=100 + 0.02 * n + late))
        out += list(line.take(100 + 0.02 * n + late))
    heard = [number for number in numbers(out) if number is not None]
    assert heard == list(range(200))
    assert line.end / 48_000 == pytest.approx(4 + stood_still, abs=0.03)


def test_a_remote_that_is_slow_for_a_moment_keeps_its_place() -> None:
    line, out = OpusTimeline(100.0), []
    for n in range(150):  # those from 50 on wait for 0.9 s, and then come at once
        one = packet(n, arrived=max(100 + 0.02 * n, 101.9 + n / 1000) if n >= 50 else None)
        line.arrive(one)
        out += list(line.take(one.arrived))
    assert numbers(out) == list(range(150))


def test_a_burst_after_a_standstill_keeps_its_time() -> None:
    burst = [packet(n, arrived=101.0 + n / 1000) for n in range(5, 50)]
    assert numbers(timeline([*(packet(n) for n in range(5)), *burst]).take(101.1)) == list(range(50))


def test_time_that_is_left_out_is_not_there_and_neither_is_the_packet_after_it() -> None:
    """That may repeat, in its FEC, what was said before it."""
    line = timeline([packet(n) for n in range(5)])
    assert numbers(line.finish(100.1)) == [0, 1, 2, 3, 4]
    line.leave_out(2.0)
    for n in range(105, 110):
        line.arrive(packet(n))
    assert numbers(line.take(102.2)) == [None, 106, 107, 108, 109]
    assert line.end == 10 * FRAME


def test_time_that_is_silent_stays() -> None:
    line = timeline([packet(n) for n in range(5)])
    assert numbers(line.finish(100.1)) == [0, 1, 2, 3, 4]
    line.interrupt()
    assert numbers(line.finish(102.1)) == [None] * 100
    for n in range(105, 110):
        line.arrive(packet(n))
    assert numbers(line.take(102.2)) == [None, 106, 107, 108, 109]


@given(
    order=st.permutations(range(12)),
    lost=st.sets(st.integers(1, 11)),
    steps=st.lists(st.floats(0.0, 0.1), min_size=12, max_size=12),
)
def test_whatever_the_order_time_is_exact_and_nothing_comes_twice(
    order: list[int], lost: set[int], steps: list[float]
) -> None:
    line, now, out = OpusTimeline(100.0), 100.0, []
    for number, step in zip(order, steps, strict=True):
        now += step
        if number not in lost:
            line.arrive(packet(number, arrived=now))
        out += list(line.take(now))
    out += list(line.finish(now))
    assert sum(map(duration_of, out)) == line.end
    heard = [number for number in numbers(out) if number is not None]
    assert all(before < after for before, after in pairwise(heard))
