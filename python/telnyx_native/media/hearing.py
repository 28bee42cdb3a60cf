"""What is heard in the audio of a call besides its samples: keys and speech, found natively, told as flows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_native import _audio
from telnyx_native.flow import SharedFlow
from telnyx_native.media.dtmf import DtmfReceived, DtmfSource
from telnyx_native.media.voice_activity import VoiceActivity

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_native.config import AudioConfig
    from telnyx_native.flow import Collector

__all__ = ["Hearing"]

TICKS_PER_SECOND = 100

_SOURCES = {_audio.KEY_EVENT: DtmfSource.TELEPHONE_EVENT, _audio.KEY_TONE: DtmfSource.TONE}


def _nothing() -> None:
    """What there is to do when a flow that is closed gets a collector."""


class _WantedFlow(SharedFlow[VoiceActivity]):
    """A flow that tells when somebody begins to collect it.

    Args:
        on_wanted: Called then.
    """

    def __init__(self, on_wanted: Callable[[], None]) -> None:
        super().__init__()
        self._on_wanted = on_wanted

    def collect(self) -> Collector[VoiceActivity]:
        collector = super().collect()
        self._on_wanted()
        return collector

    def close(self) -> None:
        """End the flow. Nobody has to be told any more."""
        super().close()
        self._on_wanted = _nothing


class Hearing:
    """The notices of one port.

    Args:
        port: Where they come from.
        config: What to listen for, and how.

    Attributes:
        dtmf: Keys.
        voice_activity: When somebody begins to speak, and stops; looked for while somebody collects it.
    """

    def __init__(self, port: _audio.AudioPort, config: AudioConfig) -> None:
        self.dtmf: SharedFlow[DtmfReceived] = SharedFlow()
        self.voice_activity: SharedFlow[VoiceActivity] = _WantedFlow(self._listen_for_speech)
        self._port = port
        self._config = config.voice_activity
        port.listen_for_tones(config.dtmf_tones)

    def take_notices(self) -> None:
        """Tell what was heard since the last time."""
        for kind, value, milliseconds, position in self._port.take_notices():
            if kind == _audio.SPEECH:
                self.voice_activity.emit(VoiceActivity(bool(value), position / self._port.sample_rate))
            else:
                self.dtmf.emit(DtmfReceived(chr(value), milliseconds / 1000, _SOURCES[kind]))
        if not self.voice_activity.collected:
            self._listen_for_speech(wanted=False)

    def close(self) -> None:
        """Tell what is left; nothing more will be heard."""
        self.take_notices()
        self.dtmf.close()
        self.voice_activity.close()

    def _listen_for_speech(self, *, wanted: bool = True) -> None:
        self._port.listen_for_speech(
            wanted,
            self._config.aggressiveness,
            round(self._config.onset * TICKS_PER_SECOND),
            round(self._config.hangover * TICKS_PER_SECOND),
        )
