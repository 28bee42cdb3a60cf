"""The port between application and clock, ticked by hand."""

from __future__ import annotations

import os
import resource
from array import array
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_native._audio import AudioPort

RATE = 16_000
FRAME = RATE // 100


def make_port(playback: int = 1600, capture: int = 1600, max_backlog: int = 0) -> AudioPort:
    return AudioPort(RATE, playback, capture, max_backlog)


def ramp(count: int, start: int = 0) -> array[int]:
    return array("h", [(start + i) % 30000 for i in range(count)])


def test_what_is_written_is_played_in_frames_of_10_ms() -> None:
    port = make_port()
    assert port.write(ramp(2 * FRAME)) == 2 * FRAME
    assert port.tick() == ramp(FRAME).tobytes()
    assert port.tick() == ramp(FRAME, FRAME).tobytes()
    assert port.tick() == bytes(2 * FRAME)
    assert port.played == 2 * FRAME


@pytest.mark.parametrize(
    "make",
    [
        lambda pcm: pcm.tobytes(),
        lambda pcm: bytearray(pcm.tobytes()),
        lambda pcm: memoryview(pcm),
        lambda pcm: np.array(pcm, np.int16),
        lambda pcm: pcm,
    ],
    ids=["bytes", "bytearray", "memoryview", "numpy", "array"],
)
def test_any_buffer_of_16_bit_samples_is_audio(make) -> None:
    port = make_port()
    assert port.write(make(ramp(FRAME))) == FRAME
    assert port.tick() == ramp(FRAME).tobytes()


@pytest.mark.parametrize("wrong", [array("f", [0.0] * 4), array("i", [0] * 4), b"odd", np.zeros(4)])
def test_anything_else_is_a_type_error_that_says_what_audio_is(wrong: object) -> None:
    with pytest.raises(TypeError, match="16-bit"):
        make_port().write(wrong)


def test_a_strided_array_is_refused() -> None:
    with pytest.raises((BufferError, ValueError)):
        make_port().write(np.zeros(8, np.int16)[::2])


def test_a_rate_that_no_codec_has_is_refused() -> None:
    with pytest.raises(ValueError, match="44100"):
        AudioPort(44_100, 1000, 1000)


def test_a_full_queue_takes_what_fits() -> None:
    port = make_port(playback=FRAME + 10)
    assert port.write(ramp(FRAME * 3)) == FRAME + 10
    assert port.space == 0
    assert port.write(ramp(5)) == 0
    port.tick()
    assert port.write(ramp(FRAME * 3), FRAME + 10) == FRAME
    assert port.tick() == ramp(FRAME, FRAME).tobytes()


def test_clear_silences_the_next_frame_and_counts_what_was_dropped() -> None:
    port = make_port()
    port.write(ramp(4 * FRAME))
    port.tick()
    assert port.clear() == 3 * FRAME
    assert port.tick() == bytes(2 * FRAME)
    assert (port.played, port.queued) == (FRAME, 0)
    port.write(ramp(FRAME, 77))
    assert port.tick() == ramp(FRAME, 77).tobytes()


def test_running_dry_is_counted_once_per_utterance() -> None:
    port = make_port()
    for _ in range(2):
        port.write(ramp(FRAME + 3))
        for _ in range(4):
            port.tick()
    counters = port.counters()
    assert counters["underruns"] == 2
    assert counters["played"] == 2 * (FRAME + 3)
    assert counters["silence"] == 8 * FRAME - 2 * (FRAME + 3)


def test_live_audio_keeps_up_by_dropping_the_oldest() -> None:
    port = make_port(playback=10 * FRAME, max_backlog=2 * FRAME)
    port.write(ramp(7 * FRAME))
    assert port.tick() == ramp(FRAME, 5 * FRAME).tobytes()
    assert port.counters()["trimmed"] == 5 * FRAME


def test_muted_plays_on_unheard() -> None:
    port = make_port()
    port.write(ramp(3 * FRAME, 1))
    port.muted = True
    assert port.tick() == bytes(2 * FRAME)
    port.muted = False
    assert port.tick() == ramp(FRAME, 1 + FRAME).tobytes()


def test_unread_audio_loses_the_oldest_and_counts_it() -> None:
    port = make_port(capture=2 * FRAME)
    for i in range(5):
        port.tick(ramp(FRAME, i * FRAME).tobytes())
    assert port.read(10 * FRAME) == ramp(2 * FRAME, 3 * FRAME).tobytes()
    counters = port.counters()
    assert (counters["captured"], counters["capture_lost"]) == (5 * FRAME, 3 * FRAME)


def test_readinto_fills_the_callers_buffer() -> None:
    port = make_port()
    port.tick(ramp(FRAME).tobytes())
    buffer = np.zeros(100, np.int16)
    assert port.readinto(buffer) == 100
    assert buffer.tolist() == list(range(100))
    assert port.readinto(memoryview(buffer)) == FRAME - 100
    with pytest.raises(BufferError):
        port.readinto(bytes(10))


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("write"), st.integers(0, 700)),
            st.tuples(st.just("tick"), st.integers(1, 4)),
            st.tuples(st.just("clear"), st.just(0)),
        ),
        max_size=60,
    )
)
def test_every_sample_is_played_cleared_or_queued_and_in_order(steps: list[tuple[str, int]]) -> None:
    port = make_port(playback=5 * FRAME)
    written = dropped = 0
    expected: list[int] = []
    for step, amount in steps:
        if step == "write":
            accepted = port.write(array("h", [1 + (written + i) % 30000 for i in range(amount)]))
            expected += [1 + (written + i) % 30000 for i in range(accepted)]
            written += accepted
        elif step == "clear":
            dropped += port.clear()
            expected.clear()
        else:
            for _ in range(amount):
                frame = array("h", port.tick())
                heard, expected = expected[:FRAME], expected[FRAME:]
                assert frame.tolist() == heard + [0] * (FRAME - len(heard))
    assert port.played + dropped + port.queued == written
    assert port.counters()["cleared"] == dropped


@pytest.mark.skipif("libasan" in os.environ.get("LD_PRELOAD", ""), reason="the sanitizer keeps what is freed")
def test_a_long_queue_that_is_emptied_at_each_turn_takes_no_memory() -> None:
    minute = 60 * RATE
    ports = [make_port(playback=minute, capture=minute) for _ in range(20)]
    before = resident_bytes()
    for port in ports:
        for _ in range(minute // FRAME):
            port.write(ramp(FRAME))
            port.tick(bytes(2 * FRAME))
            port.read(FRAME)
    assert resident_bytes() - before < len(ports) * minute  # half of one of the two queues


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
