"""Echo cancellation, noise suppression and gain control for a microphone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_native.config import AudioProcessing, require_sample_rate

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from telnyx_native import _webrtc

__all__ = ["AudioProcessor"]


def native_options(processing: AudioProcessing) -> _webrtc.ProcessingOptions:
    """The same for libwebrtc."""
    from telnyx_native import _webrtc  # loads libwebrtc: not before it is needed

    return _webrtc.ProcessingOptions(
        echo_cancellation=processing.echo_cancellation,
        noise_suppression=processing.noise_suppression.value,
        gain_control=processing.gain_control,
        high_pass=processing.high_pass,
    )


class AudioProcessor:
    """libwebrtc's audio processing, on samples; a call does it by itself with `AudioConfig.processing`.

    It learns the room and the noise as it goes, so frames have to come in order, without gaps, and one processor serves
    one microphone. What the loudspeaker plays has to be there before what the microphone hears of it, by up to about
    half a second.

    Args:
        sample_rate: Samples a second: 8, 16, 24, 32 or 48 thousand.
        processing: What is done.

    Raises:
        ConfigurationError: The rate is none of these.
    """

    def __init__(self, sample_rate: int, processing: AudioProcessing | None = None) -> None:
        require_sample_rate(sample_rate)
        from telnyx_native import _webrtc  # loads libwebrtc: not before it is needed

        self._native = _webrtc.AudioProcessor(sample_rate, native_options(processing or AudioProcessing()))

    def add_far_end(self, frame: Buffer) -> None:
        """Take the next frame that the loudspeaker plays.

        Args:
            frame: A buffer of mono 16-bit samples, 10 ms long or a multiple of that.

        Raises:
            ValueError: It is of another length.
            TypeError: It holds something else than 16-bit samples.
        """
        self._native.add_far_end(frame)

    def process(self, frame: Buffer) -> bytes:
        """Take the next frame that the microphone heard; return it without echo and noise, and as long.

        Args:
            frame: A buffer of mono 16-bit samples, 10 ms long or a multiple of that.

        Raises:
            ValueError: It is of another length.
            TypeError: It holds something else than 16-bit samples.
        """
        return self._native.process(frame)
