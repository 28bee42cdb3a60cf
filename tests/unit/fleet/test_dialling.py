"""Running campaigns, with a stand-in for what places calls: failures, and ends at any moment.

Real calls are in tests/integration/test_dialling.py.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from support.cancellation import CancelAt
from support.limit import LIMIT
from telnyx_native.errors import CallError, CallLimitError, ConfigurationError, DrainingError, SocketConnectionError
from telnyx_native.fleet import dialling as dialling_module
from telnyx_native.fleet.campaign import Campaign
from telnyx_native.fleet.campaign_terms import (
    INTERRUPTED,
    NO_ROOM,
    CampaignJob,
    CampaignRules,
    JobState,
    Pool,
    Record,
    Retry,
)
from telnyx_native.fleet.dialling import Dialler, DiallingStatus
from telnyx_native.fleet.results import ResultFile
from telnyx_native.worker import JobResult

if TYPE_CHECKING:
    from telnyx_native.fleet.jobs import BadLine
    from telnyx_native.snapshot import JSONValue

SOON = {INTERRUPTED: Retry(0.01, 1000), "USER_BUSY": Retry(0.01, 1000)}
FAST = CampaignRules({"default": Pool(rate=10_000.0, burst=1000)}, retries=SOON)


class Engine:
    """Places no calls, but says so.

    Attributes:
        dialled: How often each job was dialled.
        reached: How often each job was done.
        most: The most that were under way at the same time.
    """

    def __init__(self, dice: Random) -> None:
        self.dialled: Counter[str] = Counter()
        self.reached: Counter[str] = Counter()
        self.under_way = self.most = 0
        self._dice = dice

    async def place(self, job_id: str, destination: str, data: JSONValue = None) -> JobResult:
        if self._dice.random() < 0.1:
            raise self._dice.choice([CallLimitError, DrainingError, SocketConnectionError])("no room")
        self.dialled[job_id] += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            for _ in range(self._dice.randrange(5)):
                await asyncio.sleep(0)
            if self._dice.random() < 0.2:
                return JobResult(job_id, "USER_BUSY", error="CallError")
            self.reached[job_id] += 1
            return JobResult(job_id, "NORMAL_CLEARING", output={"to": destination})
        finally:
            self.under_way -= 1


def jobs(count: int) -> list[CampaignJob | BadLine]:
    return [CampaignJob(f"job-{index}", f"+1555{index:07}") for index in range(count)]


def dialler(results: ResultFile, place: Any, **options: Any) -> Dialler:
    return Dialler(Campaign(FAST, now=time.time(), past=results.read()), results, place, **options)


async def dial(file: Path, place: Any, items: Any, **options: Any) -> DiallingStatus:
    with ResultFile(file) as results:
        return await asyncio.wait_for(dialler(results, place, **options).run(items), LIMIT)


def written(file: Path) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    with ResultFile(file) as results:
        for record in results.read():
            found.setdefault(record.job_id, []).append(record)
    return found


def states(records: list[Record]) -> list[tuple[str, int, str | None]]:
    return [(record.state.value, record.attempt, record.cause) for record in records]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "results.jsonl"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialling_module, "SHORTEST_PAUSE", 0.001)
    monkeypatch.setattr(dialling_module, "LONGEST_PAUSE", 0.002)


async def test_engine_that_fails(file: Path) -> None:
    errors: list[Exception] = [CallError("the worker was lost"), OSError("no such thing")]

    async def place(job_id: str, destination: str, data: JSONValue) -> JobResult:
        if errors:
            raise errors.pop()
        return JobResult(job_id, "NORMAL_CLEARING")

    status = await dial(file, place, jobs(1))
    assert states(written(file)["job-0"])[1::2] == [
        ("waiting", 1, INTERRUPTED),
        ("waiting", 2, INTERRUPTED),
        ("done", 3, "NORMAL_CLEARING"),
    ]
    assert status.is_finished


def test_at_least_one_call_at_a_time(file: Path) -> None:
    async def place(job_id: str, destination: str, data: JSONValue) -> JobResult:
        raise AssertionError

    with ResultFile(file) as results, pytest.raises(ConfigurationError, match="at_once is 0"):
        dialler(results, place, at_once=0)


async def test_pauses_get_longer_until_there_is_room(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialling_module, "SHORTEST_PAUSE", 0.05)
    monkeypatch.setattr(dialling_module, "LONGEST_PAUSE", 0.2)
    tried: list[float] = []

    async def place(job_id: str, destination: str, data: JSONValue) -> JobResult:
        tried.append(time.monotonic())
        if len(tried) < 5:
            raise CallLimitError("all slots are in use")
        return JobResult(job_id, "NORMAL_CLEARING")

    status = await dial(file, place, jobs(1))
    pauses = [after - before for before, after in pairwise(tried)]
    assert [pause > least * 0.9 for pause, least in zip(pauses, (0.05, 0.1, 0.2, 0.2), strict=True)] == [True] * 4
    assert (status.no_room, len(tried)) == (4, 5)
    assert states(written(file)["job-0"])[-2:] == [("leased", 1, None), ("done", 1, "NORMAL_CLEARING")]
    assert states(written(file)["job-0"])[1] == ("waiting", 0, NO_ROOM)


@pytest.mark.parametrize("point", range(12))
async def test_cancelled_wherever_it_waits(file: Path, point: int) -> None:
    engine = Engine(Random(point))
    with ResultFile(file) as results:
        cancelling = CancelAt(point)
        before = asyncio.all_tasks()
        running = asyncio.create_task(cancelling.run(dialler(results, engine.place, at_once=2).run(jobs(10))))
        await asyncio.wait([running], timeout=LIMIT)
        assert running.done()
        assert running.cancelled() or not cancelling.reached
        assert asyncio.all_tasks() == before
        assert engine.under_way == 0
    await dial(file, engine.place, jobs(10))
    assert set(engine.reached.values()) == {1}
    assert len(engine.reached) == 10


@pytest.mark.parametrize("seed", range(10))
async def test_killed_again_and_again(file: Path, seed: int) -> None:
    """Whatever happens: all are reached in the end, each once, and the file tells the truth."""
    dice = Random(seed)
    engine = Engine(dice)
    at_once = dice.randrange(1, 6)
    status: DiallingStatus | None = None
    for _ in range(1000):
        with ResultFile(file) as results:
            one = dialler(results, engine.place, at_once=at_once)
            running = asyncio.create_task(one.run(jobs(30)))
            end = dice.choice(["cancel", "drain", "nothing"])
            for _ in range(dice.randrange(60)):
                await asyncio.sleep(0)
            if end == "cancel":
                running.cancel()
            elif end == "drain":
                one.drain()
            await asyncio.wait([running], timeout=LIMIT)
            assert engine.under_way == 0
            if not running.cancelled():
                status = running.result()
                if status.is_finished:
                    break
    assert status is not None
    assert status.counts[JobState.DONE] == 30
    assert {job: count for job, count in engine.reached.items() if count != 1} == {}
    assert engine.most <= at_once
    for job_id, records in written(file).items():
        assert [record.state for record in records].count(JobState.DONE) == 1
        assert records[-1].state is JobState.DONE
        assert records[-1].attempt >= engine.dialled[job_id]  # a lease that was cut may not have been dialled
