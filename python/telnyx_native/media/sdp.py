"""What may reach libwebrtc from the network.

libwebrtc is built with its debug checks on: a description or candidate that no honest peer would send could trip one
and end the process. So what comes from outside is looked at here first.
"""

from __future__ import annotations

from telnyx_native.errors import SdpError

__all__ = ["check_candidate", "check_description"]

MAX_DESCRIPTION = 64 * 1024
"""Characters; a browser's offer has about 3,000."""

MAX_LINES = 1000
MAX_SECTIONS = 4
MAX_CANDIDATE = 1024
MAX_MID = 64


def check_description(sdp: str) -> str:
    """Return `sdp` if it is a plausible session description for a voice call.

    Raises:
        SdpError: It is not; says why.
    """
    if len(sdp) > MAX_DESCRIPTION:
        raise SdpError(f"a session description of {len(sdp)} characters is too long")
    lines = sdp.splitlines()
    if len(lines) > MAX_LINES:
        raise SdpError(f"a session description of {len(lines)} lines is too long")
    if not lines or lines[0] != "v=0":
        raise SdpError("a session description begins with v=0")
    if any(not line.isprintable() or len(line) < 2 or line[1] != "=" for line in lines if line):
        raise SdpError("a session description has lines of the form x=value only")
    sections = [line[2:].split() for line in lines if line.startswith("m=")]
    if not 1 <= len(sections) <= MAX_SECTIONS:
        raise SdpError(f"a voice call has one audio section, this description has {len(sections)} sections")
    if sections[0][:1] != ["audio"] or any(section[1:2] != ["0"] for section in sections[1:]):
        raise SdpError("a voice call is audio only, this description has something else")
    if len(sections[0]) < 4:
        raise SdpError("the audio section names no codec")
    return sdp


def check_candidate(candidate: str, sdp_mid: str, sdp_mline_index: int) -> str:
    """Return `candidate` as libwebrtc reads it: with `candidate:` before it, and without `a=`.

    Raises:
        SdpError: No honest peer would send this.
    """
    if len(candidate) > MAX_CANDIDATE or len(sdp_mid) > MAX_MID:
        raise SdpError("an ICE candidate is too long")
    if not candidate.isprintable() or not sdp_mid.isprintable():
        raise SdpError("an ICE candidate is one line of text")
    if not 0 <= sdp_mline_index < MAX_SECTIONS:
        raise SdpError(f"an ICE candidate for section {sdp_mline_index}, which no call has")
    candidate = candidate.removeprefix("a=")
    return candidate if candidate.startswith("candidate:") else f"candidate:{candidate}"
