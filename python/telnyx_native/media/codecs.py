"""What is asked of the codecs of a call, by what the description of the far end says when libwebrtc reads it.

libwebrtc sends the first codec that the far end names (RFC 3264, 6.1), and makes its encoder as the parameters ask that
the far end names with it (RFC 7587).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telnyx_native.config import AudioCodec, OpusConfig
    from telnyx_native.media.sdp import AudioSection, Codec

__all__ = ["preferring", "with_opus"]


def preferring(codecs: Sequence[Codec], preferred: Sequence[AudioCodec]) -> tuple[Codec, ...]:
    """Return `codecs` with those first that are preferred, in that order; all others stay behind them."""
    wanted = [(codec.mime_type.partition("/")[2].lower(), codec.clock_rate) for codec in preferred]

    def rank(codec: Codec) -> int:
        name = codec.name.lower(), codec.clock_rate
        return wanted.index(name) if name in wanted else len(wanted)

    return tuple(sorted(codecs, key=rank))


def with_opus(audio: AudioSection, opus: OpusConfig, sample_rate: int) -> AudioSection:
    """Return the audio of a far end, so changed that libwebrtc encodes Opus for it as this call wants.

    What the far end asks beside that, such as a bitrate it can take, stays.

    Args:
        audio: What the far end describes.
        opus: How to encode.
        sample_rate: That of the application's audio: encoding has no use for more.
    """
    offered = next((codec for codec in audio.codecs if codec.name == "opus"), None)
    if offered is None:
        return audio
    parameters = dict(offered.parameters) | {
        "useinbandfec": str(int(opus.fec)),
        "usedtx": str(int(opus.dtx)),
        "x-rate": str(16_000 if sample_rate <= 16_000 else 48_000),
        "x-complexity": str(opus.complexity),
    }
    if opus.bitrate is not None:
        limit = int(parameters.get("maxaveragebitrate", opus.bitrate))
        parameters["maxaveragebitrate"] = str(min(opus.bitrate, limit))
    wanted = replace(offered, parameters=tuple(parameters.items()))
    codecs = [wanted if codec is offered else codec for codec in audio.codecs]
    red = next((codec for codec in codecs if codec.name == "red"), None)
    if opus.red and red is not None:  # just before Opus, so that it carries that
        codecs.remove(red)
        codecs.insert(codecs.index(wanted), red)
    if opus.ptime is not None:
        audio = replace(audio, ptime=opus.ptime, maxptime=None)
    return replace(audio, codecs=tuple(codecs))
