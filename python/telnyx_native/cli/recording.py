"""Writing what a call hears to a file while it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_native.background import in_background

if TYPE_CHECKING:
    from telnyx_native.media.files import WavWriter
    from telnyx_native.media.stream import AudioStream

__all__ = ["record_audio"]

BLOCK_SECONDS = 1.0
"""Audio written to the file at a time."""


async def record_audio(audio: AudioStream, recording: WavWriter) -> None:
    """Write all that a call hears to `recording`, until the call ends or this is cancelled."""
    try:
        async for block in audio.frames(BLOCK_SECONDS):
            await in_background(recording.write, block)
    finally:
        rest = bytearray(2 * round(audio.readable * audio.sample_rate))
        audio.readinto(rest)
        recording.write(rest)
