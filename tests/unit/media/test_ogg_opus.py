"""Ogg files of Opus packets, read by libsndfile."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from support.ogg import opus_packets, pages
from support.signals import chirp, likeness
from telnyx_native.media.ogg_opus import OggOpusWriter
from telnyx_native.media.opus_packets import concealing, duration_of

RATE = 48_000


@pytest.fixture
def encoded(tmp_path: Path) -> list[bytes]:
    """Two seconds of a chirp as Opus packets of 20 ms."""
    path = tmp_path / "encoded.opus"
    soundfile.write(path, chirp(2, RATE), RATE, "OPUS", format="OGG")
    return opus_packets(path)


def written(path: Path, packets: list[bytes], before: list[bytes] | None = None) -> Path:
    writer = OggOpusWriter(path, before or ())
    for packet in packets:
        writer.write(packet)
    writer.close()
    return path


def test_what_was_encoded_is_decoded_where_it_was(tmp_path: Path, encoded: list[bytes]) -> None:
    samples, rate = soundfile.read(written(tmp_path / "a.opus", encoded), dtype="int16")
    assert (rate, samples.ndim) == (RATE, 1)
    assert len(samples) == sum(map(duration_of, encoded)) - 312
    assert likeness(chirp(2, RATE), samples[: 2 * RATE]) > 0.98


def test_each_page_has_the_right_checksum_and_the_time_at_its_end(tmp_path: Path, encoded: list[bytes]) -> None:
    path = tmp_path / "a.opus"
    writer = OggOpusWriter(path)
    for i, packet in enumerate(encoded[:20]):
        writer.write(packet)
        if i % 5 == 4:
            writer.flush()
    writer.close()
    found = pages(path)
    assert [page.granule for page in found] == [0, 0, 4800, 9600, 14400, 19200, 19200]
    assert [page.number for page in found] == list(range(7))
    assert found[0].flags == 2
    assert found[-1].flags == 4


def test_a_file_that_was_not_closed_can_be_read(tmp_path: Path, encoded: list[bytes]) -> None:
    path = tmp_path / "a.opus"
    writer = OggOpusWriter(path)
    for packet in encoded[:50]:
        writer.write(packet)
    writer.flush()
    copy = tmp_path / "copy.opus"
    copy.write_bytes(path.read_bytes())
    writer.close()
    assert len(soundfile.read(copy)[0]) == 50 * 960 - 312


def test_more_packets_than_a_page_takes_are_several_pages(tmp_path: Path) -> None:
    long = [bytes([31 << 3]) + bytes(1200)] * 120
    path = written(tmp_path / "a.opus", long)
    assert opus_packets(path) == long


def test_what_is_missing_is_concealed_for_as_long(tmp_path: Path, encoded: list[bytes]) -> None:
    gap = list(concealing(encoded[49][0], 480_000 + 120))
    samples, _ = soundfile.read(written(tmp_path / "a.opus", [*encoded[:50], *gap, *encoded[50:]]), dtype="int16")
    assert len(samples) == sum(map(duration_of, encoded)) + 480_120 - 312
    assert np.abs(samples[2 * RATE : 10 * RATE]).max() < 50
    assert likeness(chirp(2, RATE)[RATE + 4800 : 2 * RATE], samples[11 * RATE + 4800 :]) > 0.9


def test_two_parts_together_are_the_whole(tmp_path: Path, encoded: list[bytes]) -> None:
    """The second begins with packets that are not heard, from which the decoder gets its state."""
    whole, _ = soundfile.read(written(tmp_path / "whole.opus", encoded), dtype="int16")
    first, _ = soundfile.read(written(tmp_path / "1.opus", encoded[:50]), dtype="int16")
    second, _ = soundfile.read(written(tmp_path / "2.opus", encoded[50:], encoded[46:50]), dtype="int16")
    joined = np.concatenate([first, second])
    assert len(joined) == len(whole)
    difference = joined.astype(float) - whole
    assert np.sqrt(np.mean(difference[len(first) :] ** 2)) < 0.03 * np.sqrt(np.mean(whole.astype(float) ** 2))


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        OggOpusWriter(tmp_path / "nowhere" / "a.opus")
