"""Which codec a call uses: the order in which a session description names them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telnyx_native.config import AudioCodec

__all__ = ["preferring"]

AUDIO_SECTION = re.compile(r"(?m)^(m=audio \d+ \S+ )([\d ]+)")
RTPMAP = re.compile(r"(?m)^a=rtpmap:(\d+) ([\w.-]+/\d+)")


def preferring(description: str, codecs: Sequence[AudioCodec]) -> str:
    """Return a session description that names `codecs` first, in this order; all others stay behind them.

    Who answers an offer keeps its order, and each side sends the first codec that the other names (RFC 3264, 6.1).
    """
    if not codecs:
        return description
    names = {payload_type: name.lower() for payload_type, name in RTPMAP.findall(description)}
    wanted = [f"{codec.mime_type.partition('/')[2]}/{codec.clock_rate}".lower() for codec in codecs]

    def rank(payload_type: str) -> int:
        name = names.get(payload_type)
        return wanted.index(name) if name in wanted else len(wanted)

    def reordered(section: re.Match[str]) -> str:
        return section[1] + " ".join(sorted(section[2].split(), key=rank))

    return AUDIO_SECTION.sub(reordered, description, count=1)
