from __future__ import annotations

import asyncio

import pytest

from support.limit import LIMIT
from telnyx_native.call.lifecycle import CallTimings, Lifecycle
from telnyx_native.call.machine import Machine, Rules
from telnyx_native.call.machine_terms import (
    Action,
    Alerting,
    Answered,
    Bye,
    Connected,
    Described,
    Dial,
    Failed,
    HangUp,
    OfferMade,
    TakeAnswer,
    TakeProvisionalAnswer,
)
from telnyx_native.errors import (
    CallError,
    MediaError,
    RequestError,
    RequestTimeoutError,
    SdpError,
    SocketConnectionError,
)
from telnyx_native.logs import Log
from telnyx_native.states import CallDirection, CallState, CallTerminationReason, HangupCause

REASON = CallTerminationReason.of(HangupCause.NORMAL_CLEARING)


class Owner:
    def __init__(self) -> None:
        self.jobs: list[tuple[CallTerminationReason, bool]] = []
        self.ended: list[asyncio.Task[None]] = []
        self.wanted: list[Action] = []
        self.life = Lifecycle(
            "C1",
            Machine(Rules(description=0.01, reconnect=0.01), CallDirection.OUTBOUND),
            perform=self.wanted.append,
            tear_down=self.tear_down,
            on_change=lambda: None,
            on_end=self.ended.append,
            log=Log("call"),
        )

    async def tear_down(self, reason: CallTerminationReason, tell: bool) -> None:
        self.jobs.append((reason, tell))


@pytest.fixture
async def owner() -> Owner:
    return Owner()


async def test_what_the_machine_wants_is_done_and_its_state_is_seen(owner: Owner) -> None:
    states = owner.life.states.collect()
    for event in (Dial(), OfferMade(), Alerting(), Described("early"), Answered("final"), Connected(), Bye(REASON)):
        owner.life.happen(event)
    assert owner.wanted == [TakeProvisionalAnswer("early"), TakeAnswer("final")]
    assert [state.name async for state in states] == ["NEW", "CONNECTING", "RINGING", "ACTIVE", "DONE"]
    reached = owner.life.timings.as_dict()
    assert list(reached) == ["invite_sent", "ringing", "answered", "active", "ended"]


async def test_what_has_no_edge_changes_nothing(owner: Owner) -> None:
    owner.life.happen(Connected())
    assert owner.life.state is CallState.NEW


async def test_a_state_that_must_not_last_is_over_in_time(owner: Owner) -> None:
    for event in (Dial(), OfferMade(), Answered()):
        owner.life.happen(event)
    assert (await owner.life.wait_done(LIMIT)).cause == "MANDATORY_IE_MISSING"


async def test_a_deadline_that_was_met_is_no_deadline(owner: Owner) -> None:
    for event in (Dial(), OfferMade(), Answered(), Described("late")):
        owner.life.happen(event)
    await asyncio.sleep(0.05)
    assert owner.life.reason is None


async def test_only_the_first_end_counts(owner: Owner) -> None:
    life = owner.life
    life.happen(Bye(REASON))
    life.happen(HangUp())
    life.happen(Failed(MediaError("too late")))
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
    owner.life.happen(HangUp())
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
    with pytest.raises(KeyError), owner.life.ended_by_failure():
        raise KeyError
    assert owner.life.reason == REASON


async def test_step_of_an_ended_call_says_so(owner: Owner) -> None:
    def close_under_the_step() -> None:
        owner.life.happen(HangUp())
        raise MediaError("closed under it")

    with pytest.raises(CallError, match="NORMAL_CLEARING"), owner.life.ended_by_failure():
        close_under_the_step()


async def test_waiting_can_be_cancelled_without_harm(owner: Owner) -> None:
    waiting = asyncio.create_task(owner.life.wait_done())
    await asyncio.sleep(0)
    waiting.cancel()
    owner.life.happen(HangUp())
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
    owner.life.happen(HangUp())
    with pytest.raises(CallError, match="ended meanwhile"):
        await caller
    with pytest.raises(CallError, match="ended meanwhile"):
        await owner.life.carry_out(asyncio.sleep(60))
    assert owner.life.spawn(asyncio.sleep(60)) is None


def test_only_the_first_mark_counts() -> None:
    timings = CallTimings(created=1.0)
    assert timings.since_created("ringing") is None
    timings.mark("ringing")
    first = timings.ringing
    timings.mark("ringing")
    assert timings.ringing == first
    assert first is not None
    assert timings.since_created("ringing") == first - 1.0
