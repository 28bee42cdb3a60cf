"""The terms of a campaign: its jobs, its rules, and the records of what became of each job."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from telnyx_native.errors import ConfigurationError
from telnyx_native.fleet.pacing import time_zone
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_native.fleet.pacing import Window

__all__ = [
    "BOT_FAILED",
    "DO_NOT_CALL",
    "INTERRUPTED",
    "LEASE_EXPIRED",
    "NO_ROOM",
    "RETRIES",
    "CampaignJob",
    "CampaignRules",
    "JobState",
    "Lease",
    "Pool",
    "Record",
    "Retry",
    "plain_number",
]

_FOR_THE_EYE = re.compile(r"[\s().-]")
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_SIP = re.compile(r"sips?:[\w.!~*'()&=+$,;?/%-]{1,64}@[\w.:\[\]-]{1,128}", re.ASCII)


def plain_number(text: str) -> str:
    """A number or SIP address as it is dialled: `+1 (555) 010-0199` is `+15550100199`.

    Raises:
        ConfigurationError: It is neither.
    """
    if _SIP.fullmatch(text):
        return text
    number = _FOR_THE_EYE.sub("", text)
    if not _NUMBER.fullmatch(number):
        raise ConfigurationError(f"{text[:40]!r} is no number; write it as +15550100, with 7 to 15 digits, or sip:a@b")
    return number


@dataclass(frozen=True)
class CampaignJob:
    """A call that a campaign is to place: what a worker gets as a `telnyx_native.worker.Job`, when it is its turn.

    Attributes:
        job_id: Identifies it, also after a restart: the same job has the same id whenever jobs are read.
        number: The number or SIP address to call.
        data: What the bot needs to know; goes through JSON.
        time_zone: Where it rings, such as `America/New_York`; empty: by `CampaignRules.zones`.
        pool: The pool of numbers to call from; empty: the first.
        line: The line of a file that it came from, for messages.
    """

    job_id: str
    number: str
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    time_zone: str = ""
    pool: str = ""
    line: int | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not 0 < len(self.job_id) <= 256:
            raise ConfigurationError("a job's id must have 1 to 256 characters")
        object.__setattr__(self, "number", plain_number(self.number))
        if self.time_zone:
            time_zone(self.time_zone)


class JobState(Enum):
    """How far a job is."""

    WAITING = "waiting"
    LEASED = "leased"
    DONE = "done"
    FAILED = "failed"
    GIVEN_UP = "given up"

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens to it. `FAILED` would fail again; `GIVEN_UP` was tried as often as it may be."""
        return self not in (JobState.WAITING, JobState.LEASED)


@dataclass(frozen=True)
class Record:
    """Something that became of a job: a line of the result file.

    Attributes:
        job_id: Which job.
        number: Its number.
        state: What it is now.
        attempt: Calls that were begun for it.
        time: When, in seconds since 1970.
        cause: Why the last call ended or was not placed, such as `"USER_BUSY"`.
        due: When it is tried again, if it waits.
        output: What the bot brought home, if it is done.
    """

    job_id: str
    number: str
    state: JobState
    attempt: int
    time: float
    cause: str | None = None
    due: float | None = None
    output: Any = field(default=None, repr=False)


@dataclass(frozen=True)
class Lease:
    """The right to place the call of a job, and the duty to say what became of it.

    Attributes:
        job: The job.
        attempt: Which call for it this is; the first is 1.
        caller: The number to call from; empty if the pool has none.
        record: What is to be written before it is dialled.
    """

    job: CampaignJob
    attempt: int
    caller: str
    record: Record


DO_NOT_CALL = "DO_NOT_CALL"
"""Cause: the number is on the list of those that must not be called."""

LEASE_EXPIRED = "LEASE_EXPIRED"
"""Cause: whoever had the lease did not say what became of it."""

INTERRUPTED = "INTERRUPTED"
"""Cause: the campaign, or the worker that had the call, was lost while it went on."""

BOT_FAILED = "BOT_FAILED"
"""Cause: the bot failed before there was a call."""

NO_ROOM = "NO_ROOM"
"""Cause: there was no worker with room for the call. It was not dialled, and does not count as an attempt."""


@dataclass(frozen=True)
class Retry:
    """What follows on a cause.

    Attributes:
        delay: Seconds until the next call.
        attempts: The most calls for a job, the first included; 1: none follows, the job has failed.
    """

    delay: float
    attempts: int

    def __post_init__(self) -> None:
        if not (self.delay >= 0 and math.isfinite(self.delay)) or self.attempts < 1:
            raise ConfigurationError(f"{self}: delay must be 0 or more seconds, attempts 1 or more")


_BUSY = Retry(300, 5)
_NOT_THERE = Retry(3600, 3)
_NETWORK = Retry(60, 5)
_NEVER = Retry(0, 1)

RETRIES: Mapping[str, Retry] = MappingProxyType(
    {
        HangupCause.USER_BUSY.name: _BUSY,
        HangupCause.NO_ANSWER.name: _NOT_THERE,
        HangupCause.NO_USER_RESPONSE.name: _NOT_THERE,
        HangupCause.ALLOTTED_TIMEOUT.name: _NOT_THERE,
        HangupCause.ORIGINATOR_CANCEL.name: _NOT_THERE,
        HangupCause.SUBSCRIBER_ABSENT.name: _NOT_THERE,
        HangupCause.USER_NOT_REGISTERED.name: _NOT_THERE,
        HangupCause.DESTINATION_OUT_OF_ORDER.name: _NETWORK,
        HangupCause.MEDIA_TIMEOUT.name: _NETWORK,
        HangupCause.NETWORK_OUT_OF_ORDER.name: _NETWORK,
        HangupCause.NORMAL_CIRCUIT_CONGESTION.name: _NETWORK,
        HangupCause.NORMAL_TEMPORARY_FAILURE.name: _NETWORK,
        HangupCause.RECOVERY_ON_TIMER_EXPIRE.name: _NETWORK,
        HangupCause.REQUESTED_CHAN_UNAVAIL.name: _NETWORK,
        HangupCause.SWITCH_CONGESTION.name: _NETWORK,
        HangupCause.CALL_REJECTED.name: _NEVER,
        HangupCause.INVALID_NUMBER_FORMAT.name: _NEVER,
        HangupCause.NO_ROUTE_DESTINATION.name: _NEVER,
        HangupCause.NUMBER_CHANGED.name: _NEVER,
        HangupCause.OUTGOING_CALL_BARRED.name: _NEVER,
        HangupCause.UNALLOCATED_NUMBER.name: _NEVER,
        DO_NOT_CALL: _NEVER,
        LEASE_EXPIRED: _NETWORK,
        INTERRUPTED: _NETWORK,
    }
)
"""What follows on each cause, if a campaign does not say otherwise."""


@dataclass(frozen=True)
class Pool:
    """Numbers to call from, and how fast.

    Attributes:
        numbers: The numbers, which take turns; none: the connection's own.
        rate: Calls in a second from all of them.
        burst: Calls that may begin at once after a pause.
    """

    numbers: tuple[str, ...] = ()
    rate: float = 1.0
    burst: int = 1


@dataclass(frozen=True)
class CampaignRules:
    """How a campaign goes.

    Attributes:
        pools: The pools of numbers, by name; the first is that of jobs which name none.
        rate: Calls in a second from all pools; infinite: as many as the pools have.
        window: When calls may be placed, by the time where they ring; `None`: at any time.
        zones: Time zones by the beginnings of numbers, such as `{"+1212": "America/New_York"}`; the longest counts.
        time_zone: The time zone of all other numbers.
        retries: What follows on each cause; `RETRIES` for those that are not there.
        otherwise: What follows on causes that neither has.
        lease: Seconds in which whoever has a lease says what became of it, or extends it.
        waiting: The most jobs that are kept in memory: see `Campaign.room`.
    """

    pools: Mapping[str, Pool] = field(default_factory=lambda: {"default": Pool()})
    rate: float = math.inf
    window: Window | None = None
    zones: Mapping[str, str] = field(default_factory=dict)
    time_zone: str = "UTC"
    retries: Mapping[str, Retry] = field(default_factory=dict)
    otherwise: Retry = Retry(600, 2)
    lease: float = 60.0
    waiting: int = 10_000

    def __post_init__(self) -> None:
        if not self.pools:
            raise ConfigurationError("a campaign needs a pool of numbers, be it one without numbers")
        if not self.rate > 0:
            raise ConfigurationError(f"rate is {self.rate!r}; it must be a number of calls a second above 0")
        if not (self.lease > 0 and math.isfinite(self.lease)):
            raise ConfigurationError(f"lease is {self.lease!r}; it must be a number of seconds above 0")
        if self.waiting < 1:
            raise ConfigurationError(f"waiting is {self.waiting!r}; it must be 1 or more")
        for name in (self.time_zone, *self.zones.values()):
            time_zone(name)

    def retry(self, cause: str) -> Retry:
        """What follows on a cause."""
        return self.retries.get(cause) or RETRIES.get(cause, self.otherwise)

    def zone_of(self, job: CampaignJob) -> str:
        """The time zone in which a job rings."""
        if job.time_zone:
            return job.time_zone
        ends = range(len(job.number), 0, -1)
        return next((self.zones[job.number[:end]] for end in ends if job.number[:end] in self.zones), self.time_zone)
