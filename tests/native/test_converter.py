"""What becomes of audio of any rate on its way into a call."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.signals import Pcm, dominant_frequency, pcm, rms, tone
from telnyx_native import _audio
from telnyx_native._audio import Converter


def converted(samples: Pcm, from_rate: int, to_rate: int, *, pieces: int = 1, volume: float = 1.0) -> Pcm:
    converter = Converter(from_rate, to_rate, volume)
    for piece in np.array_split(samples, pieces):
        converter.feed(np.ascontiguousarray(piece))
    converter.finish()
    return pcm(converter.take())


@pytest.mark.parametrize(
    ("from_rate", "to_rate"),
    [(8000, 16_000), (16_000, 8000), (44_100, 16_000), (22_050, 24_000), (48_000, 16_000), (16_000, 48_000)],
)
def test_resampled_tone_is_the_tone(from_rate: int, to_rate: int) -> None:
    wanted = tone(1000, 0.5, to_rate)
    result = converted(tone(1000, 0.5, from_rate), from_rate, to_rate, pieces=7)
    assert len(result) == len(wanted)
    inner = slice(to_rate // 50, -to_rate // 50)
    assert np.abs(result.astype(int) - wanted)[inner].max() < 20  # of 8000


def test_what_the_new_rate_cannot_carry_is_filtered_out() -> None:
    assert rms(converted(tone(7000, 0.5, 48_000), 48_000, 8000)[400:-400]) < 2


def test_same_rate_is_untouched() -> None:
    samples = tone(440, 0.1, 16_000)
    assert np.array_equal(converted(samples, 16_000, 16_000, pieces=3), samples)


@pytest.mark.parametrize("length", [0, 1, 2, 100])
def test_short_signals(length: int) -> None:
    assert len(converted(np.ones(length, np.int16), 8000, 16_000)) == 2 * length


@given(st.lists(st.integers(0, 500), max_size=12), st.sampled_from([8000, 11_025, 24_000, 44_100, 48_000]))
def test_how_it_is_cut_does_not_matter(cuts: list[int], rate: int) -> None:
    samples = np.random.default_rng(7).integers(-20_000, 20_000, sum(cuts)).astype(np.int16)
    converter = Converter(rate, 16_000)
    for piece in np.split(samples, np.cumsum(cuts)[:-1]) if cuts else []:
        converter.feed(piece)
    converter.finish()
    assert np.array_equal(pcm(converter.take()), converted(samples, rate, 16_000))
    assert len(converted(samples, rate, 16_000)) == -(-sum(cuts) * 16_000 // rate)


@given(st.lists(st.integers(0, 9), max_size=30))
def test_bytes_may_be_cut_inside_a_sample(cuts: list[int]) -> None:
    samples = tone(440, 0.1, 16_000).tobytes()
    converter = Converter(16_000, 16_000)
    done = 0
    for cut in cuts:
        converter.feed(samples[done : done + cut])
        done += cut
    converter.feed(memoryview(samples)[done:])
    assert converter.take() == samples


def test_every_encoding_becomes_the_same_sound() -> None:
    samples = tone(1000, 0.2, 8000)
    for encoding, tolerance in ((_audio.FLOAT32, 0), (_audio.ULAW, 260), (_audio.ALAW, 260)):
        converter = Converter(8000, 8000)
        converter.feed(_audio.encode(samples.tobytes(), encoding), encoding)
        assert np.abs(pcm(converter.take()).astype(int) - samples).max() <= tolerance


def test_volume_scales_and_clips() -> None:
    assert rms(converted(tone(440, 0.1, 16_000), 16_000, 16_000, volume=0.5)) == pytest.approx(2828, rel=0.01)
    assert converted(tone(440, 0.1, 16_000), 16_000, 16_000, volume=8.0).max() == 32_767


def test_fades_begin_and_end_in_silence() -> None:
    converter = Converter(16_000, 16_000, 1.0, 160, 320)
    converter.feed(np.full(500, 1000, np.int16))
    converter.feed(np.full(500, 1000, np.int16))
    assert converter.ready == 680  # the rest may be the end
    converter.finish()
    out = pcm(converter.take()).astype(int)
    assert len(out) == 1000
    assert (out[0], out[79], out[159]) == (6, 500, 1000)
    assert (out[160:680] == 1000).all()
    assert out[839] == pytest.approx(500, abs=4)
    assert out[-1] == 0
    assert (np.diff(out[680:]) <= 0).all()


def test_a_signal_shorter_than_its_fades_is_faded_as_it_is() -> None:
    converter = Converter(16_000, 16_000, 1.0, 0, 320)
    converter.feed(np.full(100, 1000, np.int16))
    assert converter.take() == b""
    converter.finish()
    out = pcm(converter.take())
    assert len(out) == 100
    assert out[-1] == 0


def test_another_signal_may_follow_a_whole_one() -> None:
    converter = Converter(44_100, 16_000)
    for _ in range(2):
        converter.feed(tone(1000, 0.25, 44_100))
        converter.finish()
    heard = pcm(converter.take())
    assert len(heard) == 8000
    assert dominant_frequency(heard[4000:], 16_000) == pytest.approx(1000, abs=5)


@pytest.mark.parametrize("rate", [0, -8000, 999, 10_000_000])
def test_a_rate_that_is_none(rate: int) -> None:
    with pytest.raises(ValueError, match="rate"):
        Converter(rate, 16_000)
