"""Which number is dialled when. A campaign has no network, no file, no clock and no task: its driver has.

Each method takes the time: seconds since 1970, for windows are times of day, and a resumed campaign goes on in the time
of the one before. What became of a job comes back as a `Record`, which the driver writes down before it acts. A driver:

    results = ResultFile(path)  # with what was recorded before a kill, if there is such a past
    campaign = Campaign(rules, now=clock(), do_not_call=numbers, past=results.read())

    for item in read_jobs(path):  # as `campaign.room` allows
        if isinstance(item, CampaignJob):
            results.write(*campaign.add(item, clock()))
    while not campaign.is_finished:
        results.write(*campaign.tick(clock()))
        while free_slot() and (lease := campaign.lease(clock())):
            results.write(lease.record)  # whatever happens now, it counts as dialled
            begin(place(lease))  # campaign.extend every third of `CampaignRules.lease`, campaign.finish at the end
        await until(campaign.deadline(clock()))

The rules:

1. Each job is in one state: it waits, is leased, or is done, failed or given up for good. What is written before a call
   is dialled is the lease: after a kill the job counts as called, and follows the rule of `INTERRUPTED`.
2. Jobs are leased in the order in which they are due. Pools take turns; one without a token does not hold up the rest.
3. A job whose window is closed is due when it opens. A number on the do-not-call list is not dialled, from then on.
4. A cause has its delay and its most attempts, in `RETRIES`. Attempts of all causes count together. A lease that is
   put back, because there was no room for its call, is no attempt.
5. A lease that is not extended expires. Who still says later what became of the call is believed, unless the job was
   leased again.

A lease, and whatever becomes of it, takes O(log jobs).
"""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any

from telnyx_native.errors import ConfigurationError
from telnyx_native.fleet.campaign_terms import (
    DO_NOT_CALL,
    INTERRUPTED,
    LEASE_EXPIRED,
    NO_ROOM,
    CampaignRules,
    JobState,
    Lease,
    Record,
    plain_number,
)
from telnyx_native.fleet.pacing import TokenBucket, time_zone
from telnyx_native.fleet.timer import Timer
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telnyx_native.fleet.campaign_terms import CampaignJob

__all__ = ["Campaign"]

Records = tuple[Record, ...]


@dataclass(slots=True, eq=False)
class _Entry:
    """A job that is not over."""

    job: CampaignJob
    number: int
    attempt: int = 0
    due: float = 0.0
    leased: bool = False


class _Pool:
    """The jobs of a pool that are due, its tokens, and its numbers in turn."""

    def __init__(self, name: str, rules: CampaignRules, now: float) -> None:
        pool = rules.pools[name]
        self.name = name
        self.tokens = TokenBucket(pool.rate, pool.burst, now=now)
        self.ready: list[tuple[float, int, _Entry]] = []
        self._numbers = deque(pool.numbers)

    def next_number(self) -> str:
        if not self._numbers:
            return ""
        self._numbers.rotate(-1)
        return self._numbers[-1]


class Campaign:
    """Holds jobs, and decides which is dialled next.

    Attributes:
        rules: How it goes.
        counts: How many jobs are in each state; those of the past count once they are added again.
        late: Results that came after the job was leased again, or was over; they were ignored.
    """

    def __init__(
        self,
        rules: CampaignRules | None = None,
        *,
        now: float,
        do_not_call: Iterable[str] = (),
        past: Iterable[Record] = (),
    ) -> None:
        """Begin without jobs.

        Args:
            rules: How it goes.
            now: The time.
            do_not_call: Numbers that must not be called.
            past: What was recorded before a kill, in its order; the jobs themselves are added anew.

        Raises:
            ConfigurationError: A number or a pool makes no sense.
        """
        self.rules = rules or CampaignRules()
        self.counts: Counter[JobState] = Counter()
        self.late = 0
        self._do_not_call = {plain_number(number) for number in do_not_call}
        self._past = {record.job_id: record for record in past}  # the last of each
        self._entries: dict[str, _Entry] = {}
        self._over: set[str] = set()
        self._later: list[tuple[float, int, _Entry]] = []
        self._pools = deque(_Pool(name, self.rules, now) for name in self.rules.pools)
        self._pool_of = {pool.name: pool for pool in self._pools}
        self._first_pool = self._pools[0].name
        self._tokens = TokenBucket(self.rules.rate, now=now) if math.isfinite(self.rules.rate) else None
        self._leases = Timer(self.rules.lease)
        self._numbers = count()

    # What is seen from outside.

    @property
    def room(self) -> int:
        """Jobs that may be added now. Whoever reads jobs waits until there is room."""
        return max(0, self.rules.waiting - len(self._entries))

    @property
    def is_finished(self) -> bool:
        """Whether all jobs that were added are over."""
        return not self._entries

    def deadline(self, now: float) -> float | None:
        """When there is something to do next, `now` or later; `None` if nothing waits."""
        times = [pool.tokens.ready_at(now) for pool in self._pools if pool.ready]
        times += [self._later[0][0]] if self._later else []
        if times and self._tokens:
            times = [max(min(times), self._tokens.ready_at(now))]
        if self._leases.deadline is not None:
            times.append(self._leases.deadline)
        return max(now, min(times)) if times else None

    # Jobs.

    def add(self, job: CampaignJob, now: float) -> Records:
        """Take a job. One that is over, by what was recorded in the past, is counted and not dialled again.

        Raises:
            ConfigurationError: There is no room, another job has its id, or its pool is not there. The message names
                the line that the job came from.
        """
        if problem := self._problem(job):
            raise ConfigurationError(f"line {job.line}: {problem}" if job.line else problem)
        past = self._past.pop(job.job_id, None)
        if past and past.state.is_final:
            self.counts[past.state] += 1
            self._over.add(job.job_id)
            return ()
        entry = self._entries[job.job_id] = _Entry(job, next(self._numbers), past.attempt if past else 0, now)
        self.counts[JobState.WAITING] += 1
        if job.number in self._do_not_call:
            return (self._close(entry, JobState.FAILED, now, DO_NOT_CALL),)
        if past and past.state is JobState.LEASED:
            return (self._retry(entry, now, INTERRUPTED),)
        entry.due = max(now, past.due or now) if past else now
        self._wait(entry)
        return ()

    def forbid(self, number: str, now: float) -> Records:
        """Do not call a number any more. A call that goes on is not cut. Takes as long as there are jobs.

        Raises:
            ConfigurationError: It is no number.
        """
        number = plain_number(number)
        self._do_not_call.add(number)
        entries = [entry for entry in self._entries.values() if entry.job.number == number and not entry.leased]
        return tuple(self._close(entry, JobState.FAILED, now, DO_NOT_CALL) for entry in entries)

    def lease(self, now: float) -> Lease | None:
        """The next job that may be dialled now; `None` if there is none, see `deadline`."""
        while self._later and self._later[0][0] <= now:
            self._make_ready(heappop(self._later)[2])
        if self._tokens and self._tokens.ready_at(now) > now:
            return None
        for pool in list(self._pools):
            entry = self._first(pool, now) if pool.tokens.ready_at(now) <= now else None
            if entry is None:
                continue
            pool.tokens.take(now)
            if self._tokens:
                self._tokens.take(now)
            self._pools.remove(pool)
            self._pools.append(pool)
            return self._lease(entry, pool.next_number(), now)
        return None

    def extend(self, job_id: str, attempt: int, now: float) -> bool:
        """Go on with a lease; return whether it still stands. If not, the call may be placed again by others."""
        entry = self._entries.get(job_id)
        if entry is None or not entry.leased or entry.attempt != attempt:
            return False
        self._leases.start(job_id, now)
        return True

    def finish(self, job_id: str, attempt: int, now: float, *, cause: str | None = None, output: Any = None) -> Records:
        """Take note of what became of a lease.

        Args:
            job_id: Which job.
            attempt: Which call for it.
            now: The time.
            cause: Why the call ended, such as `"USER_BUSY"`; the job is done if it is `"NORMAL_CLEARING"`, or `None`.
            output: What the bot brought home, if it is done; a JSON value.
        """
        done = cause in (None, HangupCause.NORMAL_CLEARING.name)
        entry = self._entries.get(job_id)
        if entry is None or entry.attempt != attempt or not (entry.leased or done):
            self.late += 1
            return ()
        self._leases.stop(job_id)
        if cause is None or done:
            return (self._close(entry, JobState.DONE, now, cause, output),)
        if entry.job.number in self._do_not_call:
            return (self._close(entry, JobState.FAILED, now, DO_NOT_CALL),)
        return (self._retry(entry, now, cause),)

    def put_back(self, job_id: str, attempt: int, now: float, *, due: float) -> Records:
        """Take a lease back whose call was not dialled, for there was no room for it: it is no attempt.

        Args:
            job_id: Which job.
            attempt: Which call for it.
            now: The time.
            due: When it may be tried again.
        """
        entry = self._entries.get(job_id)
        if entry is None or entry.attempt != attempt or not entry.leased:
            self.late += 1
            return ()
        self._leases.stop(job_id)
        entry.attempt -= 1
        if entry.job.number in self._do_not_call:
            return (self._close(entry, JobState.FAILED, now, DO_NOT_CALL),)
        self._move(entry, leased=False)
        entry.due = due
        self._wait(entry)
        return (self._record(entry, JobState.WAITING, now, NO_ROOM),)

    def tick(self, now: float) -> Records:
        """Take back the leases that have expired."""
        return tuple(self._retry(self._entries[job_id], now, LEASE_EXPIRED) for job_id in self._leases.due(now))

    # What is kept.

    def _problem(self, job: CampaignJob) -> str | None:
        """Why a job cannot be taken."""
        if not self.room:
            return f"{self.rules.waiting} jobs wait already; add more when some are over"
        if job.job_id in self._entries or job.job_id in self._over:
            return f"there is a job {job.job_id[:40]!r} already; each needs an id of its own"
        if job.pool and job.pool not in self._pool_of:
            return f"there is no pool {job.pool[:40]!r}; there are: {', '.join(self._pool_of)}"
        return None

    def _first(self, pool: _Pool, now: float) -> _Entry | None:
        """The first job of a pool that may ring now; those that may not wait until then."""
        while pool.ready:
            entry = heappop(pool.ready)[2]
            if not self._waits(entry):
                continue
            if self.rules.window:
                opening = self.rules.window.open_at(now, time_zone(self.rules.zone_of(entry.job)))
                if opening > now:
                    entry.due = opening
                    self._wait(entry)
                    continue
            return entry
        return None

    def _lease(self, entry: _Entry, caller: str, now: float) -> Lease:
        self._move(entry, leased=True)
        entry.attempt += 1
        self._leases.start(entry.job.job_id, now)
        return Lease(entry.job, entry.attempt, caller, self._record(entry, JobState.LEASED, now))

    def _retry(self, entry: _Entry, now: float, cause: str) -> Record:
        """Another attempt, or none."""
        retry = self.rules.retry(cause)
        if entry.attempt >= retry.attempts:
            state = JobState.FAILED if retry.attempts == 1 else JobState.GIVEN_UP
            return self._close(entry, state, now, cause)
        if entry.leased:
            self._move(entry, leased=False)
        entry.due = now + retry.delay
        self._wait(entry)
        return self._record(entry, JobState.WAITING, now, cause)

    def _close(self, entry: _Entry, state: JobState, now: float, cause: str | None, output: Any = None) -> Record:
        self.counts[JobState.LEASED if entry.leased else JobState.WAITING] -= 1
        self.counts[state] += 1
        del self._entries[entry.job.job_id]  # what is in a heap is dropped when it comes up
        self._over.add(entry.job.job_id)
        return self._record(entry, state, now, cause, output)

    def _move(self, entry: _Entry, *, leased: bool) -> None:
        entry.leased = leased
        self.counts[JobState.LEASED] += 1 if leased else -1
        self.counts[JobState.WAITING] += -1 if leased else 1

    def _wait(self, entry: _Entry) -> None:
        heappush(self._later, (entry.due, entry.number, entry))

    def _make_ready(self, entry: _Entry) -> None:
        if self._waits(entry):
            pool = self._pool_of[entry.job.pool or self._first_pool]
            heappush(pool.ready, (entry.due, entry.number, entry))

    def _waits(self, entry: _Entry) -> bool:
        return not entry.leased and self._entries.get(entry.job.job_id) is entry

    def _record(
        self, entry: _Entry, state: JobState, now: float, cause: str | None = None, output: Any = None
    ) -> Record:
        job = entry.job
        due = entry.due if state is JobState.WAITING else None
        return Record(job.job_id, job.number, state, entry.attempt, now, cause, due, output)
