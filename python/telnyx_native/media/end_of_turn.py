"""The end of a turn, as a model hears it: whether somebody who pauses has finished, or is only thinking."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from telnyx_native.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from telnyx_native.flow import Collector
    from telnyx_native.media.detectors import VoiceActivity
    from telnyx_native.media.stream import AudioStream

__all__ = ["TurnEnd", "TurnModel", "turn_ends"]

HEARD_SECONDS = 8.0
"""What a model hears of a turn at most, its end: that of Smart Turn. A tap holds more."""


class TurnModel(Protocol):
    """Hears whether a turn is over; `integrations.smart_turn.SmartTurn` is one."""

    async def is_over(self, pcm: bytes, sample_rate: int) -> bool:
        """Return whether somebody who has paused is done. It must not block the event loop.

        Args:
            pcm: What they said last, up to eight seconds with the pause: 16-bit samples, mono.
            sample_rate: Samples a second.
        """


@dataclass(frozen=True, slots=True)
class TurnEnd:
    """The remote party has finished.

    Attributes:
        at: When they fell silent, in seconds of received audio since the call began, as `VoiceActivity.at`.
        waited_out: Whether that was not what the model heard, but the patience.
    """

    at: float
    waited_out: bool


async def turn_ends(audio: AudioStream, model: TurnModel, *, patience: float = 2.0) -> AsyncIterator[TurnEnd]:
    """Tell when the remote party has finished: at a pause in which the model says so, or after a longer silence.

    A pause is a silence of `VoiceActivityConfig.hangover`; 0.2 seconds leave the decision to the model. A model that
    raises is logged, and counts as undecided.

    Args:
        audio: That of the call.
        model: What is asked at each pause.
        patience: Seconds after a pause, at which the turn is over whatever the model said.

    Raises:
        ConfigurationError: The patience is out of range.
    """
    if not 0 < patience <= 60:
        raise ConfigurationError("patience is up to 60 seconds")
    most = 2 * round(HEARD_SECONDS * audio.sample_rate)
    said = b""
    with audio.tap() as tap, audio.voice_activity_flow.collect() as activity:
        async for event in activity:
            if event.speaking:
                continue
            said = (said + tap.read_nowait(tap.end - tap.position))[-most:]
            over = await _is_over(audio, model, said)
            if over or await _stays_silent(activity, patience):
                said = b""
                yield TurnEnd(event.at, waited_out=not over)


async def _is_over(audio: AudioStream, model: TurnModel, said: bytes) -> bool:
    try:
        return await model.is_over(said, audio.sample_rate)
    except Exception as error:  # noqa: BLE001 - of whoever made the model: the patience decides then
        audio.log.unretrieved(f"the model of turns failed: {error!r}")
        return False


async def _stays_silent(activity: Collector[VoiceActivity], patience: float) -> bool:
    """Wait whether they go on; what tells that they do is used up."""
    try:
        async with asyncio.timeout(patience):
            await anext(activity)
    except TimeoutError:
        return True
    except StopAsyncIteration:  # the call is over
        return True
    return False
