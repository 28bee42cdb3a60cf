"""Campaigns by examples, and through whatever may happen to them."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from datetime import UTC, datetime, time
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telnyx_native.errors import ConfigurationError
from telnyx_native.fleet.campaign import Campaign
from telnyx_native.fleet.campaign_terms import (
    DO_NOT_CALL,
    INTERRUPTED,
    LEASE_EXPIRED,
    NO_ROOM,
    RETRIES,
    CampaignJob,
    CampaignRules,
    JobState,
    Lease,
    Pool,
    Record,
    Retry,
    plain_number,
)
from telnyx_native.fleet.pacing import Window

FAST = CampaignRules(pools={"default": Pool(rate=1000.0, burst=1000)})


def job(number: int, **fields: Any) -> CampaignJob:
    return CampaignJob(f"job-{number}", f"+1555{number:07}", **fields)


def campaign(jobs: int = 1, rules: CampaignRules = FAST) -> Campaign:
    made = Campaign(rules, now=0.0)
    for number in range(jobs):
        assert made.add(job(number), 0.0) == ()
    return made


def leased(made: Campaign, now: float) -> list[str]:
    """The jobs that can be leased at once."""
    found = []
    while lease := made.lease(now):
        found.append(lease.job.job_id)
    return found


def only(records: tuple[Record, ...]) -> Record:
    (record,) = records
    return record


def first(made: Campaign, now: float) -> Lease:
    lease = made.lease(now)
    assert lease is not None
    return lease


# One job.


def test_job_that_is_done() -> None:
    made = campaign()
    lease = first(made, 1.0)
    assert lease.attempt == 1
    assert lease.record == Record("job-0", "+15550000000", JobState.LEASED, 1, 1.0)
    assert made.lease(1.0) is None
    record = only(made.finish("job-0", 1, 30.0, output={"answer": "yes"}))
    assert record == Record("job-0", "+15550000000", JobState.DONE, 1, 30.0, output={"answer": "yes"})
    assert made.is_finished
    assert +made.counts == Counter({JobState.DONE: 1})
    assert made.deadline(30.0) is None


def test_busy_is_tried_again_and_given_up_in_the_end() -> None:
    made = campaign()
    now = 0.0
    for attempt in range(1, 6):
        assert first(made, now).attempt == attempt
        record = only(made.finish("job-0", attempt, now + 1, cause="USER_BUSY"))
        if attempt < 5:
            assert (record.state, record.cause, record.due) == (JobState.WAITING, "USER_BUSY", now + 301)
            assert made.lease(now + 300) is None
            assert made.deadline(now + 1) == now + 301
            now += 301
    assert (record.state, record.attempt) == (JobState.GIVEN_UP, 5)
    assert made.is_finished


@pytest.mark.parametrize(
    ("cause", "state"),
    [
        ("UNALLOCATED_NUMBER", JobState.FAILED),
        ("NO_ANSWER", JobState.WAITING),
        ("NETWORK_OUT_OF_ORDER", JobState.WAITING),
        ("CALL_REJECTED", JobState.FAILED),
        ("SOMETHING_NEW", JobState.WAITING),
        ("NORMAL_CLEARING", JobState.DONE),
    ],
)
def test_what_follows_on_a_cause(cause: str, state: JobState) -> None:
    made = campaign()
    made.lease(0.0)
    assert only(made.finish("job-0", 1, 1.0, cause=cause)).state is state


def test_attempts_of_all_causes_count_together() -> None:
    made = campaign(rules=dataclasses.replace(FAST, retries={"NO_ANSWER": Retry(10, 2)}))
    made.lease(0.0)
    made.finish("job-0", 1, 1.0, cause="USER_BUSY")
    made.lease(400.0)
    assert only(made.finish("job-0", 2, 401.0, cause="NO_ANSWER")).state is JobState.GIVEN_UP


def test_every_cause_of_the_table_is_one() -> None:
    from telnyx_native.states import HangupCause

    assert set(RETRIES) <= {cause.name for cause in HangupCause} | {DO_NOT_CALL, LEASE_EXPIRED, INTERRUPTED}


# Leases.


def test_lease_that_is_extended_stands_and_then_expires() -> None:
    made = campaign()
    made.lease(0.0)
    assert made.extend("job-0", 1, 50.0)
    assert made.tick(109.0) == ()
    assert made.deadline(109.0) == 110.0
    record = only(made.tick(110.0))
    assert (record.state, record.cause, record.due) == (JobState.WAITING, LEASE_EXPIRED, 170.0)
    assert not made.extend("job-0", 1, 111.0)
    assert first(made, 170.0).attempt == 2


def test_result_that_comes_late_is_believed_until_the_job_is_leased_again() -> None:
    made = campaign(2)
    assert leased(made, 0.0) == ["job-0", "job-1"]
    made.tick(60.0)
    assert made.finish("job-0", 1, 61.0, cause="USER_BUSY") == ()  # it waits already
    assert only(made.finish("job-0", 1, 62.0, output="sold")).state is JobState.DONE
    assert leased(made, 120.0) == ["job-1"]
    assert made.finish("job-1", 1, 121.0, output="sold") == ()
    assert made.finish("job-0", 1, 121.0, output="sold") == ()
    assert made.late == 3
    assert +made.counts == Counter({JobState.DONE: 1, JobState.LEASED: 1})


# Pace.


def test_call_for_which_there_was_no_room_is_no_attempt() -> None:
    made = campaign(rules=dataclasses.replace(FAST, otherwise=Retry(0, 1)))
    for now in (1.0, 3.0):
        assert first(made, now).attempt == 1
        record = only(made.put_back("job-0", 1, now, due=now + 2))
        assert record == Record("job-0", "+15550000000", JobState.WAITING, 0, now, NO_ROOM, now + 2)
        assert +made.counts == Counter({JobState.WAITING: 1})
        assert made.lease(now + 1) is None
        assert made.deadline(now) == now + 2
    assert made.put_back("job-0", 1, 4.0, due=4.0) == ()  # it is not leased
    assert made.late == 1
    follower = Campaign(FAST, now=4.0, past=[record])
    follower.add(job(0), 4.0)
    assert first(follower, 5.0).attempt == 1
    follower.forbid("+15550000000", 5.0)
    record = only(follower.put_back("job-0", 1, 6.0, due=7.0))
    assert (record.state, record.cause, record.attempt) == (JobState.FAILED, DO_NOT_CALL, 0)
    assert follower.is_finished


def test_jobs_are_leased_in_the_order_in_which_they_are_due() -> None:
    made = campaign(3)
    assert first(made, 0.0).job.job_id == "job-0"
    made.finish("job-0", 1, 0.0, cause="NETWORK_OUT_OF_ORDER")
    assert leased(made, 100.0) == ["job-1", "job-2", "job-0"]


def test_pools_have_a_pace_each_and_take_turns() -> None:
    rules = CampaignRules(pools={"slow": Pool(("+15551", "+15552"), rate=0.1), "fast": Pool(rate=1.0, burst=2)})
    made = Campaign(rules, now=0.0)
    for number in range(8):
        made.add(job(number, pool="slow" if number < 4 else "fast"), 0.0)
    leases = [first(made, 0.0) for _ in range(3)]
    assert [lease.job.pool for lease in leases] == ["slow", "fast", "fast"]
    assert made.lease(0.0) is None
    assert made.deadline(0.0) == 1.0
    assert first(made, 1.0).job.pool == "fast"
    slow = [leases[0], first(made, 10.0)]
    assert {lease.caller for lease in slow} == {"+15551", "+15552"}
    assert leases[1].caller == ""


def test_pace_of_the_whole_campaign() -> None:
    made = campaign(3, dataclasses.replace(FAST, rate=0.5))
    assert leased(made, 0.0) == ["job-0"]
    assert made.deadline(0.0) == 2.0
    assert leased(made, 2.0) == ["job-1"]
    assert made.finish("job-0", 1, 3.0)
    assert made.deadline(3.0) == 4.0


def test_lease_expires_also_while_the_pace_holds_up_the_rest() -> None:
    made = campaign(2, dataclasses.replace(FAST, rate=0.01))
    made.lease(0.0)
    assert made.deadline(0.0) == 60.0


def test_closed_windows_hold_up_only_their_own() -> None:
    rules = dataclasses.replace(
        FAST,
        window=Window(time(9), time(17)),
        zones={"+1": "America/New_York", "+1808": "Pacific/Honolulu"},
        time_zone="Europe/Berlin",
    )
    noon = datetime(2026, 3, 4, 16, tzinfo=UTC).timestamp()  # 11 in New York, 6 in Honolulu, 17 in Berlin
    made = Campaign(rules, now=noon)
    for name, number, zone in (
        ("east", "+12125550100", ""),
        ("hawaii", "+18085550100", ""),
        ("berlin", "+493055501", ""),
        ("on holiday", "+493055502", "America/New_York"),
    ):
        made.add(CampaignJob(name, number, time_zone=zone), noon)
    assert leased(made, noon) == ["east", "on holiday"]
    made.finish("east", 1, noon + 1)
    made.finish("on holiday", 1, noon + 1)
    opens = datetime(2026, 3, 4, 19, tzinfo=UTC).timestamp()
    assert made.deadline(noon + 1) == opens
    assert leased(made, opens) == ["hawaii"]
    assert leased(made, opens + 13 * 3600) == ["berlin"]


# Who must not be called.


def test_do_not_call_list() -> None:
    made = Campaign(FAST, now=0.0, do_not_call=["+1 555 000 0000"])
    assert only(made.add(job(0), 0.0)) == Record("job-0", "+15550000000", JobState.FAILED, 0, 0.0, DO_NOT_CALL)
    for number in (1, 2):
        made.add(job(number), 0.0)
    assert first(made, 0.0).job.job_id == "job-1"
    assert made.forbid("+15550000001", 1.0) == ()  # it is being called
    assert only(made.finish("job-1", 1, 2.0, cause="USER_BUSY")).cause == DO_NOT_CALL
    assert only(made.forbid("+15550000002", 3.0)).state is JobState.FAILED
    assert leased(made, 4.0) == []
    assert made.is_finished


# After a kill.


def test_campaign_goes_on_after_a_kill() -> None:
    made = campaign(5)
    records = [first(made, 10.0).record for _ in range(4)]
    records += made.finish("job-0", 1, 20.0, output=1)
    records += made.finish("job-1", 1, 20.0, cause="USER_BUSY")
    records += made.finish("job-2", 1, 20.0, cause="UNALLOCATED_NUMBER")
    again = Campaign(FAST, now=100.0, past=records)
    back = [again.add(job(number), 100.0) for number in range(5)]
    interrupted = only(back[3])
    assert (interrupted.state, interrupted.attempt, interrupted.cause) == (JobState.WAITING, 1, INTERRUPTED)
    assert [records for number, records in enumerate(back) if number != 3] == [(), (), (), ()]
    assert again.counts == Counter({JobState.WAITING: 3, JobState.DONE: 1, JobState.FAILED: 1})
    assert leased(again, 100.0) == ["job-4"]
    assert first(again, 160.0).job.job_id == "job-3"
    busy = first(again, 320.0)
    assert (busy.job.job_id, busy.attempt) == ("job-1", 2)


def test_kills_do_not_give_more_attempts() -> None:
    lease = first(campaign(), 0.0).record
    again = Campaign(FAST, now=0.0, past=[dataclasses.replace(lease, attempt=5)])
    assert only(again.add(job(0), 0.0)).state is JobState.GIVEN_UP


# What makes no sense.


def test_jobs_that_cannot_be_added() -> None:
    made = campaign(1, dataclasses.replace(FAST, waiting=2))
    with pytest.raises(ConfigurationError, match="there is a job 'job-0' already"):
        made.add(job(0), 0.0)
    with pytest.raises(ConfigurationError, match="there is no pool 'x'; there are: default"):
        made.add(job(1, pool="x"), 0.0)
    with pytest.raises(ConfigurationError, match="line 7: there is a job 'job-0' already"):
        made.add(job(0, line=7), 0.0)
    assert made.room == 1
    made.add(job(1), 0.0)
    with pytest.raises(ConfigurationError, match="2 jobs wait already"):
        made.add(job(2), 0.0)
    made.lease(0.0)
    made.finish("job-0", 1, 0.0)
    with pytest.raises(ConfigurationError, match="there is a job 'job-0' already"):
        made.add(job(0), 0.0)


@pytest.mark.parametrize(
    "text", ["", "bob", "15550100", "+0123456789", "+123456", "+1234567890123456", "sip:@", "+1555010a"]
)
def test_texts_that_are_no_number(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is no number"):
        plain_number(text)


@pytest.mark.parametrize(
    "make",
    [
        lambda: CampaignRules(pools={}),
        lambda: CampaignRules(rate=0),
        lambda: CampaignRules(lease=math.inf),
        lambda: CampaignRules(waiting=0),
        lambda: CampaignRules(time_zone="Mars"),
        lambda: CampaignRules(zones={"+1": "Mars"}),
        lambda: Retry(-1, 1),
        lambda: Retry(1, 0),
        lambda: CampaignJob("", "+15550100"),
        lambda: Campaign(CampaignRules(pools={"a": Pool(rate=0)}), now=0.0),
        lambda: Campaign(now=0.0, do_not_call=["bob"]),
    ],
)
def test_rules_that_cannot_be(make: Any) -> None:
    with pytest.raises(ConfigurationError):
        make()


# Whatever happens.


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_whatever_happens(seed: int) -> None:
    """Leases, results of all kinds, late ones, kills: in the end each job is over, without too many calls."""
    dice = Random(seed)
    rules = CampaignRules(
        pools={"a": Pool(("+1", "+2"), rate=dice.choice([0.2, 5.0]), burst=3), "b": Pool(rate=1.0)},
        rate=dice.choice([math.inf, 0.5]),
        window=dice.choice([None, Window(time(9), time(17))]),
        lease=30.0,
    )
    jobs = [job(number, pool=dice.choice(["", "a", "b"])) for number in range(30)]
    begin = now = 1.8e9
    made = Campaign(rules, now=now)
    file: list[Record] = []
    source = iter(jobs)
    going: list[Lease] = []
    dialled: Counter[str] = Counter()
    over: dict[str, JobState] = {}
    standing: dict[str, float] = {}  # until when the leases stand

    def write(*records: Record) -> None:
        for record in records:
            assert record.job_id not in over, "something became of a job that was over"
            if record.state is not JobState.LEASED:
                standing.pop(record.job_id, None)
            if record.state.is_final:
                over[record.job_id] = record.state
        file.extend(records)

    for step in range(20_000):
        if made.is_finished and len(over) == len(jobs):
            break
        events = ["add", "lease", "lease", "finish", "finish", "put back", "extend", "late", "tick", "tick", "kill"]
        match dice.choice(events):
            case "add":
                if added := next(source, None):
                    write(*made.add(added, now))
            case "lease":
                if lease := made.lease(now):
                    assert rules.window is None or 9 <= datetime.fromtimestamp(now, UTC).hour < 17
                    dialled[lease.job.job_id] += 1
                    assert dialled[lease.job.job_id] == lease.attempt <= 5
                    assert lease.job.job_id not in standing, "leased to two"
                    standing[lease.job.job_id] = now + rules.lease
                    going.append(lease)
                    write(lease.record)
                elif (deadline := made.deadline(now)) is not None:
                    assert deadline > now or min(standing.values()) <= now, "a driver would not sleep"
            case "finish" | "late" if going:
                lease = going.pop(dice.randrange(len(going)))
                cause = dice.choice([None, "USER_BUSY", "NO_ANSWER", "UNALLOCATED_NUMBER", "NEW"])
                if lease.job.job_id not in over:
                    write(*made.finish(lease.job.job_id, lease.attempt, now, cause=cause))
            case "put back" if going:
                lease = going.pop(dice.randrange(len(going)))
                if records := made.put_back(lease.job.job_id, lease.attempt, now, due=now + dice.randrange(30)):
                    dialled[lease.job.job_id] -= 1
                    write(*records)
            case "extend" if going:
                lease = dice.choice(going)
                if made.extend(lease.job.job_id, lease.attempt, now):
                    standing[lease.job.job_id] = now + rules.lease
            case "tick":
                deadline = made.deadline(now)
                now = max(now + 0.1, deadline or now) if dice.random() < 0.7 else now + 5
                write(*made.tick(now))
                assert all(until > now for until in standing.values())
            case "kill" if dice.random() < 0.1 and step < 1000:
                made = Campaign(rules, now=now, past=file)
                going = []
                standing.clear()
                source = iter(jobs)
        states = Counter({state: count for state, count in made.counts.items() if count})
        assert min(states.values(), default=0) >= 0
        assert states[JobState.WAITING] + states[JobState.LEASED] == len(made._entries)
    else:
        raise AssertionError(f"after {now - begin} s, {len(over)} of {len(jobs)} jobs are over")
    last = {record.job_id: record.state for record in file}
    assert last == over
    assert last.keys() == {each.job_id for each in jobs}
