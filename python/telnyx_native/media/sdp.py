"""What may reach libwebrtc from the network.

libwebrtc is built with its debug checks on: a description that no honest peer would send can trip one, and end the
process. So a description from outside is rebuilt here from the lines that a voice call needs, each in the form that the
standards give it (RFC 8866, 8839, 8122, 7587); everything else is left out. That includes header extensions and
congestion feedback: Telnyx's servers have neither, and one voice stream gains nothing from them but their cost.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from telnyx_native.errors import SdpError

if TYPE_CHECKING:
    from telnyx_native.config import OpusConfig

__all__ = ["asking_for_ptime", "check_candidate", "clean_description", "with_opus", "without_comfort_noise"]

MAX_DESCRIPTION = 64 * 1024
"""Characters; a browser's offer has about 3,000."""

MAX_LINES = 1000
MAX_SECTIONS = 4
MAX_PAYLOAD_TYPES = 64
MAX_CANDIDATE = 1024

NAME = r"[\w.!#$%&'*+^`{|}~-]{1,64}"
PAYLOAD_TYPE = r"(?:1[01]\d|12[0-7]|\d?\d)"
PACKET_TIME = r"(?:[1-9]0|1[012]0)"  # ms; what libwebrtc's encoders can make

LINES = re.compile(
    "|".join(
        (
            r"v=0",
            r"o=\S+ \d{1,20} \d{1,20} IN IP[46] \S{1,255}",
            r"s=.{0,255}",
            r"c=IN IP[46] [\w.:-]{1,255}",
            r"t=\d{1,20} \d{1,20}",
            rf"a=group:BUNDLE(?: {NAME}){{1,{MAX_SECTIONS}}}",
            r"a=(?:ice-lite|rtcp-mux|rtcp-rsize|end-of-candidates|sendrecv|sendonly|recvonly|inactive)",
            r"a=setup:(?:actpass|active|passive)",
            rf"a=mid:{NAME}",
            r"a=ice-ufrag:[\w+/-]{4,256}",
            r"a=ice-pwd:[\w+/-]{22,256}",
            r"a=ice-options:[\w+/ -]{1,256}",
            r"a=fingerprint:sha-(?:1|224|256|384|512) [0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){19,63}",
            r"a=candidate:[\w+/]{1,32} [12] \w{2,8} \d{1,10} \S{1,255} \d{1,5} typ \w{4,8}(?: [\w.:+/ -]{0,255})?",
            r"a=rtcp:\d{1,5}(?: IN IP[46] [\w.:-]{1,255})?",
            rf"a=rtpmap:{PAYLOAD_TYPE} [\w.-]{{1,32}}/\d{{4,6}}(?:/[12])?",
            rf"a=(?:ptime|maxptime):{PACKET_TIME}",
            r"a=ssrc:\d{1,10} cname:[\w+/={}@.-]{1,255}",
        )
    )
)
"""A line of a description is one of these, or it is left out."""

AUDIO_SECTION = re.compile(
    rf"m=audio (\d{{1,5}}) (?:UDP/TLS/)?RTP/SAVPF?((?: {PAYLOAD_TYPE}){{1,{MAX_PAYLOAD_TYPES}}})"
)
REJECTED_SECTION = re.compile(r"m=\w{1,32} 0 [\w/]{1,64} [\w -]{1,255}")
FORMAT = re.compile(rf"a=fmtp:({PAYLOAD_TYPE}) (.{{1,512}})")

FORMAT_PARAMETERS = re.compile(
    "|".join(
        (
            rf"(?:min|max|)ptime={PACKET_TIME}",
            r"(?:useinbandfec|usedtx|stereo|sprop-stereo|cbr)=[01]",
            r"(?:sprop-)?maxplaybackrate=(?:[89]\d{3}|[1-4]\d{4})",
            r"maxaveragebitrate=(?:[6-9]\d{3}|[1-9]\d{4}|[1-4]\d{5}|50\d{4})",
            rf"{PAYLOAD_TYPE}(?:/{PAYLOAD_TYPE}){{1,4}}",  # RED (RFC 2198)
            r"\d{1,3}(?:-\d{1,3})?(?:,\d{1,3}(?:-\d{1,3})?){0,16}",  # telephone-event (RFC 4733)
        )
    )
)


def clean_description(sdp: str) -> str:
    """Return the parts of a session description that a voice call needs.

    Raises:
        SdpError: It is no description of a voice call; says why.
    """
    if len(sdp) > MAX_DESCRIPTION:
        raise SdpError(f"a session description of {len(sdp)} characters is too long")
    lines = sdp.splitlines()
    if len(lines) > MAX_LINES:
        raise SdpError(f"a session description of {len(lines)} lines is too long")
    if not lines or lines[0] != "v=0":
        raise SdpError("a session description begins with v=0")
    sections = [line for line in lines if line.startswith("m=")]
    if not 1 <= len(sections) <= MAX_SECTIONS:
        raise SdpError(f"a voice call has one audio section, this description has {len(sections)} sections")
    audio = AUDIO_SECTION.fullmatch(sections[0])
    if not audio or int(audio[1]) > 65535 or not all(map(REJECTED_SECTION.fullmatch, sections[1:])):
        raise SdpError(f"a voice call is audio over secure RTP, this description has {sections}")
    if len(set(audio[2].split())) != len(audio[2].split()):
        raise SdpError("the audio section names a codec twice")
    return "".join(f"{cleaned}\r\n" for line in lines if (cleaned := _clean_line(line)))


def _clean_line(line: str) -> str | None:
    if line.startswith("m=") or LINES.fullmatch(line):
        return line
    if parameters := FORMAT.fullmatch(line):
        known = [p for p in re.split(r"\s*;\s*", parameters[2].strip()) if FORMAT_PARAMETERS.fullmatch(p)]
        return f"a=fmtp:{parameters[1]} {';'.join(known)}" if known else None
    return None


def with_opus(description: str, opus: OpusConfig, sample_rate: int) -> str:
    """Return a far end's description, so changed that libwebrtc encodes Opus for it as this call wants.

    libwebrtc makes its encoder as the far end's parameters ask (RFC 7587). What the far end asks beside the ones set
    here, such as a bitrate it can take, stays.

    Args:
        description: What `clean_description` returned.
        opus: How to encode.
        sample_rate: That of the application's audio: encoding has no use for more.
    """
    payload_type = _opus_payload_type(description)
    if payload_type is None:
        return description
    lines = description.splitlines()
    asked = next((line for line in lines if line.startswith(f"a=fmtp:{payload_type} ")), None)
    parameters = dict(p.partition("=")[::2] for p in asked.partition(" ")[2].split(";")) if asked else {}
    parameters |= {
        "useinbandfec": str(int(opus.fec)),
        "usedtx": str(int(opus.dtx)),
        "x-rate": str(16_000 if sample_rate <= 16_000 else 48_000),
        "x-complexity": str(opus.complexity),
    }
    if opus.bitrate is not None:
        limit = int(parameters.get("maxaveragebitrate", opus.bitrate))
        parameters["maxaveragebitrate"] = str(min(opus.bitrate, limit))
    wanted = f"a=fmtp:{payload_type} " + ";".join(f"{key}={value}" for key, value in parameters.items())
    lines = [line for line in lines if line != asked]
    after = next(i for i, line in enumerate(lines) if line.startswith(f"a=rtpmap:{payload_type} "))
    lines.insert(after + 1, wanted)
    if opus.red:
        lines = _preferring_red(lines, payload_type)
    if opus.ptime is not None:
        lines = [line for line in lines if not line.startswith(("a=ptime:", "a=maxptime:"))]
        lines.insert(after + 1, f"a=ptime:{opus.ptime}")
    return "".join(f"{line}\r\n" for line in lines)


def _preferring_red(lines: list[str], opus: str) -> list[str]:
    """Name RED, if the far end has it, just before the payload type `opus`: so it carries that."""
    red = next(
        (line[len("a=rtpmap:") :].split()[0] for line in lines if re.match(r"a=rtpmap:\d+ red/48000", line)), None
    )
    if red is None:
        return lines
    media = next(i for i, line in enumerate(lines) if line.startswith("m=audio "))
    types = [word for word in lines[media].split() if word != red]
    types.insert(types.index(opus, 3), red)
    return [*lines[:media], " ".join(types), *lines[media + 1 :]]


def asking_for_ptime(description: str, ptime: int | None) -> str:
    """Return our description with the wish for packets of `ptime` milliseconds; for the far end, not for libwebrtc."""
    if ptime is None:
        return description
    return re.sub(r"(?m)^(a=rtcp-mux\r?\n)", rf"\1a=ptime:{ptime}\r\n", description, count=1)


def _opus_payload_type(description: str) -> str | None:
    found = re.search(r"(?m)^a=rtpmap:(\d+) opus/48000", description)
    return found[1] if found else None


def without_comfort_noise(description: str) -> str:
    """Return a description without the CN codec (RFC 3389).

    With it, G.711 and G.722 calls send nothing during silence, and the far end's jitter buffer stretches the first
    words after each pause.
    """
    for number in {"13", *re.findall(r"(?m)^a=rtpmap:(\d+) CN/", description)}:  # 13 needs no line to be CN
        description = re.sub(rf"(?m)^a=(?:rtpmap|fmtp):{number} .*\r?\n", "", description)
        description = re.sub(rf"(?m)^(m=audio .*) {number}(?= |\r?$)", r"\1", description)
    return description


def check_candidate(candidate: str, sdp_mid: str, sdp_mline_index: int) -> str:
    """Return `candidate` as libwebrtc reads it: with `candidate:` before it, and without `a=`.

    Raises:
        SdpError: It is no ICE candidate of a voice call.
    """
    candidate = "candidate:" + candidate.removeprefix("a=").removeprefix("candidate:").strip()
    if len(candidate) > MAX_CANDIDATE or not LINES.fullmatch(f"a={candidate}"):
        raise SdpError("an ICE candidate is one line that begins with candidate:")
    if not 0 <= sdp_mline_index < MAX_SECTIONS or not re.fullmatch(rf"(?:{NAME})?", sdp_mid):
        raise SdpError(f"an ICE candidate for section {sdp_mline_index}, which no call has")
    return candidate
