"""The life of a call: runs its machine, with the tasks that carry it on, its milestones, and its end."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from telnyx_native.call.machine import Machine, call_state, step
from telnyx_native.call.machine_terms import Action, Announce, End, Event, Failed, HangUp, State, TimeUp
from telnyx_native.errors import CallError, ErrorCode, TelnyxError
from telnyx_native.event_loop import OwnerLoop
from telnyx_native.flow import StateFlow
from telnyx_native.states import CallState, CallTerminationReason

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from telnyx_native.logs import Log

    TearDown = Callable[[CallTerminationReason, bool], Coroutine[Any, Any, None]]

__all__ = ["CallTimings", "Lifecycle", "Milestone"]

Milestone = Literal[
    "invite_sent", "gathered", "ringing", "answered", "media_connected", "first_audio", "active", "ended"
]


@dataclass
class CallTimings:
    """Milestones of a call in seconds of `time.monotonic`; `None` for those not reached.

    Attributes:
        created: The call came to be: it was placed here, or its invitation arrived.
        invite_sent: The invitation left (outbound).
        gathered: All network candidates of this side were known.
        ringing: The called side was being alerted.
        answered: The answer arrived (outbound), or the server took ours (inbound).
        media_connected: The audio path stood; with early media that is before the answer.
        first_audio: The first packet of the other side's audio arrived.
        active: Answered and connected.
        ended: The call was over.
    """

    created: float = field(default_factory=monotonic)
    invite_sent: float | None = None
    gathered: float | None = None
    ringing: float | None = None
    answered: float | None = None
    media_connected: float | None = None
    first_audio: float | None = None
    active: float | None = None
    ended: float | None = None

    def mark(self, milestone: Milestone) -> None:
        """Note that `milestone` is reached now; only the first time counts."""
        if getattr(self, milestone) is None:
            setattr(self, milestone, monotonic())

    def since_created(self, milestone: Milestone) -> float | None:
        """Seconds from the creation of the call to `milestone`, if it was reached."""
        reached: float | None = getattr(self, milestone)
        return None if reached is None else reached - self.created

    def as_dict(self) -> dict[str, float]:
        """The milestones that were reached, in seconds since the creation of the call."""
        reached = {name: self.since_created(name) for name in get_args(Milestone)}
        return {name: seconds for name, seconds in reached.items() if seconds is not None}


_MILESTONES: dict[State, Milestone] = {
    State.INVITED: "invite_sent",
    State.ALERTING: "ringing",
    State.RINGING: "ringing",
    State.UNDESCRIBED: "answered",
    State.CONNECTING: "answered",
    State.ACTIVE: "active",
    State.DONE: "ended",
}
"""What is reached with a state, for the timings."""

T = TypeVar("T")


class Lifecycle:
    """Runs the machine of one call: its clock, its tasks, and its end.

    Args:
        name: What the call is called in logs and task names.
        machine: The call, before anything happened.
        perform: Does what the machine wants done, but for the end.
        tear_down: Frees what the call holds. It is told why the call ended, and whether the server has to be told.
        on_change: Called after everything that happened to the call.
        on_end: Called once, when the call is over, with the task that tears it down.
        log: Where failures are logged.

    Attributes:
        machine: Where the call is.
        states: What applications see of that.
        held: Whether it is on hold.
        timings: When the call reached which step.
    """

    def __init__(
        self,
        name: str,
        machine: Machine,
        *,
        perform: Callable[[Action], None],
        tear_down: TearDown,
        on_change: Callable[[], None],
        on_end: Callable[[asyncio.Task[None]], None],
        log: Log,
    ) -> None:
        self.machine = machine
        self.states: StateFlow[CallState] = StateFlow(CallState.NEW)
        self.held: StateFlow[bool] = StateFlow(False)
        self.timings = CallTimings()
        self._name = name
        self._perform = perform
        self._tear_down = tear_down
        self._on_change = on_change
        self._on_end = on_end
        self._log = log
        self._tasks: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None
        self._home = OwnerLoop("the call")

    @property
    def state(self) -> CallState:
        """The current state, as applications see it."""
        return self.states.value

    @property
    def reason(self) -> CallTerminationReason | None:
        """Why the call ended; `None` while it has not."""
        return self.machine.reason

    def happen(self, event: Event) -> None:
        """Let something happen to the call: the machine decides, and what it wants is done.

        Raises:
            RuntimeError: It happens in another event loop than the call's.
        """
        before = self.machine
        after, actions = step(before, event, monotonic())
        if after is before:
            self._log.debug(f"{type(event).__name__} changes nothing for a call in state {before.state.name}")
            return
        self._home.enter()
        self.machine = after
        if after.deadline != before.deadline:
            self._set_timer(after.deadline)
        if (milestone := _MILESTONES.get(self.machine.state)) is not None:
            self.timings.mark(milestone)
        for action in actions:
            match action:
                case Announce(state):
                    self.states.set(state)
                case End(reason, tell):
                    self._end(reason, tell=tell)
                case _:
                    self._perform(action)
        seen = call_state(self.machine)
        if self._ending is None:
            self.held.set(self.machine.held)
        if self._ending is None and seen is not None and seen != self.state:
            self.states.set(seen)
        if self._ending is None:
            self._on_change()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        """Let `work` carry the call on in the background; the call ends with its failure, and it with the call.

        When the call is over already, nothing is begun, and `None` returned.
        """
        if self._ending is not None:
            work.close()
            return None
        task = asyncio.create_task(work, name=f"telnyx-call-{self._name}")
        self._tasks.add(task)
        task.add_done_callback(self._on_work_done)
        return task

    async def carry_out(self, step: Coroutine[Any, Any, T]) -> T:
        """Return what `step` returns. It is not left half done: a caller that is cancelled does not wait, that is all.

        Its failure is the caller's, not the call's.

        Raises:
            CallError: The call is over, or ended meanwhile.
            RuntimeError: It is awaited in another event loop than the call's.
        """
        try:
            self._home.enter()
            self.require_alive()
        except BaseException:
            step.close()
            raise
        task = asyncio.create_task(step, name=f"telnyx-call-{self._name}-step")
        self._tasks.add(task)
        task.add_done_callback(self._on_step_done)
        await asyncio.wait({task})
        if task.cancelled():
            self.require_alive()
        return task.result()

    def require_alive(self) -> None:
        """Raise `CallError` if the call is over."""
        if self._ending is not None:
            raise CallError(f"the call ended meanwhile: {self.reason}")

    @contextmanager
    def ended_by_failure(self) -> Iterator[None]:
        """Whatever goes wrong inside ends the call, as does an interruption; if it ended first, that is what is raised.

        Raises:
            CallError: The call ended meanwhile.
        """
        try:
            yield
        except TelnyxError as error:
            if self._ending is not None:
                message = f"the call ended meanwhile: {self.reason}"
                raise CallError(message, kind=ErrorCode.PEER_CLOSED_DURING_INIT) from error
            self.happen(Failed(error))
            raise
        except BaseException:
            self.happen(HangUp())
            raise

    def _end(self, reason: CallTerminationReason, *, tell: bool) -> None:
        """Be over at once; what is left to do is done in the background."""
        for task in self._tasks - {asyncio.current_task()}:
            task.cancel()
        tear_down, on_end = self._tear_down, self._on_end
        # What a call that is over holds is freed with it, without the collector.
        del self._tear_down, self._on_change, self._on_end, self._perform
        self._ending = asyncio.create_task(tear_down(reason, tell), name=f"telnyx-call-{self._name}-end")
        (self._log.warning if self.state == CallState.ERROR else self._log.info)(f"call {self._name} ended: {reason}")
        self.states.set(CallState.DONE(reason))
        self.states.close()
        self.held.close()
        on_end(self._ending)

    def _set_timer(self, deadline: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if deadline is not None:
            self._timer = asyncio.get_running_loop().call_later(deadline - monotonic(), self.happen, TimeUp())

    async def wait_done(self, timeout: float | None = None) -> CallTerminationReason:
        """Return the reason once the call is over and torn down.

        Raises:
            WaitTimeoutError: It was not over within `timeout` seconds.
        """
        done = await self.states.wait_for(CallState.DONE, timeout=timeout)
        if self._ending is not None:
            await asyncio.shield(self._ending)
        return done.reason or CallTerminationReason()

    def _on_step_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._log.debug(f"a step of call {self._name} failed: {error}")

    def _on_work_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is None or self._ending is not None:
            return
        if not isinstance(error, TelnyxError):
            self._log.error(f"call {self._name} broke", error)
        self.happen(Failed(error if isinstance(error, Exception) else RuntimeError(repr(error))))
