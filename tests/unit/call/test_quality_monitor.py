from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from support.limit import LIMIT
from telnyx_native.errors import MediaError
from telnyx_native.media.quality import CallQualityMetrics

if TYPE_CHECKING:
    from support.fake_media import FakeEngine
    from telnyx_native.client import TelnyxClient

INTERVAL = 0.01


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telnyx_native.call.stats_sampler.INTERVAL", INTERVAL)


def count_stats(media: FakeEngine) -> list[float]:
    """Note when statistics are asked for."""
    asked: list[float] = []
    usual = media.peers[-1].stats

    async def stats() -> dict[str, Any]:
        asked.append(asyncio.get_running_loop().time())
        return await usual()

    media.peers[-1].stats = stats  # type: ignore[method-assign]
    return asked


async def test_nothing_is_measured_for_nobody(talking: Any, media: FakeEngine, until: Any) -> None:
    call = await talking()
    asked = count_stats(media)
    await asyncio.sleep(5 * INTERVAL)
    assert asked == []
    with call.call_quality_flow.collect() as collector:
        assert isinstance(await anext(collector), CallQualityMetrics)
    assert asked
    await asyncio.sleep(2 * INTERVAL)
    until_now = len(asked)
    await asyncio.sleep(5 * INTERVAL)
    assert len(asked) == until_now


async def test_nothing_is_measured_on_hold(talking: Any, media: FakeEngine) -> None:
    call = await talking()
    await call.hold()
    measured: list[CallQualityMetrics] = []
    call.on_call_quality_change = measured.append
    await asyncio.sleep(5 * INTERVAL)
    assert measured == []
    await call.unhold()
    await call.call_quality_flow.first(timeout=LIMIT)


async def test_measurements_end_with_the_call(talking: Any) -> None:
    call = await talking()
    collector = call.call_quality_flow.collect()
    await anext(collector)
    await call.end()
    async with asyncio.timeout(1):
        async for _ in collector:
            pass


async def test_measurements_of_a_call_that_never_was(online: TelnyxClient) -> None:
    call = await online.new_invite("echo")
    collector = call.call_quality_flow.collect()
    await call.end()
    assert [metrics async for metrics in collector] == []


async def test_listener(talking: Any, until: Any) -> None:
    call = await talking()
    heard: list[CallQualityMetrics] = []

    def listen(metrics: CallQualityMetrics) -> None:
        heard.append(metrics)
        raise RuntimeError("the application is broken")

    call.on_call_quality_change = listen
    assert call.on_call_quality_change is listen
    await until(lambda: len(heard) > 2)
    call.on_call_quality_change = None
    count = len(heard)
    await asyncio.sleep(3 * INTERVAL)
    assert len(heard) == count
    await call.end()
    call.on_call_quality_change = listen


async def test_missing_statistics_are_survived(talking: Any, media: FakeEngine) -> None:
    call = await talking()
    usual = media.peers[0].stats
    answers = iter([MediaError("busy")])

    async def stats() -> dict[str, Any]:
        if error := next(answers, None):
            raise error
        return await usual()

    media.peers[0].stats = stats  # type: ignore[method-assign]
    await call.call_quality_flow.first(timeout=LIMIT)
