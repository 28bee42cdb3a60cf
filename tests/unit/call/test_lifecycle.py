from __future__ import annotations

import asyncio

import pytest

from telnyx_native.call.lifecycle import Lifecycle
from telnyx_native.errors import (
    CallError,
    MediaError,
    RequestError,
    RequestTimeoutError,
    SdpError,
    SocketConnectionError,
)
from telnyx_native.logs import Log
from telnyx_native.states import CallState, CallTerminationReason, HangupCause

REASON = CallTerminationReason.of(HangupCause.NORMAL_CLEARING)


class Owner:
    def __init__(self) -> None:
        self.jobs: list[tuple[CallTerminationReason, bool]] = []
        self.ended: list[asyncio.Task[None]] = []
        self.life = Lifecycle("C1", tear_down=self.tear_down, on_end=self.ended.append, log=Log("call"))

    async def tear_down(self, reason: CallTerminationReason, tell: bool) -> None:
        self.jobs.append((reason, tell))


@pytest.fixture
async def owner() -> Owner:
    return Owner()


async def test_illegal_transition_is_refused(owner: Owner) -> None:
    with pytest.raises(CallError, match="from NEW to ACTIVE"):
        owner.life.enter(CallState.ACTIVE)
    assert owner.life.state is CallState.NEW


async def test_only_the_first_end_counts(owner: Owner) -> None:
    life = owner.life
    life.finish(REASON, tell=False)
    life.finish(CallTerminationReason("OTHER"))
    life.fail(HangupCause.MEDIA_TIMEOUT, "too late")
    assert await life.wait_done() == life.reason == REASON
    assert owner.jobs == [(REASON, False)]
    assert len(owner.ended) == 1


async def test_end_cancels_the_work(owner: Owner) -> None:
    started, stopped = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            started.set()
            await asyncio.Event().wait()
        finally:
            stopped.set()

    owner.life.spawn(work())
    await started.wait()
    owner.life.spawn(work())  # never gets to start
    owner.life.finish(REASON)
    await asyncio.wait_for(stopped.wait(), 1)


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (MediaError("broken"), "MEDIA_TIMEOUT"),
        (SdpError("strange"), "INCOMPATIBLE_DESTINATION"),
        (RequestTimeoutError("late"), "RECOVERY_ON_TIMER_EXPIRE"),
        (SocketConnectionError("gone"), "NETWORK_OUT_OF_ORDER"),
        (RequestError("no"), "NORMAL_TEMPORARY_FAILURE"),
        (ZeroDivisionError(), "NORMAL_TEMPORARY_FAILURE"),
    ],
)
async def test_failing_work_ends_the_call(owner: Owner, error: Exception, cause: str) -> None:
    states = owner.life.states.collect()

    async def work() -> None:
        raise error

    owner.life.spawn(work())
    reason = await owner.life.wait_done()
    assert reason.cause == cause
    assert [state.name async for state in states] == ["NEW", "ERROR", "DONE"]


async def test_interrupted_step_ends_the_call(owner: Owner) -> None:
    with pytest.raises(KeyError), owner.life.ended_by_failure(REASON):
        raise KeyError
    assert owner.life.reason == REASON


async def test_step_of_an_ended_call_says_so(owner: Owner) -> None:
    def close_under_the_step() -> None:
        owner.life.finish(REASON)
        raise MediaError("closed under it")

    with pytest.raises(CallError, match="NORMAL_CLEARING"), owner.life.ended_by_failure(REASON):
        close_under_the_step()


async def test_waiting_can_be_cancelled_without_harm(owner: Owner) -> None:
    waiting = asyncio.create_task(owner.life.wait_done())
    await asyncio.sleep(0)
    waiting.cancel()
    owner.life.finish(REASON)
    assert await owner.life.wait_done() == REASON


async def test_a_step_returns_its_result_and_its_failure_is_the_caller_s(owner: Owner) -> None:
    async def step() -> int:
        return 7

    async def failing() -> None:
        raise RequestError("no")

    assert await owner.life.carry_out(step()) == 7
    with pytest.raises(RequestError):
        await owner.life.carry_out(failing())
    assert owner.life.reason is None


async def test_a_step_is_finished_for_a_caller_who_is_gone(owner: Owner) -> None:
    gate, done = asyncio.Event(), asyncio.Event()

    async def step() -> None:
        await gate.wait()
        done.set()

    caller = asyncio.create_task(owner.life.carry_out(step()))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    gate.set()
    await asyncio.wait_for(done.wait(), 1)


async def test_a_step_ends_with_the_call(owner: Owner) -> None:
    caller = asyncio.create_task(owner.life.carry_out(asyncio.sleep(60)))
    await asyncio.sleep(0)
    owner.life.finish(REASON)
    with pytest.raises(CallError, match="ended meanwhile"):
        await caller
    with pytest.raises(CallError, match="ended meanwhile"):
        await owner.life.carry_out(asyncio.sleep(60))
    assert owner.life.spawn(asyncio.sleep(60)) is None
