"""Recording a call to a file."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal as signals
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from support.limit import LIMIT
from support.ogg import opus_packets
from support.peers import LOOPBACK, connected, negotiate
from support.signals import chirp, dominant_frequency, find, likeness, rms, silence, tone
from telnyx_native.config import (
    AudioConfig,
    ConsentBeep,
    OpusConfig,
    PausedAudio,
    RecordedPart,
    RecordingConfig,
)
from telnyx_native.errors import ConfigurationError, MediaError
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.opus_packets import duration_of
from telnyx_native.media.packets import EncodedPacket, PacketTap
from telnyx_native.media.recording import begin_packet_recording, begin_recording
from telnyx_native.media.simulated_network import NetworkConditions, SimulatedNetwork
from telnyx_native.media.stream import AudioStream

pytestmark = pytest.mark.sound

RATE = 16_000


async def passed(audio: AudioStream) -> None:
    """Wait until a sound has been heard, and silence behind it; drained is what has left, however busy the machine."""
    loud = False
    async with asyncio.timeout(LIMIT):
        while True:
            level = rms(np.frombuffer(await audio.read(RATE // 10), np.int16))
            if loud and level < 100:
                return
            loud |= level > 1000


async def packets_of(tap: PacketTap, seconds: float) -> list[EncodedPacket]:
    """The packets of so many seconds of what was sent."""
    packets: list[EncodedPacket] = []
    async with asyncio.timeout(LIMIT):
        async for packet in tap:
            packets.append(packet)
            if seconds <= (packet.timestamp - packets[0].timestamp + 48_000) % 2**32 / 48_000 - 1:
                break
    return packets


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


async def test_both_sides_are_exact_to_the_sample(engine: MediaEngine, tmp_path: Path) -> None:
    """A chirp that both sides have at the same time begins in the file at the same sample, in every kind of it."""
    both = np.concatenate([silence(0.3, RATE), chirp(1, RATE), silence(0.3, RATE)])
    async with connected(engine) as (caller, callee):
        callee.echo()
        recordings = [
            await begin_recording(tmp_path / f"echo.{kind}", callee.audio) for kind in ("wav", "flac", "opus")
        ]
        await caller.audio.write(both)
        await passed(callee.audio)
        for recording in recordings:
            await recording.stop()
    for recording in recordings:
        samples, _ = soundfile.read(recording.path, dtype="int16")
        left, right = samples[:, 0], samples[:, 1]
        begin, _ = find(chirp(1, RATE), left)
        where, alike = find(left[begin : begin + RATE], right)
        assert abs(where - begin) <= 1
        assert alike > 0.95


@pytest.mark.parametrize("kind", ["wav", "opus"])
async def test_parts_together_are_the_whole_recording(engine: MediaEngine, tmp_path: Path, kind: str) -> None:
    """Nothing is lost between two parts, which are told of in order when they are complete."""
    told: list[RecordedPart] = []
    asked = RecordingConfig(part_seconds=1.0, on_complete=told.append)
    async with connected(engine) as (caller, callee):
        whole = await begin_recording(tmp_path / "whole.wav", callee.audio)
        parts = await begin_recording(tmp_path / f"call.{kind}", callee.audio, asked)
        await caller.audio.write(chirp(2.6, RATE))
        await callee.audio.write(chirp(2.6, RATE, 2800, 400))
        await callee.audio.drain()
        await parts.stop()
        await whole.stop()
    assert [part.path.name for part in told] == [f"call-00{n}.{kind}" for n in range(1, len(told) + 1)]
    assert [part.number for part in told] == list(range(1, len(told) + 1))
    assert [part.duration for part in told[:-1]] == [1.0] * (len(told) - 1)
    assert not (tmp_path / f"call.{kind}").exists()
    pieces = [soundfile.read(part.path, dtype="int16")[0] for part in told]
    joined = np.concatenate(pieces)
    assert len(joined) == round(parts.duration * RATE)
    reference, _ = soundfile.read(whole.path, dtype="int16")
    if kind == "wav":
        offset = find(joined[:, 1], reference[:, 1])[0] if len(joined) < len(reference) else 0
        assert np.array_equal(joined, reference[offset : offset + len(joined)])
    else:
        assert likeness(chirp(2.6, RATE, 2800, 400), joined[:, 1]) > 0.9


async def test_parts_by_size(engine: MediaEngine, tmp_path: Path) -> None:
    told: list[RecordedPart] = []
    asked = RecordingConfig(part_bytes=50_000, on_complete=told.append)
    async with connected(engine) as (_, callee):
        recording = await begin_recording(tmp_path / "call.wav", callee.audio, asked)
        await callee.audio.write(tone(440, 2.5, RATE))
        await callee.audio.drain()
        await recording.stop()
    assert len(told) > 1
    assert all(50_000 <= part.path.stat().st_size < 50_000 + 4 * RATE for part in told[:-1])
    assert sum(part.duration for part in told) == pytest.approx(recording.duration)


async def test_who_uploads_may_take_long_and_may_fail(
    engine: MediaEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    let_go, told = asyncio.Event(), []

    async def upload(part: RecordedPart) -> None:
        told.append(part.number)
        if part.number == 1:
            await let_go.wait()
        raise ConnectionError("no such bucket")

    async with connected(engine) as (_, callee):
        recording = await begin_recording(
            tmp_path / "call.wav", callee.audio, RecordingConfig(part_seconds=1.0, on_complete=upload)
        )
        await callee.audio.write(tone(440, 1.4, RATE))
        await callee.audio.drain()
        await recording.complete()
        assert told == [1]
        let_go.set()
        await recording.stop()
    assert told == [1, 2]
    assert len([record for record in caplog.records if "no such bucket" in record.message]) == 2


@pytest.mark.parametrize("paused_audio", list(PausedAudio))
async def test_a_pause_is_exact_and_keeps_its_time_if_asked_for(
    engine: MediaEngine, tmp_path: Path, paused_audio: PausedAudio
) -> None:
    async with connected(engine) as (_, callee):
        audio = callee.audio
        config = RecordingConfig(paused_audio=paused_audio)
        reference = await begin_recording(tmp_path / "reference.wav", audio)
        recording = await begin_recording(tmp_path / "call.wav", audio, config)
        await audio.write(tone(500, 1.5, RATE))
        await audio.read(RATE // 2)
        before = audio.counters.captured
        recording.pause()
        await audio.read(RATE // 2)
        pause = audio.counters.captured - before
        recording.resume()
        await audio.drain()
        await asyncio.gather(recording.stop(), reference.stop())
    samples, _ = soundfile.read(tmp_path / "call.wav", dtype="int16")
    whole, _ = soundfile.read(tmp_path / "reference.wav", dtype="int16")
    said = np.flatnonzero(samples[:, 1])
    if paused_audio is PausedAudio.SILENT:
        assert abs(len(whole) - len(samples)) <= 3 * RATE // 100
        pauses = np.flatnonzero(np.diff(said) > RATE // 4)
        assert len(pauses) == 1
        assert np.diff(said)[pauses[0]] == pytest.approx(pause, abs=RATE // 50)
    else:
        assert len(whole) - len(samples) == pytest.approx(pause, abs=4 * RATE // 100)
        assert np.diff(said).max() < RATE // 100


@pytest.mark.parametrize("muted", [False, True])
async def test_the_other_side_hears_the_beep_and_so_does_the_file(
    engine: MediaEngine, tmp_path: Path, *, muted: bool
) -> None:
    """It is heard over what is said, also while the call is muted, and nothing is taken away for it."""
    config = RecordingConfig(beep=ConsentBeep(every=1.0, level_dbfs=-12))
    async with connected(engine) as (caller, callee):
        callee.audio.muted = muted
        async with await begin_recording(tmp_path / "call.wav", callee.audio, config):
            with pytest.raises(ConfigurationError, match="beeps already"):
                await begin_recording(tmp_path / "again.wav", callee.audio, config)
            await callee.audio.write(tone(440, 2.5, RATE))
            await callee.audio.drain()
            heard = np.frombuffer(await caller.audio.read(2 * RATE), np.int16)
        async with await begin_recording(tmp_path / "again.wav", callee.audio, config):
            pass
    samples, _ = soundfile.read(tmp_path / "call.wav", dtype="int16")
    for sound in (samples[:, 1], heard):
        beeps = [beep_at(sound[at : at + RATE // 10]) for at in range(0, len(sound) - RATE // 10, RATE // 10)]
        assert 3 <= sum(beeps) <= 9
        assert beeps.count(False) > 8
    assert (dominant_frequency(samples[RATE // 2 : RATE, 1], RATE) == pytest.approx(440, abs=5)) is not muted


def beep_at(samples: np.ndarray) -> bool:
    """Whether there is 1400 Hz in a tenth of a second."""
    spectrum = np.abs(np.fft.rfft(samples.astype(float)))
    return bool(spectrum[135:146].max() > 200 * len(samples))


async def test_a_file_that_somebody_removes_ends_the_recording_with_one_line_in_the_log(
    engine: MediaEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "calls"
    folder.mkdir()
    async with connected(engine) as (caller, callee):
        recordings = [
            await begin_recording(folder / "call.wav", callee.audio),
            await begin_packet_recording(folder / "call.opus", callee.audio),
        ]
        shutil.rmtree(folder)
        for recording in recordings:
            async with asyncio.timeout(LIMIT):
                while not recording.failed:
                    await caller.audio.write(tone(440, 0.1, RATE))
            with pytest.raises(MediaError, match="removed"):
                await recording.stop()
        callee.audio.read_nowait()
        async with asyncio.timeout(LIMIT):
            while not np.frombuffer(await callee.audio.read(RATE // 10), np.int16).any():
                pass
    lines = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert len([line for line in lines if "ends here" in line]) == 2


async def test_packets_are_in_the_file_as_they_came(engine: MediaEngine, tmp_path: Path) -> None:
    async with connected(engine) as (caller, callee):
        with callee.audio.tap_packets() as tap:
            async with await begin_packet_recording(tmp_path / "call.opus", callee.audio) as recording:
                await caller.audio.write(np.concatenate([silence(0.2, RATE), chirp(1.5, RATE), silence(0.4, RATE)]))
                arrived = [packet.payload for packet in await packets_of(tap, 1.9)]
    stored = opus_packets(tmp_path / "call.opus")
    sent = [packet for packet in stored if len(packet) > 2]
    assert sent[: len(arrived)] == arrived
    samples, rate = soundfile.read(tmp_path / "call.opus", dtype="int16")
    assert rate == 48_000
    assert samples.ndim == 1
    assert likeness(chirp(1.5, 48_000), samples) > 0.7
    assert recording.duration * 48_000 == sum(map(duration_of, stored))


async def test_the_file_of_packets_keeps_time_whatever_the_network_loses(engine: MediaEngine, tmp_path: Path) -> None:
    """Losses, pauses of the sender, packets in disorder and twice: the second chirp is where it was said."""
    bad = NetworkConditions(loss=0.1, jitter=0.02, reorder=0.1, duplicate=0.1)
    sound = np.concatenate([chirp(0.5, RATE), silence(1.5, RATE), chirp(0.5, RATE, 2800, 400), silence(0.3, RATE)])
    async with connected(engine, AudioConfig(opus=OpusConfig(dtx=True)), network=SimulatedNetwork(5, sending=bad)) as (
        caller,
        callee,
    ):
        with callee.audio.tap_packets() as tap:
            async with await begin_packet_recording(tmp_path / "call.opus", callee.audio):
                await caller.audio.write(sound)
                await packets_of(tap, 2.7)
    samples, rate = soundfile.read(tmp_path / "call.opus", dtype="int16")
    first, second = find(chirp(0.5, rate), samples), find(chirp(0.5, rate, 2800, 400), samples)
    assert (second[0] - first[0]) / rate == pytest.approx(2.0, abs=0.003)


async def test_a_pause_of_packets_has_none_of_them(engine: MediaEngine, tmp_path: Path) -> None:
    async with connected(engine) as (caller, callee):
        async with await begin_packet_recording(tmp_path / "call.opus", callee.audio) as recording:
            for hz in (500, 1000, 2000):
                if hz == 1000:
                    recording.pause()
                await caller.audio.write(tone(hz, 0.6, RATE))
                await passed(callee.audio)
                recording.resume()
        assert recording.duration == pytest.approx(1.6, abs=0.5)
    samples, rate = soundfile.read(tmp_path / "call.opus", dtype="int16")
    spectrum = np.abs(np.fft.rfft(samples.astype(float)))
    loudness = {hz: spectrum[round((hz - 40) * len(samples) / rate) : round((hz + 40) * len(samples) / rate)].max()
                for hz in (500, 1000, 2000)}  # fmt: skip
    assert loudness[1000] < 0.1 * min(loudness[500], loudness[2000])


async def test_packets_in_parts(engine: MediaEngine, tmp_path: Path) -> None:
    told: list[RecordedPart] = []
    config = RecordingConfig(part_seconds=1.0, on_complete=told.append)
    async with (
        connected(engine) as (caller, callee),
        await begin_packet_recording(tmp_path / "call.ogg", callee.audio, config),
    ):
        await caller.audio.write(chirp(2.5, RATE))
        await passed(callee.audio)
    assert [part.path.name for part in told][:3] == ["call-001.ogg", "call-002.ogg", "call-003.ogg"]
    joined = np.concatenate([soundfile.read(part.path, dtype="int16")[0] for part in told])
    assert likeness(chirp(2.5, 48_000), joined) > 0.7


async def test_the_file_of_packets_goes_on_where_the_audio_moves_to_another_peer(
    engine: MediaEngine, tmp_path: Path
) -> None:
    async with connected(engine) as (caller, callee):
        async with await begin_packet_recording(tmp_path / "call.opus", callee.audio):
            await caller.audio.write(tone(500, 0.6, RATE))
            await passed(callee.audio)
            other, successor = engine.create_peer(LOOPBACK, AudioConfig()), engine.create_successor(callee, LOOPBACK)
            await negotiate(other, successor)
            await successor.wait_connected(LIMIT)
            await successor.take_over(callee)
            await other.audio.write(tone(2000, 0.8, RATE))
            await passed(callee.audio)
        await other.close()
        await successor.close()
    samples, rate = soundfile.read(tmp_path / "call.opus", dtype="int16")
    spectrum = np.abs(np.fft.rfft(samples.astype(float)))
    strongest = sorted(spectrum[round((hz - 40) * len(samples) / rate) : round((hz + 40) * len(samples) / rate)].max()
                       for hz in (500, 1000, 2000))  # fmt: skip
    assert strongest[1] > 10 * strongest[0]


async def test_what_is_not_opus_is_silence_and_said_once(
    engine: MediaEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caller, callee = (engine.create_peer(LOOPBACK, audio) for audio in (AudioConfig.telephone(), AudioConfig()))
    try:
        await negotiate(caller, callee)
        await callee.wait_connected(LIMIT)
        assert callee.received_codec == "PCMU"
        async with await begin_packet_recording(tmp_path / "call.opus", callee.audio):
            await caller.audio.write(tone(500, 0.6, 8_000))
            await passed(callee.audio)
    finally:
        await caller.close()
        await callee.close()
    assert len([record for record in caplog.records if "PCMU" in record.message]) == 1
    samples, _ = soundfile.read(tmp_path / "call.opus", dtype="int16")
    assert len(samples) > 0.4 * 48_000
    assert not samples.any()


@pytest.mark.parametrize("name", ["call.wav", "call", "nowhere/call.opus"])
async def test_a_file_that_packets_cannot_have_is_refused_at_once(
    engine: MediaEngine, tmp_path: Path, name: str
) -> None:
    async with connected(engine) as (_, callee):
        with pytest.raises(ConfigurationError, match="cannot record"):
            await begin_packet_recording(tmp_path / name, callee.audio)


RECORD_FOR_EVER = """
import asyncio, sys
from telnyx_native.config import AudioConfig, PeerConfig
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.recording import begin_packet_recording, begin_recording
from telnyx_native.media.tones import endless_tone

async def main():
    engine = MediaEngine.acquire()
    caller, callee = (engine.create_peer(PeerConfig(loopback=True), AudioConfig()) for _ in range(2))
    await caller.create_offer()
    await callee.create_answer(await caller.gathered())
    await caller.set_answer(await callee.gathered())
    begin = begin_packet_recording if sys.argv[2] == "packets" else begin_recording
    recording = await begin(sys.argv[1], callee.audio)
    callee.echo()
    while True:
        await caller.audio.write(endless_tone((440,), 16_000))
        print(recording.duration, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("kind", ["wav", "flac", "opus", "packets"])
def test_a_process_that_is_killed_leaves_a_file_that_can_be_played(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"call.{'opus' if kind == 'packets' else kind}"
    program = [sys.executable, "-c", RECORD_FOR_EVER, path, kind]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            written = next(duration for line in process.stdout if (duration := float(line)) > 3)
        finally:
            os.kill(process.pid, signals.SIGKILL)
    samples, rate = soundfile.read(path, always_2d=True)
    assert len(samples) / rate > written - 1.6  # Opus: a page a second; FLAC: a frame is held back
    said = samples[len(samples) // 4 : len(samples) // 2, -1]
    assert dominant_frequency(said, rate) == pytest.approx(440, abs=5)
    assert soundfile.info(path).frames == len(samples)
