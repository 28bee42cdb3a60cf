"""Runs a campaign: what `Campaign` decides becomes calls, and what became of them is written down.

An error ends it in order: nothing more is dialled, what is under way is finished and written, and then it is raised.
What the result file has is enough to go on from there.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import Counter
from collections.abc import AsyncIterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from telnyx_native.errors import CallLimitError, ConfigurationError, DrainingError, SocketConnectionError, TelnyxError
from telnyx_native.event_loop import Tasks, cancel_all, run_blocking
from telnyx_native.fleet.campaign_terms import BOT_FAILED, INTERRUPTED, CampaignJob, JobState
from telnyx_native.fleet.jobs import BadLine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from telnyx_native.fleet.campaign import Campaign
    from telnyx_native.fleet.campaign_terms import Lease, Record
    from telnyx_native.fleet.results import ResultFile
    from telnyx_native.snapshot import JSONValue
    from telnyx_native.worker import JobResult

    Jobs = Iterable[CampaignJob | BadLine] | AsyncIterable[CampaignJob | BadLine]

__all__ = ["CALLER_NUMBER", "Dialler", "DiallingStatus", "Place"]

logger = logging.getLogger(__name__)

CALLER_NUMBER = "caller_number"
"""The name of the number to call from, in the data of a job; it is not there if the pool has no numbers."""

SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds without a new call, after one that nobody had room for; the pause doubles until somebody has."""

BATCH = 100
"""Jobs that are read at once, on another thread."""


class Place(Protocol):
    """Places the call of a job: `Fleet.place` does."""

    async def __call__(self, job_id: str, destination: str, data: JSONValue, /) -> JobResult:
        """Return what came of the job, once it is done.

        Raises:
            CallLimitError: There was no room for it, and it was not dialled.
            DrainingError: No more jobs are taken, and it was not dialled.
            SocketConnectionError: It could not be dialled.
            ConfigurationError: It can never be dialled, nor any other: the campaign ends.
        """


@dataclass(frozen=True)
class DiallingStatus:
    """How far a campaign is.

    Attributes:
        counts: How many jobs are in each state.
        causes: How often calls ended with each cause, in this run.
        bad_lines: Lines that are no jobs so far.
        no_room: How often there was no room for a call, in this run.
        read: Whether all jobs were read.
        draining: Whether no more calls are placed.
    """

    counts: Mapping[JobState, int]
    causes: Mapping[str, int]
    bad_lines: int = 0
    no_room: int = 0
    read: bool = False
    draining: bool = False

    @property
    def jobs(self) -> int:
        """Jobs that were read so far."""
        return sum(self.counts.values())

    @property
    def over(self) -> int:
        """Jobs for which nothing more happens."""
        return sum(count for state, count in self.counts.items() if state.is_final)

    @property
    def is_finished(self) -> bool:
        """Whether all jobs were read, and are over."""
        return self.read and self.over == self.jobs


class Dialler:
    """Runs a campaign, once.

    ```python
    with ResultFile("results.jsonl") as results:
        campaign = Campaign(rules, now=time.time(), past=results.read())
        status = await Dialler(campaign, results, fleet.place).run(read_jobs("jobs.csv"))
    ```

    Args:
        campaign: Decides which number is dialled when.
        results: Where it is written what became of each job.
        place: Places the calls. A job has the same id in each attempt.
        at_once: Calls that are under way at a time.
        on_progress: Called with each change of the status.
        on_bad_line: Called with each line that is no job.
        clock: The time, in seconds since 1970.

    Raises:
        ConfigurationError: `at_once` is less than 1.
    """

    def __init__(
        self,
        campaign: Campaign,
        results: ResultFile,
        place: Place,
        *,
        at_once: int = 20,
        on_progress: Callable[[DiallingStatus], object] = lambda _: None,
        on_bad_line: Callable[[BadLine], object] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if at_once < 1:
            raise ConfigurationError(f"at_once is {at_once!r}; it must be 1 or more")
        self._campaign = campaign
        self._results = results
        self._place = place
        self._at_once = at_once
        self._on_progress = on_progress
        self._on_bad_line = on_bad_line
        self._clock = clock
        self._under_way: dict[str, Lease] = {}
        self._calls = Tasks()
        self._changed = asyncio.Event()
        self._causes: Counter[str] = Counter()
        self._bad_lines = self._no_room = 0
        self._pause = SHORTEST_PAUSE
        self._paused_until = -float("inf")
        self._extended = clock()
        self._read = self._draining = False
        self._error: Exception | None = None

    @property
    def status(self) -> DiallingStatus:
        """How far it is."""
        return DiallingStatus(
            dict(self._campaign.counts),
            dict(self._causes),
            self._bad_lines,
            self._no_room,
            self._read,
            self._draining,
        )

    def drain(self) -> None:
        """Place no more calls; `run` returns when those that are under way have ended. It cannot be taken back."""
        self._draining = True
        self._tell()

    async def run(self, jobs: Jobs) -> DiallingStatus:
        """Dial until all jobs are over, or `drain` was called and what is under way has ended.

        Cancelling this cancels what is under way. Those jobs count as called, and are tried again when the campaign
        goes on, as the rule of `INTERRUPTED` has it.

        Args:
            jobs: As `read_jobs` and `jobs_of` give them. They are read as there is room for them.

        Returns:
            How far it came.

        Raises:
            ConfigurationError: The jobs or the result file cannot be read or written, or no call can ever be placed.
                What was raised while jobs were read is raised, too. What is under way has ended then.
        """
        reading = asyncio.create_task(self._read_all(jobs), name="telnyx-campaign-jobs")
        try:
            while not self._draining and not self.status.is_finished:
                self._changed.clear()
                try:
                    self._begin_calls(self._clock())
                except ConfigurationError as error:
                    self._fail(error)
                    break
                await self._wait()
            await self._calls.wait()
        finally:
            await cancel_all([reading])
            await self._calls.close()
        if self._error is not None:
            raise self._error
        return self.status

    # Jobs.

    async def _read_all(self, jobs: Jobs) -> None:
        try:
            async for job in _each(jobs):
                while not self._campaign.room:
                    self._changed.clear()
                    await self._changed.wait()
                self._add(job)
        except Exception as error:  # noqa: BLE001 - the application's; it is raised when what is under way has ended
            self._fail(error)
        else:
            self._read = True
            self._tell()

    def _add(self, job: CampaignJob | BadLine) -> None:
        if isinstance(job, CampaignJob):
            try:
                records = self._campaign.add(job, self._clock())
            except ConfigurationError as error:
                job = BadLine(job.line or 0, str(error).removeprefix(f"line {job.line}: "))
            else:
                self._write(*records)
        if isinstance(job, BadLine):
            self._bad_lines += 1
            self._on_bad_line(job)
        self._tell()

    # Calls.

    def _begin_calls(self, now: float) -> None:
        """Begin what may be dialled now."""
        if now - self._extended >= self._campaign.rules.lease / 3:  # all leases are held here
            self._extended = now
            for held in self._under_way.values():
                self._campaign.extend(*_of(held), now)
        self._write(*self._campaign.tick(now))
        while len(self._under_way) < self._at_once and now >= self._paused_until:
            lease = self._campaign.lease(now)
            if lease is None:
                break
            self._write(lease.record)
            self._under_way[lease.job.job_id] = lease
            self._calls.start(self._call(lease))
            self._tell()

    async def _wait(self) -> None:
        """Wait until there may be something to do: a call has ended, a job is due, or leases are to be extended."""
        now = self._clock()
        times = [self._extended + self._campaign.rules.lease / 3]
        due = self._campaign.deadline(now)
        if due is not None and len(self._under_way) < self._at_once:
            times.append(max(due, self._paused_until))
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.001, min(times) - now)):
                await self._changed.wait()

    async def _call(self, lease: Lease) -> None:
        """Place a call, and write down what became of it."""
        job = lease.job
        data = dict(job.data) | ({CALLER_NUMBER: lease.caller} if lease.caller else {})
        try:
            result = await self._place(job.job_id, job.number, data)
        except (CallLimitError, DrainingError, SocketConnectionError) as error:
            logger.info("job %s: there is no room for it: %s", job.job_id, error)
            self._put_back(lease)
        except ConfigurationError as error:
            self._fail(error)
            self._put_back(lease)
        except asyncio.CancelledError:
            self._finish(lease, INTERRUPTED)
            raise
        except Exception as error:  # noqa: BLE001 - the engine's, or of what is between: one call is concerned
            log = logger.warning if isinstance(error, TelnyxError) else logger.exception
            log("job %s: it is not known what became of its call: %s", job.job_id, error)
            self._finish(lease, INTERRUPTED)
        else:
            self._pause = SHORTEST_PAUSE
            failed = result.error is not None and result.cause is None
            if failed:
                logger.warning("job %s: the bot failed before there was a call: %s", job.job_id, result.error)
            self._finish(lease, BOT_FAILED if failed else result.cause, None if result.error else result.output)

    def _finish(self, lease: Lease, cause: str | None, output: JSONValue = None) -> None:
        self._causes[cause or "NONE"] += 1
        output = _as_json(lease.job.job_id, output)
        self._end(lease, *self._campaign.finish(*_of(lease), self._clock(), cause=cause, output=output))

    def _put_back(self, lease: Lease) -> None:
        """Nobody had room for it: try again after a pause, in which nothing else is dialled either."""
        now = self._clock()
        self._no_room += 1
        if now >= self._paused_until:
            self._paused_until = now + self._pause
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
        self._end(lease, *self._campaign.put_back(*_of(lease), now, due=self._paused_until))

    def _end(self, lease: Lease, *records: Record) -> None:
        del self._under_way[lease.job.job_id]
        try:
            self._write(*records)
        except ConfigurationError as error:
            self._fail(error)
        self._tell()

    # What is told.

    def _write(self, *records: Record) -> None:
        if records:
            self._results.write(*records)

    def _fail(self, error: Exception) -> None:
        self._error = self._error or error
        self.drain()

    def _tell(self) -> None:
        self._changed.set()
        self._on_progress(self.status)


async def _each(jobs: Jobs) -> AsyncIterator[CampaignJob | BadLine]:
    if isinstance(jobs, AsyncIterable):
        async for job in jobs:
            yield job
        return
    iterator = iter(jobs)
    while batch := await run_blocking(lambda: list(islice(iterator, BATCH))):
        for job in batch:
            yield job


def _of(lease: Lease) -> tuple[str, int]:
    return lease.job.job_id, lease.attempt


def _as_json(job_id: str, output: Any) -> Any:
    """What a bot brought home; nothing, if that is no JSON value: the call was placed all the same."""
    try:
        json.dumps(output)
    except (TypeError, ValueError, RecursionError) as error:
        logger.error("job %s: what its bot returned is no JSON value, and is lost: %s", job_id, error)
        return None
    return output
