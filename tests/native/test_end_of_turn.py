"""Where a turn ends: at the pause in which the model says so, or after the patience."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from support.peers import connected
from support.signals import pcm, rms, silence
from telnyx_native.config import AudioConfig, VoiceActivityConfig
from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway.destinations.sounds import PROMPT
from telnyx_native.media.end_of_turn import TurnEnd, turn_ends
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.files import read_audio

RATE = 16_000
SPEECH = read_audio(PROMPT, RATE)[: 3 * RATE // 2]
QUICK = AudioConfig(voice_activity=VoiceActivityConfig(hangover=0.3))


class Counting:
    """A model for which a turn is over at the second pause; it remembers what it heard."""

    def __init__(self, *, over_at: int) -> None:
        self.heard: list[bytes] = []
        self._over_at = over_at

    async def is_over(self, pcm: bytes, sample_rate: int) -> bool:
        assert sample_rate == RATE
        self.heard.append(pcm)
        return len(self.heard) == self._over_at


class Broken:
    async def is_over(self, pcm: bytes, sample_rate: int) -> bool:
        raise ZeroDivisionError


async def first_end(engine: MediaEngine, model: Counting | Broken, patience: float) -> TurnEnd:
    async with connected(engine, None, QUICK) as (human, bot):
        ends = turn_ends(bot.audio, model, patience=patience)
        first = asyncio.ensure_future(anext(ends))
        said = np.concatenate([silence(0.5, RATE), SPEECH, silence(0.7, RATE), SPEECH, silence(2.0, RATE)])
        await human.audio.write(said)
        end = await asyncio.wait_for(first, 10)
        await ends.aclose()
    return end


async def test_the_model_says_when(engine: MediaEngine) -> None:
    model = Counting(over_at=2)
    end = await first_end(engine, model, 2.0)
    assert not end.waited_out
    assert len(model.heard) == 2
    first, both = (pcm(heard) for heard in model.heard)
    assert len(both) > len(first) + len(SPEECH)
    assert rms(first[-RATE // 5 :]) < 50 < rms(first)


async def test_patience_has_an_end(engine: MediaEngine) -> None:
    model = Counting(over_at=0)
    end = await first_end(engine, model, 1.0)
    assert end.waited_out
    assert len(model.heard) == 2, "the first pause was shorter than that"


async def test_a_model_that_raises_is_undecided(engine: MediaEngine, caplog: pytest.LogCaptureFixture) -> None:
    end = await first_end(engine, Broken(), 1.0)
    assert end.waited_out
    assert "the model of turns failed: ZeroDivisionError()" in caplog.text


async def test_flow_ends_with_the_call(engine: MediaEngine) -> None:
    async with connected(engine, None, QUICK) as (human, bot):
        ends = turn_ends(bot.audio, Counting(over_at=0))
        first = asyncio.ensure_future(anext(ends))
        await human.audio.write(SPEECH)
        await bot.close()
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(first, 5)
        with pytest.raises(ConfigurationError, match="patience"):
            await anext(turn_ends(bot.audio, Counting(over_at=0), patience=0))
