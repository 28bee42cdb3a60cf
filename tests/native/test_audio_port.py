"""The port between application and clock, ticked by hand."""

from __future__ import annotations

from array import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_native import _audio
from telnyx_native._audio import AudioPort, PlaybackLayer

RATE = 16_000
FRAME = RATE // 100


def make_port(playback: int = 1600, capture: int = 1600, max_backlog: int = 0) -> AudioPort:
    return AudioPort(RATE, playback, capture, max_backlog)


def ramp(count: int, start: int = 0) -> array[int]:
    return array("h", [(start + i) % 30000 for i in range(count)])


def frame_of(port: AudioPort) -> array[int]:
    return array("h", port.tick())


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


WRONG = [
    array("i", [0] * 4),
    np.zeros(4),
    np.zeros(4, ">i2"),
    np.zeros(4, np.int8),
    np.zeros((2, 2), np.int16),
    np.zeros((4, 1), np.float32),
    np.int16(1),
    np.zeros(8, np.int16)[::2],
    np.zeros(8, np.int16)[::-1],
]


@pytest.mark.parametrize("wrong", [b"odd", *WRONG], ids=repr)
def test_anything_else_is_a_type_error_that_says_what_audio_is(wrong: object) -> None:
    with pytest.raises(TypeError, match=r"16-bit|one channel|one after another|a part of one"):
        make_port().write(wrong)


@pytest.mark.parametrize("wrong", [bytearray(3), *WRONG], ids=repr)
def test_nor_can_anything_else_be_filled(wrong: object) -> None:
    port = make_port()
    port.tick(ramp(FRAME).tobytes())
    with pytest.raises((TypeError, BufferError)):
        port.readinto(wrong)
    assert port.readable == FRAME


def test_floats_are_samples_of_full_scale_one() -> None:
    port = make_port()
    values = np.array([0, 0.5, -0.5, 1.0, -1.0, 3.0, -3.0, np.nan, np.inf, 1.4 / 32768, 1.6 / 32768], np.float32)
    assert port.write(values) == port.write(values.tobytes(), 0, _audio.FLOAT32) == 11
    expected = [0, 16384, -16384, 32767, -32768, 32767, -32768, 0, 32767, 1, 2]
    assert array("h", port.tick())[:22].tolist() == expected * 2
    port.tick(array("h", range(-80, 80)).tobytes())
    filled = np.zeros(100, np.float32)
    assert port.readinto(filled) == 100
    assert (filled * 32768).tolist() == list(range(-80, 20))
    rest = np.frombuffer(port.read(1000, _audio.FLOAT32), np.float32)
    assert (rest * 32768).tolist() == list(range(20, 80))


@pytest.mark.parametrize(("encoding", "law"), [(_audio.ULAW, "ulaw"), (_audio.ALAW, "alaw")])
def test_g711_is_that_of_the_standard(encoding: int, law: str) -> None:
    audioop = pytest.importorskip("audioop")  # its reference is that of Sun, as everybody's
    every_sample = np.arange(-32768, 32768).astype(np.int16).tobytes()
    assert _audio.encode(every_sample, encoding) == getattr(audioop, f"lin2{law}")(every_sample, 2)
    every_code = bytes(range(256))
    port = make_port()
    assert port.write(every_code, 0, encoding) == 256
    assert (port.tick() + port.tick())[:512] == getattr(audioop, f"{law}2lin")(every_code, 2)


@pytest.mark.parametrize(("encoding", "silence"), [(_audio.ULAW, 0xFF), (_audio.ALAW, 0xD5)])
def test_g711_comes_back_as_it_went(encoding: int, silence: int) -> None:
    """Also where Python has no reference any more."""
    assert _audio.encode(bytes(4), encoding) == bytes([silence] * 2)
    codes = bytes(code for code in range(256) if (encoding, code) != (_audio.ULAW, 0x7F))  # u-law has two zeros
    port = make_port()
    port.write(codes, 0, encoding)
    decoded = port.tick() + port.tick()
    assert _audio.encode(decoded[: 2 * len(codes)], encoding) == codes
    port.tick(decoded[: 2 * FRAME])
    assert port.read(FRAME, encoding) == codes[:FRAME]


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


def died_away(last: int) -> list[int]:
    """What is left of a sound that is cut: its last sample goes to zero in half a frame."""
    half = FRAME // 2
    return [round(last * (half - 1 - i) / half) for i in range(half)] + [0] * (FRAME - half)


def test_clear_silences_the_next_frame_and_counts_what_was_dropped() -> None:
    port = make_port()
    port.write(ramp(4 * FRAME))
    port.tick()
    assert port.clear() == 3 * FRAME
    assert frame_of(port).tolist() == pytest.approx(died_away(FRAME - 1), abs=1)
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


def faded(frame: array[int], *, come: bool) -> list[int]:
    gains = [(i + 1 if come else FRAME - 1 - i) / FRAME for i in range(FRAME)]
    return [round(sample * gain) for sample, gain in zip(frame, gains, strict=True)]


def test_muted_plays_on_unheard_and_comes_and_goes_softly() -> None:
    port = make_port(playback=6 * FRAME)
    port.write(ramp(6 * FRAME, 1))
    port.tick()
    port.muted = True
    assert frame_of(port).tolist() == pytest.approx(died_away(FRAME), abs=1)
    assert port.tick() == bytes(2 * FRAME)
    port.muted = False
    assert frame_of(port).tolist() == pytest.approx(faded(ramp(FRAME, 1 + 3 * FRAME), come=True), abs=1)
    assert port.tick() == ramp(FRAME, 1 + 4 * FRAME).tobytes()


def test_nothing_is_heard_of_what_is_written_to_a_muted_port() -> None:
    port = make_port()
    port.muted = True
    port.write(ramp(FRAME, 1))
    assert port.tick() == bytes(2 * FRAME)


def test_paused_it_waits_and_goes_on_where_it_was() -> None:
    port = make_port(playback=6 * FRAME)
    port.write(ramp(4 * FRAME, 1))
    port.tick()
    port.paused = True
    assert frame_of(port).tolist() == pytest.approx(faded(ramp(FRAME, 1 + FRAME), come=False), abs=1)
    for _ in range(3):
        assert port.tick() == bytes(2 * FRAME)
    assert port.queued == 2 * FRAME
    port.paused = False
    assert frame_of(port).tolist() == pytest.approx(faded(ramp(FRAME, 1 + 2 * FRAME), come=True), abs=1)
    assert port.tick() == ramp(FRAME, 1 + 3 * FRAME).tobytes()
    assert port.counters()["underruns"] == 0


def test_a_change_of_volume_takes_one_frame_and_concerns_what_is_queued() -> None:
    port = make_port()
    port.write(array("h", [1000] * 3 * FRAME))
    port.tick()
    port.volume = 0.5
    frame = frame_of(port)
    assert frame[0] == pytest.approx(1000, abs=8)
    assert frame[-1] == 500
    assert frame.tolist() == sorted(frame, reverse=True)
    assert frame_of(port).tolist() == [500] * FRAME


def test_layers_are_heard_together_and_clipped_not_wrapped() -> None:
    port = make_port()
    layers = [PlaybackLayer(port) for _ in range(_audio.MAX_LAYERS)]
    with pytest.raises(ValueError, match="4"):
        PlaybackLayer(port)
    for layer in layers:
        layer.write(array("h", [100] * FRAME))
    layers[0].volume = 1.0
    port.write(ramp(FRAME))
    assert frame_of(port).tolist() == [sample + 400 for sample in ramp(FRAME)]
    assert port.tick() == bytes(2 * FRAME)
    for layer in layers:
        layer.write(array("h", [30_000] * FRAME))
    assert frame_of(port).tolist() == [32_767] * FRAME
    assert layers[0].played == 2 * FRAME
    port.muted = True
    port.tick()
    layers[0].write(array("h", [100] * FRAME))
    assert port.tick() == bytes(2 * FRAME)


def test_a_layer_that_is_closed_dies_away_and_makes_room_for_another() -> None:
    port = make_port()
    layers = [PlaybackLayer(port) for _ in range(_audio.MAX_LAYERS)]
    layers[1].volume = 0.5
    layers[1].write(array("h", [1000] * 3 * FRAME))
    for _ in range(2):
        frame = frame_of(port)
    layers[1].close()
    assert frame_of(port).tolist() == pytest.approx(died_away(frame[-1]), abs=1)
    assert port.tick() == bytes(2 * FRAME)
    another = PlaybackLayer(port)
    assert (another.volume, another.ducked, another.paused, another.queued) == (1.0, 1.0, False, 0)
    another.write(array("h", [7] * FRAME))
    port.tick()  # the volume of before fades to that of now
    another.write(array("h", [7] * FRAME))
    assert frame_of(port).tolist() == [7] * FRAME


def test_a_layer_is_quieter_while_there_is_speech() -> None:
    port = make_port(playback=200 * FRAME)
    layer = PlaybackLayer(port)
    layer.ducked = 0.25
    layer.write(array("h", [8000] * 150 * FRAME))
    assert frame_of(port).tolist() == [8000] * FRAME
    port.write(array("h", [0] * 20 * FRAME))  # speech that is silent lets us hear the layer alone
    levels = [frame_of(port)[-1] for _ in range(120)]
    assert levels[:20] == sorted(levels[:20], reverse=True)
    assert levels[6] < 2400
    assert levels[19] == pytest.approx(2000, abs=5)
    assert levels[20:] == sorted(levels[20:])
    assert levels[20 + 50] > 7500


def test_levels_follow_what_is_received_and_sent() -> None:
    port = make_port()
    assert (port.received_level, port.sent_level) == (0, 0)
    for _ in range(50):
        port.write(array("h", [100] * FRAME))
        port.tick(array("h", [-1000] * FRAME).tobytes())
    assert port.received_level == pytest.approx(1000**2, rel=0.01)
    assert port.sent_level == pytest.approx(100**2, rel=0.01)
    for _ in range(50):
        port.tick()
    assert port.sent_level < 100


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
    written = dropped = last = 0
    cut = False
    expected: list[int] = []
    for step, amount in steps:
        if step == "write":
            accepted = port.write(array("h", [1 + (written + i) % 30000 for i in range(amount)]))
            expected += [1 + (written + i) % 30000 for i in range(accepted)]
            written += accepted
        elif step == "clear":
            cut |= port.queued > 0
            dropped += port.clear()
            expected.clear()
        else:
            for _ in range(amount):
                frame = array("h", port.tick())
                heard, expected = expected[:FRAME], expected[FRAME:]
                heard += [0] * (FRAME - len(heard))
                if cut:
                    dying = [sample + end for sample, end in zip(heard, died_away(last), strict=True)]
                    assert frame.tolist() == pytest.approx(dying, abs=1)
                else:
                    assert frame.tolist() == heard
                last, cut = frame[-1], False
    assert port.played + dropped + port.queued == written
    assert port.counters()["cleared"] == dropped
