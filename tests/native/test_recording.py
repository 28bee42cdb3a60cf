"""Recording a call to a file."""

from __future__ import annotations

import os
import signal as signals
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from support.peers import connected
from support.signals import chirp, dominant_frequency, likeness, rms, silence, tone
from telnyx_native.config import AudioConfig
from telnyx_native.errors import ConfigurationError, MediaError
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.recording import begin_recording

pytestmark = pytest.mark.sound

RATE = 16_000


@pytest.mark.parametrize("suffix", ["wav", "flac", "opus", "ogg"])
async def test_left_is_what_was_received_and_right_what_was_sent(
    engine: MediaEngine, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"call.{suffix}"
    async with connected(engine) as (caller, callee):
        async with await begin_recording(path, callee.audio) as recording:
            await caller.audio.write(tone(440, 1.5, RATE))
            await callee.audio.write(tone(880, 1.5, RATE))
            await callee.audio.drain()
        assert recording.duration == pytest.approx(1.5, abs=0.4)
        assert recording.dropped == 0
    samples, rate = soundfile.read(path)
    assert samples.shape[1] == 2
    assert len(samples) / rate == pytest.approx(recording.duration, abs=0.03)
    middle = samples[len(samples) // 2 : -len(samples) // 5]
    assert dominant_frequency(middle[:, 0], rate) == pytest.approx(440, abs=5)
    assert dominant_frequency(middle[:, 1], rate) == pytest.approx(880, abs=5)


async def test_both_sides_are_recorded_in_time(engine: MediaEngine, tmp_path: Path) -> None:
    """What an echo sends back is in the file where it was received, to the sample."""
    async with connected(engine) as (caller, callee):
        callee.echo()
        async with await begin_recording(tmp_path / "echo.wav", callee.audio):
            await caller.audio.write(np.concatenate([silence(0.5, RATE), chirp(1, RATE), silence(0.5, RATE)]))
            await caller.audio.drain()
    samples, _ = soundfile.read(tmp_path / "echo.wav", dtype="int16")
    assert likeness(chirp(1, RATE), samples[:, 0]) > 0.7
    # The echo begins with the call's first received frame; the file may begin before.
    heard = np.flatnonzero(samples[:, 0])
    assert np.array_equal(samples[heard[0] :, 0], samples[heard[0] :, 1])


async def test_what_is_said_during_a_pause_is_not_in_the_file(engine: MediaEngine, tmp_path: Path) -> None:
    async with connected(engine) as (_, callee):
        audio = callee.audio
        async with await begin_recording(tmp_path / "call.wav", audio) as recording:
            for hz in (500, 1000, 2000):
                if hz == 1000:
                    recording.pause()
                await audio.write(tone(hz, 0.6, RATE))
                await audio.drain()
                recording.resume()
            assert not recording.paused
    samples, _ = soundfile.read(tmp_path / "call.wav", dtype="int16")
    spectrum = np.abs(np.fft.rfft(samples[:, 1].astype(float)))
    loudness = {hz: spectrum[round((hz - 40) * len(samples) / RATE) : round((hz + 40) * len(samples) / RATE)].max()
                for hz in (500, 1000, 2000)}  # fmt: skip
    assert loudness[1000] < 0.1 * min(loudness[500], loudness[2000])
    assert recording.duration == pytest.approx(len(samples) / RATE)
    assert 1.1 < recording.duration < 1.7


async def test_the_end_of_the_call_ends_the_recording(engine: MediaEngine, tmp_path: Path) -> None:
    async with connected(engine) as (caller, callee):
        recording = await begin_recording(tmp_path / "call.wav", callee.audio)
        await caller.audio.write(tone(440, 0.5, RATE))
        await caller.audio.drain()
        await callee.close()
        await recording.stop()
        await recording.stop()
    assert soundfile.info(tmp_path / "call.wav").frames == round(recording.duration * RATE) > 0


async def test_any_rate_that_the_kind_of_file_can_have(engine: MediaEngine, tmp_path: Path) -> None:
    async with connected(engine, AudioConfig(sample_rate=32_000), AudioConfig(sample_rate=32_000)) as (_, callee):
        async with await begin_recording(tmp_path / "a.flac", callee.audio):
            pass
        with pytest.raises(ConfigurationError, match="32000"):
            await begin_recording(tmp_path / "a.opus", callee.audio)


@pytest.mark.parametrize("name", ["call.mp3", "call", "nowhere/call.wav", "nowhere/call.flac"])
async def test_a_file_that_cannot_be_is_refused_at_once(engine: MediaEngine, tmp_path: Path, name: str) -> None:
    async with connected(engine) as (_, callee):
        with pytest.raises(ConfigurationError, match="cannot record"):
            await begin_recording(tmp_path / name, callee.audio)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
async def test_a_full_disk_ends_the_recording_and_not_the_call(engine: MediaEngine, tmp_path: Path) -> None:
    path = tmp_path / "call.opus"
    path.symlink_to("/dev/full")
    async with connected(engine) as (caller, callee):
        recording = await begin_recording(path, callee.audio)
        await caller.audio.write(tone(440, 0.5, RATE))
        assert rms(np.frombuffer(await callee.audio.read(RATE // 2), np.int16)) > 0
        with pytest.raises(MediaError, match=r"call\.opus"):
            await recording.stop()


RECORD_FOR_EVER = """
import asyncio, sys
from telnyx_native.config import AudioConfig, PeerConfig
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.recording import begin_recording
from telnyx_native.media.tap import AudioDirection
from telnyx_native.media.tones import endless_tone

async def main():
    engine = MediaEngine.acquire()
    caller, callee = (engine.create_peer(PeerConfig(loopback=True), AudioConfig()) for _ in range(2))
    await caller.create_offer()
    await callee.create_answer(await caller.gathered())
    await caller.set_answer(await callee.gathered())
    recording = await begin_recording(sys.argv[1], caller.audio)
    while True:
        await caller.audio.write(endless_tone((440,), 16_000))
        print(recording.duration, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("suffix", ["wav", "flac", "opus"])
def test_a_process_that_is_killed_leaves_a_file_that_can_be_played(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"call.{suffix}"
    with subprocess.Popen([sys.executable, "-c", RECORD_FOR_EVER, path], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            written = next(duration for line in process.stdout if (duration := float(line)) > 3)
        finally:
            os.kill(process.pid, signals.SIGKILL)
    samples, rate = soundfile.read(path)
    assert len(samples) / rate > written - 1.6  # Opus: a page a second; FLAC: a frame is held back
    said = samples[: len(samples) // 2, 1]
    assert dominant_frequency(said, rate) == pytest.approx(440, abs=5)
    assert soundfile.info(path).frames == len(samples)
