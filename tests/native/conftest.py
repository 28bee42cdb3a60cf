from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from support.hand_clock import HandClock
from telnyx_native.config import AudioConfig
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.stream import AudioStream


@pytest.fixture
async def engine() -> AsyncIterator[MediaEngine]:
    engine = MediaEngine.acquire()
    yield engine
    await engine.release()


@pytest.fixture
async def stream() -> AsyncIterator[AudioStream]:
    stream = AudioStream(AudioConfig(playback_buffer=0.5))
    yield stream
    stream._close()


@pytest.fixture
def clock(stream: AudioStream) -> HandClock:
    return HandClock(stream)
