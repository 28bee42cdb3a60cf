"""A fleet that no test machine holds, under simulated time: the real dispatcher, and everything else played.

Callers come, wait, give up, talk and hang up; workers ring, answer, report, crash, come back and are rolled; messages
are lost; the dispatcher is killed and follows itself. `Simulation` knows the truth, and holds the dispatcher to it: no
worker ever has more calls than it may (counting those that are on their way), no draining worker is closed with calls,
and the dispatcher keeps no call for longer after its end than its rules explain. The same seed gives the same course.

Simulated is everything but the time that the dispatcher takes: that is measured, in CPU time. Python's garbage
collector rests meanwhile, or it would be measured how long it takes for the objects of the simulation; neither makes
cycles.
"""

from __future__ import annotations

import gc
import math
from array import array
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from itertools import count
from random import Random
from time import thread_time_ns
from typing import TYPE_CHECKING, Any, TypeVar

from telnyx_native.fleet.dispatch import Dispatcher
from telnyx_native.fleet.dispatch_terms import (
    Action,
    Assign,
    Drained,
    Drop,
    Expire,
    Kind,
    Refuse,
    WorkerInfo,
)
from telnyx_native.fleet.simulation_terms import Outcome, Quantiles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from telnyx_native.fleet.simulation_terms import Scenario

__all__ = ["Simulation"]

T = TypeVar("T")


REPORT_PAUSE = 5.0
"""Seconds between two reports of a worker."""

RESTART = (1.0, 8.0)
"""Seconds, from and to, that a crashed worker is away."""

NOTICE = 0.5
"""Seconds after which the dispatcher is told of a crash, if it is."""

OUTAGE = 1.0
"""Seconds from a kill of the dispatcher to the first act of the next. Calls under way to workers arrive meanwhile."""

DELAY = (0.05, 0.3)
"""Seconds, from and to, that a call takes to a worker."""

FAILURE = (1.0, 10.0)
"""Seconds, from and to, until the network says that a worker is not there."""

RINGING = (0.2, 2.0)
"""Seconds, from and to, until a worker answers."""

CHECK_PAUSE = 5.0
"""Seconds between two comparisons of all that the dispatcher knows with the truth."""


@dataclass(slots=True, eq=False)
class _Call:
    """A call as it really is.

    Attributes:
        came: When it came.
        site: The worker where it rings or stands.
        heading: The worker that it is on its way to.
        assigned: It had a worker once.
        answered: It was answered.
    """

    call_id: str
    kind: Kind
    came: float
    site: _Site | None = None
    heading: _Site | None = None
    assigned: bool = False
    answered: bool = False


@dataclass(slots=True, eq=False)
class _Site:
    """A worker as it really is.

    Attributes:
        held: What rings or stands there; of a worker that is away, the calls that wait for it in the network.
        coming: Calls that are on their way.
    """

    worker: WorkerInfo
    held: dict[str, _Call] = field(default_factory=dict)
    coming: int = 0
    alive: bool = True
    draining: bool = False


class Simulation:
    """Runs a scenario, once."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.outcome = Outcome()
        self._dice = Random(scenario.seed)  # noqa: S311 - nothing secret
        self._now = 0.0
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._numbers = count()
        self._dispatcher: Dispatcher | None = Dispatcher(scenario.rules, now=0.0)
        self._tick_at = math.inf
        self._sites = {f"worker-{n}": _Site(self._describe(n)) for n in range(scenario.workers)}
        self._calls: dict[str, _Call] = {}
        self._waiting: OrderedDict[str, _Call] = (
            OrderedDict()
        )  # without a worker, whatever the dispatcher knows of them
        self._over: OrderedDict[str, float] = OrderedDict()  # ends of the last calls
        self._standing = 0
        self._costs: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))
        self._waits = array("d")
        self._to_roll = list(self._sites)
        self._prepare()

    @property
    def now(self) -> float:
        """The simulated time, in seconds."""
        return self._now

    def run(self) -> Outcome:
        """Let the calls come, and then all of them end."""
        while self.advance(math.inf):
            pass
        return self.outcome

    def advance(self, until: float) -> bool:
        """Go on to a simulated time; return whether there is more to come. If not, the outcome is complete."""
        collects = gc.isenabled()
        gc.disable()
        try:
            while self._events and not self._is_over:
                if self._events[0][0] > until:
                    self._now = until
                    return True
                self._now, _, what, arguments = heappop(self._events)
                what(*arguments)
        finally:
            if collects:
                gc.enable()
        self._conclude()
        return False

    def _prepare(self) -> None:
        faults = self.scenario.faults
        for site in self._sites.values():
            self._after(0.0, self._report, site, False)
            self._after(self._dice.uniform(0, REPORT_PAUSE), self._report_regularly, site)
        self._after(0.0, self._begin)
        self._after(CHECK_PAUSE, self._check)
        if faults.crash:
            self._after(faults.crash, self._crash)
        if faults.kill:
            self._after(faults.kill, self._kill)
        for _ in range(faults.rolling):
            self._after(self._dice.uniform(0, 5), self._roll)

    def _conclude(self) -> None:
        self._check()
        self._note_counters()
        outcome = self.outcome
        outcome.stranded = len(self._calls)
        outcome.leaked += len(self._dispatcher.calls) if self._dispatcher else 0
        outcome.served = len(self._waits)
        outcome.waited = sum(wait > 0 for wait in self._waits) / max(1, outcome.served)
        outcome.wait = Quantiles.of(self._waits)
        costs = {name: [cost / 1e9 for cost in costs] for name, costs in sorted(self._costs.items())}
        outcome.cost = {name: Quantiles.of(values) for name, values in costs.items()}
        outcome.decision = Quantiles.of(costs.get("request", []) + costs.get("release", []))

    # Time.

    def _after(self, seconds: float, what: Callable[..., None], *arguments: Any) -> None:
        heappush(self._events, (self._now + seconds, next(self._numbers), what, arguments))

    @property
    def _is_coming(self) -> bool:
        """Whether calls still come, and things still break."""
        return self._now < self.scenario.duration

    @property
    def _is_over(self) -> bool:
        """Whether all has ended, or what is left is a leak."""
        all_ended = self._is_finished and self._dispatcher is not None and not self._dispatcher.calls
        return all_ended or self._now > self.scenario.duration + 40 * self.scenario.seconds + self._grace

    @property
    def _is_finished(self) -> bool:
        return not self._is_coming and not self._calls

    @property
    def _grace(self) -> float:
        """Seconds that the dispatcher may keep a call after its end, if all messages about it are lost."""
        rules = self.scenario.rules
        return rules.reattach + rules.unreported + rules.reservation + rules.report + 5 * REPORT_PAUSE

    # The dispatcher, and what it wants.

    def _ask(self, name: str, decide: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """Let the dispatcher do something, and measure it."""
        begin = thread_time_ns()
        result = decide(*arguments, **options)
        self._costs[name].append(thread_time_ns() - begin)
        return result

    def _carry_out(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Assign(call_id, worker):
                    self._transfer(call_id, self._sites[worker.name])
                case Refuse(call_id) | Expire(call_id) | Drop(call_id):
                    if (call := self._calls.get(call_id)) and not (call.site and call.site.alive):
                        self.outcome.cut += call.answered
                        self._end(call, told=True)
                case Drained(worker):
                    self._close(self._sites[worker.name])
        deadline = self._dispatcher.deadline if self._dispatcher else None
        if deadline is not None and deadline < self._tick_at:
            self._tick_at = deadline
            self._after(deadline - self._now, self._tick, deadline)

    def _tick(self, due: float) -> None:
        if self._dispatcher and due == self._tick_at:
            self._tick_at = math.inf
            self._carry_out(self._ask("tick", self._dispatcher.tick, self._now))

    def _kill(self) -> None:
        if not self._is_coming:
            return
        self.outcome.kills += 1
        self._note_counters()
        self._dispatcher = None
        self._after(OUTAGE, self._follow)
        self._after(self.scenario.faults.kill, self._kill)

    def _follow(self) -> None:
        """A new dispatcher asks all workers what they hold, and those who have calls that wait ask again."""
        self._dispatcher = Dispatcher(self.scenario.rules, now=self._now, expected=self._sites)
        self._tick_at = math.inf
        for site in self._sites.values():
            self._after(self._dice.uniform(0, NOTICE), self._report, site, False)
            if not site.alive:
                self._after(NOTICE, self._notice, site, site.worker.incarnation)
        for call in list(self._waiting.values()):
            self._request(call)

    def _note_counters(self) -> None:
        if self._dispatcher:
            new, total = vars(self._dispatcher.counters), vars(self.outcome.counters)
            self.outcome.counters = replace(self.outcome.counters, **{name: total[name] + new[name] for name in total})

    # Calls.

    def _begin(self) -> None:
        scenario = self.scenario
        for _ in range(round(scenario.rate * scenario.seconds)):
            self._come()
        self._arrive()

    def _arrive(self) -> None:
        if self._is_coming:
            self._come()
            surge = self.scenario.faults.surge if self._now % 60 > 54 else 1
            self._after(self._dice.expovariate(self.scenario.rate * surge), self._arrive)

    def _come(self) -> None:
        kind = Kind.OUTBOUND if self._dice.random() < self.scenario.outbound else Kind.INBOUND
        call = _Call(str(self.outcome.calls), kind, self._now)
        self.outcome.calls += 1
        self._calls[call.call_id] = self._waiting[call.call_id] = call
        self._request(call)
        if not call.assigned and self.scenario.patience < math.inf:
            self._after(self._dice.expovariate(1 / self.scenario.patience), self._give_up, call)

    def _request(self, call: _Call) -> None:
        if self._dispatcher:
            caller = f"+1555{int(call.call_id) % 10_000:04}"
            request = self._dispatcher.request
            self._carry_out(self._ask("request", request, call.call_id, self._now, caller=caller, kind=call.kind))

    def _give_up(self, call: _Call) -> None:
        if call.call_id in self._waiting:
            self.outcome.gave_up += 1
            self._end(call)

    def _transfer(self, call_id: str, site: _Site) -> None:
        """Send a call to a worker."""
        call = self._calls.get(call_id)
        if call is None:
            self._release(call_id)  # the network says that it is over
            return
        if call.answered:
            return  # the dispatcher does not know; the worker's report will tell it
        if not call.assigned:
            self._waits.append(self._now - call.came)
            call.assigned = True
        self._waiting.pop(call.call_id, None)
        self._leave(call)
        call.heading = site
        site.coming += 1
        self.outcome.above_capacity += site.alive and len(site.held) + site.coming > site.worker.capacity
        self._after(self._dice.uniform(*DELAY), self._ring, call, site, site.worker.incarnation)

    def _ring(self, call: _Call, site: _Site, incarnation: int) -> None:
        if call.heading is not site or call.call_id not in self._calls:
            return
        call.heading = None
        site.coming -= 1
        if site.alive and site.worker.incarnation == incarnation:
            call.site = site
            site.held[call.call_id] = call
            self._standing += 1
            self.outcome.most_at_once = max(self.outcome.most_at_once, self._standing)
            self._after(self._dice.uniform(*RINGING), self._answer, call, site, incarnation)
        else:
            self._strand(call)

    def _answer(self, call: _Call, site: _Site, incarnation: int) -> None:
        if call.site is not site or site.worker.incarnation != incarnation or call.call_id not in self._calls:
            return
        call.answered = True
        if self._dispatcher and not self._is_lost:
            self._ask("confirm", self._dispatcher.confirm, call.call_id, self._now)
        self._after(self._dice.expovariate(1 / self.scenario.seconds), self._end, call)

    def _end(self, call: _Call, told: bool = False) -> None:
        """A call is over; `told` if the dispatcher said so."""
        if self._calls.pop(call.call_id, None) is None:
            return
        self._waiting.pop(call.call_id, None)
        self._leave(call)
        self._over[call.call_id] = self._now
        while self._over and next(iter(self._over.values())) < self._now - self._grace:
            self._over.popitem(last=False)
        if not told and not self._is_lost:
            self._release(call.call_id)

    def _release(self, call_id: str) -> None:
        if self._dispatcher:
            self._carry_out(self._ask("release", self._dispatcher.release, call_id, self._now))

    def _strand(self, call: _Call) -> None:
        """The worker that a call was sent to is not there: it waits, whether the dispatcher knows it or not."""
        self._leave(call)
        self._waiting[call.call_id] = call
        self._after(self._dice.uniform(*FAILURE), self._fail, call)

    def _fail(self, call: _Call) -> None:
        """The network says that a call did not get to its worker."""
        if self._waiting.get(call.call_id) is call and self._dispatcher:
            actions = self._ask("fail", self._dispatcher.fail, call.call_id, self._now)
            if actions:
                self._carry_out(actions)
            else:
                self._request(call)

    def _leave(self, call: _Call) -> None:
        if call.site:
            self._standing -= 1
            del call.site.held[call.call_id]
            call.site = None
        if call.heading:
            call.heading.coming -= 1
            call.heading = None

    @property
    def _is_lost(self) -> bool:
        """Whether a message is lost."""
        return self._dice.random() < self.scenario.faults.lost

    # Workers.

    def _describe(self, number: int, incarnation: int = 0) -> WorkerInfo:
        name = f"worker-{number}"
        return WorkerInfo(
            name, f"sip:{name}@sip.telnyx.com", f"host-{number // 4}", self.scenario.capacity, incarnation
        )

    def _report_regularly(self, site: _Site) -> None:
        self._report(site)
        if not self._is_finished or (self._dispatcher and self._dispatcher.calls):
            self._after(REPORT_PAUSE, self._report_regularly, site)

    def _report(self, site: _Site, may_be_lost: bool = True) -> None:
        if site.alive and self._dispatcher and not (may_be_lost and self._is_lost):
            calls = {call.call_id: call.kind for call in site.held.values()}
            report = self._dispatcher.report
            self._carry_out(self._ask("report", report, site.worker, calls, self._now, draining=site.draining))

    def _crash(self) -> None:
        if not self._is_coming:
            return
        faults = self.scenario.faults
        self._after(self._dice.expovariate(1 / faults.crash), self._crash)
        site = self._dice.choice(list(self._sites.values()))
        if not site.alive:
            return
        self.outcome.crashes += 1
        site.alive = False
        for call in [call for call in site.held.values() if not call.answered]:
            self._strand(call)  # nobody brings back a call that rang
        if self._dice.random() >= faults.unnoticed:
            self._after(NOTICE, self._notice, site, site.worker.incarnation)
        stays = self._dice.random() < faults.stays_away
        away = self.scenario.rules.reattach + self.scenario.rules.report + 5 if stays else self._dice.uniform(*RESTART)
        self._after(away, self._start, site)

    def _notice(self, site: _Site, incarnation: int) -> None:
        if self._dispatcher and site.worker.incarnation == incarnation:
            self._carry_out(self._ask("lose", self._dispatcher.lose, site.worker.name, self._now))

    def _start(self, site: _Site) -> None:
        """A worker is there again, and its calls with it."""
        site.worker = replace(site.worker, incarnation=site.worker.incarnation + 1)
        site.alive, site.draining = True, False
        self._report(site, may_be_lost=False)

    def _roll(self) -> None:
        """Drain the next worker."""
        if not self._is_coming:
            return
        if not self._to_roll:
            self._to_roll = list(self._sites)
        site = self._sites[self._to_roll.pop(0)]
        known = self._dispatcher and any(status.worker == site.worker for status in self._dispatcher.workers)
        if not site.alive or site.draining or not known:
            self._after(1.0, self._roll)
            return
        assert self._dispatcher is not None  # noqa: S101 - it knows the worker
        site.draining = True
        self._carry_out(self._ask("drain", self._dispatcher.drain, site.worker.name, self._now))

    def _close(self, site: _Site) -> None:
        """A drained worker goes, and its successor comes in three seconds."""
        if not site.alive or not site.draining:
            return
        self.outcome.rolled += 1
        self.outcome.closed_with_calls += bool(site.held or site.coming)
        site.alive = False
        if self._dispatcher:
            self._carry_out(self._ask("remove", self._dispatcher.remove, site.worker.name, self._now))
        self._after(3.0, self._start, site)
        self._after(self._dice.uniform(0, 5), self._roll)

    # The truth.

    def _check(self) -> None:
        """Compare what the dispatcher knows with what is."""
        for call_id in self._dispatcher.calls if self._dispatcher else ():
            if call_id not in self._calls and call_id not in self._over:
                self.outcome.leaked += 1
        for site in self._sites.values():
            self.outcome.above_capacity += len(site.held) > site.worker.capacity
        if not self._is_finished:
            self._after(CHECK_PAUSE, self._check)
