"""What seats of a mix hear of each other, sample by sample."""

from __future__ import annotations

import numpy as np
import pytest

from support.signals import Pcm, dominant_frequency, pcm, rms, tone
from telnyx_native import _webrtc


class Table:
    """A mix, its seats, and what each has heard so far."""

    def __init__(self, *rates: int) -> None:
        self.mix = _webrtc.MixMinus()
        self.rates = {self.mix.add(rate): rate for rate in rates}
        self.heard: dict[int, list[Pcm]] = {seat: [] for seat in self.rates}

    def add(self, rate: int) -> int:
        seat = self.mix.add(rate)
        self.rates[seat] = rate
        self.heard[seat] = []
        return seat

    def play(self, said: dict[int, Pcm], ticks: int) -> None:
        """Let each say its signal from the beginning on, 10 ms a tick."""
        for tick in range(ticks):
            frames = {}
            for seat, signal in said.items():
                size = self.rates[seat] // 100
                frames[seat] = signal[tick * size : (tick + 1) * size].tobytes()
            for seat, frame in self.mix.tick(frames).items():
                self.heard[seat].append(pcm(frame))

    def all_heard(self, seat: int) -> Pcm:
        return np.concatenate(self.heard[seat]) if self.heard[seat] else np.zeros(0, np.int16)


def noise(seconds: float, rate: int, seed: int, amplitude: int = 6000) -> Pcm:
    return np.random.default_rng(seed).integers(-amplitude, amplitude, round(seconds * rate)).astype(np.int16)


def largest_step(samples: Pcm) -> int:
    return int(np.max(np.abs(np.diff(samples.astype(int)))))


def test_each_hears_all_others_bit_by_bit_and_not_itself() -> None:
    table = Table(16_000, 16_000, 16_000, 16_000)
    said = {seat: noise(0.2, 16_000, seed=seat) for seat in table.rates}
    table.play(said, 20)
    for seat in table.rates:
        others = sum(signal.astype(int) for other, signal in said.items() if other != seat)
        np.testing.assert_array_equal(table.all_heard(seat)[160:], others[160:])


def test_two_hear_each_other_as_they_are() -> None:
    table = Table(8_000, 8_000)
    one, other = table.rates
    said = {one: noise(0.1, 8_000, seed=1, amplitude=32_767), other: noise(0.1, 8_000, seed=2, amplitude=32_767)}
    table.play(said, 10)
    np.testing.assert_array_equal(table.all_heard(one)[80:], said[other][80:])
    np.testing.assert_array_equal(table.all_heard(other)[80:], said[one][80:])


def test_what_is_too_loud_together_is_clipped_and_does_not_wrap() -> None:
    table = Table(16_000, 16_000, 16_000)
    first, second, third = table.rates
    loud = np.full(1600, 30_000, np.int16)
    table.play({first: loud, second: loud, third: -loud}, 10)
    assert table.all_heard(third)[-1] == 32_767
    assert table.all_heard(first)[-1] == 0


@pytest.mark.parametrize("rates", [(8_000, 48_000), (48_000, 8_000), (16_000, 24_000), (24_000, 16_000)])
def test_rates_that_differ_hear_the_same_tone_as_loud(rates: tuple[int, int]) -> None:
    table = Table(*rates)
    one, other = table.rates
    said = tone(1000, 0.5, rates[0])
    table.play({one: said}, 50)
    heard = table.all_heard(other)[rates[1] // 10 :]
    assert dominant_frequency(heard, rates[1]) == pytest.approx(1000, abs=5)
    assert rms(heard) == pytest.approx(rms(said), rel=0.002)
    assert not table.all_heard(one).any()


def test_resampling_is_clean_and_delays_by_half_its_filter() -> None:
    table = Table(8_000, 16_000)
    one, other = table.rates
    table.play({one: tone(1000, 0.5, 8_000, amplitude=16_000)}, 50)
    heard = table.all_heard(other)[1600:].astype(float)
    t = np.arange(1600, 1600 + len(heard)) / 16_000
    basis = np.stack([np.sin(2 * np.pi * 1000 * t), np.cos(2 * np.pi * 1000 * t)], axis=1)
    (sine, cosine), *_ = np.linalg.lstsq(basis, heard, rcond=None)
    delay = (-np.arctan2(cosine, sine) / (2 * np.pi)) % 1  # milliseconds, but for whole ones
    assert delay == pytest.approx((26 / 8) % 1, abs=0.001)  # 24 zero crossings, 6 % wider
    residue = heard - basis @ [sine, cosine]
    assert 20 * np.log10(rms(heard.astype(np.int16)) / np.sqrt(np.mean(residue**2))) > 60


def test_nobody_clicks_who_comes_is_muted_or_leaves() -> None:
    rate, hz, amplitude = 16_000, 440, 8_000
    smooth = 1.35 * amplitude * 2 * np.pi * hz / rate
    table = Table(rate, rate)
    speaker, listener = table.rates
    # It begins and ends at a peak of the tone, where a hard cut would be a step of the whole amplitude.
    signal = np.roll(tone(hz, 1.0, rate, amplitude), 9)
    table.play({speaker: signal}, 10)
    table.mix.set(speaker, False, True)
    table.play({speaker: signal[1600:]}, 5)
    table.mix.set(speaker, True, True)
    table.play({speaker: signal[2400:]}, 5)
    assert largest_step(table.all_heard(listener)) < smooth
    before = len(table.all_heard(listener))
    table.mix.leave(speaker)
    table.play({speaker: signal[3200:]}, 1)
    del table.rates[speaker]
    table.play({}, 3)
    heard = table.all_heard(listener)
    assert largest_step(heard[before - 160 :]) < smooth
    assert not heard[before + 160 :].any()


def test_who_leaves_in_the_middle_of_a_word_without_another_one_fades_too() -> None:
    table = Table(16_000, 16_000)
    speaker, listener = table.rates
    signal = np.roll(tone(300, 0.1, 16_000), 13)
    table.play({speaker: signal}, 10)
    last = table.all_heard(listener)[-1]
    assert abs(last) > 2000
    table.mix.leave(speaker)
    table.play({}, 2)
    heard = table.all_heard(listener)
    assert largest_step(heard[1500:]) < 1500
    assert not heard[-160:].any()


def test_who_leaves_hears_the_others_fade() -> None:
    table = Table(16_000, 16_000)
    speaker, leaver = table.rates
    signal = np.roll(tone(300, 0.2, 16_000), 13)
    table.play({speaker: signal}, 10)
    table.mix.leave(leaver)
    table.play({speaker: signal[1600:]}, 2)
    heard = table.all_heard(leaver)
    assert len(heard) == 11 * 160
    assert largest_step(heard) < 1500
    assert abs(heard[-1]) < 50


def test_a_seat_of_a_new_rate_changes_nothing_for_the_others() -> None:
    table = Table(16_000, 16_000)
    speaker, listener = table.rates
    signal = noise(0.4, 16_000, seed=4)
    table.play({speaker: signal}, 20)
    newcomer = table.add(48_000)
    table.play({speaker: signal[3200:]}, 20)
    np.testing.assert_array_equal(table.all_heard(listener)[160:], signal[160:])
    assert rms(table.all_heard(newcomer)) > 1000


def test_there_are_so_many_seats() -> None:
    table = Table(*[8_000] * _webrtc.MAX_CONFERENCE_SEATS)
    with pytest.raises(ValueError, match="seats"):
        table.add(8_000)
    said = {seat: np.full(240, 100, np.int16) for seat in table.rates}
    table.play(said, 3)
    assert table.all_heard(1)[-1] == 100 * (_webrtc.MAX_CONFERENCE_SEATS - 1)
