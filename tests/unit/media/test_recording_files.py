"""The files of a recording, and where one ends and the next begins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telnyx_native.config import RecordedPart, RecordingConfig
from telnyx_native.errors import ConfigurationError
from telnyx_native.media.recording_files import RecordingFiles, open_stereo

RATE = 8_000


def files(path: Path, told: list[RecordedPart], **config: float) -> RecordingFiles:
    return RecordingFiles(
        path,
        RecordingConfig(**config),  # type: ignore[arg-type]
        rate=RATE,
        width=4,
        open_part=lambda part: open_stereo(part, RATE),
        on_part=told.append,
    )


def stereo(count: int) -> np.ndarray:
    return np.arange(2 * count, dtype=np.int16).reshape(-1, 2)


def test_one_file_has_the_name_it_was_given(tmp_path: Path) -> None:
    told: list[RecordedPart] = []
    one = files(tmp_path / "call.wav", told)
    one.write(stereo(1000).tobytes(), 1000)
    one.close()
    assert told == [RecordedPart(tmp_path / "call.wav", 1, 1000 / RATE)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(blocks=st.lists(st.integers(1, 3 * RATE), min_size=1, max_size=8), seconds=st.floats(1, 2))
def test_parts_are_exact_to_the_sample_however_they_come(tmp_path: Path, blocks: list[int], seconds: float) -> None:
    told: list[RecordedPart] = []
    parts = files(tmp_path / "call.wav", told, part_seconds=seconds)
    whole = stereo(sum(blocks))
    at = 0
    for block in blocks:
        parts.write(whole[at : at + block].tobytes(), block)
        at += block
    parts.close()
    read = [soundfile.read(part.path, dtype="int16")[0] for part in told]
    assert np.array_equal(np.concatenate(read), whole)
    assert {len(piece) for piece in read[:-1]} <= {round(seconds * RATE)}
    assert [part.number for part in told] == list(range(1, len(told) + 1))


def test_a_folder_that_vanishes_is_noticed(tmp_path: Path) -> None:
    one = files(tmp_path / "call.wav", [])
    one.flush()
    (tmp_path / "call.wav").rename(tmp_path / "moved.wav")
    one.flush()  # it is still somewhere
    (tmp_path / "moved.wav").unlink()
    with pytest.raises(OSError, match="removed"):
        one.flush()
    one.abandon()
    one.abandon()


def test_a_file_of_a_kind_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="suffixes"):
        files(tmp_path / "call.mp3", [])


@pytest.mark.parametrize("config", [{"part_seconds": 0.5}, {"part_bytes": 100}, {"part_seconds": float("nan")}])
def test_parts_that_are_too_small_are_refused(config: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match="part_"):
        RecordingConfig(**config)  # type: ignore[arg-type]
