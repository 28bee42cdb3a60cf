"""Whether somebody speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from telnyx_native import _audio
from telnyx_native.config import VoiceActivityConfig
from telnyx_native.errors import ConfigurationError

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["VoiceActivity", "VoiceActivityDetector"]


@dataclass(frozen=True, slots=True)
class VoiceActivity:
    """The remote has begun to speak, or has stopped.

    Attributes:
        speaking: Which of both.
        at: Seconds of received audio since the call began, up to where speech or silence began. That is earlier than
            this event, by about the onset or the hangover of `VoiceActivityConfig`.
    """

    speaking: bool
    at: float


class VoiceActivityDetector:
    """libwebrtc's voice activity detector; a call does it by itself, see `Call.voice_activity_flow`.

    It compares six bands of frequencies with what it knows of speech and has learnt of the noise so far, so frames
    have to come in order, and one detector listens to one voice.

    Args:
        sample_rate: Samples a second: 8, 16, 24, 32 or 48 thousand.
        aggressiveness: 0 rarely misses speech, up to 3, which rarely takes noise for speech.

    Raises:
        ConfigurationError: The rate is none of these.
        ConfigurationError: The aggressiveness is out of range.
    """

    def __init__(self, sample_rate: int, aggressiveness: int = 2) -> None:
        if sample_rate not in _audio.SAMPLE_RATES:
            raise ConfigurationError(f"sample rate {sample_rate} is not one of {_audio.SAMPLE_RATES}")
        from telnyx_native import _webrtc  # loads libwebrtc: not before it is needed

        self._native = _webrtc.VoiceDetector(sample_rate)
        self._native.set_aggressiveness(VoiceActivityConfig(aggressiveness).aggressiveness)

    def is_speech(self, frame: Buffer) -> bool:
        """Take the next frame; return whether there is speech in it.

        Args:
            frame: A buffer of mono 16-bit samples, 10 ms long or a multiple of that.

        Raises:
            ValueError: It is of another length.
            TypeError: It holds something else than 16-bit samples.
        """
        return self._native.is_speech(frame)
