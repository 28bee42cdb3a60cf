"""Which worker gets a call. The dispatcher has no network, no clock and no task: its driver has.

Each method takes the time (seconds of a monotonic clock), and returns what is to be done, in this order. A driver:

    dispatcher = Dispatcher(rules, now=clock(), expected=names_of_workers_that_should_be_there)

    async def on_report(worker: WorkerInfo, calls: Mapping[str, Kind]) -> None:  # every few seconds, and at the start
        await carry_out(dispatcher.report(worker, calls, clock()))

    async def on_call_initiated(call_id: str, caller: str) -> None:
        await carry_out(dispatcher.request(call_id, clock(), caller=caller))

    async def on_call_answered(call_id: str) -> None:
        dispatcher.confirm(call_id, clock())

    async def on_transfer_failed(call_id: str) -> None:  # the worker refused, or its leg ended without an answer
        await carry_out(dispatcher.fail(call_id, clock()) or dispatcher.request(call_id, clock()))

    async def on_call_hangup(call_id: str) -> None:
        await carry_out(dispatcher.release(call_id, clock()))

    async def keep_time() -> None:  # wakes at `dispatcher.deadline`, and when that has changed
        await carry_out(dispatcher.tick(clock()))

    async def carry_out(actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Assign(call_id, worker):
                    await transfer(call_id, worker.address)
                case Position(call_id, position):
                    await say_position(call_id, position)
                case Refuse(call_id) | Expire(call_id) | Drop(call_id):
                    await hang_up(call_id)  # one that expired may also be requested again
                case Drained(worker):
                    await close(worker.name)

The rules:

1. A slot is taken when the call is assigned, before it rings, and never above the worker's capacity. Only what workers
   report may go above it, for it is there already.
2. The worker with the smallest part of its slots taken gets the call; of equals, the one whose last is longest ago.
   Workers that drain or are lost get none, nor those that did not take a call, until they report. Else one that is dead
   and that nobody misses yet would always be the least loaded, and get all calls.
3. Who finds no slot waits. Each kind of call has its own queue, in order of arrival; inbound calls come first, for a
   person waits. A call that was not confirmed when its worker was lost, or failed, goes back to its place, also when
   the queue is full.
4. The workers' word is the truth about what they hold. A call that was not known there is adopted, wherever it was
   thought to be. If two workers claim a call, the first keeps it until it is lost, or does not
   report the call any more.
5. A dispatcher that follows one that was killed is given the names of the workers that should be there. Until each has
   reported, or been lost, or `Rules.rebuild` has passed, calls wait in the queue, for slots that seem free may not be.
   A worker reports every call that rings or stands there. The queue of the predecessor is not rebuilt, nor which worker
   a caller had: the driver asks again for calls that wait. Asking again does no harm: it gives the standing answer.

No decision looks at all workers or all calls: it takes O(log workers), a report O(calls of the worker), an announcement
of positions O(queue), and the loss of a worker O(its calls + queue).
"""

from __future__ import annotations

import math
from collections import OrderedDict
from itertools import count
from typing import TYPE_CHECKING

from telnyx_native.errors import ConfigurationError
from telnyx_native.fleet.dispatch_terms import (
    Action,
    Assign,
    Counters,
    Drained,
    Drop,
    Expire,
    Kind,
    Position,
    Refusal,
    Refuse,
    Rules,
    WorkerInfo,
    WorkerLoad,
    WorkerState,
)
from telnyx_native.fleet.records import CallRecord, LeastLoaded, WorkerRecord
from telnyx_native.fleet.timer import Timer

if TYPE_CHECKING:
    from collections.abc import Iterable, KeysView, Mapping

__all__ = ["Dispatcher"]

Actions = tuple[Action, ...]


class Dispatcher:
    """Holds workers and calls, and decides which call goes where.

    Attributes:
        rules: How it decides.
        counters: What happened so far.
    """

    def __init__(self, rules: Rules | None = None, *, now: float, expected: Iterable[str] = ()) -> None:
        """Begin without workers and calls.

        Args:
            rules: How to decide.
            now: The time.
            expected: Names of workers that should be there, because a predecessor had them.
        """
        self.rules = rules or Rules()
        self.counters = Counters()
        self._records: dict[str, WorkerRecord] = {}
        self._calls: dict[str, CallRecord] = {}
        self._queues: dict[Kind, OrderedDict[str, CallRecord]] = {kind: OrderedDict() for kind in Kind}  # inbound first
        self._room = LeastLoaded()
        self._callers: OrderedDict[str, str] = OrderedDict()
        self._numbers = count(1)
        self._capacity = 0  # of workers that are up
        self._outbound = 0  # calls at workers that are up
        self._expected = set(expected)
        self._expected_until = now + self.rules.rebuild
        self._announce_at: float | None = None
        self._reserved = Timer(self.rules.reservation)
        self._waiting = Timer(self.rules.wait)
        self._unreported = Timer(self.rules.unreported)
        self._heard = Timer(self.rules.report)
        self._lost = Timer(self.rules.reattach)
        self._returned: set[str] = set()  # put back, and not told yet
        self._actions: list[Action] = []

    # What is seen from outside.

    @property
    def deadline(self) -> float | None:
        """When `tick` is wanted next; `None` if there is nothing to wait for."""
        timers = (self._reserved, self._waiting, self._unreported, self._heard, self._lost)
        deadlines = [timer.deadline for timer in timers]
        deadlines += [self._announce_at, self._expected_until if self._expected else None]
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    @property
    def rebuilding(self) -> bool:
        """Whether reports of expected workers are missing, and no call is assigned."""
        return bool(self._expected)

    @property
    def waiting(self) -> int:
        """How many calls wait."""
        return sum(map(len, self._queues.values()))

    @property
    def capacity(self) -> int:
        """Slots of all workers that are up."""
        return self._capacity

    @property
    def calls(self) -> KeysView[str]:
        """The ids of all calls that are known."""
        return self._calls.keys()

    @property
    def workers(self) -> tuple[WorkerLoad, ...]:
        """All workers, in the order in which they came. Takes as long as there are calls."""
        return tuple(self._status(record) for record in self._records.values())

    def worker_of(self, call_id: str) -> WorkerInfo | None:
        """The worker that a call was assigned to; `None` if it waits, or is not known."""
        call = self._calls.get(call_id)
        return call.at.worker if call and call.at else None

    # Calls.

    def request(self, call_id: str, now: float, *, caller: str = "", kind: Kind = Kind.INBOUND) -> Actions:
        """Ask for a slot: `Assign`, or `Position` in the queue, or `Refuse`.

        Args:
            call_id: Identifies the call. Asking again gives the standing answer.
            now: The time.
            caller: The number that calls, for `Rules.sticky_callers`; empty if it is hidden.
            kind: An outbound call gets no slot of `Rules.inbound_share`.
        """
        if (known := self._calls.get(call_id)) is not None:
            return self._standing(known)
        call = CallRecord(call_id, kind, caller, next(self._numbers))
        queue = self._queues[kind]
        queue[call_id] = self._calls[call_id] = call
        self._fill(now)
        if call.at is None and len(queue) > self.rules.queue:
            self.counters.refused_full += 1
            self._refuse(call, Refusal.FULL)
        elif call.at is None:
            self.counters.queued += 1
            self._wait(call, now)
            self._tell_position(call, len(queue))
        return self._done()

    def confirm(self, call_id: str, now: float) -> None:  # noqa: ARG002 - every event has its time
        """Take note that a call was answered by its worker: it keeps its slot until it is released."""
        call = self._calls.get(call_id)
        if call is None or call.at is None:
            self.counters.late += 1  # its worker reports it, if it stands
            return
        call.confirmed = True
        self._reserved.stop(call_id)

    def fail(self, call_id: str, now: float) -> Actions:
        """Take note that a call did not get to its worker: it refused, or was not there.

        The call is dispatched anew, and the worker is suspended until it reports. After `Rules.failures` of them the
        call is refused. Calls that are not reserved are ignored: one that is not known has to be requested.
        """
        call = self._calls.get(call_id)
        if call is None or call.at is None or call.confirmed:
            return ()
        self.counters.failed += 1
        call.failures += 1
        if call.at.state is WorkerState.UP:
            self._become(call.at, WorkerState.SUSPENDED)
        if call.failures < self.rules.failures:
            self._put_back([call], now)
        else:
            self.counters.refused_failed += 1
            self._refuse(call, Refusal.FAILED)
        self._fill(now)
        return self._done()

    def release(self, call_id: str, now: float) -> Actions:
        """Take note that a call has ended, or that its caller gave up. Calls that are not known are ignored."""
        call = self._calls.get(call_id)
        if call is not None:
            self.counters.abandoned += not call.confirmed
            self._forget(call)
            self._fill(now)
        return self._done()

    # Workers.

    def report(self, worker: WorkerInfo, calls: Mapping[str, Kind], now: float, *, draining: bool = False) -> Actions:
        """Take a worker's word for what it is and holds. The first report brings it up.

        Args:
            worker: The worker. A greater incarnation than before means that it was restarted: it is up again.
            calls: Every call that rings or stands there.
            now: The time.
            draining: It takes no more calls.
        """
        record = self._records.get(worker.name)
        if record is None:
            record = self._records[worker.name] = WorkerRecord(worker)
        if worker.incarnation < record.worker.incarnation:
            self.counters.stale += 1
            return ()
        if worker.incarnation > record.worker.incarnation:
            self._lose(worker.name, now)  # nobody noticed that it was gone
            record.draining = record.told = False
        if record.state is WorkerState.LOST:
            self.counters.reattached += len(record.calls.keys() & calls.keys())
        record.draining |= draining
        self._become(record, WorkerState.DRAINING if record.draining else WorkerState.UP, worker)
        self._heard.start(worker.name, now)
        self._lost.stop(worker.name)
        self._expected.discard(worker.name)
        self._agree(record, calls, now)
        self._tell_drained(record)
        self._fill(now)
        return self._done()

    def lose(self, name: str, now: float) -> Actions:
        """Take note that a worker is gone without a word: killed, or cut off.

        Its confirmed calls are kept for `Rules.reattach`, for they go on when it is restarted; the others are
        dispatched anew.
        """
        self._lose(name, now)
        self._fill(now)
        return self._done()

    def drain(self, name: str, now: float) -> Actions:
        """Give a worker no more calls, until it is restarted; `Drained` follows when it has none left.

        Raises:
            ConfigurationError: There is no such worker.
        """
        record = self._records.get(name)
        if record is None:
            known = ", ".join(sorted(self._records)[:20]) or "none"
            raise ConfigurationError(f"there is no worker {name}; known are: {known}")
        record.draining = True
        if record.state is not WorkerState.LOST:
            self._become(record, WorkerState.DRAINING)
        self._tell_drained(record)
        self._fill(now)
        return self._done()

    def remove(self, name: str, now: float) -> Actions:
        """Forget a worker that was closed. Calls that it still has are gone with it."""
        self._expected.discard(name)
        if name in self._records:
            self._remove(name, now)
        self._fill(now)
        return self._done()

    # Time.

    def tick(self, now: float) -> Actions:
        """Do what is due: see `deadline`. Called too early or too often, it does nothing."""
        for call_id in self._reserved.due(now):
            self._expire(self._calls[call_id])
        for call_id in self._unreported.due(now):
            self.counters.unreported += 1
            self._drop(self._calls[call_id])
        for name in self._heard.due(now):
            self._lose(name, now)
        for name in self._lost.due(now):
            self._remove(name, now)
        if now >= self._expected_until:
            self._expected.clear()
        self._fill(now)
        for call_id in self._waiting.due(now):  # whom no slot that has become free was for
            self.counters.refused_waited += 1
            self._refuse(self._calls[call_id], Refusal.WAITED)
        self._announce(now)
        return self._done()

    # Calls and slots.

    def _fill(self, now: float) -> None:
        """Assign what waits, as far as there are slots for it; tell what was put back and waits."""
        for queue in self._queues.values():
            while queue and not self._expected:
                call = next(iter(queue.values()))
                record = self._choose(call)
                if record is None:
                    break
                self._assign(call, record, now)
            returned = self._returned & queue.keys() if self._returned else set()
            for position, call in enumerate(queue.values(), 1):  # they are at its beginning
                if not returned:
                    break
                if call.call_id in returned:
                    returned.remove(call.call_id)
                    self._tell_position(call, position)
        self._returned.clear()

    def _choose(self, call: CallRecord) -> WorkerRecord | None:
        """The worker for a call; `None` if there is no slot for it."""
        if call.kind is Kind.OUTBOUND and self._outbound >= self._outbound_limit:
            return None
        record = self._records.get(self._callers.get(call.caller, ""))
        return record if record and record.has_room else self._room.first()

    @property
    def _outbound_limit(self) -> int:
        kept = math.ceil(self._capacity * self.rules.inbound_share - 1e-9)  # 0.07 of 100 are 7.000000000000001
        return self._capacity - kept

    def _assign(self, call: CallRecord, record: WorkerRecord, now: float) -> None:
        self.counters.dispatched += 1
        self._leave_queue(call)
        record.turn = next(self._numbers)
        self._take_slot(call, record)
        self._reserved.start(call.call_id, now)
        if call.caller and self.rules.sticky_callers:
            self._callers[call.caller] = record.worker.name
            self._callers.move_to_end(call.caller)
            if len(self._callers) > self.rules.sticky_callers:
                self._callers.popitem(last=False)
        self._actions.append(Assign(call.call_id, record.worker))

    def _take_slot(self, call: CallRecord, record: WorkerRecord) -> None:
        call.at = record
        record.calls[call.call_id] = call
        self._count_outbound(record, call, 1)

    def _free_slot(self, call: CallRecord) -> None:
        if (record := call.at) is None:
            return
        call.at = None
        call.confirmed = call.reported = False
        del record.calls[call.call_id]
        self._reserved.stop(call.call_id)
        self._unreported.stop(call.call_id)
        self._count_outbound(record, call, -1)
        self._tell_drained(record)

    def _count_outbound(self, record: WorkerRecord, call: CallRecord, change: int) -> None:
        if call.kind is Kind.OUTBOUND:
            record.outbound += change
            if record.state is WorkerState.UP:
                self._outbound += change
        self._room.update(record)

    def _wait(self, call: CallRecord, now: float) -> None:
        self._waiting.start(call.call_id, now)
        if self._announce_at is None:
            self._announce_at = now + self.rules.announce

    def _tell_position(self, call: CallRecord, position: int) -> None:
        call.position = position
        self._actions.append(Position(call.call_id, position))

    def _leave_queue(self, call: CallRecord) -> None:
        if self._queues[call.kind].pop(call.call_id, None):
            self._waiting.stop(call.call_id)

    def _put_back(self, calls: Iterable[CallRecord], now: float) -> None:
        """Bring calls that were assigned and not confirmed back to their places in the queue."""
        unanswered = [call for call in calls if not call.confirmed]
        mixed = set()
        for call in sorted(unanswered, key=lambda call: call.number, reverse=True):
            self.counters.put_back += 1
            self._free_slot(call)
            queue = self._queues[call.kind]
            if call.number > next(iter(queue.values()), call).number:
                mixed.add(call.kind)
            queue[call.call_id] = call
            queue.move_to_end(call.call_id, last=False)
            self._wait(call, now)
            self._returned.add(call.call_id)
        for kind in mixed:
            self._queues[kind] = OrderedDict(sorted(self._queues[kind].items(), key=lambda item: item[1].number))

    def _forget(self, call: CallRecord) -> None:
        self._leave_queue(call)
        self._free_slot(call)
        del self._calls[call.call_id]

    def _refuse(self, call: CallRecord, why: Refusal) -> None:
        self._forget(call)
        self._actions.append(Refuse(call.call_id, why))

    def _expire(self, call: CallRecord) -> None:
        assert call.at is not None  # noqa: S101 - it has a reservation
        self.counters.expired += 1
        self._actions.append(Expire(call.call_id, call.at.worker))
        self._forget(call)

    def _drop(self, call: CallRecord) -> None:
        assert call.at is not None  # noqa: S101 - it is confirmed
        self._actions.append(Drop(call.call_id, call.at.worker))
        self._forget(call)

    def _standing(self, call: CallRecord) -> Actions:
        """The answer to a request that was made before."""
        if call.at is None:
            return (Position(call.call_id, call.position),)
        return () if call.confirmed else (Assign(call.call_id, call.at.worker),)

    def _announce(self, now: float) -> None:
        if self._announce_at is None or now < self._announce_at:
            return
        for queue in self._queues.values():
            for position, call in enumerate(queue.values(), 1):
                if call.position != position:
                    self._tell_position(call, position)
        self._announce_at = now + self.rules.announce if self.waiting else None

    # Workers and what they say.

    def _become(self, record: WorkerRecord, state: WorkerState, worker: WorkerInfo | None = None) -> None:
        """Change what is known of a worker."""
        self._count_up(record, -1)
        record.state = state
        record.worker = worker or record.worker
        self._count_up(record, 1)
        self._room.update(record)

    def _count_up(self, record: WorkerRecord, sign: int) -> None:
        if record.state is WorkerState.UP:
            self._capacity += sign * record.worker.capacity
            self._outbound += sign * record.outbound

    def _agree(self, record: WorkerRecord, calls: Mapping[str, Kind], now: float) -> None:
        """Bring what is known of a worker's calls in line with what it says."""
        for call_id, kind in calls.items():
            call = self._calls.get(call_id)
            if call is None:
                call = self._calls[call_id] = CallRecord(call_id, kind, "", next(self._numbers))
            if call.at is not record:
                if call.at and call.reported and call.at.state is not WorkerState.LOST:
                    self.counters.contested += 1
                    continue
                self.counters.adopted += 1
                self._leave_queue(call)
                self._free_slot(call)
                self._take_slot(call, record)
            call.confirmed = call.reported = True
            self._reserved.stop(call_id)
            self._unreported.stop(call_id)
        for call_id in record.calls.keys() - calls.keys():
            call = record.calls[call_id]
            call.reported = False
            if call.confirmed and call_id not in self._unreported:
                self._unreported.start(call_id, now)

    def _lose(self, name: str, now: float) -> None:
        self._expected.discard(name)
        record = self._records.get(name)
        if record is None or record.state is WorkerState.LOST:
            return
        self._become(record, WorkerState.LOST)
        self._heard.stop(name)
        self._lost.start(name, now)
        self._put_back(record.calls.values(), now)
        for call_id in record.calls:
            self._unreported.stop(call_id)  # from now on the worker's own time counts

    def _remove(self, name: str, now: float) -> None:
        record = self._records[name]
        self._become(record, WorkerState.LOST)
        self._put_back(record.calls.values(), now)
        self.counters.lost += len(record.calls)
        for call in list(record.calls.values()):
            self._drop(call)
        self._heard.stop(name)
        self._lost.stop(name)
        del self._records[name]

    def _tell_drained(self, record: WorkerRecord) -> None:
        if record.state is WorkerState.DRAINING and not record.calls and not record.told:
            record.told = True
            self._actions.append(Drained(record.worker))

    def _status(self, record: WorkerRecord) -> WorkerLoad:
        confirmed = sum(call.confirmed for call in record.calls.values())
        return WorkerLoad(record.worker, record.state, len(record.calls) - confirmed, confirmed)

    def _done(self) -> Actions:
        actions, self._actions = tuple(self._actions), []
        return actions
