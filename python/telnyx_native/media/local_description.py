"""The descriptions that libwebrtc makes of this side, as they go to the far end.

libwebrtc knows of one section only, the audio. What else the far end has offered is rejected here: as many sections, in
the same order (RFC 3264, 6).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from telnyx_native.media.codecs import preferring
from telnyx_native.media.sdp import parse, write_rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from telnyx_native.config import AudioCodec
    from telnyx_native.media.sdp import Description, RejectedSection

__all__ = ["answering", "asking_for_ptime", "in_order", "without_comfort_noise"]

AUDIO_LINE = re.compile(r"(?m)^m=audio (\d+) (\S+) ([\d ]+)")


def answering(description: str, offer: Description) -> str:
    """Return our description with the profile of the audio that the far end named, and with its other sections."""
    description = AUDIO_LINE.sub(rf"m=audio \1 {offer.protocol} \3", description, count=1)
    session, line, audio = description.partition("m=audio ")
    return session + _rejected(offer.before) + line + audio + _rejected(offer.after)


def in_order(description: str, preferred: Sequence[AudioCodec]) -> str:
    """Return our description with the preferred codecs first: who answers keeps the order (RFC 3264, 6.1)."""
    if not preferred:
        return description
    codecs = preferring(parse(description).audio.codecs, preferred)
    types = " ".join(str(codec.payload_type) for codec in codecs)
    return AUDIO_LINE.sub(rf"m=audio \1 \2 {types}", description, count=1)


def asking_for_ptime(description: str, ptime: int | None) -> str:
    """Return our description with the wish for packets of `ptime` milliseconds."""
    if ptime is None:
        return description
    return re.sub(r"(?m)^(a=rtcp-mux\r?\n)", rf"\1a=ptime:{ptime}\r\n", description, count=1)


def without_comfort_noise(description: str) -> str:
    """Return our description without the CN codec (RFC 3389); `media.sdp` says why."""
    for number in {"13", *re.findall(r"(?m)^a=rtpmap:(\d+) CN/", description)}:  # 13 needs no line to be CN
        description = re.sub(rf"(?m)^a=(?:rtpmap|fmtp):{number} .*\r?\n", "", description)
        description = re.sub(rf"(?m)^(m=audio .*) {number}(?= |\r?$)", r"\1", description)
    return description


def _rejected(sections: Iterable[RejectedSection]) -> str:
    return "".join(f"{line}\r\n" for section in sections for line in write_rejected(section))
