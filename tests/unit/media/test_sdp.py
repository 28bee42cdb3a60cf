"""Descriptions from outside, and what is asked of the codec in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_native.config import OpusConfig
from telnyx_native.errors import SdpError
from telnyx_native.media.sdp import (
    asking_for_ptime,
    check_candidate,
    clean_description,
    with_opus,
    without_comfort_noise,
)

# As Telnyx's servers write it: FreeSWITCH, one codec, no BUNDLE group.
FREESWITCH = """\
v=0
o=FreeSWITCH 1700000101 1700000102 IN IP4 198.51.100.20
s=FreeSWITCH
c=IN IP4 198.51.100.20
t=0 0
a=msid-semantic: WMS Ab3
m=audio 20114 RTP/SAVPF 111 110
a=rtpmap:111 opus/48000/2
a=fmtp:111 useinbandfec=1; minptime=10
a=rtpmap:110 telephone-event/48000
a=fmtp:110 0-16
a=silenceSupp:off - - - -
a=ptime:20
a=sendrecv
a=mid:0
a=fingerprint:sha-256 3A:91:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:3A:91:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD
a=setup:passive
a=rtcp-mux
a=rtcp:20114 IN IP4 198.51.100.20
a=ice-ufrag:kQ7mZp2RtXw9LbVc
a=ice-pwd:n4Jd8sYhQe1TzUo6GiBxPfRa
a=candidate:2718281828 1 udp 2130706431 198.51.100.20 20114 typ host generation 0
a=end-of-candidates
a=ssrc:1414213562 cname:hT5cWq0MxZr8EyNd
a=ssrc:1414213562 msid:Ab3 a0
"""

LEFT_OUT = {"a=msid-semantic: WMS Ab3", "a=silenceSupp:off - - - -", "a=ssrc:1414213562 msid:Ab3 a0"}


def test_what_a_voice_call_needs_stays_and_the_rest_goes() -> None:
    cleaned = clean_description(FREESWITCH).splitlines()
    expected = [line for line in FREESWITCH.splitlines() if line not in LEFT_OUT]
    assert cleaned == [line.replace("; ", ";") for line in expected]


def test_lines_end_as_the_standard_has_it() -> None:
    assert clean_description(FREESWITCH).count("\r\n") == clean_description(FREESWITCH).count("\n")


@pytest.mark.parametrize(
    "line",
    [
        "a=setup:holdconn",
        "a=ptime:0",
        "a=ptime:15",
        "a=rtpmap:300 opus/48000/2",
        "a=fmtp:111 x-rate=1;x-complexity=99",
        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        "a=rtcp-fb:111 transport-cc",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA",
        "a=candidate:1 1 udp 1 127.0.0.1 99999999 typ host",
        "b=AS:0",
    ],
)
def test_a_line_of_another_form_is_left_out(line: str) -> None:
    assert line not in clean_description(FREESWITCH + line + "\n")


@given(st.text(max_size=300))
def test_no_text_gets_through_by_being_odd(text: str) -> None:
    with pytest.raises(SdpError):
        clean_description(text)


@given(st.lists(st.tuples(st.integers(0, 24), st.text(max_size=60)), max_size=8))
def test_odd_lines_in_between_never_get_through(odd: list[tuple[int, str]]) -> None:
    lines = FREESWITCH.splitlines()
    for where, text in odd:
        lines.insert(1 + where, text)
    try:
        cleaned = clean_description("\r\n".join(lines))
    except SdpError:
        return
    assert all(line.isascii() and line.isprintable() for line in cleaned.splitlines())


def parameters_of(sdp: str) -> dict[str, str]:
    line = next(line for line in sdp.splitlines() if line.startswith("a=fmtp:111 "))
    return dict(parameter.split("=") for parameter in line.split(" ")[1].split(";"))


def test_opus_is_asked_for_what_the_call_wants() -> None:
    opus = OpusConfig(ptime=10, bitrate=24_000, complexity=3, fec=False, dtx=True)
    sdp = with_opus(clean_description(FREESWITCH), opus, 16_000)
    assert parameters_of(sdp) == {
        "minptime": "10",
        "useinbandfec": "0",
        "usedtx": "1",
        "maxaveragebitrate": "24000",
        "x-rate": "16000",
        "x-complexity": "3",
    }
    assert [line for line in sdp.splitlines() if line.startswith("a=ptime")] == ["a=ptime:10"]


def test_what_the_far_end_can_take_is_not_exceeded() -> None:
    description = FREESWITCH.replace("minptime=10", "minptime=10;maxaveragebitrate=16000")
    sdp = with_opus(clean_description(description), OpusConfig(bitrate=64_000), 48_000)
    assert parameters_of(sdp)["maxaveragebitrate"] == "16000"
    assert parameters_of(sdp)["x-rate"] == "48000"


def test_without_a_wish_the_far_ends_packet_time_stays() -> None:
    description = clean_description(FREESWITCH.replace("ptime:20", "ptime:40"))
    assert "a=ptime:40" in with_opus(description, OpusConfig(), 16_000)
    assert asking_for_ptime(description, None) == description


def test_a_call_without_opus_is_left_alone() -> None:
    description = clean_description(FREESWITCH.replace("opus/48000/2", "L16/48000"))
    assert with_opus(description, OpusConfig(ptime=10), 16_000) == description


def test_the_far_end_is_asked_for_a_packet_time_once() -> None:
    assert asking_for_ptime(clean_description(FREESWITCH), 10).count("a=ptime:10\r\n") == 1


@pytest.mark.parametrize("codecs", ["0 13", "13 0", "0 13 126"])
def test_comfort_noise_goes_without_a_trace(codecs: str) -> None:
    description = FREESWITCH.replace("111 110", codecs).replace("\na=rtpmap:111", "\na=rtpmap:13 CN/8000\na=rtpmap:111")
    cleaned = without_comfort_noise(clean_description(description))
    assert f"m=audio 20114 RTP/SAVPF {codecs.replace('13', '').replace('  ', ' ').strip()}\r\n" in cleaned
    assert "CN" not in cleaned.replace("IN", "")


@pytest.mark.parametrize("prefix", ["", "candidate:", "a=candidate:"])
def test_candidates_are_brought_into_one_form(prefix: str) -> None:
    rest = "842163049 1 udp 1677729535 203.0.113.9 46154 typ srflx raddr 10.0.0.5 rport 46154 generation 0"
    assert check_candidate(prefix + rest, "0", 0) == "candidate:" + rest
