"""Frames of other frameworks, of any rate and number of channels."""

from __future__ import annotations

import numpy as np
import pytest

from support.signals import dominant_frequency, tone
from telnyx_native.errors import ConfigurationError
from telnyx_native.integrations import MonoFrames

RATE = 16_000


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 48_000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_the_pitch_and_the_length_stay(rate: int, channels: int) -> None:
    frames = MonoFrames(RATE)
    sound = np.repeat(tone(440, 1.0, rate), channels).tobytes()
    step = rate // 50 * 2 * channels
    parts = [frames.convert(sound[start : start + step], rate, channels) for start in range(0, len(sound), step)]
    heard = np.concatenate([np.asarray(part) for part in parts])
    assert heard.dtype == np.int16
    assert abs(len(heard) / RATE - 1.0) < 0.01
    assert dominant_frequency(heard, RATE) == pytest.approx(440, abs=2)
    assert np.abs(heard).max() == pytest.approx(8000, rel=0.1)


def test_channels_are_averaged() -> None:
    both = np.column_stack([np.full(160, 1000, np.int16), np.full(160, 3000, np.int16)])
    assert set(MonoFrames(RATE).convert(both.tobytes(), RATE, 2)) == {2000}


def test_a_frame_that_is_cut_is_taken_as_far_as_it_goes() -> None:
    assert len(MonoFrames(RATE).convert(bytes(641), RATE, 2)) == 160


@pytest.mark.parametrize(("rate", "channels"), [(0, 1), (-8000, 1), (2_000_000, 1), (8000, 0), (8000, -1), (8000, 100)])
def test_what_is_no_frame(rate: int, channels: int) -> None:
    with pytest.raises(ConfigurationError):
        MonoFrames(RATE).convert(bytes(640), rate, channels)
