from __future__ import annotations

import pytest

from telnyx_native.config import AudioCodec
from telnyx_native.media.codecs import preferring

OFFER = (
    "v=0\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 126\r\n"
    "a=rtpmap:111 opus/48000/2\r\n"
    "a=rtpmap:63 red/48000/2\r\n"
    "a=rtpmap:9 G722/8000\r\n"
    "a=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:8 pcma/8000\r\n"
    "a=rtpmap:126 telephone-event/8000\r\n"
)


@pytest.mark.parametrize(
    ("codecs", "order"),
    [
        ([], "111 63 9 0 8 126"),
        ([AudioCodec.PCMU], "0 111 63 9 8 126"),
        ([AudioCodec.PCMA, AudioCodec.OPUS], "8 111 63 9 0 126"),
        (list(AudioCodec), "111 9 0 8 63 126"),
    ],
)
def test_preferred_codecs_come_first(codecs, order):
    section = f"m=audio 9 UDP/TLS/RTP/SAVPF {order}\r\n"
    assert preferring(OFFER, codecs) == OFFER.replace("m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 126\r\n", section)


def test_codecs_that_the_far_end_does_not_have_change_nothing():
    offer = "m=audio 9 RTP/SAVPF 9 0\r\na=rtpmap:9 G722/8000\r\n"
    assert preferring(offer, [AudioCodec.OPUS]) == offer


def test_what_is_no_description_is_left_to_who_reads_it():
    assert preferring("junk", [AudioCodec.OPUS]) == "junk"
