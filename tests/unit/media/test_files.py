from __future__ import annotations

import numpy as np
import pytest
import soundfile

from support.signals import dominant_frequency, rms, tone
from telnyx_native.errors import ConfigurationError
from telnyx_native.media.files import WavWriter, read_audio, write_wav


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
def test_stereo_file_becomes_mono_at_the_wanted_rate(tmp_path, suffix):
    path = tmp_path / f"stereo.{suffix}"
    left = tone(440, 0.5, 44_100)
    soundfile.write(path, np.column_stack([left, left]), 44_100)
    samples = read_audio(path, 16_000)
    assert samples.dtype == np.int16
    assert len(samples) == pytest.approx(8000, abs=1)
    assert dominant_frequency(samples, 16_000) == pytest.approx(440, abs=2)
    assert rms(samples) == pytest.approx(8000 / 2**0.5, rel=0.02)


def test_full_scale_does_not_wrap(tmp_path):
    square = np.where(np.arange(800) % 80 < 40, 32767, -32768).astype(np.int16)
    soundfile.write(tmp_path / "square.wav", square, 8000)
    samples = read_audio(tmp_path / "square.wav", 16_000)
    assert samples.max() == 32767
    assert not (np.abs(np.diff(samples[20:60].astype(int))) > 20_000).any()


@pytest.mark.parametrize("content", [None, b"", b"this is no sound"])
def test_unreadable_file(tmp_path, content):
    path = tmp_path / "prompt.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"prompt\.wav"):
        read_audio(path, 16_000)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_write_and_read_back(tmp_path, kind):
    samples = tone(440, 0.1, 16_000)
    write_wav(tmp_path / "out.wav", kind(samples.tobytes()), 16_000)
    assert np.array_equal(read_audio(tmp_path / "out.wav", 16_000), samples)


def test_growing_file(tmp_path):
    samples = tone(440, 0.1, 8000)
    with WavWriter(tmp_path / "out.wav", 8000) as writer:
        writer.write(samples[:300].data)
        writer.write(b"")
        writer.write(samples[300:].data)
    assert np.array_equal(read_audio(tmp_path / "out.wav", 8000), samples)


def test_unwritable_file(tmp_path):
    with pytest.raises(ConfigurationError, match="nowhere"):
        write_wav(tmp_path / "nowhere" / "out.wav", b"", 16_000)
