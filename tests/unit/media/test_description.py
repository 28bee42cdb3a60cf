"""Descriptions of the remote over time, what is asked of codecs, and what libwebrtc says of this side."""

from __future__ import annotations

from dataclasses import replace

import pytest

from telnyx_native.config import AudioCodec, OpusConfig
from telnyx_native.errors import SdpError
from telnyx_native.media.description import (
    RemoteDescription,
    answering,
    asking_for_ptime,
    in_order,
    preferring,
    with_opus,
    without_comfort_noise,
)
from telnyx_native.media.sdp import (
    AudioSection,
    Candidate,
    Codec,
    Description,
    Fingerprint,
    RejectedSection,
    parse,
    write,
)

AUDIO = AudioSection(
    (Codec(0, "PCMU", 8_000),),
    ice_ufrag="first",
    ice_pwd=22 * "p",
    fingerprint=Fingerprint("sha-256", ":".join(32 * ["7F"])),
    mid="a",
)
VIDEO = RejectedSection("video", "UDP/TLS/RTP/SAVPF", ("96",), "v")


def candidate(n: int) -> Candidate:
    return Candidate("1", "udp", n, "198.51.100.7", 1024 + n, "host")


def described(count: int, ufrag: str = "first") -> str:
    candidates = tuple(candidate(n) for n in range(count))
    return write(Description(replace(AUDIO, candidates=candidates, ice_ufrag=ufrag)))


def trickle(remote: RemoteDescription, count: int) -> int:
    """Send candidates; return how many were taken."""
    taken = 0
    for n in range(1000, 1000 + count):
        try:
            remote.take_candidate(str(candidate(n)), "a", 0)
        except SdpError:
            continue
        taken += 1
    return taken


@pytest.mark.parametrize("in_description", [0, 10, 64])
def test_candidates_of_one_generation_are_bounded_wherever_they_come_from(in_description: int) -> None:
    remote = RemoteDescription()
    assert len(remote.take_offer(described(in_description)).audio.candidates) == in_description
    assert trickle(remote, 300) == 64 - in_description
    assert remote.dropped_candidates == 300 - 64 + in_description


def test_the_next_generation_has_room_again_and_a_repeated_description_has_not() -> None:
    remote = RemoteDescription()
    remote.take_offer(described(60))
    assert len(remote.take_offer(described(60)).audio.candidates) == 4
    assert len(remote.take_answer(described(60, "second")).audio.candidates) == 60


@pytest.mark.parametrize(
    ("mid", "index", "taken"),
    [
        ("a", 1, True),
        ("a", 0, True),
        ("", 1, True),
        ("v", 0, False),
        ("", 0, False),
        ("audio", 1, True),
        ("0", 7, True),
    ],
)
def test_candidates_of_rejected_sections_are_not_the_audios(mid: str, index: int, taken: bool) -> None:
    remote = RemoteDescription()
    remote.take_offer(write(Description(AUDIO, before=(VIDEO,))))
    try:
        remote.take_candidate(str(candidate(1)), mid, index)
    except SdpError:
        assert not taken
    else:
        assert taken


def test_candidates_of_a_section_that_audio_is_bundled_with_are_the_audios() -> None:
    remote = RemoteDescription()
    remote.take_offer(write(Description(AUDIO, before=(VIDEO,), bundled=("v", "a"))))
    assert remote.take_candidate(str(candidate(1)), "v", 0) == str(candidate(1))
    assert remote.sections_before == 1


def test_a_candidate_without_a_description_belongs_to_nothing() -> None:
    with pytest.raises(SdpError, match="before the session description"):
        RemoteDescription().take_candidate(str(candidate(1)), "a", 0)


def test_an_answer_that_leaves_the_choice_means_to_begin() -> None:
    """RFC 5763, 5: an answer is active or passive, and active is recommended."""
    offer = write(Description(replace(AUDIO, setup="actpass")))
    assert RemoteDescription().take_offer(offer).audio.setup == "actpass"
    assert RemoteDescription().take_answer(offer).audio.setup == "active"


# As libwebrtc writes it, shortened.
OURS = (
    "v=0\r\n"
    "o=- 6273153166649990562 2 IN IP4 127.0.0.1\r\n"
    "s=-\r\n"
    "t=0 0\r\n"
    "a=group:BUNDLE 0\r\n"
    "m=audio 39852 UDP/TLS/RTP/SAVPF 111 63 9 0 8 110 126\r\n"
    "c=IN IP4 192.0.2.2\r\n"
    "a=candidate:2371893410 1 udp 2122194687 192.0.2.2 39852 typ host generation 0 network-id 1\r\n"
    "a=ice-ufrag:qjzt\r\n"
    "a=ice-pwd:9X+1fiQm1jHG+iW+vA1BV+u1\r\n"
    f"a=fingerprint:sha-256 {':'.join(32 * ['7F'])}\r\n"
    "a=setup:active\r\n"
    "a=mid:0\r\n"
    "a=sendrecv\r\n"
    "a=msid:telnyx-native audio\r\n"
    "a=rtcp-mux\r\n"
    "a=rtpmap:111 opus/48000/2\r\n"
    "a=rtpmap:63 red/48000/2\r\n"
    "a=fmtp:63 111/111\r\n"
    "a=rtpmap:9 G722/8000\r\n"
    "a=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:110 telephone-event/48000\r\n"
    "a=rtpmap:126 telephone-event/8000\r\n"
)


def test_an_answer_has_the_sections_of_the_offer_in_their_order() -> None:
    video = RejectedSection("video", "UDP/TLS/RTP/SAVPF", ("96", "97"), "v")
    data, fax = (
        RejectedSection("application", "UDP/DTLS/SCTP", ("webrtc-datachannel",), "d"),
        RejectedSection("image", "UDPTL", ("t38",)),
    )
    offer = replace(parse(OURS), before=(video,), after=(data, fax), protocol="RTP/SAVPF")
    answer = answering(OURS, offer)
    assert [line for line in answer.splitlines() if line.startswith(("m=", "a=mid:"))] == [
        "m=video 0 UDP/TLS/RTP/SAVPF 96 97",
        "a=mid:v",
        "m=audio 39852 RTP/SAVPF 111 63 9 0 8 110 126",
        "a=mid:0",
        "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
        "a=mid:d",
        "m=image 0 UDPTL t38",
    ]
    assert parse(answer) == offer


def test_an_answer_to_an_offer_of_audio_alone_is_libwebrtcs() -> None:
    assert answering(OURS, parse(OURS)) == OURS


@pytest.mark.parametrize(
    ("preferred", "order"), [([], "111 63 9 0 8 110 126"), ([AudioCodec.PCMA], "8 111 63 9 0 110 126")]
)
def test_preferred_codecs_are_offered_first(preferred: list[AudioCodec], order: str) -> None:
    assert in_order(OURS, preferred) == OURS.replace("SAVPF 111 63 9 0 8 110 126\r\n", f"SAVPF {order}\r\n")


def test_the_remote_is_asked_for_a_packet_time_once() -> None:
    assert asking_for_ptime(OURS, 10).count("a=ptime:10\r\n") == 1
    assert asking_for_ptime(OURS, None) == OURS


@pytest.mark.parametrize("codecs", ["0 13", "13 0", "0 13 126"])
def test_comfort_noise_goes_without_a_trace(codecs: str) -> None:
    offer = OURS.replace("111 63 9 0 8 110 126", codecs).replace(
        "\r\na=rtpmap:111", "\r\na=rtpmap:13 CN/8000\r\na=rtpmap:111"
    )
    cleaned = without_comfort_noise(offer)
    assert f"m=audio 39852 UDP/TLS/RTP/SAVPF {' '.join(codecs.replace('13', '').split())}\r\n" in cleaned
    assert "CN/" not in cleaned


def test_what_libwebrtc_writes_is_read_and_written_again() -> None:
    assert parse(write(parse(OURS))) == parse(OURS)


OPUS = Codec(111, "opus", 48_000, 2, (("minptime", "10"), ("useinbandfec", "1")))
RED = Codec(63, "red", 48_000, 2, (("", "111/111"),))
G722, PCMU, PCMA = Codec(9, "G722", 8_000), Codec(0, "PCMU", 8_000), Codec(8, "PCMA", 8_000)
EVENTS = Codec(126, "telephone-event", 8_000)
OFFERED = (OPUS, RED, G722, PCMU, PCMA, EVENTS)
OPUS_AUDIO = AudioSection(OFFERED, "ufrag", "password", Fingerprint("sha-256", "00"), ptime=20, maxptime=60)


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


def test_codecs_that_the_remote_does_not_have_change_nothing() -> None:
    assert preferring((G722, PCMU), [AudioCodec.OPUS]) == (G722, PCMU)


def parameters_of(audio: AudioSection) -> dict[str, str]:
    return dict(next(codec for codec in audio.codecs if codec.name == "opus").parameters)


def test_opus_is_asked_for_what_the_call_wants() -> None:
    audio = with_opus(OPUS_AUDIO, OpusConfig(ptime=10, bitrate=24_000, complexity=3, fec=False, dtx=True), 16_000)
    assert parameters_of(audio) == {
        "minptime": "10",
        "useinbandfec": "0",
        "usedtx": "1",
        "maxaveragebitrate": "24000",
        "x-rate": "16000",
        "x-complexity": "3",
    }
    assert (audio.ptime, audio.maxptime) == (10, None)


def test_what_the_remote_can_take_is_not_exceeded() -> None:
    limited = replace(OPUS, parameters=(("maxaveragebitrate", "16000"),))
    audio = with_opus(replace(OPUS_AUDIO, codecs=(limited,)), OpusConfig(bitrate=64_000), 48_000)
    assert parameters_of(audio)["maxaveragebitrate"] == "16000"
    assert parameters_of(audio)["x-rate"] == "48000"


def test_without_a_wish_the_remotes_packet_time_stays() -> None:
    audio = with_opus(OPUS_AUDIO, OpusConfig(), 16_000)
    assert (audio.ptime, audio.maxptime) == (20, 60)


def test_redundancy_goes_before_what_it_carries_if_it_is_wanted() -> None:
    late = replace(OPUS_AUDIO, codecs=(PCMU, OPUS, G722, RED))
    wanted = [codec.name for codec in with_opus(late, OpusConfig(red=True), 16_000).codecs]
    assert wanted == ["PCMU", "red", "opus", "G722"]
    assert [codec.name for codec in with_opus(late, OpusConfig(), 16_000).codecs] == ["PCMU", "opus", "G722", "red"]


def test_a_call_without_opus_is_left_alone() -> None:
    audio = replace(OPUS_AUDIO, codecs=(PCMU, EVENTS))
    assert with_opus(audio, OpusConfig(ptime=10), 16_000) is audio
