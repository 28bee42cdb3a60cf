"""Campaigns with a real worker, and people who answer, are busy, or do not answer, at a real gateway."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
from typer.testing import CliRunner

from support import bots
from support.limit import LIMIT
from telnyx_native import ConfigurationError, CredentialConfig, TxServerConfiguration
from telnyx_native.cli import app, fleet_dial
from telnyx_native.cli.command import ExitCode
from telnyx_native.fleet import dialling as dialling_module
from telnyx_native.fleet import operations
from telnyx_native.fleet.campaign import Campaign
from telnyx_native.fleet.campaign_terms import (
    BOT_FAILED,
    DO_NOT_CALL,
    INTERRUPTED,
    NO_ROOM,
    CampaignJob,
    CampaignRules,
    JobState,
    Pool,
    Record,
    Retry,
)
from telnyx_native.fleet.dialling import CALLER_NUMBER, Dialler, DiallingStatus
from telnyx_native.fleet.jobs import BadLine, jobs_of, read_jobs
from telnyx_native.fleet.results import ResultFile
from telnyx_native.fleet.settings import FleetSettings
from telnyx_native.gateway import DialPlan, Gateway, GatewayConfig, User
from telnyx_native.states import HangupCause
from telnyx_native.worker import Job, JobResult, Worker, load_function

if TYPE_CHECKING:
    from telnyx_native.gateway.calls.leg import CallerLeg
    from telnyx_native.gateway.destinations import Outcome
    from telnyx_native.snapshot import JSONValue

EXAMPLE = Path(__file__).parents[2] / "examples" / "fleet"

MANY = 40

AGAIN = {"USER_BUSY": Retry(0.2, 3), "NO_ANSWER": Retry(0.1, 2), INTERRUPTED: Retry(0.1, 5)}
FAST = CampaignRules({"default": Pool(rate=200.0, burst=100)}, retries=AGAIN)


def number(index: int) -> str:
    return f"+1555{index:07}"


class People:
    """Who is called. By default they answer, and the caller hangs up.

    Attributes:
        moods: What a person does with its next calls: `busy`, `no answer`, or `talk`, which is until `hang_up` is set.
        calls: Who was called, and when, in this order.
        called: How often each was called.
        going_on: Calls that go on now.
        most: The most that went on at the same time.
        hang_up: Lets those who talk hang up.
        on_call: Called with each call's number, when it comes.
    """

    def __init__(self) -> None:
        self.moods: dict[str, list[str]] = {}
        self.calls: list[tuple[str, float]] = []
        self.going_on = self.most = 0
        self.hang_up = asyncio.Event()
        self.on_call: Callable[[str], None] = lambda _: None
        self._changed = asyncio.Event()

    @property
    def called(self) -> Counter[str]:
        return Counter(called for called, _ in self.calls)

    async def wait_talking(self, count: int) -> None:
        async with asyncio.timeout(LIMIT):
            while self.going_on != count:
                self._changed.clear()
                await self._changed.wait()

    async def serve(self, called: str, leg: CallerLeg) -> Outcome:
        self.calls.append((called, time.monotonic()))
        self.on_call(called)
        moods = self.moods.get(called, [])
        match moods.pop(0) if moods else "answer":
            case "busy":
                return HangupCause.USER_BUSY
            case "no answer":
                await leg.ring()
                return HangupCause.NO_ANSWER
            case mood:
                return await self._answer(leg, until=self.hang_up if mood == "talk" else None)

    async def _answer(self, leg: CallerLeg, until: asyncio.Event | None) -> Outcome:
        await leg.answer()
        self._count(1)
        try:
            if until is None:
                return await leg.wait_ended()
            await until.wait()
            return HangupCause.NORMAL_CLEARING
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        self.going_on += change
        self.most = max(self.most, self.going_on)
        self._changed.set()


class Person:
    """A destination of the gateway."""

    def __init__(self, people: People, called: str) -> None:
        self._people = people
        self._called = called

    async def serve(self, leg: CallerLeg) -> Outcome:
        return await self._people.serve(self._called, leg)


@pytest.fixture
def people() -> People:
    return People()


@pytest.fixture
async def gateway(people: People) -> AsyncIterator[Gateway]:
    numbers = {number(index): f"person:{number(index)}" for index in range(MANY)}
    async with Gateway(
        [User("bob", "s3cret", "+15550101")],
        plan=DialPlan(numbers),
        destinations={"person": lambda called: Person(people, called)},
    ) as running:
        yield running


async def converse(job: Job) -> JSONValue:
    """Call; if the callee answers, let them talk: who does not talk is hung up on."""
    assert isinstance(job.data, dict)
    call = await job.dial(caller_number=job.data.get(CALLER_NUMBER))
    await call.wait_active(LIMIT)
    if job.data.get("talk"):
        await call.wait_done(LIMIT)
    else:
        await call.end()
    return {"said": job.data}


class Engine:
    """A worker, called as a fleet is."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker

    async def place(self, job_id: str, destination: str, data: JSONValue = None) -> JobResult:
        return await self.worker.place(destination, data, job_id=job_id)


@asynccontextmanager
async def working(
    gateway: Gateway, place: Callable[[Job], Awaitable[JSONValue]] | None = converse, max_calls: int = 20
) -> AsyncIterator[Engine]:
    server = TxServerConfiguration.parse(gateway.url)
    async with Worker(
        bots.echo, login=CredentialConfig("bob", "s3cret"), server=server, place=place, max_calls=max_calls
    ) as worker:
        await worker.status.wait_for(lambda status: status.ready, timeout=LIMIT)
        yield Engine(worker)


@pytest.fixture
async def engine(gateway: Gateway) -> AsyncIterator[Engine]:
    async with working(gateway) as running:
        yield running


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "results.jsonl"


def jobs(count: int, **data: Any) -> list[CampaignJob | BadLine]:
    return [CampaignJob(f"job-{index}", number(index), data) for index in range(count)]


def campaign(results: ResultFile, rules: CampaignRules = FAST, do_not_call: Sequence[str] = ()) -> Campaign:
    return Campaign(rules, now=time.time(), past=results.read(), do_not_call=do_not_call)


async def dial(
    file: Path, place: dialling_module.Place, items: Any, rules: CampaignRules = FAST, **options: Any
) -> DiallingStatus:
    """Run a campaign to its end."""
    with ResultFile(file) as results:
        return await asyncio.wait_for(Dialler(campaign(results, rules), results, place, **options).run(items), LIMIT)


def written(file: Path) -> dict[str, list[Record]]:
    """What was written of each job."""
    found: dict[str, list[Record]] = {}
    with ResultFile(file) as results:
        for record in results.read():
            found.setdefault(record.job_id, []).append(record)
    return found


def states(records: Sequence[Record]) -> list[tuple[str, int, str | None]]:
    return [(record.state.value, record.attempt, record.cause) for record in records]


# What becomes of calls.


async def test_campaign_in_which_anything_may_happen(
    engine: Engine, people: People, file: Path, tmp_path: Path
) -> None:
    people.moods = {number(1): ["busy", "busy"], number(2): ["no answer", "no answer"], number(5): ["no answer"]}
    source = tmp_path / "jobs.csv"
    source.write_text(
        "id,number,name,pool\n"
        f"a,{number(0)},Ann,\n"
        f"b,{number(1)},Bob,\n"
        "c,nonsense,Carl,\n"
        f"d,{number(2)},Dora,\n"
        f"e,{number(3)},Ede,\n"
        f"a,{number(4)},Ann again,\n"
        "f,+15559999999,Nobody,\n"
        f"g,{number(5)},Gus,\n"
        f"h,{number(6)},Hans,elsewhere\n"
    )

    def leased_before_it_is_dialled(called: str) -> None:
        records = [json.loads(line) for line in file.read_text().splitlines()]
        latest = [record["state"] for record in records if record["number"] == called][-1]
        assert latest == "leased"

    people.on_call = leased_before_it_is_dialled
    bad: list[BadLine] = []
    seen: list[DiallingStatus] = []
    with ResultFile(file) as results:
        dialler = Dialler(
            campaign(results, do_not_call=[number(3)]),
            results,
            engine.place,
            on_progress=seen.append,
            on_bad_line=bad.append,
        )
        status = await asyncio.wait_for(dialler.run(read_jobs(source)), LIMIT)
    assert status.is_finished
    assert status.counts == {
        JobState.WAITING: 0,
        JobState.LEASED: 0,
        JobState.DONE: 3,
        JobState.GIVEN_UP: 1,
        JobState.FAILED: 2,
    }
    assert status.causes == {"NORMAL_CLEARING": 3, "USER_BUSY": 2, "NO_ANSWER": 3, "UNALLOCATED_NUMBER": 1}
    assert [str(line) for line in bad] == [
        "line 4: 'nonsense' is no number; write it as +15550100, with 7 to 15 digits, or sip:a@b",
        "line 7: there is a job 'a' already; each needs an id of its own",
        "line 10: there is no pool 'elsewhere'; there are: default",
    ]
    assert (status.bad_lines, status.jobs, seen[-1]) == (3, 6, status)
    assert people.called == {number(0): 1, number(1): 3, number(2): 2, number(5): 2}
    records = written(file)
    assert records["a"][-1].output == {"said": {"name": "Ann"}}
    assert states(records["b"]) == [
        ("leased", 1, None),
        ("waiting", 1, "USER_BUSY"),
        ("leased", 2, None),
        ("waiting", 2, "USER_BUSY"),
        ("leased", 3, None),
        ("done", 3, "NORMAL_CLEARING"),
    ]
    assert states(records["d"])[-1] == ("given up", 2, "NO_ANSWER")
    assert states(records["e"]) == [("failed", 0, DO_NOT_CALL)]
    assert states(records["f"])[-1] == ("failed", 1, "UNALLOCATED_NUMBER")
    assert engine.worker.status.value.used == 0
    assert engine.worker.failed == 0


async def test_example(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = FleetSettings.load(EXAMPLE / "fleet.toml")
    monkeypatch.setattr(sys, "path", [*sys.path])
    bot = load_function(settings.workers.place, settings.workers.folder)
    del sys.modules["bot"]  # others have a module of that name, too
    config = replace(GatewayConfig.load(EXAMPLE / "gateway.toml"), port=0)
    async with (
        config.gateway() as gateway,
        Worker(
            bots.echo,
            login=settings.logins[0].config,
            server=TxServerConfiguration.parse(gateway.url),
            place=bot,
            max_calls=settings.workers.calls,
        ) as worker,
    ):
        await worker.status.wait_for(lambda status: status.ready, timeout=LIMIT)
        status = await dial(file, Engine(worker).place, read_jobs(EXAMPLE / "jobs.csv"))
    assert (status.counts[JobState.DONE], status.counts[JobState.GIVEN_UP], status.bad_lines) == (2, 1, 1)
    assert written(file)["ann"][-1].output == "answered"


async def test_numbers_to_call_from_take_turns(engine: Engine, file: Path) -> None:
    rules = CampaignRules({"default": Pool(("+15550111", "+15550112"), rate=100.0)})
    await dial(file, engine.place, jobs(4, name="Ann"), rules, at_once=1)
    said = [records[-1].output["said"] for records in written(file).values()]
    assert [each[CALLER_NUMBER] for each in said] == ["+15550111", "+15550112"] * 2
    assert {each["name"] for each in said} == {"Ann"}


async def test_jobs_of_an_application_are_read_as_there_is_room(engine: Engine, people: People, file: Path) -> None:
    rules = CampaignRules({"default": Pool(rate=200.0, burst=100)}, waiting=3)
    ahead: list[int] = []
    seen: list[DiallingStatus] = []

    async def items() -> AsyncIterator[Mapping[str, Any]]:
        for index in range(12):
            ahead.append(index - (seen[-1].over if seen else 0))
            yield {"number": number(index)}

    status = await dial(file, engine.place, jobs_of(items()), rules, on_progress=seen.append)  # type: ignore[arg-type]
    assert status.counts[JobState.DONE] == 12
    assert set(people.called.values()) == {1}
    assert max(ahead) <= 4  # three in memory, and one that waits for room


async def test_pace_is_kept(engine: Engine, people: People, file: Path) -> None:
    rules = CampaignRules({"default": Pool(rate=8.0)})
    status = await dial(file, engine.place, jobs(20), rules)
    assert status.counts[JobState.DONE] == 20
    times = [at for _, at in people.calls]
    assert times[-1] - times[0] > 19 / 8 * 0.8
    in_a_second = [sum(begin <= at < begin + 1 for at in times) for begin in times]
    assert max(in_a_second) <= 8 + 5  # calls reach the gateway some time after they begin


async def test_no_more_calls_at_once_than_asked_for(engine: Engine, people: People, file: Path) -> None:
    status = await dial(file, engine.place, jobs(12), at_once=3)
    assert status.counts[JobState.DONE] == 12
    assert people.most <= 3
    assert engine.worker.refused == 0


async def test_call_that_takes_longer_than_a_lease(engine: Engine, people: People, file: Path) -> None:
    rules = CampaignRules(FAST.pools, lease=0.2, retries=AGAIN)
    people.moods = {number(0): ["talk"]}
    running = asyncio.create_task(dial(file, engine.place, jobs(1, talk=True), rules))
    await people.wait_talking(1)
    await asyncio.wait([running], timeout=1.0)  # five leases
    people.hang_up.set()
    status = await running
    assert status.counts[JobState.DONE] == 1
    assert len(people.calls) == 1


# No room, and failures.


async def test_call_for_which_there_is_no_room_is_placed_later(
    gateway: Gateway, people: People, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialling_module, "SHORTEST_PAUSE", 0.1)
    people.moods = {number(index): ["talk"] for index in range(2)}
    async with working(gateway, max_calls=2) as engine:
        running = asyncio.create_task(dial(file, engine.place, jobs(6, talk=True), at_once=4))
        await people.wait_talking(2)
        await until(lambda: engine.worker.refused)
        people.moods = {number(index): ["talk"] for index in range(6)}
        people.hang_up.set()
        status = await running
    assert status.counts[JobState.DONE] == 6
    assert status.no_room > 0
    assert people.called == {number(index): 1 for index in range(6)}
    assert people.most <= 2
    assert any(record.cause == NO_ROOM for records in written(file).values() for record in records)
    assert all(records[-1].attempt == 1 for records in written(file).values())


async def test_bot_that_fails(gateway: Gateway, people: People, file: Path) -> None:
    async def broken(job: Job) -> JSONValue:
        if job.destination == number(1):
            await job.dial()
            return {1, 2}  # type: ignore[return-value]  # what is no JSON value
        raise ZeroDivisionError

    rules = CampaignRules(FAST.pools, retries={BOT_FAILED: Retry(0.1, 2)})
    async with working(gateway, broken) as engine:
        status = await dial(file, engine.place, jobs(2), rules)
    records = written(file)
    assert states(records["job-0"])[-1] == ("given up", 2, BOT_FAILED)
    assert (records["job-1"][-1].state, records["job-1"][-1].output) == (JobState.DONE, None)
    assert people.called == {number(1): 1}
    assert status.causes[BOT_FAILED] == 2


async def test_bot_without_a_function_for_jobs_ends_the_campaign(gateway: Gateway, file: Path) -> None:
    async with working(gateway, None) as engine:
        with pytest.raises(ConfigurationError, match="has no function for jobs"):
            await dial(file, engine.place, jobs(5), at_once=1)
    assert states(written(file)["job-0"]) == [("leased", 1, None), ("waiting", 0, NO_ROOM)]  # it was not called


async def test_jobs_that_cannot_be_read_on(engine: Engine, people: People, file: Path) -> None:
    people.moods = {number(0): ["talk"]}

    async def items() -> AsyncIterator[CampaignJob | BadLine]:
        yield CampaignJob("a", number(0), {"talk": True})
        await people.wait_talking(1)
        people.hang_up.set()
        raise OSError("the database is gone")

    with pytest.raises(OSError, match="the database is gone"):
        await dial(file, engine.place, items())
    assert states(written(file)["a"])[-1] == ("done", 1, "NORMAL_CLEARING")  # what is under way is not lost


async def test_full_disk_ends_the_campaign_before_somebody_is_called(
    engine: Engine, people: People, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with ResultFile(file) as results:
        dialler = Dialler(campaign(results), results, engine.place)
        with monkeypatch.context() as patch:
            patch.setattr("telnyx_native.fleet.results.os.write", full)
            with pytest.raises(ConfigurationError, match="No space left"):
                await asyncio.wait_for(dialler.run(jobs(3)), LIMIT)
    assert people.calls == []


# Ends, and what follows.


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(LIMIT):
        while not condition():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.01)


async def test_draining_lets_calls_end_and_the_next_run_does_the_rest(
    engine: Engine, people: People, file: Path
) -> None:
    people.moods = {number(index): ["talk"] for index in range(6)}
    with ResultFile(file) as results:
        dialler = Dialler(campaign(results), results, engine.place, at_once=2)
        running = asyncio.create_task(dialler.run(jobs(6, talk=True)))
        await people.wait_talking(2)
        dialler.drain()
        await asyncio.sleep(0)
        assert not running.done()
        people.hang_up.set()
        status = await asyncio.wait_for(running, LIMIT)
    assert (status.draining, status.is_finished, status.counts[JobState.DONE]) == (True, False, 2)
    status = await dial(file, engine.place, jobs(6, talk=True))
    assert status.is_finished
    assert status.counts[JobState.DONE] == 6
    assert people.called == {number(index): 1 for index in range(6)}


async def test_cancelled_in_the_middle(engine: Engine, people: People, file: Path) -> None:
    """Who was reached is not called again; whose call was cut is."""
    people.moods = {number(index): ["talk"] for index in (3, 4)}
    with ResultFile(file) as results:
        mixed = [*jobs(3), *jobs(8, talk=True)[3:5], *jobs(8)[5:]]
        running = asyncio.create_task(Dialler(campaign(results), results, engine.place, at_once=2).run(mixed))
        await people.wait_talking(2)
        await until(lambda: {number(3), number(4)} <= people.called.keys() and len(people.called) == 5)
        left = file.read_bytes()  # noqa: ASYNC240 - what a kill would have left
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(running, LIMIT)
        left_behind = [task for task in asyncio.all_tasks() if "dialling.py" in repr(task.get_coro())]
        assert left_behind == []
    assert engine.worker.status.value.used == 0
    await people.wait_talking(0)
    records = written(file)
    assert [records[f"job-{index}"][-1].state for index in range(3)] == [JobState.DONE] * 3
    assert states(records["job-3"])[-1] == states(records["job-4"])[-1] == ("waiting", 1, INTERRUPTED)
    after_a_kill = file.with_name("killed.jsonl")
    after_a_kill.write_bytes(left)
    for rest in (file, after_a_kill):
        people.calls.clear()
        status = await dial(rest, engine.place, jobs(8))
        assert status.counts[JobState.DONE] == 8
        assert people.called == {number(index): 1 for index in range(3, 8)}
        assert [written(rest)[f"job-{index}"][-1].attempt for index in range(8)] == [1, 1, 1, 2, 2, 1, 1, 1]
        status = await dial(rest, engine.place, jobs(8))  # there is nothing left to do
        assert (status.is_finished, len(people.calls)) == (True, 5)


# The command.


SETTINGS = """
[workers]
bot = "bot:serve"
[logins]
bob = { password = "s3cret" }
[cluster]
name = "nobody-has-a-fleet-of-this-name"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fleet.toml").write_text(SETTINGS)
    (tmp_path / "jobs.csv").write_text(f"number\n{number(0)}\nnonsense\n{number(1)}\n{number(2)}\n")
    return tmp_path


@pytest.fixture
def fleet_of_a_worker(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a worker stand for the fleet, so that the command runs without Ray."""

    class FleetOfAWorker:
        def __init__(self, _: object) -> None:
            self.place = engine.place

        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(operations, "Fleet", FleetOfAWorker)


def plan(folder: Path, **changes: Any) -> fleet_dial._Plan:
    usual: dict[str, Any] = {
        "jobs": folder / "jobs.csv",
        "results": folder / "results.jsonl",
        "file": folder / "fleet.toml",
        "rate": 50.0,
        "at_once": 5,
        "callers": (),
        "do_not_call": None,
        "hours": None,
        "time_zone": "UTC",
    }
    return fleet_dial._Plan(**usual | changes)


@pytest.fixture
async def signals() -> AsyncIterator[None]:
    yield
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().remove_signal_handler(each)


@pytest.mark.usefixtures("fleet_of_a_worker", "signals")
async def test_command(people: People, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "never.txt").write_text(f"{number(2)} # who asked\n")
    code = await asyncio.wait_for(fleet_dial._dial(plan(folder, do_not_call=folder / "never.txt")), LIMIT)
    said = capsys.readouterr().out
    assert code is ExitCode.CALL_FAILED
    assert "jobs.csv: line 3: 'nonsense' is no number" in said
    assert "3 of 3 jobs are over" in said
    assert re.search(r"jobs done\s.*2", said)
    assert re.search(r"jobs failed\s.*1", said)
    assert people.called == {number(0): 1, number(1): 1}
    (folder / "jobs.csv").write_text(f"number\n{number(0)}\n{number(1)}\n")
    assert await asyncio.wait_for(fleet_dial._dial(plan(folder)), LIMIT) is ExitCode.OK
    assert len(people.calls) == 2


@pytest.mark.usefixtures("fleet_of_a_worker", "signals")
async def test_command_is_interrupted(
    engine: Engine, people: People, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people.moods = {number(index): ["talk"] * 2 for index in range(3)}
    lines = [json.dumps({"number": number(index), "talk": True}) for index in range(3)]
    (folder / "jobs.jsonl").write_text("\n".join(lines))
    chosen = plan(folder, jobs=folder / "jobs.jsonl", at_once=1)
    running = asyncio.create_task(fleet_dial._dial(chosen))
    await people.wait_talking(1)
    os.kill(os.getpid(), signal.SIGINT)
    people.hang_up.set()
    assert await asyncio.wait_for(running, LIMIT) is ExitCode.INTERRUPTED
    assert states(written(chosen.results)[number(0)])[-1] == ("done", 1, "NORMAL_CLEARING")
    people.hang_up.clear()
    running = asyncio.create_task(fleet_dial._dial(chosen))
    await people.wait_talking(1)
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await asyncio.wait_for(running, LIMIT) is ExitCode.INTERRUPTED
    assert engine.worker.status.value.used == 0
    assert states(written(chosen.results)[number(1)])[-1] == ("waiting", 1, INTERRUPTED)
    assert people.called == {number(0): 1, number(1): 1}
    assert "1 of 3 jobs are over" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.csv"], "'none.csv' does not exist"),
        (["jobs.csv", "--do-not-call", "none.txt"], "'none.txt' does not exist"),
        (["jobs.csv", "--file", "none.toml"], "cannot read none.toml: No such file"),
        (["jobs.csv", "--rate", "0"], "--rate: rate is 0.0; it must be a number of calls a second above 0"),
        (["jobs.csv", "--at-once", "0"], "Invalid value for '--at-once'"),
        (["jobs.csv", "--hours", "9 to 5"], "--hours is '9 to 5'; write it as 09:00-20:00"),
        (["jobs.csv", "--hours", "17:00-09:00"], "--hours: the window from 17:00 to 09:00 has no time"),
        (["jobs.csv", "--time-zone", "Mars"], "'Mars' is no time zone"),
        (["jobs.csv", "--caller", "bob"], "'bob' is no number"),
        (["jobs.csv", "--do-not-call", "jobs.csv"], "jobs.csv: line 1: 'number' is no number;"),
        (["fleet.toml"], "the name of a file with jobs ends with .csv, .jsonl or .ndjson"),
        (["jobs.csv"], "no fleet nobody-has-a-fleet-of-this-name runs on this machine"),
    ],
)
def test_command_that_cannot_be(folder: Path, arguments: list[str], message: str) -> None:
    pytest.importorskip("ray")
    result = CliRunner().invoke(app, ["fleet", "dial", *arguments, "--results", "results.jsonl"])
    assert result.exit_code == ExitCode.USAGE
    assert message in " ".join(re.sub(r"\x1b\[[0-9;]*m|│", " ", result.output).split())
