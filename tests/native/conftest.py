from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from telnyx_native.media.engine import MediaEngine


@pytest.fixture
async def engine() -> AsyncIterator[MediaEngine]:
    engine = MediaEngine.acquire()
    yield engine
    await engine.release()
