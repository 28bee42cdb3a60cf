"""Session descriptions as real senders write them, made of plain ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

VIDEO = "m=video 20200 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:v\r\na=rtpmap:96 VP8/90000\r\na=sendrecv\r\n"
DATA = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\na=sctp-port:5000\r\n"
FAX = "m=image 20300 udptl t38\r\na=T38FaxVersion:0\r\n"
SECOND_AUDIO = "m=audio 20400 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"


def _capitals(sdp: str) -> str:
    sdp = re.sub(r"(opus|PCMU|PCMA|G722|telephone-event|red)/", lambda name: name[0].swapcase(), sdp)
    sdp = re.sub(r"a=setup:\w+", lambda line: line[0].upper().replace("A=", "a="), sdp)
    return sdp.replace("sha-256", "SHA-256")


def _spacious(sdp: str) -> str:
    lines = re.sub(r"a=(rtpmap|fmtp|mid|setup):", r"a=\1: ", sdp).replace("s=-", "s=" + 500 * "x").split("\r\n")
    return "\ufeff" + "\r\n".join(f"{line} \r\n" for line in lines)


def _of_the_session(sdp: str) -> str:
    transport = re.findall(r"a=(?:ice-ufrag|ice-pwd|fingerprint|setup):[^\r\n]*\r\n", sdp)
    for line in transport:
        sdp = sdp.replace(line, "")
    return sdp.replace("t=0 0\r\n", "t=0 0\r\n" + "".join(transport))


def _of_several_sections(sdp: str) -> str:
    sdp = re.sub(r"a=group:BUNDLE (\S+)", r"a=group:BUNDLE v \1 d", sdp)
    return sdp.replace("m=audio", VIDEO + "m=audio") + DATA + FAX + SECOND_AUDIO


OFFER = (
    "v=0\r\n"
    "o=- 1 1 IN IP4 127.0.0.1\r\n"
    "s=-\r\n"
    "t=0 0\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"
    "a=ice-ufrag:abcd\r\n"
    "a=ice-pwd:abcdefghijklmnopqrstuv\r\n"
    f"a=fingerprint:sha-256 {':'.join(32 * ['7F'])}\r\n"
    "a=setup:actpass\r\n"
    "a=rtcp-mux\r\n"
)
"""The least that an offer of a call says, for remote sides whose media is a stand-in."""

SHAPES: dict[str, Callable[[str], str]] = {
    "capitals": _capitals,
    "spacious": _spacious,
    "transport of the session": _of_the_session,
    "several sections": _of_several_sections,
    "plain profile": lambda sdp: sdp.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
    "TCP profile": lambda sdp: sdp.replace("UDP/TLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVP"),
    "payload type twice": lambda sdp: re.sub(r"(m=audio \d+ \S+ (\d+)[^\r]*)", r"\1 \2", sdp),
    "no mid, no group": lambda sdp: re.sub(r"a=(?:mid|group):?[^\r]*\r\n", "", sdp),
    "900 candidates": lambda sdp: sdp.rstrip() + "\r\n" + "".join(
        f"a=candidate:{n} 1 udp {n} 127.0.0.1 {1024 + n} typ host\r\n" for n in range(900)
    ),
}  # fmt: skip
"""What real senders do, by name; each keeps what the description says of the audio."""


def without_audio(sdp: str) -> str:
    """The description with port 0 for the audio: rejected."""
    return re.sub(r"m=audio \d+", "m=audio 0", sdp)
