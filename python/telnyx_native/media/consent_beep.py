"""The beep by which a caller hears that the call is recorded."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from telnyx_native import _audio
from telnyx_native.errors import ConfigurationError

if TYPE_CHECKING:
    from telnyx_native.config import ConsentBeep
    from telnyx_native.media.stream import AudioStream

__all__ = ["ConsentBeeper"]


class ConsentBeeper:
    """Beeps into what a call sends, beside all that the application plays, and also while the call is muted.

    Args:
        audio: What the call sends.
        beep: What is heard, and how often.

    Attributes:
        silent: Whether nothing is recorded now.

    Raises:
        ConfigurationError: Somebody else beeps already; or the call's audio has no such frequency.
    """

    def __init__(self, audio: AudioStream, beep: ConsentBeep) -> None:
        from telnyx_native.media.tones import tone  # not before it is needed: it loads NumPy

        self.silent = False
        self._sound = tone((beep.frequency,), beep.duration, audio.sample_rate, beep.level_dbfs).tobytes()
        try:
            self._queue = _audio.PlaybackLayer(audio._native_rings, over_mute=True)  # noqa: SLF001 - it has only one
        except ValueError:
            raise ConfigurationError("another recording of this call beeps already") from None
        self._every = beep.every
        self._task = asyncio.create_task(self._run(), name="telnyx-consent-beep")

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if not self.silent:
                self._queue.write(self._sound)
            due += self._every
            await asyncio.sleep(due - loop.time())

    def close(self) -> None:
        """Beep no more. Idempotent."""
        if not self._task.done():
            self._task.cancel()
            self._queue.close()
