"""The tones of networks and fax machines, in samples and in a call."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from support.limit import LIMIT
from support.peers import connected
from support.signals import silence
from telnyx_native.config import AudioConfig
from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway.destinations.sounds import PROMPT, hold_music
from telnyx_native.media.call_progress import (
    CallProgressDetector,
    ProgressMatcher,
    SteadyTone,
    SteadyTones,
    TonePhase,
)
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.files import read_audio
from telnyx_native.media.network_tones import CADENCES, Signal, ToneRegion
from telnyx_native.media.tones import dtmf_tones, progress_tone, tone

RATE = 16_000
RATES = [8_000, 16_000, 24_000, 32_000, 48_000]
ALL = [*CADENCES, *((signal, ToneRegion.US) for signal in (Signal.SIT, Signal.FAX_CNG, Signal.FAX_CED))]


def with_noise(samples: np.ndarray, snr: float) -> np.ndarray:
    level = np.sqrt(np.mean(samples[samples != 0].astype(float) ** 2)) * 10 ** (-snr / 20)
    return np.rint(samples + np.random.default_rng(5).normal(0, level, len(samples))).astype(np.int16)


def heard(signal: Signal, region: ToneRegion, rate: int, *, level: float = -20) -> np.ndarray:
    return np.concatenate([silence(0.5, rate), progress_tone(signal, region, 7.0, rate, level), silence(1.0, rate)])


# --- steady tones ----------------------------------------------------------------------------------------------------


def steady(samples: np.ndarray, rate: int = RATE) -> list[tuple[SteadyTone, float]]:
    """What is told of tones, each with the time at which it is."""
    tones, size = SteadyTones(rate), rate // 100
    taken = (tones.take(samples[start : start + size].tobytes()) for start in range(0, len(samples) - size + 1, size))
    return [(found, tones.now) for found in taken if found]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("hz", [400, 853, 1000, 1777, 2100])
@pytest.mark.parametrize("seconds", [0.1, 0.33, 1.0])
def test_a_tone_has_its_frequency_begins_and_ends(rate, hz, seconds):
    samples = np.concatenate([silence(0.5, rate), tone((hz,), seconds, rate, -20), silence(0.5, rate)])
    (began, _), *_, (ended, when) = steady(samples, rate)
    assert (began.phase, ended.phase) == (TonePhase.BEGAN, TonePhase.ENDED)
    assert ended.frequencies == (pytest.approx(hz, abs=2),)
    assert began.at == pytest.approx(0.5, abs=0.02)
    assert ended.duration == pytest.approx(seconds, abs=0.02)
    assert when - (0.5 + seconds) < 0.1


@pytest.mark.parametrize("snr", [20, 10, 5])
def test_a_tone_in_noise(snr):
    samples = np.concatenate([silence(0.5, RATE), tone((1000,), 0.3, RATE, -20), silence(0.5, RATE)])
    *_, (ended, _) = steady(with_noise(samples, snr))
    assert ended.duration == pytest.approx(0.3, abs=0.03)


def test_two_frequencies_40_hz_apart_are_two():
    (began, _), *_ = steady(tone((440, 480), 1.0, RATE))
    assert began.frequencies == (pytest.approx(440, abs=2), pytest.approx(480, abs=2))


def test_a_long_tone_is_told_of_while_it_lasts():
    told = [found for found, _ in steady(tone((425,), 3.0, RATE))]
    lasts = [found.duration for found in told if found.phase is TonePhase.LASTS]
    assert lasts == pytest.approx([0.25 * n for n in range(1, 12)], abs=0.03)


def test_a_tone_that_turns_into_another_is_two():
    samples = np.concatenate([tone((950,), 0.33, RATE), tone((1400,), 0.33, RATE), silence(0.2, RATE)])
    ended = [found for found, _ in steady(samples) if found.phase is TonePhase.ENDED]
    assert [found.frequencies[0] for found in ended] == [pytest.approx(950, abs=3), pytest.approx(1400, abs=3)]
    assert ended[1].at == pytest.approx(ended[0].end, abs=0.04)


@pytest.mark.parametrize("speed", [0.7, 0.85, 1.0, 1.2, 1.5])
def test_speech_is_no_steady_tone(speed):
    speech = read_audio(PROMPT, RATE)
    voice = np.interp(np.arange(0, len(speech) - 1, speed), np.arange(len(speech)), speech).astype(np.int16)
    assert [found for found, _ in steady(voice) if found.duration > 0.15] == []


def test_noise_and_a_sweep_are_no_steady_tones():
    noise = np.random.default_rng(1).normal(0, 3000, 10 * RATE).astype(np.int16)
    time = np.arange(4 * RATE) / RATE
    sweep = (8000 * np.sin(2 * np.pi * (400 * time + 200 * time**2))).astype(np.int16)
    assert steady(noise) == steady(sweep) == []


# --- signals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
@pytest.mark.parametrize(("signal", "region"), ALL)
def test_every_tone_of_the_table_is_told_once(signal, region, rate):
    (found,) = CallProgressDetector(rate).feed(heard(signal, region, rate))
    assert found.signal_in(region) is signal
    assert found.at == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(("signal", "region"), ALL)
def test_every_tone_of_the_table_in_noise(signal, region):
    (found,) = CallProgressDetector(RATE).feed(with_noise(heard(signal, region, RATE, level=-26), 10))
    assert found.signal_in(region) is signal


def test_a_tone_that_means_something_else_elsewhere():
    (found,) = CallProgressDetector(RATE).feed(heard(Signal.BUSY, ToneRegion.BR, RATE))
    assert (found.signal_in("br"), found.signal_in("eu")) == (Signal.BUSY, Signal.CONGESTION)
    assert found.signal_in("us") is None


@pytest.mark.parametrize(
    ("signal", "region", "limit"),
    [
        (Signal.RINGBACK, ToneRegion.EU, 1.1),
        (Signal.RINGBACK, ToneRegion.UK, 0.5),
        (Signal.BUSY, ToneRegion.US, 1.2),
        (Signal.SIT, ToneRegion.US, 0.85),
        (Signal.FAX_CED, ToneRegion.US, 0.6),
        (Signal.FAX_CNG, ToneRegion.US, 0.6),
    ],
)
def test_how_soon_a_signal_is_told(signal, region, limit):
    samples = heard(signal, region, RATE)
    assert CallProgressDetector(RATE).feed(samples[: round((0.5 + limit) * RATE)]) != []


def test_signals_one_after_another_are_each_told():
    order = [(Signal.RINGBACK, "us"), (Signal.SIT, "us"), (Signal.BUSY, "uk")]
    samples = np.concatenate([part for s, r in order for part in (progress_tone(s, r, 4.0, RATE), silence(0.4, RATE))])
    assert [found.signal for found in CallProgressDetector(RATE).feed(samples)] == [signal for signal, _ in order]


def test_keys_a_beep_speech_and_music_are_no_signals():
    parts = [dtmf_tones("0123456789*#", RATE), tone((1000,), 0.3, RATE), read_audio(PROMPT, RATE), hold_music(RATE)]
    samples = np.concatenate([part for sound in parts for part in (sound, silence(0.5, RATE))])
    assert CallProgressDetector(RATE).feed(samples) == []


def test_samples_may_come_in_any_pieces():
    samples = heard(Signal.RINGBACK, ToneRegion.US, RATE).tobytes()
    detector = CallProgressDetector(RATE)
    found = [one for i in range(0, len(samples), 246) for one in detector.feed(samples[i : i + 246])]
    assert [one.signal for one in found] == [Signal.RINGBACK]


def test_what_the_detector_refuses():
    with pytest.raises(ConfigurationError, match="44100"):
        CallProgressDetector(44_100)
    for wrong in (np.zeros(160, np.float32), np.zeros((2, 80), np.int16), b"odd"):
        with pytest.raises(TypeError):
            CallProgressDetector(RATE).feed(wrong)


def test_a_signal_is_told_again_after_a_while():
    def ring(at: float) -> SteadyTone:
        return SteadyTone(TonePhase.ENDED, at, 2.0, (440, 480))

    matcher = ProgressMatcher()
    told = [matcher.take(ring(at)) is not None for at in (1.0, 7.0, 13.0, 40.0)]
    assert told == [True, False, False, True]


# --- in a call -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
async def test_a_call_hears_them(engine: MediaEngine, rate: int) -> None:
    async with connected(engine, AudioConfig(), AudioConfig(sample_rate=rate)) as (caller, callee):
        flow = callee.audio.call_progress_flow.collect()
        await caller.audio.write(silence(1.0, RATE))
        await caller.audio.write(progress_tone(Signal.BUSY, "us", 2.0, RATE))
        found = await asyncio.wait_for(anext(flow), LIMIT)
        await caller.close()
        await callee.close()
        assert [later async for later in flow] == []
    assert found.signal is Signal.BUSY
    assert 0.9 < found.at < 1.6


async def test_nothing_is_looked_for_unless_somebody_collects(engine: MediaEngine) -> None:
    async with connected(engine) as (caller, callee):
        await caller.audio.write(progress_tone(Signal.FAX_CED, "us", 1.0, RATE))
        await caller.audio.drain()
        await callee.audio.read(RATE // 4)
        flow = callee.audio.call_progress_flow.collect()
        await caller.audio.write(np.concatenate([silence(0.5, RATE), progress_tone(Signal.SIT, "us", 1.5, RATE)]))
        assert (await asyncio.wait_for(anext(flow), LIMIT)).signal is Signal.SIT
