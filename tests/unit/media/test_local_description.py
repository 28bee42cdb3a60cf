"""What libwebrtc says of this side, as the far end gets it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from telnyx_native.config import AudioCodec
from telnyx_native.media.local_description import answering, asking_for_ptime, in_order, without_comfort_noise
from telnyx_native.media.sdp import RejectedSection, parse, write

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


def test_the_far_end_is_asked_for_a_packet_time_once() -> None:
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
