"""What the gateway can play, and what it must not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from support.signals import dominant_frequency, rms
from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway.destinations import sounds
from telnyx_native.gateway.destinations.sounds import PROMPT, FileSound, SoundFolder, hold_music, parse_sound
from telnyx_native.media.detectors import DtmfDetector
from telnyx_native.media.files import write_wav
from telnyx_native.media.tones import tone

RATE = 16_000


@pytest.fixture
def folder(tmp_path: Path) -> SoundFolder:
    """A folder with one sound, a link that leads out of it, and a secret beside it."""
    inside = tmp_path / "sounds"
    (inside / "deep").mkdir(parents=True)
    write_wav(inside / "deep" / "a.wav", tone((440,), 0.3, 8_000), 8_000)
    write_wav(tmp_path / "secret.wav", tone((440,), 0.3, 8_000), 8_000)
    (inside / "link.wav").symlink_to(tmp_path / "secret.wav")
    (inside / "loop").symlink_to(inside / "loop")
    return SoundFolder(inside)


def test_file_below_the_folder(folder: SoundFolder, tmp_path: Path) -> None:
    path = folder.find("deep/a.wav")
    assert path == folder.find(str(tmp_path / "sounds" / "deep" / "a.wav"))
    samples = FileSound(path).render(RATE)
    assert len(samples) == pytest.approx(0.3 * RATE, abs=2)
    assert dominant_frequency(samples, RATE) == pytest.approx(440, abs=4)


@pytest.mark.parametrize(
    "name",
    [
        "../secret.wav",
        "deep/../../secret.wav",
        "link.wav",
        "loop",
        "deep",
        ".",
        "/etc/passwd",
        "~/x",
        "no.wav",
        "x" * 5000,
        "a\0b",
        "\ud800",
    ],
)
def test_nothing_else_is_reached(folder: SoundFolder, name: str) -> None:
    with pytest.raises(ConfigurationError, match="there is no file"):
        folder.find(name)


def test_without_a_folder_there_is_the_prompt_only(tmp_path: Path) -> None:
    assert SoundFolder(None).find("") == PROMPT
    with pytest.raises(ConfigurationError, match="no folder of sounds is configured"):
        SoundFolder(None).find("prompt.flac")
    with pytest.raises(ConfigurationError, match="is no folder"):
        SoundFolder(tmp_path / "nowhere")


def test_file_that_is_no_sound_or_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "text.wav").write_text("hello")
    write_wav(tmp_path / "long.wav", tone((440,), 2.0, 8_000), 8_000)
    monkeypatch.setattr(sounds, "LONGEST_FILE", 1.0)
    for name, complaint in (("text.wav", "cannot read audio"), ("long.wav", "longer than 1 s"), ("no.wav", "cannot")):
        with pytest.raises(ConfigurationError, match=complaint):
            FileSound(tmp_path / name).render(RATE)


def test_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    for hz in (440, 880):
        write_wav(path, tone((hz,), 0.2, RATE), RATE)
        assert dominant_frequency(FileSound(path).render(RATE), RATE) == pytest.approx(hz, abs=6)


def test_sounds_of_a_menu(folder: SoundFolder) -> None:
    assert dominant_frequency(parse_sound("tone:1000", folder).render(RATE), RATE) == pytest.approx(1000, abs=3)
    assert len(parse_sound("tone:1000:0.25", folder).render(RATE)) == RATE // 4
    assert not parse_sound("silence:1", folder).render(RATE).any()
    assert parse_sound("file:deep/a.wav", folder).render(RATE).any()
    heard = DtmfDetector(RATE).feed(parse_sound("keys:12#", folder).render(RATE))
    assert [received.key for received in heard] == ["1", "2", "#"]


@pytest.mark.parametrize(
    "text", ["", "tone", "tone:", "tone:9", "tone:440:x", "tone:440:0", "keys:x", "silence:nan", "hello", "file:"]
)
def test_what_is_no_sound(folder: SoundFolder, text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_sound(text, folder)


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_music_goes_on_without_a_seam(rate: int) -> None:
    music = hold_music(rate)
    assert music.dtype == np.int16
    assert len(music) == 8 * rate
    assert 5000 < np.abs(music).max() <= 8000
    steps = np.abs(np.diff(np.concatenate([music, music[:2]]).astype(int)))
    assert steps[-2:].max() <= steps[:-2].max(), "a click at the seam"
    assert min(rms(part) for part in np.array_split(music, 16)) > 300
