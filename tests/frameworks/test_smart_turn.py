"""Smart Turn, as its package carries it, on speech."""

from __future__ import annotations

import numpy as np
import pytest

from support.signals import silence

pytest.importorskip("pipecat")

from telnyx_native.gateway.destinations.sounds import PROMPT
from telnyx_native.integrations.smart_turn import SmartTurn
from telnyx_native.media.files import read_audio

BEFORE_THE_COMMA = 3.7
"""Seconds of the prompt up to "If you hear this": it goes on "the call works"."""


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
async def test_whole_prompt_is_over_and_its_beginning_is_not(rate: int) -> None:
    model, prompt = SmartTurn(), read_audio(PROMPT, rate)
    for speech, over in ((prompt, True), (prompt[: round(BEFORE_THE_COMMA * rate)], False)):
        heard = np.concatenate([speech, silence(0.2, rate)])
        assert await model.is_over(heard.tobytes(), rate) is over
