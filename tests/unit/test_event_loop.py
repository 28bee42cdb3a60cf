"""What belongs to an event loop is not used in another one, and its tasks end with what has started them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import pytest

from telnyx_native.event_loop import OwnerLoop, Tasks, running
from telnyx_native.flow import SharedFlow, StateFlow


def failure_elsewhere(work: Coroutine[Any, Any, object]) -> BaseException | None:
    """What comes of awaiting in another loop, on another thread."""
    failures: list[BaseException | None] = []

    def run() -> None:
        try:
            asyncio.run(asyncio.wait_for(work, 2))
        except BaseException as error:  # noqa: BLE001 - it is looked at
            failures.append(error)
        else:
            failures.append(None)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(5)
    return failures[0]


async def test_another_loop_is_named_at_once() -> None:
    home = OwnerLoop("the audio")
    home.enter()

    async def enter() -> None:
        home.enter()

    failure = failure_elsewhere(enter())
    assert isinstance(failure, RuntimeError)
    assert "the audio belongs to the event loop <" in str(failure)
    assert "is used in <" in str(failure)
    home.enter()


def test_a_loop_that_is_closed_is_left() -> None:
    made: list[OwnerLoop] = []

    async def use() -> None:
        if not made:
            made.append(OwnerLoop("the client"))
        made[0].enter()

    asyncio.run(use())
    asyncio.run(use())


def test_what_was_made_without_a_loop_belongs_to_the_first_that_uses_it() -> None:
    home = OwnerLoop("the client")

    async def use() -> None:
        home.enter()

    asyncio.run(use())


async def test_flows_are_awaited_where_they_belong() -> None:
    shared: SharedFlow[int] = SharedFlow()
    state = StateFlow(1)
    with shared.collect() as collector:
        for work in (shared.first(), state.wait_for(2), shared.wait_collected(), collector.__anext__()):
            assert isinstance(failure_elsewhere(work), RuntimeError)
        shared.emit(7)
        assert await anext(collector) == 7
    with pytest.raises(TimeoutError):
        await state.wait_for(2, timeout=0.01)


async def note_the_end(ended: list[str], name: str) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        ended.append(name)


async def test_closing_ends_what_still_runs() -> None:
    tasks, ended = Tasks(), []
    for name in ("one", "other"):
        tasks.start(note_the_end(ended, name))
    tasks.start(asyncio.sleep(0))
    await asyncio.sleep(0.01)
    await tasks.close()
    assert sorted(ended) == ["one", "other"]


async def test_waiting_cancels_nothing() -> None:
    tasks, go, done = Tasks(), asyncio.Event(), []
    await tasks.wait()

    async def work() -> None:
        await go.wait()
        done.append("work")

    tasks.start(work())
    waiting = asyncio.create_task(tasks.wait())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    go.set()
    await waiting
    assert done == ["work"]


async def test_what_runs_beside_a_block_ends_with_it() -> None:
    ended: list[str] = []
    async with running(note_the_end(ended, "beside")):
        await asyncio.sleep(0)
    assert ended == ["beside"]
