"""The dispatcher by examples, and through whatever may happen to it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telnyx_native.errors import ConfigurationError
from telnyx_native.fleet.dispatch import Dispatcher
from telnyx_native.fleet.dispatch_terms import (
    Action,
    Assign,
    Drained,
    Drop,
    Expire,
    Kind,
    Position,
    Refusal,
    Refuse,
    Rules,
    WorkerInfo,
    WorkerState,
)


def worker(name: str, capacity: int = 10, incarnation: int = 0) -> WorkerInfo:
    return WorkerInfo(name, f"sip:{name}@sip.telnyx.com", f"host-{name}", capacity, incarnation)


def holding(*calls: str, kind: Kind = Kind.INBOUND) -> dict[str, Kind]:
    return dict.fromkeys(calls, kind)


def fleet(*workers: WorkerInfo, rules: Rules | None = None) -> Dispatcher:
    dispatcher = Dispatcher(rules, now=0.0)
    for each in workers:
        assert dispatcher.report(each, {}, 0.0) == ()
    return dispatcher


def assigned(actions: Iterable[Action]) -> list[tuple[str, str]]:
    return [(action.call_id, action.worker.name) for action in actions if isinstance(action, Assign)]


def used(dispatcher: Dispatcher) -> dict[str, int]:
    return {status.worker.name: status.reserved + status.confirmed for status in dispatcher.workers}


def fill(dispatcher: Dispatcher, calls: int, now: float = 0.0) -> None:
    """Let calls come that are answered at once."""
    for number in range(calls):
        dispatcher.request(f"old-{number}", now)
        dispatcher.confirm(f"old-{number}", now)


# Which worker.


def test_thirty_calls_at_once_go_evenly_over_three_workers_and_the_next_one_waits() -> None:
    dispatcher = fleet(worker("a"), worker("b"), worker("c"))
    for number in range(30):
        assert len(assigned(dispatcher.request(f"call-{number}", 1.0))) == 1
    assert used(dispatcher) == {"a": 10, "b": 10, "c": 10}
    assert dispatcher.request("late", 1.0) == (Position("late", 1),)
    served = dispatcher.worker_of("call-17")
    assert served is not None
    assert assigned(dispatcher.release("call-17", 2.0)) == [("late", served.name)]


def test_the_least_part_of_its_slots_counts_and_not_the_number_of_calls() -> None:
    dispatcher = fleet(worker("small", 2), worker("large", 8))
    for number in range(5):
        dispatcher.request(str(number), 0.0)
    assert used(dispatcher) == {"small": 1, "large": 4}


def test_of_equals_the_one_whose_last_call_is_longest_ago() -> None:
    dispatcher = fleet(worker("a"), worker("b"), worker("c"))
    got = []
    for number in range(6):
        got += assigned(dispatcher.request(str(number), 0.0))
        dispatcher.release(str(number), 0.0)  # all are free again
    assert [name for _, name in got] == ["a", "b", "c", "a", "b", "c"]


def test_asking_again_gives_the_standing_answer() -> None:
    dispatcher = fleet(worker("a", 1))
    first = dispatcher.request("one", 0.0)
    assert dispatcher.request("one", 1.0) == first
    waits = dispatcher.request("two", 1.0)
    assert dispatcher.request("two", 2.0) == waits == (Position("two", 1),)
    dispatcher.confirm("one", 2.0)
    assert dispatcher.request("one", 3.0) == ()
    assert used(dispatcher) == {"a": 1}


def test_sticky_caller_gets_the_same_worker_as_long_as_it_has_room() -> None:
    dispatcher = fleet(worker("a", 2), worker("b", 2), rules=Rules(sticky_callers=2))
    assert assigned(dispatcher.request("1", 0.0, caller="+1555")) == [("1", "a")]
    assert assigned(dispatcher.request("2", 0.0, caller="+1555")) == [("2", "a")]
    assert assigned(dispatcher.request("3", 0.0, caller="+1555")) == [("3", "b")]
    dispatcher.release("1", 1.0)
    assert assigned(dispatcher.request("4", 1.0, caller="+1555")) == [("4", "b")]  # now it is this one
    for number in ("+1", "+2"):
        dispatcher.request(number, 1.0, caller=number)
        dispatcher.release(number, 1.0)
    dispatcher.release("4", 1.0)
    assert assigned(dispatcher.request("5", 2.0, caller="+1555")) != []  # forgotten, and served all the same
    assert len(dispatcher._callers) == 2


def test_hidden_callers_do_not_stick_to_one_worker() -> None:
    dispatcher = fleet(worker("a"), worker("b"), rules=Rules(sticky_callers=10))
    for number in range(4):
        dispatcher.request(str(number), 0.0, caller="")
    assert used(dispatcher) == {"a": 2, "b": 2}


# The queue.


def test_the_queue_is_served_in_order_of_arrival() -> None:
    dispatcher = fleet(worker("a", 1))
    fill(dispatcher, 1)
    assert [dispatcher.request(name, 1.0) for name in "xyz"] == [(Position(n, i),) for i, n in enumerate("xyz", 1)]
    assert assigned(dispatcher.release("old-0", 2.0)) == [("x", "a")]
    dispatcher.release("y", 3.0)  # hung up
    assert assigned(dispatcher.release("x", 4.0)) == [("z", "a")]
    assert dispatcher.counters.abandoned == 2  # nobody had confirmed x
    assert dispatcher.counters.queued == 3


def test_positions_are_announced_now_and_then() -> None:
    dispatcher = fleet(worker("a", 1), rules=Rules(announce=10.0))
    fill(dispatcher, 1)
    for name in "xyz":
        dispatcher.request(name, 1.0)
    dispatcher.release("x", 2.0)
    assert dispatcher.deadline == 11.0
    assert dispatcher.tick(10.9) == ()
    assert dispatcher.tick(11.0) == (Position("y", 1), Position("z", 2))
    dispatcher.release("y", 12.0)
    assert dispatcher.tick(21.0) == (Position("z", 1),)
    assert dispatcher.request("z", 22.0) == (Position("z", 1),)


def test_full_queue_refuses() -> None:
    dispatcher = fleet(worker("a", 1), rules=Rules(queue=1))
    fill(dispatcher, 1)
    dispatcher.request("first", 0.0)
    assert dispatcher.request("second", 0.0) == (Refuse("second", Refusal.FULL),)
    assert "second" not in dispatcher.calls
    assert dispatcher.counters.refused_full == 1
    assert dispatcher.waiting == 1


def test_who_waits_too_long_is_refused_unless_a_slot_is_free_just_then() -> None:
    dispatcher = fleet(worker("a", 1), rules=Rules(wait=20.0, reservation=20.0))
    dispatcher.request("rings", 0.0)
    dispatcher.request("first", 0.0)
    dispatcher.request("second", 0.0)
    actions = dispatcher.tick(20.0)
    assert actions == (
        Expire("rings", worker("a", 1)),
        Assign("first", worker("a", 1)),
        Refuse("second", Refusal.WAITED),
    )
    assert dispatcher.counters.refused_waited == 1


def test_without_workers_calls_wait_for_one() -> None:
    dispatcher = fleet()
    dispatcher.request("early", 0.0)
    assert assigned(dispatcher.report(worker("a"), {}, 5.0)) == [("early", "a")]


# Outbound calls.


def test_outbound_calls_leave_the_share_of_inbound_calls() -> None:
    dispatcher = fleet(worker("a"), worker("b"), rules=Rules(inbound_share=0.2))
    for number in range(20):
        dispatcher.request(f"out-{number}", 0.0, kind=Kind.OUTBOUND)
    assert used(dispatcher) == {"a": 8, "b": 8}
    assert dispatcher.waiting == 4
    for number in range(4):
        assert assigned(dispatcher.request(f"in-{number}", 0.0))
    assert assigned(dispatcher.release("in-0", 1.0)) == []  # its slot is not for outbound calls
    assert assigned(dispatcher.release("out-0", 1.0)) == [("out-16", "a")]


@pytest.mark.parametrize(("share", "outbound"), [(0.0, 100), (0.07, 93), (0.29, 71), (0.9, 10), (1.0, 0)])
def test_share_that_is_kept(share: float, outbound: int) -> None:
    dispatcher = fleet(worker("a", 100), rules=Rules(inbound_share=share))
    for number in range(101):
        dispatcher.request(str(number), 0.0, kind=Kind.OUTBOUND)
    assert used(dispatcher) == {"a": outbound}


def test_inbound_calls_are_served_before_outbound_ones() -> None:
    dispatcher = fleet(worker("a", 1))
    fill(dispatcher, 1)
    dispatcher.request("job", 0.0, kind=Kind.OUTBOUND)
    dispatcher.request("person", 1.0)
    assert assigned(dispatcher.release("old-0", 2.0)) == [("person", "a")]


# Reservations.


def test_reservation_that_nobody_confirms_expires() -> None:
    dispatcher = fleet(worker("a", 1), rules=Rules(reservation=30.0, report=1000.0))
    dispatcher.request("rings", 0.0)
    assert dispatcher.deadline == 30.0
    assert dispatcher.tick(29.0) == ()
    assert dispatcher.tick(30.0) == (Expire("rings", worker("a", 1)),)
    assert used(dispatcher) == {"a": 0}
    dispatcher.confirm("rings", 31.0)
    assert dispatcher.counters.late == dispatcher.counters.expired == 1


def test_confirmed_call_keeps_its_slot() -> None:
    dispatcher = fleet(worker("a", 1), rules=Rules(report=1000.0))
    fill(dispatcher, 1)
    assert dispatcher.tick(900.0) == ()
    assert used(dispatcher) == {"a": 1}
    assert dispatcher.release("old-0", 901.0) == ()
    assert dispatcher.release("old-0", 902.0) == ()  # told twice
    assert used(dispatcher) == {"a": 0}
    assert dispatcher.counters.abandoned == 0


# Workers that drain, are lost, and come back.


def test_draining_worker_gets_nothing_and_tells_when_it_is_empty() -> None:
    dispatcher = fleet(worker("a"), worker("b"))
    fill(dispatcher, 2)
    assert dispatcher.drain("a", 1.0) == ()
    for number in range(5):
        assert [name for _, name in assigned(dispatcher.request(str(number), 1.0))] == ["b"]
    assert dispatcher.release("old-0", 2.0) == (Drained(worker("a")),)
    assert dispatcher.report(worker("a"), {}, 3.0) == ()  # it drains still, and that was told
    assert dispatcher.workers[0].state is WorkerState.DRAINING
    dispatcher.report(worker("a", incarnation=1), {}, 4.0)
    assert dispatcher.workers[0].state is WorkerState.UP


def test_drain_is_kept_over_silence() -> None:
    dispatcher = fleet(worker("a"))
    fill(dispatcher, 1)
    dispatcher.drain("a", 1.0)
    dispatcher.lose("a", 2.0)
    dispatcher.report(worker("a"), holding("old-0"), 3.0)
    assert dispatcher.workers[0].state is WorkerState.DRAINING


def test_worker_that_drains_by_itself_says_so() -> None:
    dispatcher = fleet(worker("a"))
    assert dispatcher.report(worker("a"), {}, 1.0, draining=True) == (Drained(worker("a")),)
    assert assigned(dispatcher.request("call", 2.0)) == []


def test_drain_of_nobody_names_those_that_there_are() -> None:
    with pytest.raises(ConfigurationError, match="there is no worker c; known are: a, b"):
        fleet(worker("b"), worker("a")).drain("c", 0.0)


def test_calls_of_a_lost_worker_wait_for_it_and_those_that_rang_go_elsewhere() -> None:
    dispatcher = fleet(worker("a", 2), worker("b", 1))
    dispatcher.request("talks", 0.0)  # a
    dispatcher.confirm("talks", 1.0)
    dispatcher.request("other", 1.0)  # b
    dispatcher.request("rings", 1.0)  # a
    assert dispatcher.lose("a", 2.0) == (Position("rings", 1),)
    assert dispatcher.waiting == 1
    assert used(dispatcher) == {"a": 1, "b": 1}
    dispatcher.request("later", 3.0)
    assert assigned(dispatcher.release("other", 4.0)) == [("rings", "b")]  # it was first
    back = dispatcher.report(worker("a", 2, incarnation=1), holding("talks"), 6.0)
    assert assigned(back) == [("later", "a")]
    assert dispatcher.counters.reattached == dispatcher.counters.put_back == 1


def test_calls_that_go_back_to_the_queue_find_their_places() -> None:
    dispatcher = fleet(worker("a", 1), worker("b", 1), worker("c", 1))
    for name in ("one", "two", "three", "four"):
        dispatcher.request(name, 0.0)  # a, b, c, and the queue
    assert dispatcher.lose("b", 1.0) == (Position("two", 1),)
    assert dispatcher.lose("c", 1.0) == (Position("three", 2),)
    assert dispatcher.lose("a", 1.0) == (Position("one", 1),)
    served = dispatcher.report(worker("d", 4), {}, 2.0)
    assert [call_id for call_id, _ in assigned(served)] == ["one", "two", "three", "four"]


def test_lost_worker_that_does_not_come_back_loses_its_calls() -> None:
    dispatcher = fleet(worker("a"), rules=Rules(reattach=15.0))
    fill(dispatcher, 2)
    dispatcher.lose("a", 1.0)
    assert dispatcher.tick(15.9) == ()
    assert dispatcher.tick(16.0) == (Drop("old-0", worker("a")), Drop("old-1", worker("a")))
    assert dispatcher.workers == ()
    assert dispatcher.counters.lost == 2


def test_silent_worker_counts_as_lost_until_it_speaks() -> None:
    dispatcher = fleet(worker("a"), rules=Rules(report=15.0))
    fill(dispatcher, 1)
    dispatcher.tick(15.0)
    assert dispatcher.workers[0].state is WorkerState.LOST
    assert dispatcher.capacity == 0
    dispatcher.report(worker("a"), holding("old-0"), 16.0)
    assert dispatcher.workers[0].state is WorkerState.UP
    assert dispatcher.capacity == 10


def test_restart_that_nobody_noticed() -> None:
    dispatcher = fleet(worker("a", 2), rules=Rules(unreported=20.0))
    dispatcher.request("talks", 0.0)
    dispatcher.confirm("talks", 0.0)
    dispatcher.request("rings", 0.0)
    actions = dispatcher.report(worker("a", 2, incarnation=1), {}, 5.0)
    assert assigned(actions) == [("rings", "a")]  # its invitation died with the old process
    dispatcher.report(worker("a", 2, incarnation=1), holding("talks"), 8.0)
    dispatcher.confirm("rings", 8.0)
    assert dispatcher.tick(25.0) == ()
    assert used(dispatcher) == {"a": 2}


def test_report_of_an_earlier_incarnation_is_ignored() -> None:
    dispatcher = fleet(worker("a", incarnation=2))
    dispatcher.report(worker("a", incarnation=1), holding("ghost"), 1.0)
    assert "ghost" not in dispatcher.calls
    assert dispatcher.counters.stale == 1


def test_removed_worker_is_forgotten() -> None:
    dispatcher = fleet(worker("a"), worker("b", 1))
    dispatcher.request("rings", 0.0)
    assert assigned(dispatcher.remove("a", 1.0)) == [("rings", "b")]
    assert list(used(dispatcher)) == ["b"]
    assert dispatcher.remove("a", 1.0) == ()


# Workers that do not take a call.


def test_call_that_its_worker_does_not_take_goes_to_another() -> None:
    dispatcher = fleet(worker("dead"), worker("b"))
    assert assigned(dispatcher.request("first", 0.0)) == [("first", "dead")]
    assert assigned(dispatcher.fail("first", 1.0)) == [("first", "b")]
    assert dispatcher.workers[0].state is WorkerState.SUSPENDED
    for number in range(3):  # though it has no call at all
        assert [name for _, name in assigned(dispatcher.request(str(number), 2.0))] == ["b"]
    dispatcher.report(worker("dead"), {}, 5.0)
    assert assigned(dispatcher.request("last", 5.0)) == [("last", "dead")]
    assert dispatcher.counters.failed == 1


def test_call_that_nobody_takes_is_refused_before_all_workers_are_suspended() -> None:
    dispatcher = fleet(*(worker(name) for name in "abcd"), rules=Rules(failures=3))
    dispatcher.request("bad", 0.0)
    assert assigned(dispatcher.fail("bad", 1.0)) == [("bad", "b")]
    assert assigned(dispatcher.fail("bad", 1.0)) == [("bad", "c")]
    assert dispatcher.fail("bad", 1.0) == (Refuse("bad", Refusal.FAILED),)
    assert used(dispatcher) == dict.fromkeys("abcd", 0)
    assert [load.state for load in dispatcher.workers] == [WorkerState.SUSPENDED] * 3 + [WorkerState.UP]


def test_failures_of_calls_that_are_not_reserved() -> None:
    dispatcher = fleet(worker("a", 1))
    fill(dispatcher, 1)
    dispatcher.request("waits", 0.0)
    for call_id in ("nobody", "waits", "old-0"):
        assert dispatcher.fail(call_id, 1.0) == ()
    assert dispatcher.workers[0].state is WorkerState.UP


def test_suspended_worker_can_be_drained() -> None:
    dispatcher = fleet(worker("a"), worker("b"))
    dispatcher.request("call", 0.0)
    dispatcher.fail("call", 1.0)
    assert dispatcher.drain("a", 2.0) == (Drained(worker("a")),)
    dispatcher.report(worker("a"), {}, 3.0)
    assert dispatcher.workers[0].state is WorkerState.DRAINING


# What workers say.


def test_call_that_its_worker_does_not_report_is_released_in_time() -> None:
    dispatcher = fleet(worker("a"), rules=Rules(unreported=20.0, report=100.0))
    fill(dispatcher, 2)
    dispatcher.report(worker("a"), holding("old-0"), 5.0)
    dispatcher.report(worker("a"), holding("old-0"), 10.0)
    assert dispatcher.tick(24.0) == ()
    assert dispatcher.tick(25.0) == (Drop("old-1", worker("a")),)
    assert dispatcher.counters.unreported == 1


def test_report_that_crossed_the_answer_does_no_harm() -> None:
    dispatcher = fleet(worker("a"))
    fill(dispatcher, 1)
    dispatcher.report(worker("a"), {}, 1.0)
    dispatcher.report(worker("a"), holding("old-0"), 6.0)
    assert [action for action in dispatcher.tick(29.0) if isinstance(action, Drop)] == []


def test_report_confirms_what_was_reserved() -> None:
    dispatcher = fleet(worker("a"), rules=Rules(report=100.0))
    dispatcher.request("call", 0.0)
    dispatcher.report(worker("a"), holding("call"), 5.0)
    assert dispatcher.tick(60.0) == ()
    assert used(dispatcher) == {"a": 1}
    assert dispatcher.counters.adopted == 0


def test_worker_that_holds_a_call_has_it_wherever_it_was_thought_to_be() -> None:
    dispatcher = fleet(worker("a", 1), worker("b", 5))
    dispatcher.request("at a", 0.0)
    fill(dispatcher, 5)
    dispatcher.request("waits", 0.0)
    assert dispatcher.waiting == 1
    dispatcher.report(worker("b", 5), holding("at a", "waits", *(f"old-{n}" for n in range(5))), 1.0)
    assert used(dispatcher) == {"a": 0, "b": 7}  # above its capacity, for they are there
    assert dispatcher.waiting == 0
    assert dispatcher.counters.adopted == 2


def test_two_workers_claim_a_call() -> None:
    dispatcher = fleet(worker("a"), worker("b"))
    dispatcher.report(worker("a"), holding("call"), 1.0)
    dispatcher.report(worker("b"), holding("call"), 1.0)
    assert used(dispatcher) == {"a": 1, "b": 0}
    assert dispatcher.counters.contested == 1
    dispatcher.report(worker("a"), {}, 2.0)
    dispatcher.report(worker("b"), holding("call"), 3.0)
    assert used(dispatcher) == {"a": 0, "b": 1}


def test_answer_of_a_lost_worker_does_not_hold_a_call_at_its_second_one() -> None:
    dispatcher = fleet(worker("a"), worker("b"))
    dispatcher.request("call", 0.0)
    assert assigned(dispatcher.lose("a", 1.0)) == [("call", "b")]
    dispatcher.confirm("call", 1.1)  # a had answered it just before
    dispatcher.report(worker("a", incarnation=1), holding("call"), 3.0)
    assert used(dispatcher) == {"a": 1, "b": 0}


# A dispatcher that follows another.


def test_a_new_dispatcher_assigns_nothing_until_all_workers_have_reported() -> None:
    dispatcher = Dispatcher(now=100.0, expected=["a", "b"])
    assert dispatcher.rebuilding
    assert dispatcher.request("new", 100.0) == (Position("new", 1),)
    assert assigned(dispatcher.report(worker("a", 2), holding("one", "two"), 100.5)) == []
    assert assigned(dispatcher.report(worker("b", 2), holding("three", kind=Kind.OUTBOUND), 100.6)) == [("new", "b")]
    assert not dispatcher.rebuilding
    assert used(dispatcher) == {"a": 2, "b": 2}
    assert dispatcher.counters.adopted == 3


@pytest.mark.parametrize("gone", ["lose", "remove"])
def test_a_new_dispatcher_does_not_wait_for_who_is_gone(gone: str) -> None:
    dispatcher = Dispatcher(now=0.0, expected=["a", "b"])
    dispatcher.report(worker("a"), {}, 1.0)
    dispatcher.request("new", 1.0)
    assert assigned(getattr(dispatcher, gone)("b", 2.0)) == [("new", "a")]


def test_a_new_dispatcher_waits_for_a_limited_time() -> None:
    dispatcher = Dispatcher(Rules(rebuild=10.0), now=100.0, expected=["a", "b"])
    dispatcher.report(worker("a"), {}, 101.0)
    dispatcher.request("new", 101.0)
    assert dispatcher.deadline == 110.0
    assert assigned(dispatcher.tick(110.0)) == [("new", "a")]


# What makes no sense.


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("wait", 0.0, "wait is 0.0; it must be a number of seconds above 0"),
        ("reattach", float("inf"), "reattach is inf"),
        ("failures", 0, "failures is 0; it must be 1 or more"),
        ("queue", -1, "queue is -1; it must be 0 or more"),
        ("inbound_share", 1.5, "inbound_share is 1.5; it must be from 0 to 1"),
    ],
)
def test_rules_that_cannot_be(name: str, value: float, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        dataclasses.replace(Rules(), **{name: value})


def test_workers_that_cannot_be() -> None:
    with pytest.raises(ConfigurationError, match="worker a: capacity is 0; it must be 1 or more"):
        worker("a", 0)
    with pytest.raises(ConfigurationError, match="no name"):
        worker("")


# Whatever happens.


class World:
    """Workers, callers and a network that lose things, around a dispatcher; after each step all rules are checked."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.now = 0.0
        self.rules = Rules(
            reservation=7.0,
            queue=self.dice.choice([0, 3, 20]),
            wait=11.0,
            announce=2.0,
            report=9.0,
            reattach=6.0,
            unreported=5.0,
            rebuild=3.0,
            sticky_callers=self.dice.choice([0, 3]),
            inbound_share=self.dice.choice([0.0, 0.3]),
        )
        self.dispatcher = Dispatcher(self.rules, now=0.0)
        self.held: dict[str, dict[str, Kind]] = {}  # what workers really hold
        self.workers: dict[str, WorkerInfo] = {}
        self.ringing: dict[str, str] = {}  # call to worker, as the last `Assign` said
        self.kinds: dict[str, Kind] = {}
        self.waiting: dict[Kind, list[str]] = {kind: [] for kind in Kind}  # in order of arrival
        self.arrivals: list[str] = []

    def carry_out(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Assign(call_id, to):
                    queue = self.waiting[self.kinds[call_id]]
                    assert queue[0] == call_id, "not the first of its queue"
                    queue.pop(0)
                    assert self.workers[to.name] == to
                    status = next(s for s in self.dispatcher.workers if s.worker.name == to.name)
                    assert status.state is WorkerState.UP
                    assert status.reserved + status.confirmed <= to.capacity, "assigned above the capacity"
                    assert not self.dispatcher.rebuilding
                    self.ringing[call_id] = to.name
                case Refuse(call_id):
                    self.waiting[self.kinds[call_id]].remove(call_id)
                case Expire(call_id) | Drop(call_id):
                    assert call_id not in self.dispatcher.calls
                    self.ringing.pop(call_id, None)
                case Position(call_id, position):
                    assert 1 <= position <= len(self.waiting[self.kinds[call_id]])
                case Drained(drained):
                    assert not next(s for s in self.dispatcher.workers if s.worker == drained).confirmed

    def step(self) -> None:
        kind = self.dice.choice(
            ["arrive"] * 5 + ["answer"] * 5 + ["end"] * 4 + ["report"] * 6 + ["pass"] * 5
            + ["start", "fail", "fail", "claim", "report late", "crash", "crash unnoticed", "drain", "remove"]
            + ["kill the dispatcher"]
        )  # fmt: skip
        getattr(self, "do_" + kind.replace(" ", "_"))()
        self.check()

    def do_arrive(self) -> None:
        call_id = f"call-{len(self.arrivals)}"
        self.arrivals.append(call_id)
        self.kinds[call_id] = self.dice.choice([*Kind])
        self.waiting[self.kinds[call_id]].append(call_id)
        caller = self.dice.choice(["", "+1", "+2", "+3", "+4"])
        self.carry_out(self.dispatcher.request(call_id, self.now, caller=caller, kind=self.kinds[call_id]))

    def do_answer(self) -> None:
        if self.ringing:
            call_id = self.dice.choice([*self.ringing])
            name = self.ringing.pop(call_id)
            if name in self.held and len(self.held[name]) < self.workers[name].capacity:
                self.held[name][call_id] = self.kinds[call_id]
            if self.dice.random() < 0.8:  # or the message is lost
                self.dispatcher.confirm(call_id, self.now)

    def do_fail(self) -> None:
        if self.ringing:
            call_id = self.dice.choice([*self.ringing])
            del self.ringing[call_id]
            call = self.dispatcher._calls.get(call_id)
            if call and call.at and not call.confirmed:
                self.waiting[call.kind].append(call_id)
                self.waiting[call.kind].sort(key=self.arrivals.index)
            self.carry_out(self.dispatcher.fail(call_id, self.now))

    def do_end(self) -> None:
        if not self.arrivals:
            return
        call_id = self.dice.choice(self.arrivals[-30:])
        for calls in self.held.values():
            calls.pop(call_id, None)
        self.ringing.pop(call_id, None)
        queue = self.waiting[self.kinds[call_id]]
        if call_id in queue or self.dice.random() < 0.8:  # or the message is lost
            if call_id in queue:
                queue.remove(call_id)
            self.carry_out(self.dispatcher.release(call_id, self.now))

    def do_report(self) -> None:
        if self.held:
            self.report(self.dice.choice([*self.held]))

    def report(self, name: str) -> None:
        # What it holds rings no more, and waits nowhere.
        before = {call_id for call_id in self.held[name] if call_id in self.dispatcher.calls}
        for call_id in self.held[name]:
            if call_id in self.waiting[self.kinds[call_id]]:
                self.waiting[self.kinds[call_id]].remove(call_id)
        self.lose_ringing(name, self.held[name])
        self.carry_out(self.dispatcher.report(self.workers[name], dict(self.held[name]), self.now))
        assert all(call_id in self.dispatcher.calls for call_id in before)

    def lose_ringing(self, name: str, held: Iterable[str] = ()) -> None:
        """If the dispatcher is about to find out that a worker was lost, calls that rang there wait again."""
        known = next((s for s in self.dispatcher.workers if s.worker.name == name), None)
        if known and name in self.workers and known.worker.incarnation < self.workers[name].incarnation:
            self.wait_again(name, held)

    def wait_again(self, name: str, held: Iterable[str] = ()) -> None:
        record = self.dispatcher._records.get(name)
        if record is None or record.state is WorkerState.LOST:
            return
        for call in record.calls.values():
            if not call.confirmed and call.call_id not in held:
                self.waiting[call.kind].append(call.call_id)
        for queue in self.waiting.values():
            queue.sort(key=self.arrivals.index)

    def do_pass(self) -> None:
        self.now += self.dice.choice([0.1, 1.0, 3.0])
        for name, deadline in list(self.dispatcher._heard._deadlines.items()):
            if deadline <= self.now:
                for call_id in [c for c, d in self.dispatcher._reserved._deadlines.items() if d <= self.now]:
                    self.ringing.pop(call_id, None)
                expired = [c for c, d in self.dispatcher._reserved._deadlines.items() if d <= self.now]
                self.wait_again(name, expired)
        self.carry_out(self.dispatcher.tick(self.now))
        assert self.dispatcher.deadline is None or self.dispatcher.deadline > self.now

    def do_start(self) -> None:
        name = self.dice.choice("abcd")
        if name not in self.held:
            old = self.workers.get(name)
            capacity = old.capacity if old else self.dice.choice([1, 2, 5])
            self.workers[name] = worker(name, capacity, old.incarnation + 1 if old else 0)
            self.held[name] = {}
            if self.dice.random() < 0.5:  # its calls come back with it
                for call_id in [c for c in self.arrivals if self.dispatcher.worker_of(c) == old and old]:
                    if call_id in self.dispatcher._calls and self.dispatcher._calls[call_id].confirmed:
                        self.held[name][call_id] = self.kinds[call_id]
            self.report(name)

    def do_claim(self) -> None:
        """A worker holds a call of another, as when a hand-over goes wrong."""
        if all_held := [call_id for calls in self.held.values() for call_id in calls]:
            call_id = self.dice.choice(all_held)
            self.held[self.dice.choice([*self.held])][call_id] = self.kinds[call_id]

    def do_report_late(self) -> None:
        """The last report of a process that is gone comes after the first one of its successor."""
        if self.held:
            name = self.dice.choice([*self.held])
            known = {status.worker.name: status.worker for status in self.dispatcher.workers}.get(name)
            if known and known.incarnation:
                old = dataclasses.replace(known, incarnation=known.incarnation - 1)
                assert self.dispatcher.report(old, holding("ghost"), self.now) == ()

    def do_crash(self) -> None:
        if self.held:
            name = self.dice.choice([*self.held])
            del self.held[name]
            self.wait_again(name)
            self.ringing = {c: n for c, n in self.ringing.items() if n != name}
            self.carry_out(self.dispatcher.lose(name, self.now))

    def do_crash_unnoticed(self) -> None:
        if self.held:
            del self.held[self.dice.choice([*self.held])]

    def do_drain(self) -> None:
        if known := [status.worker.name for status in self.dispatcher.workers]:
            self.carry_out(self.dispatcher.drain(self.dice.choice(known), self.now))

    def do_remove(self) -> None:
        if self.held and self.dice.random() < 0.3:
            name = self.dice.choice([*self.held])
            self.wait_again(name)
            del self.held[name]
            self.ringing = {c: n for c, n in self.ringing.items() if n != name}
            self.carry_out(self.dispatcher.remove(name, self.now))

    def do_kill_the_dispatcher(self) -> None:
        """What rings rings on, at its worker; what waits is asked for again."""
        if self.dice.random() < 0.3:
            for call_id, name in self.ringing.items():
                if name in self.held:
                    self.held[name][call_id] = self.kinds[call_id]
            self.ringing.clear()
            self.dispatcher = Dispatcher(self.rules, now=self.now, expected=list(self.workers))
            waiting = sorted((c for queue in self.waiting.values() for c in queue), key=self.arrivals.index)
            for call_id in waiting:
                self.carry_out(self.dispatcher.request(call_id, self.now, kind=self.kinds[call_id]))

    def check(self) -> None:
        dispatcher = self.dispatcher
        places = Counter(call_id for record in dispatcher._records.values() for call_id in record.calls)
        places.update(call_id for queue in dispatcher._queues.values() for call_id in queue)
        assert places.keys() == dispatcher._calls.keys()
        assert set(places.values()) <= {1}, "a call in two places"
        assert {kind: list(queue) for kind, queue in dispatcher._queues.items()} == self.waiting
        up = [record for record in dispatcher._records.values() if record.state is WorkerState.UP]
        assert dispatcher.capacity == sum(record.worker.capacity for record in up)
        outbound = [c for record in up for c in record.calls.values() if c.kind is Kind.OUTBOUND]
        assert dispatcher._outbound == len(outbound)
        free = {record.worker.name for record in up if len(record.calls) < record.worker.capacity}
        assert {record.worker.name for record in dispatcher._records.values() if record.entry} == free
        assert bool(free) == (dispatcher._room.first() is not None)
        assert len(dispatcher._room._heap) <= 4 * len(free) + 65
        if free and not dispatcher.rebuilding:
            assert not dispatcher._queues[Kind.INBOUND], "a caller waits though there is a slot"
        reserved = [c for record in dispatcher._records.values() for c in record.calls.values() if not c.confirmed]
        assert {call.call_id for call in reserved} == dispatcher._reserved._deadlines.keys()
        assert {c for queue in self.waiting.values() for c in queue} == dispatcher._waiting._deadlines.keys()
        assert len(dispatcher._callers) <= self.rules.sticky_callers

    def finish(self) -> None:
        """All calls end, and the workers say so: nothing is left."""
        for calls in self.held.values():
            calls.clear()
        for call_id in self.arrivals:
            queue = self.waiting[self.kinds[call_id]]
            if call_id in queue:
                queue.remove(call_id)
            self.ringing.pop(call_id, None)
            self.carry_out(self.dispatcher.release(call_id, self.now))
        for _ in range(20):
            self.do_pass()
            for name in self.held:
                self.report(name)
            self.check()
        assert not self.dispatcher._calls
        assert set(used(self.dispatcher).values()) <= {0}
        assert used(self.dispatcher).keys() == self.held.keys()
        assert self.dispatcher._announce_at is None


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_whatever_happens(seed: int) -> None:
    world = World(seed)
    for _ in range(300):
        world.step()
    world.finish()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_a_rebuilt_dispatcher_agrees_with_the_workers(seed: int) -> None:
    world = World(seed)
    for _ in range(150):
        world.step()
    dispatcher = Dispatcher(world.rules, now=world.now, expected=list(world.held))
    for name, calls in world.held.items():
        dispatcher.report(world.workers[name], calls, world.now)
    assert not dispatcher.rebuilding
    told = Counter(call_id for calls in world.held.values() for call_id in calls)
    assert dispatcher._calls.keys() == told.keys()
    if told.total() == len(told):  # nobody claims the call of another
        assert used(dispatcher) == {name: len(calls) for name, calls in world.held.items()}
