"""Runs a bot: one login, calls up to a number, each served by a function of the application."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from telnyx_native.client import TelnyxClient
from telnyx_native.config import AudioConfig, Limits, TokenConfig, TxServerConfiguration
from telnyx_native.errors import (
    AudioClosedError,
    CallError,
    CallLimitError,
    ConfigurationError,
    DrainingError,
    FlowClosedError,
    SocketConnectionError,
    TelnyxError,
)
from telnyx_native.event_loop import cancel_all
from telnyx_native.flow import StateFlow
from telnyx_native.signaling.envelope import new_id
from telnyx_native.states import CallState, ConnectionStatus, HangupCause
from telnyx_native.worker.jobs import Job, JobResult

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from telnyx_native.call import Call
    from telnyx_native.call_control import CallControl
    from telnyx_native.config import CredentialConfig, Timeouts
    from telnyx_native.flow import Collector
    from telnyx_native.snapshot import JSONValue, SessionSnapshot

__all__ = ["SnapshotStore", "Worker", "WorkerStatus"]

logger = logging.getLogger(__name__)

T = TypeVar("T")

DRAIN_TIMEOUT = 3600.0
"""Seconds that calls may go on when a worker drains; as livekit-agents has it."""

AFTER_CALL = 30.0
"""Seconds that the bot may take after its call has ended, to write something down; then it is cancelled."""


class SnapshotStore(Protocol):
    """Where the snapshots of a worker are kept: `SnapshotFile`, or the memory of a fleet."""

    async def load(self) -> SessionSnapshot | None:
        """Return the latest snapshot; `None` without one."""

    async def save(self, snapshot: SessionSnapshot) -> None:
        """Replace the latest snapshot."""

    async def clear(self) -> None:
        """Have no snapshot any more: the session ended in order."""


@dataclass(frozen=True)
class WorkerStatus:
    """What a worker has to do.

    Attributes:
        max_calls: How many calls and jobs it takes at a time.
        ready: Whether it is logged in.
        draining: Whether it takes no more.
        lost: Whether its connection ended for good.
        calls: Ids of the calls that have a slot.
        pending: Jobs that have a slot, and no call yet.
    """

    max_calls: int
    ready: bool = False
    draining: bool = False
    lost: bool = False
    calls: tuple[str, ...] = ()
    pending: int = 0

    @property
    def used(self) -> int:
        """Slots that are in use."""
        return len(self.calls) + self.pending

    @property
    def free(self) -> int:
        """Slots that are free; none while it drains or is not logged in."""
        return max(0, self.max_calls - self.used) if self.ready and not self.draining else 0


class Worker:
    """Serves calls with a bot, and never more than it may.

    Each inbound call, and each one that is resumed after a crash, runs `serve` in a task of its own; each job runs
    `place`. A slot is in use from then until the function has returned, and its call is over: it is hung up, unless it
    is bridged with another call, as after `Consultation.complete`. What comes when all are in use is refused with
    USER_BUSY. An exception ends the one call.

    Args:
        serve: What is done with a call. It begins RINGING: accept or reject it; or ACTIVE soon, with `Call.resumed`.
        login: Who logs in.
        server: The server; Telnyx's production server by default.
        place: What is done with a job; without it, there are none.
        max_calls: Calls and jobs at a time.
        audio: How the audio of resumed calls is to be written and read.
        snapshots: Where snapshots are kept for a process that follows; without it, calls end with this one.
        shares_login: Whether another worker logs in with the same login while this one drains, and gets the new calls.
            This one does not log in again then, since it would get them back: calls end with a lost connection.
        timeouts: How long each step of the client may take.
        call_control: What lets the bot use Telnyx's Voice API, see `Call.transfer`.

    Attributes:
        client: The client that has the calls.
        status: What it has to do, and every change of it.
        shares_login: As given; it counts when the worker drains.
        failed: Calls and jobs in which the bot raised an exception, or had to be cancelled.
        resumed: Calls that were taken over from a process before this one.
    """

    def __init__(
        self,
        serve: Callable[[Call], Awaitable[object]],
        *,
        login: CredentialConfig | TokenConfig,
        server: TxServerConfiguration | None = None,
        place: Callable[[Job], Awaitable[JSONValue]] | None = None,
        max_calls: int = 50,
        audio: AudioConfig | None = None,
        snapshots: SnapshotStore | None = None,
        shares_login: bool = False,
        timeouts: Timeouts | None = None,
        call_control: CallControl | None = None,
    ) -> None:
        if max_calls < 1:
            raise ConfigurationError(f"max_calls is at least 1, not {max_calls}")
        for name, function in (("serve", serve), ("place", place)):
            if function is not None and not iscoroutinefunction(function):
                raise ConfigurationError(f"{name} is not an async function: {function!r}")
        limits = Limits(max_concurrent_calls=2 * max_calls)  # each may have another one beside it: a consultation
        self.client = TelnyxClient(timeouts=timeouts, limits=limits, call_control=call_control)
        self.status: StateFlow[WorkerStatus] = StateFlow(WorkerStatus(max_calls))
        self.failed = self.resumed = 0
        self._serve = serve
        self._place = place
        self._login = login
        self._server = server or TxServerConfiguration()
        self._audio = audio or AudioConfig()
        self._snapshots = snapshots
        self.shares_login = shares_login
        self._refused = 0
        self._slots: dict[asyncio.Task[Any], Call | Job] = {}
        self._work: list[asyncio.Task[None]] = []
        self._closing = False
        self._owns_snapshot = False

    def __repr__(self) -> str:
        status = self.status.value
        return f"<Worker {status.used} of {status.max_calls}{', draining' if status.draining else ''}>"

    @property
    def slots(self) -> tuple[Call | Job, ...]:
        """The calls and jobs that have a slot."""
        return tuple(self._slots.values())

    @property
    def refused(self) -> int:
        """Calls and jobs that were refused because all slots were in use, or the worker drains."""
        return self._refused + self.client.refused_calls

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Log in, take over the calls of a process before this one, and begin to serve.

        Raises:
            SocketConnectionError: The server cannot be reached, or the connection ended too early.
            AuthenticationError: The server refused the login.
            GatewayRegistrationError: The SIP registration did not come up.
            RequestTimeoutError: The server did not answer.
            ConfigurationError: The snapshot cannot be read, or is of another user.
        """
        snapshot = await self._snapshots.load() if self._snapshots is not None else None
        begun, incoming = self.client.new_calls.collect(), self.client.incoming_calls.collect()
        self._work = [
            asyncio.create_task(self._follow_connection(), name="telnyx-worker-connection"),
            asyncio.create_task(self._take(begun, self._take_resumed), name="telnyx-worker-resumed"),
            asyncio.create_task(self._take(incoming, self._take_inbound), name="telnyx-worker-inbound"),
        ]
        try:
            if snapshot is not None and snapshot.calls:
                await self.client.resume(snapshot, self._login, self._server, audio=self._audio)
            elif isinstance(self._login, TokenConfig):
                await self.client.connect(self._server, token_config=self._login)
            else:
                await self.client.connect(self._server, self._login)
        except BaseException:
            await self.close()
            raise
        if self._snapshots is not None:
            self._owns_snapshot = True
            self._work.append(asyncio.create_task(self._save_snapshots(self._snapshots), name="telnyx-worker-snapshot"))

    async def run(self, *, drain_timeout: float = DRAIN_TIMEOUT) -> int:
        """Serve calls until `drain` was called and they have ended, or `drain_timeout` seconds after it.

        Returns:
            How many calls and jobs had to be broken off.

        Raises:
            SocketConnectionError: The connection ended for good: the server refused a login after it was lost, or the
                session goes on in another process. And what `start` raises.
        """
        async with self:
            await self._wait(lambda status: status.draining)
            with suppress(TimeoutError):
                async with asyncio.timeout(drain_timeout):
                    await self._wait(lambda status: not status.used)
            return len(self._slots)

    def drain(self) -> None:
        """Take no more calls and jobs; those that are going on end by themselves. It cannot be taken back."""
        if self.status.value.draining:
            return
        logger.info("draining: %d calls and jobs go on", len(self._slots))
        if self.shares_login:
            self.client.stop_reconnecting()
        self._publish(draining=True)

    async def place(self, destination: str, data: JSONValue = None, *, job_id: str | None = None) -> JobResult:
        """Run a job: the function `place`, with a `Job`. Cancelling this cancels it, and hangs up its call.

        Args:
            destination: Whom to call.
            data: What the bot has to know; any JSON.
            job_id: Tells it from others; a new one by default.

        Returns:
            What came of it; an exception in the bot is a part of that.

        Raises:
            ConfigurationError: The worker has no `place`.
            CallLimitError: All slots are in use.
            DrainingError: The worker takes no more jobs.
            SocketConnectionError: It is not logged in.
        """
        task = self.begin(destination, data, job_id=job_id)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await cancel_all([task])
            raise

    def begin(self, destination: str, data: JSONValue = None, *, job_id: str | None = None) -> asyncio.Task[JobResult]:
        """Begin a job like `place`, and return the task that does it, which has its name."""
        status = self.status.value
        if self._place is None:
            raise ConfigurationError("this worker has no function for jobs: give it place")
        if status.draining:
            self._refused += 1
            raise DrainingError("the worker is draining: it takes no more jobs")
        if not status.ready:
            raise SocketConnectionError("the worker is not logged in")
        if not status.free:
            self._refused += 1
            raise CallLimitError(f"all {status.max_calls} slots are in use; try again when a call has ended")
        job = Job(new_id() if job_id is None else job_id, destination, data, self.client.new_invite, self._publish)
        return self._occupy(self._do_job(job, self._place), job)

    async def close(self) -> None:
        """Hang up all calls, and end at once; the worker cannot be used afterwards."""
        clear = self._snapshots is not None and self._owns_snapshot and not self.status.value.lost and not self._closing
        self._closing = True
        self._publish(draining=True)
        try:
            await cancel_all(self._slots)
        finally:
            work, self._work = self._work, []
            await cancel_all(work)
            await self.client.close()
            self.status.close()
        if clear and self._snapshots is not None:
            await self._snapshots.clear()

    async def detach(self) -> SessionSnapshot:
        """Leave the calls to another process, which resumes the snapshot; end without hanging up.

        Raises:
            SocketConnectionError: There is no session.
        """
        self._closing = True
        self._publish(draining=True)
        snapshot = await self.client.detach()
        if self._snapshots is not None:
            await self._snapshots.save(snapshot)
        await self.close()
        return snapshot

    # What happens.

    async def _take(self, calls: Collector[Call], take: Callable[[Call], None]) -> None:
        async for call in calls:
            take(call)

    def _take_resumed(self, call: Call) -> None:
        if call.resumed:
            self.resumed += 1
            self._occupy(self._do_call(call), call)

    def _take_inbound(self, call: Call) -> None:
        if isinstance(call.state, CallState.DONE):
            return
        if self._closing or not self.status.value.free:
            self._refused += 1
            call.hang_up(HangupCause.USER_BUSY)
        else:
            self._occupy(self._do_call(call), call)

    async def _follow_connection(self) -> None:
        was_ready = False
        async for status in self.client.connection_status_flow:
            is_ready = status is ConnectionStatus.CLIENT_READY
            lost = was_ready and status is ConnectionStatus.DISCONNECTED and not self._closing
            was_ready = was_ready or is_ready
            self._publish(ready=is_ready, lost=lost)

    async def _save_snapshots(self, store: SnapshotStore) -> None:
        latest, saved = self.client.session_snapshot_flow, None
        async for _ in latest:
            snapshot = latest.value
            if snapshot is None or snapshot is saved:
                continue  # the session is over, or goes on elsewhere, with the snapshots of others
            try:
                await store.save(snapshot)
                saved = snapshot
            except TelnyxError as error:
                logger.error("the snapshot was not kept, so calls end with this process: %s", error)

    async def _wait(self, condition: Callable[[WorkerStatus], bool]) -> None:
        """Wait for a status; while the worker drains, the loss of the connection is its end, too."""
        with suppress(FlowClosedError):
            await self.status.wait_for(lambda status: condition(status) or status.lost)
        if self.status.value.lost and not self.status.value.draining:
            message = "the connection ended for good: the server refused the login, or the session goes on elsewhere"
            raise SocketConnectionError(message)

    # Slots.

    def _occupy(self, work: Coroutine[Any, Any, T], slot: Call | Job) -> asyncio.Task[T]:
        task = asyncio.create_task(work, name=slot.id if isinstance(slot, Job) else slot.call_id)
        self._slots[task] = slot
        task.add_done_callback(self._vacate)
        self._publish()
        return task

    def _vacate(self, task: asyncio.Task[Any]) -> None:
        del self._slots[task]
        self._publish()

    def _publish(self, **changes: bool) -> None:
        calls = [_call_of(slot) for slot in self._slots.values()]
        ids = tuple(call.call_id for call in calls if call is not None)
        status = replace(self.status.value, calls=ids, pending=len(calls) - len(ids), **changes)
        self.status.set(status)

    async def _do_call(self, call: Call) -> None:
        with call.log_scope():
            _, error = await self._run(self._serve(call), call, f"call {call.call_id}")
            await _end(call, error)

    async def _do_job(self, job: Job, place: Callable[[Job], Awaitable[JSONValue]]) -> JobResult:
        output, error = await self._run(place(job), job, f"job {job.id}")
        cause = None
        if job.call is not None:
            await _end(job.call, error)
            cause = (await job.call.wait_done()).cause
        return JobResult(job.id, cause, output, None if error is None else type(error).__name__)

    async def _run(self, bot: Awaitable[T], slot: Call | Job, name: str) -> tuple[T | None, Exception | None]:
        """Let the bot do its work; return what it returned, and its error. Cancelling this hangs up the call."""
        working = asyncio.ensure_future(bot)
        overdue = asyncio.create_task(_overdue(slot), name="telnyx-worker-overdue")
        try:
            await asyncio.wait({working, overdue}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise TimeoutError(f"the bot goes on {AFTER_CALL:g} s after the end of the call, and is cancelled")
            return working.result(), None
        except asyncio.CancelledError as error:
            if not working.cancelled():
                if (call := _call_of(slot)) is not None:
                    call.hang_up()
                raise
            self.failed += 1
            logger.error("%s: the bot cancelled itself", name)
            return None, RuntimeError(repr(error))
        except Exception as error:
            call = _call_of(slot)
            if isinstance(error, AudioClosedError | CallError) and call is not None and call.termination_reason:
                logger.debug("%s: the bot noticed the end of the call: %s", name, error)
            else:
                self.failed += 1
                logger.exception("%s: the bot failed", name)
            return None, error
        finally:
            await cancel_all([overdue, working])


async def _end(call: Call, error: Exception | None) -> None:
    """Hang up a call when the bot is done with it; one that is bridged goes on by itself, while it is."""
    if error is None and call.bridged:
        await call.wait_done()
    await call.end(None if error is None else HangupCause.NORMAL_TEMPORARY_FAILURE)


def _call_of(slot: Call | Job) -> Call | None:
    return slot.call if isinstance(slot, Job) else slot


async def _overdue(slot: Call | Job) -> None:
    """Return some time after the end of the call."""
    call = await slot.dialled() if isinstance(slot, Job) else slot
    await call.wait_done()
    await asyncio.sleep(AFTER_CALL)
