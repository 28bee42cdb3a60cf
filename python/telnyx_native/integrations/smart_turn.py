"""Smart Turn, a small model that hears whether a turn is over (extra `[pipecat]`, whose package carries it).

```python
from telnyx_native import AudioConfig, VoiceActivityConfig, turn_ends
from telnyx_native.integrations.smart_turn import SmartTurn

await call.accept(audio=AudioConfig(voice_activity=VoiceActivityConfig(hangover=0.2)))
async for end in turn_ends(call.audio, SmartTurn()):
    ...  # answer
```
"""

from __future__ import annotations

import asyncio

from telnyx_native.errors import ConfigurationError

try:
    from pipecat.audio.turn.base_turn_analyzer import EndOfTurnState
    from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3
except ImportError:
    message = 'Smart Turn needs the extra: pip install "telnyx-native[pipecat]"'
    raise ConfigurationError(message) from None

__all__ = ["SmartTurn"]


class SmartTurn:
    """Smart Turn v3, by ONNX on the CPU: about a tenth of a second a pause, on a thread of its own.

    One serves any number of calls. It is asked about one pause at a time; others wait.
    """

    def __init__(self) -> None:
        self._analyzer = LocalSmartTurnAnalyzerV3()
        self._turn = asyncio.Lock()

    async def is_over(self, pcm: bytes, sample_rate: int) -> bool:
        """Return whether somebody who has paused is done; see `TurnModel`."""
        async with self._turn:
            self._analyzer.set_sample_rate(sample_rate)
            self._analyzer.clear()
            self._analyzer.append_audio(pcm, is_speech=True)
            state, _ = await self._analyzer.analyze_end_of_turn()
        return bool(state is EndOfTurnState.COMPLETE)
