"""What the field sends as a session description, and what is made of it."""

from __future__ import annotations

import re
import string
import time
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telnyx_native.errors import SdpError
from telnyx_native.media.sdp import (
    MAX_CANDIDATES,
    MAX_MID,
    SPELLINGS,
    AudioSection,
    Candidate,
    Codec,
    Description,
    Fingerprint,
    RejectedSection,
    parse,
    parse_candidate,
    write,
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

DIGEST = "3A:91:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:3A:91:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD"

PARSED = Description(
    AudioSection(
        codecs=(
            Codec(111, "opus", 48_000, 2, (("useinbandfec", "1"), ("minptime", "10"))),
            Codec(110, "telephone-event", 48_000, 1, (("", "0-16"),)),
        ),
        ice_ufrag="kQ7mZp2RtXw9LbVc",
        ice_pwd="n4Jd8sYhQe1TzUo6GiBxPfRa",
        fingerprint=Fingerprint("sha-256", DIGEST),
        mid="0",
        setup="passive",
        ptime=20,
        source=(1414213562, "hT5cWq0MxZr8EyNd"),
        candidates=(Candidate("2718281828", "udp", 2130706431, "198.51.100.20", 20114, "host", generation=0),),
    ),
    protocol="RTP/SAVPF",
)

MEDIA_LINE = "m=audio 20114 RTP/SAVPF 111 110\n"
FINGERPRINT_LINE = f"a=fingerprint:sha-256 {DIGEST}\n"
SHA_1_LINE = f"a=fingerprint:sha-1 {DIGEST[:59]}\n"


def changed(old: str, new: str) -> str:
    assert old in FREESWITCH
    return FREESWITCH.replace(old, new)


def without(*lines: str) -> str:
    text = FREESWITCH
    for line in lines:
        assert line in text
        text = text.replace(line, "")
    return text


def at_session_level(*lines: str) -> str:
    return without(*lines).replace("t=0 0\n", "t=0 0\n" + "".join(lines))


def test_a_description_is_read() -> None:
    assert parse(FREESWITCH) == PARSED


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(FREESWITCH.replace("\n", "\r\n"), id="CRLF"),
        pytest.param(FREESWITCH.replace("\n", "\r"), id="CR"),
        pytest.param("\ufeff" + FREESWITCH, id="byte-order mark"),
        pytest.param(FREESWITCH.replace("\n", "\n\n"), id="blank lines"),
        pytest.param("\n\n" + FREESWITCH, id="blank lines first"),
        pytest.param(FREESWITCH.replace("\n", " \t\n"), id="white space at line ends"),
        pytest.param(FREESWITCH.replace("a=", " a = "), id="white space around the equals sign"),
        pytest.param(re.sub(r"(?m)^(a=[\w-]+):", r"\1: ", FREESWITCH), id="white space after colons"),
        pytest.param(changed("rtpmap:111 opus", "rtpmap: 111   opus"), id="white space in rtpmap"),
        pytest.param(changed("opus/48000/2", "opus / 48000 / 2"), id="white space around slashes"),
        pytest.param(changed("m=audio 20114 RTP", "m=audio  20114\tRTP"), id="white space in the media line"),
        pytest.param(changed("useinbandfec=1; minptime=10", " useinbandfec = 1 ;; minptime=10 ; "), id="fmtp spacing"),
        pytest.param(changed("s=FreeSWITCH", "s=" + 1000 * "x"), id="long subject"),
        pytest.param(changed("s=FreeSWITCH", "s="), id="no subject"),
        pytest.param(changed("s=FreeSWITCH", "s=Gespräch ☎ \x00"), id="odd subject"),
        pytest.param(without("s=FreeSWITCH\n"), id="no subject line"),
        pytest.param(changed("o=FreeSWITCH 17", "o=Free SWITCH 17"), id="white space in the origin"),
        pytest.param(changed("c=IN IP4 198.51.100.20", "c=IN IP6 2001:db8::1"), id="IPv6"),
        pytest.param(changed("a=setup:passive", "a=setup:PASSIVE"), id="setup in capitals"),
        pytest.param(changed("a=setup:passive", "a=SETUP:Passive"), id="attribute in capitals"),
        pytest.param(changed("m=audio", "M=Audio"), id="media in capitals"),
        pytest.param(changed("sha-256", "SHA-256"), id="hash in capitals (RFC 8122, 5)"),
        pytest.param(changed(DIGEST, DIGEST.lower()), id="digest in lower case"),
        pytest.param(changed("opus/", "OPUS/"), id="encoding in capitals (RFC 4855)"),
        pytest.param(changed("telephone-event/", "Telephone-Event/"), id="events in capitals"),
        pytest.param(changed("useinbandfec", "UseInbandFEC"), id="parameter in capitals"),
        pytest.param(changed("typ host", "TYP HOST"), id="candidate in capitals"),
        pytest.param(changed("1 udp", "1 UDP"), id="UDP in capitals"),
        pytest.param(changed("a=candidate:", "a=Candidate:"), id="candidate attribute in capitals"),
        pytest.param(changed("RTP/SAVPF", "rtp/savpf"), id="profile in lower case"),
        pytest.param(changed("20114 RTP", "20114/2 RTP"), id="number of ports"),
        pytest.param(changed("a=rtcp-mux\n", "a=rtcp-mux-only\n"), id="RTCP on this port only (RFC 8858)"),
        pytest.param(changed("111 110\n", "111 110 111\n"), id="payload type twice"),
        pytest.param(changed("111 110\n", "111 97 110\n"), id="payload type without a codec"),
        pytest.param(changed("111 110\n", "111 x 300 -1 110\n"), id="payload types that are none"),
        pytest.param(FREESWITCH + "a=rtpmap:111 PCMU/8000\n", id="codec twice: the first"),
        pytest.param(FREESWITCH + "a=extmap:1 urn:x\na=rtcp-fb:111 nack\nb=AS:0\nz=0 0\nx\n=\n", id="unknown lines"),
        pytest.param(changed("t=0 0\n", "t=0 0\na=tool:x\nk=clear\nr=1\ni=\ne=\np=\nu=\n"), id="more of the session"),
        pytest.param(FREESWITCH + f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{40 * 'A'}\n", id="SDES beside DTLS"),
        pytest.param(changed(FINGERPRINT_LINE, f"a=fingerprint:sha-1 {DIGEST[:59]}\n" + FINGERPRINT_LINE), id="sha-1"),
        pytest.param(
            changed(FINGERPRINT_LINE, FINGERPRINT_LINE + f"a=fingerprint:sha-1 {DIGEST[:59]}\n"), id="sha-1 2"
        ),
        pytest.param(changed(FINGERPRINT_LINE, FINGERPRINT_LINE + "a=fingerprint:md5 00:11\n"), id="unknown hash"),
        pytest.param(at_session_level(FINGERPRINT_LINE, "a=setup:passive\n"), id="fingerprint of the session"),
        pytest.param(
            at_session_level("a=ice-ufrag:kQ7mZp2RtXw9LbVc\n", "a=ice-pwd:n4Jd8sYhQe1TzUo6GiBxPfRa\n"),
            id="ICE of the session",
        ),
        pytest.param(at_session_level("a=sendrecv\n"), id="direction of the session"),
        pytest.param(changed("a=sendrecv\n", ""), id="no direction"),
        pytest.param(changed("a=ptime:20\n", "a=ptime:15\na=ptime:20\n"), id="packet time that nobody can make"),
        pytest.param(FREESWITCH + "a=candidate:1 2 udp 1 198.51.100.20 20115 typ host\n", id="candidate for RTCP"),
        pytest.param(FREESWITCH + "a=candidate:1 1 udp 1 evil.example 20115 typ host\n", id="candidate with a name"),
        pytest.param(FREESWITCH + "a=candidate:1 1 udp 1 f3.local 20115 typ host\n", id="candidate with a local name"),
        pytest.param(FREESWITCH + "a=candidate:\na=candidate:1 1 udp\n", id="candidates that are none"),
        pytest.param(
            "\n".join([*FREESWITCH.splitlines()[:7], *reversed(FREESWITCH.splitlines()[7:])]),
            id="another order",
        ),
    ],
)
def test_another_way_to_write_it_is_read_as_the_same(text: str) -> None:
    assert parse(text) == PARSED


@pytest.mark.parametrize(
    "protocol",
    [
        "RTP/AVP",
        "RTP/AVPF",
        "RTP/SAVP",
        "RTP/SAVPF",
        "UDP/TLS/RTP/SAVP",
        "UDP/TLS/RTP/SAVPF",
        "TCP/DTLS/RTP/SAVP",
        "TCP/DTLS/RTP/SAVPF",
    ],
)
def test_profiles_with_a_fingerprint_are_taken(protocol: str) -> None:
    """RFC 8829, 5.1.2. libwebrtc is told of the one it speaks."""
    parsed = parse(changed("RTP/SAVPF", protocol))
    assert parsed == replace(PARSED, protocol=protocol)
    assert "m=audio 9 UDP/TLS/RTP/SAVPF 111 110\r\n" in write(parsed.alone)


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("pcmu/8000", "PCMU"), ("PCMA/8000/1", "PCMA"), ("g722/8000", "G722"), ("Opus/48000", "opus")],
)
def test_codecs_get_their_usual_name(encoding: str, name: str) -> None:
    (codec, _) = parse(changed("opus/48000/2", encoding)).audio.codecs
    assert (codec.name, codec.channels) == (name, 2 if name == "opus" else 1)


def test_static_payload_types_need_no_name() -> None:
    codecs = parse(changed("111 110", "0 8 9 13 3")).audio.codecs
    assert [codec.name for codec in codecs] == ["PCMU", "PCMA", "G722"]


def test_several_opus_stay_several() -> None:
    text = changed("111 110", "111 96 110") + "a=rtpmap:96 opus/48000/2\na=fmtp:96 stereo=1\n"
    assert [codec.payload_type for codec in parse(text).audio.codecs] == [111, 96, 110]


@pytest.mark.parametrize("fmtp", ["", "a=fmtp:63 111/111\n", "a=fmtp:63 111/99\n", "a=fmtp:63 111\n"])
def test_redundancy_is_of_payload_types_that_are_there(fmtp: str) -> None:
    text = changed("111 110", "111 63 110") + "a=rtpmap:63 RED/48000/2\n" + fmtp
    (red,) = [codec for codec in parse(text).audio.codecs if codec.name == "red"]
    assert red.parameters == ((("", "111/111"),) if "111/111" in fmtp else ())


@pytest.mark.parametrize(
    "parameters",
    ["x-rate=1", "x-complexity=99", "maxaveragebitrate=0", "ptime=0", "stereo=2", "maxplaybackrate=1", "minptime=-1"],
)
def test_parameters_that_make_no_sense_are_left_out(parameters: str) -> None:
    text = changed("useinbandfec=1; minptime=10", parameters)
    assert parse(text).audio.codecs[0].parameters == ()


VIDEO = "m=video 20200 UDP/TLS/RTP/SAVPF 96 97\na=mid:v\na=rtpmap:96 VP8/90000\na=sendrecv\na=ice-ufrag:abcdefg\n"
DATA = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:d\na=sctp-port:5000\n"
FAX = "m=image 20300 udptl t38\na=T38FaxVersion:0\n"
SECOND_AUDIO = "m=audio 20400 RTP/AVP 0\na=rtpmap:0 PCMU/8000\n"

OF_VIDEO = RejectedSection("video", "UDP/TLS/RTP/SAVPF", ("96", "97"), "v")
OF_DATA = RejectedSection("application", "UDP/DTLS/SCTP", ("webrtc-datachannel",), "d")
OF_FAX = RejectedSection("image", "UDPTL", ("t38",))
OF_SECOND_AUDIO = RejectedSection("audio", "RTP/AVP", ("0",))


@pytest.mark.parametrize(
    ("before", "after", "rejected_before", "rejected_after"),
    [
        ("", VIDEO, (), (OF_VIDEO,)),
        (VIDEO, "", (OF_VIDEO,), ()),
        (DATA, FAX, (OF_DATA,), (OF_FAX,)),
        ("", SECOND_AUDIO, (), (OF_SECOND_AUDIO,)),
        (SECOND_AUDIO, "", (OF_SECOND_AUDIO,), ()),
        (FAX + VIDEO, DATA + SECOND_AUDIO, (OF_FAX, OF_VIDEO), (OF_DATA, OF_SECOND_AUDIO)),
    ],
)
def test_what_is_no_use_for_a_call_keeps_its_place(
    before: str, after: str, rejected_before: tuple[RejectedSection], rejected_after: tuple[RejectedSection]
) -> None:
    """RFC 3264, 6. An audio section without encryption is none that can be had."""
    parsed = parse(changed("m=audio", before + "m=audio") + after)
    assert parsed == replace(PARSED, before=rejected_before, after=rejected_after)
    assert parse(write(parsed)) == parsed
    assert write(parsed.alone).count("m=") == 1


BUNDLED = changed("t=0 0\n", "t=0 0\na=group:BUNDLE v 0 d\n")
TRANSPORT = [
    "a=ice-ufrag:kQ7mZp2RtXw9LbVc\n",
    "a=ice-pwd:n4Jd8sYhQe1TzUo6GiBxPfRa\n",
    FINGERPRINT_LINE,
    "a=setup:passive\n",
    "a=candidate:2718281828 1 udp 2130706431 198.51.100.20 20114 typ host generation 0\n",
]


def test_bundled_audio_uses_the_transport_of_the_first_section() -> None:
    """RFC 8843, 7.1: the others have port 0, and attributes of their own media only."""
    text = changed("t=0 0\n", "t=0 0\na=group:BUNDLE v 0\n")
    for line in TRANSPORT:
        text = text.replace(line, "")
    text = text.replace("m=audio 20114 RTP/SAVPF", "m=audio 0 UDP/TLS/RTP/SAVPF") + "a=bundle-only\n"
    text = text.replace("m=audio", VIDEO.replace("a=ice-ufrag:abcdefg\n", "") + "".join(TRANSPORT) + "m=audio")
    expected = replace(PARSED, protocol="UDP/TLS/RTP/SAVPF", before=(OF_VIDEO,), bundled=("v", "0"))
    assert parse(text) == expected
    assert "a=group:BUNDLE 0\r\n" in write(expected.alone)


def test_bundled_audio_has_the_candidates_of_the_transport() -> None:
    """A browser writes the ICE user name into every section, the candidates into the first."""
    *credentials, candidate = TRANSPORT
    text = changed("t=0 0\n", "t=0 0\na=group:BUNDLE v 0\n").replace(candidate, "")
    video = VIDEO.replace("a=ice-ufrag:abcdefg\n", "") + "".join(credentials) + candidate
    parsed = parse(text.replace("m=audio", video + "m=audio"))
    assert parsed == replace(PARSED, before=(OF_VIDEO,), bundled=("v", "0"))


def test_a_group_that_the_audio_is_not_in_is_none() -> None:
    assert parse(changed("t=0 0\n", "t=0 0\na=group:BUNDLE v d\na=group:LS 0\n")) == PARSED


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no audio"),
        ("v=0", "no audio"),
        ("\x00" * 1000, "no audio"),
        (VIDEO, "no audio"),
        (changed("m=audio 20114", "m=audio 0"), "rejects audio"),
        (changed("m=audio 20114", "m=audio 00"), "rejects audio"),
        (changed("m=audio 20114", "m=audio 0") + VIDEO, "rejects audio"),
        (changed("RTP/SAVPF", "TCP/MRCPv2"), "secure RTP"),
        (changed("111 110", "110"), "no codec in common"),
        (changed("opus", "speex"), "no codec in common"),
        (without(FINGERPRINT_LINE), "no DTLS fingerprint"),
        (changed(DIGEST, DIGEST[:-3]), "no DTLS fingerprint"),
        (without("a=ice-ufrag:kQ7mZp2RtXw9LbVc\n"), "no usable ICE"),
        (changed("n4Jd8sYhQe1TzUo6GiBxPfRa", "short"), "no usable ICE"),
        ("m=audio\n", "makes no sense"),
        (changed("a=mid:0", "a=mid:" + 17 * "9"), "more than 16 characters"),
        (300_000 * "x", "300,000 characters"),
        (10_000 * "a=\n", "5,000 lines"),
        (FREESWITCH + 70 * FAX, "71 sections"),
    ],
)
def test_what_cannot_be_a_call_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(SdpError, match=why):
        parse(text)


def test_candidates_are_bounded() -> None:
    lines = [f"a=candidate:{n} 1 udp {n} 198.51.100.7 {1024 + n} typ host\n" for n in range(900)]
    parsed = parse(FREESWITCH + "".join(lines))
    assert len(parsed.audio.candidates) == MAX_CANDIDATES == 64
    assert parsed.dropped_candidates == 901 - 64


@pytest.mark.timed
def test_the_longest_description_is_read_in_no_time() -> None:
    unit = "a=fmtp:111 " + 200 * ";" + "\na=rtpmap:111" + 200 * " " + "\na=candidate:" + 400 * "1 " + "\n"
    text = FREESWITCH + unit * ((256 * 1024 - len(FREESWITCH)) // len(unit))
    begun = time.process_time()
    parse(text)
    assert time.process_time() - begun < 1


@given(st.text(max_size=300))
def test_no_text_gets_through_by_being_odd(text: str) -> None:
    with pytest.raises(SdpError):
        parse(text)


@given(st.lists(st.tuples(st.integers(0, 24), st.text(max_size=60)), max_size=8))
def test_what_libwebrtc_gets_is_always_plain(odd: list[tuple[int, str]]) -> None:
    lines = FREESWITCH.splitlines()
    for where, text in odd:
        lines.insert(1 + where, text)
    try:
        written = write(parse("\r\n".join(lines)).alone)
    except SdpError:
        return
    assert all(line.isascii() and line.isprintable() for line in written.splitlines())
    assert parse(written) == parse("\r\n".join(lines)).alone


# --- whatever can be described is written and read as it is ---------------------------------------------------

ICE_CHARACTERS = string.ascii_letters + string.digits + "+/"
tokens = st.text(string.ascii_letters + string.digits + "-_.", min_size=1, max_size=12)
ufrags = st.text(ICE_CHARACTERS, min_size=4, max_size=32)
packet_times = st.none() | st.sampled_from(range(10, 121, 10))
addresses = st.ip_addresses().filter(lambda address: not (address.is_unspecified or address.is_multicast)).map(str)
ports = st.integers(0, 65535)


@st.composite
def codecs(draw: st.DrawFn) -> tuple[Codec, ...]:
    numbers = draw(st.lists(st.integers(0, 63) | st.integers(96, 127), min_size=1, max_size=8, unique=True))
    kinds = [("opus", 48_000), *draw(st.lists(st.sampled_from(sorted(SPELLINGS)), min_size=len(numbers) - 1))]
    return tuple(draw(codec(number, kind, numbers)) for number, kind in zip(numbers, kinds, strict=False))


def codec(number: int, kind: tuple[str, int], numbers: list[int]) -> st.SearchStrategy[Codec]:
    name, channels = SPELLINGS[kind]
    flag = st.sampled_from("01")
    parameters: st.SearchStrategy[tuple[tuple[str, str], ...]] = st.just(())
    match name:
        case "opus":
            known = {"useinbandfec": flag, "stereo": flag, "maxaveragebitrate": st.integers(6000, 510_000).map(str)}
            parameters = st.fixed_dictionaries({}, optional=known).map(lambda found: tuple(found.items()))
        case "red":
            carried = st.lists(st.sampled_from(numbers), min_size=2, max_size=5)
            parameters = carried.map(lambda found: (("", "/".join(map(str, found))),))
        case "telephone-event":
            parameters = st.sampled_from([(), (("", "0-16"),), (("", "0-15,66,70"),)])
    return st.builds(Codec, st.just(number), st.just(name), st.just(kind[1]), st.just(channels), parameters)


candidates = st.builds(
    Candidate,
    foundation=st.text(ICE_CHARACTERS, min_size=1, max_size=32),
    protocol=st.just("udp"),
    priority=st.integers(0, 2**32 - 1),
    address=addresses,
    port=ports,
    type=st.sampled_from(["host", "srflx", "prflx", "relay"]),
    related=st.none() | st.tuples(addresses, ports),
    generation=st.none() | st.integers(0, 2**31 - 1),
    ufrag=st.none() | ufrags,
)
rejected = st.builds(
    RejectedSection,
    media=st.sampled_from(["video", "application", "image", "message", "audio"]),
    protocol=st.sampled_from(["UDP/TLS/RTP/SAVPF", "UDPTL", "UDP/DTLS/SCTP", "TCP/MSRP"]),
    formats=st.lists(tokens, min_size=1, max_size=4).map(tuple),
    mid=st.none() | tokens,
)
audio_sections = st.builds(
    AudioSection,
    codecs=codecs(),
    ice_ufrag=ufrags,
    ice_pwd=st.text(ICE_CHARACTERS, min_size=22, max_size=32),
    fingerprint=st.binary(min_size=32, max_size=32).map(lambda digest: Fingerprint("sha-256", digest.hex(":").upper())),
    mid=st.none() | tokens.map(lambda token: token[:MAX_MID]),
    setup=st.sampled_from([None, "actpass", "active", "passive"]),
    direction=st.sampled_from(["sendrecv", "sendonly", "recvonly", "inactive"]),
    ice_options=st.lists(st.text(ICE_CHARACTERS, min_size=1, max_size=12), max_size=4, unique=True).map(tuple),
    ptime=packet_times,
    maxptime=packet_times,
    rtcp_mux=st.booleans(),
    rtcp_rsize=st.booleans(),
    source=st.none() | st.tuples(st.integers(0, 2**32 - 1), tokens),
    candidates=st.lists(candidates, max_size=6, unique=True).map(tuple),
)


@st.composite
def descriptions(draw: st.DrawFn) -> Description:
    audio = draw(audio_sections)
    bundled = () if audio.mid is None else draw(st.sampled_from([(), (audio.mid,)]))
    return Description(
        audio,
        protocol=draw(st.sampled_from(["UDP/TLS/RTP/SAVPF", "RTP/AVP", "TCP/DTLS/RTP/SAVP"])),
        before=tuple(draw(st.lists(rejected, max_size=3))),
        after=tuple(draw(st.lists(rejected, max_size=3))),
        bundled=bundled,
        ice_lite=draw(st.booleans()),
    )


@given(descriptions())
def test_what_is_written_is_read_as_it_was(description: Description) -> None:
    assert parse(write(description)) == description


# --- candidates ---------------------------------------------------------------------------

REFLEXIVE = "842163049 1 udp 1677729535 203.0.113.9 46154 typ srflx raddr 10.0.0.5 rport 46154 generation 0"


@pytest.mark.parametrize("prefix", ["", "candidate:", "a=candidate:", "A=CANDIDATE:", " a=candidate: "])
def test_candidates_are_brought_into_one_form(prefix: str) -> None:
    assert str(parse_candidate(prefix + REFLEXIVE)) == "candidate:" + REFLEXIVE


def test_what_is_unknown_of_a_candidate_is_left_out() -> None:
    extended = REFLEXIVE + " network-id 3 network-cost 10 x-new 1 ufrag abcd odd"
    assert str(parse_candidate(extended)) == f"candidate:{REFLEXIVE} ufrag abcd"


@pytest.mark.parametrize(
    "address", ["evil.example", "a.local", "localhost", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "fe80::1%eth0", "1"]
)
def test_an_address_is_one_and_never_a_name(address: str) -> None:
    with pytest.raises(SdpError):
        parse_candidate(f"candidate:1 1 udp 1 {address} 5000 typ host")


@pytest.mark.parametrize("address", [IPv4Address("127.0.0.1"), IPv4Address("10.0.0.1"), IPv6Address("2001:db8::1")])
def test_addresses_of_any_network_are_taken(address: object) -> None:
    assert parse_candidate(f"candidate:1 1 udp 1 {address} 5000 typ host").address == str(address)


def test_a_candidate_is_written_with_all_that_it_has() -> None:
    relayed = Candidate("1", "tcp", 7, "192.0.2.1", 9, "relay", ("192.0.2.2", 5000), "active", 3, "abcd")
    assert str(relayed) == (
        "candidate:1 1 tcp 7 192.0.2.1 9 typ relay raddr 192.0.2.2 rport 5000 tcptype active generation 3 ufrag abcd"
    )
