"""The life of a call: its state, the tasks that carry it on, and its end."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from telnyx_native.call.timings import CallTimings
from telnyx_native.codes import ErrorCode
from telnyx_native.errors import (
    CallError,
    MediaError,
    RequestError,
    RequestTimeoutError,
    SdpError,
    SocketConnectionError,
    TelnyxError,
)
from telnyx_native.flow import StateFlow
from telnyx_native.home_loop import HomeLoop
from telnyx_native.states import CallState, CallTerminationReason, HangupCause, is_legal_transition

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from telnyx_native.logs import Log

    TearDown = Callable[[CallTerminationReason, bool], Coroutine[Any, Any, None]]

__all__ = ["ANSWERED", "Lifecycle"]

ANSWERED = (CallState.ACTIVE, CallState.HELD, CallState.RENEGOTIATING)
"""The states of a call that both sides talk in, or could."""

T = TypeVar("T")


class Lifecycle:
    """State and end of one call. Every change of state goes through `enter`.

    Args:
        name: What the call is called in logs and task names.
        tear_down: Frees what the call holds. It is told why the call ended, and whether the server has to be told.
        on_end: Called once, when the call is over, with the task that tears it down.
        log: Where failures are logged.

    Attributes:
        states: The state.
        timings: When the call reached which step.
        standing: How the call was when it stood last, ACTIVE or HELD; what is brought back is that.
    """

    def __init__(
        self, name: str, *, tear_down: TearDown, on_end: Callable[[asyncio.Task[None]], None], log: Log
    ) -> None:
        self.states: StateFlow[CallState] = StateFlow(CallState.NEW)
        self.timings = CallTimings()
        self.standing = CallState.ACTIVE
        self._name = name
        self._tear_down = tear_down
        self._on_end = on_end
        self._log = log
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ending: asyncio.Task[None] | None = None
        self._home = HomeLoop("the call")

    @property
    def state(self) -> CallState:
        """The current state."""
        return self.states.value

    @property
    def reason(self) -> CallTerminationReason | None:
        """Why the call ended; `None` while it has not."""
        return self.state.reason if isinstance(self.state, CallState.DONE) else None

    def enter(self, state: CallState) -> None:
        """Change the state.

        Raises:
            CallError: A call does not go from the current state to `state`.
        """
        if not is_legal_transition(self.state, state):
            raise CallError(f"a call does not go from {self.state} to {state}")
        if state in (CallState.ACTIVE, CallState.HELD):
            self.standing = state
        self.states.set(state)

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
    def ended_by_failure(self, when_interrupted: CallTerminationReason) -> Iterator[None]:
        """Whatever goes wrong inside ends the call; if the call ended first, that is what is raised.

        Args:
            when_interrupted: The reason if the steps inside are cancelled.
        """
        try:
            yield
        except TelnyxError as error:
            if self._ending is not None:
                message = f"the call ended meanwhile: {self.reason}"
                raise CallError(message, kind=ErrorCode.PEER_CLOSED_DURING_INIT) from error
            self.fail(_cause_of(error), str(error))
            raise
        except BaseException:
            self.finish(when_interrupted)
            raise

    def fail(self, cause: HangupCause, why: str) -> None:
        """End the call because something broke here."""
        if self._ending is None:
            self._log.warning(f"call {self._name} failed in state {self.state}: {why}")
            self.enter(CallState.ERROR)
            self.finish(replace(CallTerminationReason.of(cause), sip_reason=why))

    def finish(self, reason: CallTerminationReason, *, tell: bool = True) -> None:
        """Be over at once; what is left to do is done in the background. Only the first time counts.

        Args:
            reason: Why.
            tell: Whether the server has to be told.
        """
        if self._ending is not None:
            return
        self._home.enter()
        for task in self._tasks - {asyncio.current_task()}:
            task.cancel()
        tear_down, on_end = self._tear_down, self._on_end
        del self._tear_down, self._on_end  # what a call that is over holds is freed with it, without the collector
        self._ending = asyncio.create_task(tear_down(reason, tell), name=f"telnyx-call-{self._name}-end")
        self._log.info(f"call {self._name} ended: {reason}")
        self.timings.mark("ended")
        self.enter(CallState.DONE(reason))
        self.states.close()
        on_end(self._ending)

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
        if isinstance(error, TelnyxError):
            self.fail(_cause_of(error), str(error))
        elif error is not None:
            self._log.error(f"call {self._name} broke", error)
            self.fail(HangupCause.NORMAL_TEMPORARY_FAILURE, "internal error")


def _cause_of(error: TelnyxError) -> HangupCause:
    """What to tell the other side about an error here."""
    match error:
        case SdpError():
            return HangupCause.INCOMPATIBLE_DESTINATION
        case MediaError():
            return HangupCause.MEDIA_TIMEOUT
        case RequestTimeoutError():
            return HangupCause.RECOVERY_ON_TIMER_EXPIRE
        case RequestError(cause=str(cause)) if cause in HangupCause.__members__:
            return HangupCause[cause]
        case SocketConnectionError():
            return HangupCause.NETWORK_OUT_OF_ORDER
        case _:
            return HangupCause.NORMAL_TEMPORARY_FAILURE
