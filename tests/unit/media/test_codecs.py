"""What is asked of the codecs of a call."""

from __future__ import annotations

from dataclasses import replace

import pytest

from telnyx_native.config import AudioCodec, OpusConfig
from telnyx_native.media.codecs import preferring, with_opus
from telnyx_native.media.sdp import AudioSection, Codec, Fingerprint

OPUS = Codec(111, "opus", 48_000, 2, (("minptime", "10"), ("useinbandfec", "1")))
RED = Codec(63, "red", 48_000, 2, (("", "111/111"),))
G722, PCMU, PCMA = Codec(9, "G722", 8_000), Codec(0, "PCMU", 8_000), Codec(8, "PCMA", 8_000)
EVENTS = Codec(126, "telephone-event", 8_000)
OFFERED = (OPUS, RED, G722, PCMU, PCMA, EVENTS)
AUDIO = AudioSection(OFFERED, "ufrag", "password", Fingerprint("sha-256", "00"), ptime=20, maxptime=60)


@pytest.mark.parametrize(
    ("preferred", "order"),
    [
        ([], [111, 63, 9, 0, 8, 126]),
        ([AudioCodec.PCMU], [0, 111, 63, 9, 8, 126]),
        ([AudioCodec.PCMA, AudioCodec.OPUS], [8, 111, 63, 9, 0, 126]),
        (list(AudioCodec), [111, 9, 0, 8, 63, 126]),
    ],
)
def test_preferred_codecs_come_first(preferred: list[AudioCodec], order: list[int]) -> None:
    assert [codec.payload_type for codec in preferring(OFFERED, preferred)] == order


def test_codecs_that_the_far_end_does_not_have_change_nothing() -> None:
    assert preferring((G722, PCMU), [AudioCodec.OPUS]) == (G722, PCMU)


def parameters_of(audio: AudioSection) -> dict[str, str]:
    return dict(next(codec for codec in audio.codecs if codec.name == "opus").parameters)


def test_opus_is_asked_for_what_the_call_wants() -> None:
    audio = with_opus(AUDIO, OpusConfig(ptime=10, bitrate=24_000, complexity=3, fec=False, dtx=True), 16_000)
    assert parameters_of(audio) == {
        "minptime": "10",
        "useinbandfec": "0",
        "usedtx": "1",
        "maxaveragebitrate": "24000",
        "x-rate": "16000",
        "x-complexity": "3",
    }
    assert (audio.ptime, audio.maxptime) == (10, None)


def test_what_the_far_end_can_take_is_not_exceeded() -> None:
    limited = replace(OPUS, parameters=(("maxaveragebitrate", "16000"),))
    audio = with_opus(replace(AUDIO, codecs=(limited,)), OpusConfig(bitrate=64_000), 48_000)
    assert parameters_of(audio)["maxaveragebitrate"] == "16000"
    assert parameters_of(audio)["x-rate"] == "48000"


def test_without_a_wish_the_far_ends_packet_time_stays() -> None:
    audio = with_opus(AUDIO, OpusConfig(), 16_000)
    assert (audio.ptime, audio.maxptime) == (20, 60)


def test_redundancy_goes_before_what_it_carries_if_it_is_wanted() -> None:
    late = replace(AUDIO, codecs=(PCMU, OPUS, G722, RED))
    wanted = [codec.name for codec in with_opus(late, OpusConfig(red=True), 16_000).codecs]
    assert wanted == ["PCMU", "red", "opus", "G722"]
    assert [codec.name for codec in with_opus(late, OpusConfig(), 16_000).codecs] == ["PCMU", "opus", "G722", "red"]


def test_a_call_without_opus_is_left_alone() -> None:
    audio = replace(AUDIO, codecs=(PCMU, EVENTS))
    assert with_opus(audio, OpusConfig(ptime=10), 16_000) is audio
