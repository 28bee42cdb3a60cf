from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

import pytest

from telnyx_native.errors import FlowClosedError, WaitTimeoutError
from telnyx_native.flow import SharedFlow, StateFlow
from telnyx_native.states import CallState, CallTerminationReason

if TYPE_CHECKING:
    from collections.abc import Callable


async def test_collector_gets_what_is_emitted_after_it_was_made() -> None:
    flow: SharedFlow[int] = SharedFlow()
    flow.emit(1)
    collector = flow.collect()
    flow.emit(2)
    flow.emit(3)
    flow.close()
    assert [value async for value in collector] == [2, 3]


async def test_async_for_subscribes_before_its_first_value() -> None:
    flow: SharedFlow[int] = SharedFlow()
    iterator = aiter(flow)
    flow.emit(1)
    assert await anext(iterator) == 1


async def test_replay_comes_first() -> None:
    flow: SharedFlow[int] = SharedFlow(replay=2)
    for value in range(4):
        flow.emit(value)
    flow.close()
    assert [value async for value in flow] == [2, 3]


async def test_slow_collector_loses_the_oldest_and_it_is_counted() -> None:
    flow: SharedFlow[int] = SharedFlow(capacity=2)
    collector = flow.collect()
    for value in range(5):
        flow.emit(value)
    flow.close()
    assert [value async for value in collector] == [3, 4]
    assert flow.dropped == 3


async def test_collectors_are_independent() -> None:
    flow: SharedFlow[int] = SharedFlow()
    one, two = flow.collect(), flow.collect()
    flow.emit(1)
    one.close()
    flow.emit(2)
    flow.close()
    assert [value async for value in one] == [1]
    assert [value async for value in two] == [1, 2]


async def test_cancelled_wait_loses_nothing() -> None:
    flow: SharedFlow[int] = SharedFlow()
    collector = flow.collect()
    waiting = asyncio.create_task(anext(collector))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    flow.emit(1)
    assert await anext(collector) == 1


async def test_abandoned_collector_is_forgotten() -> None:
    flow: SharedFlow[int] = SharedFlow(capacity=1)
    flow.collect()
    gc.collect()
    flow.emit(1)
    flow.emit(2)
    assert flow.dropped == 0


async def test_emit_after_close_goes_nowhere() -> None:
    flow: SharedFlow[int] = SharedFlow(replay=1)
    flow.close()
    flow.emit(1)
    assert [value async for value in flow] == []


async def test_first_waits_for_a_matching_value() -> None:
    flow: SharedFlow[int] = SharedFlow()
    waiting = asyncio.create_task(flow.first(lambda value: value > 1, timeout=1))
    await asyncio.sleep(0)
    flow.emit(1)
    flow.emit(2)
    assert await waiting == 2


async def test_first_is_limited() -> None:
    with pytest.raises(WaitTimeoutError):
        await SharedFlow[int]().first(timeout=0.01)


async def test_first_ends_with_the_flow() -> None:
    flow: SharedFlow[int] = SharedFlow()
    flow.close()
    with pytest.raises(FlowClosedError):
        await flow.first()


async def test_state_flow_delivers_current_value_and_every_distinct_change() -> None:
    state = StateFlow(1)
    collector = state.collect()
    for value in (1, 2, 2, 3):
        state.set(value)
    state.close()
    assert [value async for value in collector] == [1, 2, 3]
    assert [value async for value in state] == [3]


async def test_state_stays_after_close() -> None:
    state = StateFlow(1)
    state.close()
    state.set(2)
    assert state.value == 1


@pytest.mark.parametrize("wanted", [CallState.ACTIVE, lambda state: state == CallState.ACTIVE])
async def test_wait_for_value_or_predicate(wanted: CallState | Callable[[CallState], bool]) -> None:
    state: StateFlow[CallState] = StateFlow(CallState.NEW)
    waiting = asyncio.create_task(state.wait_for(wanted, timeout=1))
    await asyncio.sleep(0)
    state.set(CallState.ACTIVE)
    assert await waiting is CallState.ACTIVE


async def test_wait_for_class_counts_the_current_state() -> None:
    reason = CallTerminationReason("USER_BUSY")
    state: StateFlow[CallState] = StateFlow(CallState.DONE(reason))
    assert (await state.wait_for(CallState.DONE)).reason is reason


async def test_wait_for_names_what_it_waited_for() -> None:
    state: StateFlow[CallState] = StateFlow(CallState.RINGING)
    with pytest.raises(WaitTimeoutError, match=r"ACTIVE.*RINGING"):
        await state.wait_for(CallState.ACTIVE, timeout=0.01)
    state.close()
    with pytest.raises(FlowClosedError, match=r"Done.*RINGING"):
        await state.wait_for(CallState.DONE)


async def test_who_emits_can_wait_for_who_collects() -> None:
    flow: SharedFlow[int] = SharedFlow()
    waiting = asyncio.create_task(flow.wait_collected())
    await asyncio.sleep(0)
    assert not waiting.done()
    with flow.collect():
        await asyncio.wait_for(waiting, 1)
        await flow.wait_collected()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(flow.wait_collected(), 0.01)
