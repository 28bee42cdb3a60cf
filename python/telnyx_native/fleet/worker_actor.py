"""A worker as an actor of Ray: it comes back with its calls when its process was killed."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from telnyx_native.config import TxServerConfiguration
from telnyx_native.errors import AuthenticationError, ConfigurationError, TelnyxError
from telnyx_native.event_loop import cancel_all
from telnyx_native.fleet import actors
from telnyx_native.fleet.dispatch_terms import Kind, WorkerInfo
from telnyx_native.fleet.memory import MemoryStore
from telnyx_native.logs import LINE_FORMAT
from telnyx_native.states import CallDirection
from telnyx_native.worker import Job, LoopLag, Worker, load_function

if TYPE_CHECKING:
    from telnyx_native.fleet.settings import Login, WorkerSettings
    from telnyx_native.snapshot import JSONValue
    from telnyx_native.worker import JobResult

__all__ = ["FleetWorker", "WorkerReport"]

logger = logging.getLogger(__name__)

REPORT_EVERY = 2.0
"""Seconds between two reports without news."""

SAVE_EVERY = 5.0
"""Seconds after which the latest snapshot is saved once more."""

PAUSE = 0.02
"""Seconds between two reports with news: calls that come together are told together."""

FIRST_DELAY, LONGEST_DELAY = 0.5, 15.0
"""Seconds before a worker that could not connect tries again; the delay doubles each time."""

STOP_TIME = 10.0
"""Seconds that hanging up may take."""


@dataclass(frozen=True)
class WorkerReport:
    """What a worker tells the control.

    Attributes:
        info: What it is, for the dispatcher.
        state: What it does, in words.
        ready: Whether it takes part: it is logged in.
        draining: Whether it takes no more calls.
        drained: Whether it has ended.
        stopped: Whether it has given up, because its login was refused.
        calls: What has its slots, by the ids that the dispatcher knows.
        node: The node of Ray that it runs on.
        pid: Its process.
        refused: Calls that it refused so far.
        failed: Calls in which its bot failed so far.
        resumed: Calls that it took over from its predecessor.
        lag: How late its event loop was at worst, in seconds.
    """

    info: WorkerInfo
    state: str
    ready: bool = False
    draining: bool = False
    drained: bool = False
    stopped: bool = False
    calls: dict[str, Kind] = field(default_factory=dict)
    node: str = ""
    pid: int = 0
    refused: int = 0
    failed: int = 0
    resumed: int = 0
    lag: float = 0.0


class FleetWorker:
    """Runs a `Worker`, and reports.

    Args:
        name: Its name.
        settings: How it is.
        login: What it logs in with.
        control: The actor that it reports to.
        memory: The actor that keeps its snapshots.
    """

    def __init__(self, name: str, settings: WorkerSettings, login: Login, control: Any, memory: Any) -> None:
        logging.basicConfig(level=logging.INFO, format=LINE_FORMAT)
        logger.info("worker %s begins", name)
        self._name = name
        self._settings = settings
        self._login = login
        self._control = control
        self._snapshots = MemoryStore(name, memory)
        self._incarnation = time.time_ns()
        self._state = "starting"
        self._draining = self._drained = self._leaving = self._stopped = False
        self._worker: Worker | None = None
        self._lag = LoopLag()
        self._node = actors.ray().get_runtime_context().get_node_id()
        self._news = asyncio.Event()
        self._tasks = [
            asyncio.get_running_loop().create_task(work, name=f"telnyx-fleet-{name}")
            for work in (self._run(), self._report(), self._save_again(), self._lag.watch())
        ]

    async def drain(self, *, replaced: bool) -> None:
        """Take no more calls; end with the last one.

        Args:
            replaced: Whether another worker has taken over the login, which is not to be used again then.
        """
        self._draining, self._state = True, "draining"
        if self._worker is not None and self._worker.status.value.ready:
            self._worker.shares_login = replaced
            self._worker.drain()
        else:
            await self.close()

    async def detach(self) -> None:
        """Leave the calls to the next process of this name, which is about to be started; report no more."""
        self._leaving = True
        if self._worker is not None:
            with suppress(TelnyxError):
                await self._worker.detach()

    async def close(self) -> None:
        """Hang up, and end."""
        if self._worker is not None:
            with suppress(TimeoutError, TelnyxError):
                await asyncio.wait_for(self._worker.close(), STOP_TIME)
        self._drained = True
        await self._send()
        await cancel_all(task for task in self._tasks if task is not asyncio.current_task())

    async def place(self, job_id: str, destination: str, data: JSONValue) -> JobResult:
        """Do a job; raises what `Worker.place` raises."""
        if self._worker is None:
            raise ConfigurationError(f"worker {self._name} is not logged in")
        return await self._worker.place(destination, data, job_id=job_id)

    async def _run(self) -> None:
        """Work until drained; connect again whatever goes wrong, but not with a login that was refused."""
        settings, delay = self._settings, FIRST_DELAY
        while not self._drained:
            try:
                worker = self._worker = Worker(
                    load_function(settings.bot, settings.folder),
                    login=self._login.config,
                    server=TxServerConfiguration.parse(settings.server),
                    place=load_function(settings.place, settings.folder) if settings.place else None,
                    max_calls=settings.calls,
                    snapshots=self._snapshots,
                    call_control=settings.call_control,
                )
                following = asyncio.create_task(self._follow(worker))
                try:
                    await worker.run(drain_timeout=settings.drain)
                finally:
                    await cancel_all([following])
                if self._leaving:
                    return
                self._drained, self._state = True, "drained"
            except AuthenticationError as error:
                self._stopped, self._state = True, f"its login was refused: {error}"
                logger.error("worker %s: %s", self._name, self._state)
                return
            except Exception as error:  # noqa: BLE001 - whatever it is, the next attempt may do better
                self._state = f"tries again in {delay:g} s: {error}"
                logger.warning("worker %s: %s", self._name, self._state)
                self._news.set()
                await asyncio.sleep(delay)
                delay = min(2 * delay, LONGEST_DELAY)
            else:
                delay = FIRST_DELAY
            finally:
                self._news.set()

    async def _follow(self, worker: Worker) -> None:
        async for status in worker.status:
            if not self._draining:
                self._state = "serving" if status.ready else "connecting"
            self._news.set()

    async def _report(self) -> None:
        while True:
            await self._send()
            await asyncio.sleep(PAUSE)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), REPORT_EVERY)
            self._news.clear()

    async def _save_again(self) -> None:
        """The memory may have been restarted, and have forgotten all."""
        while True:
            await asyncio.sleep(SAVE_EVERY)
            snapshot = self._worker and self._worker.client.session_snapshot_flow.value
            if snapshot and not self._leaving:
                with suppress(Exception):  # it is being restarted
                    await self._snapshots.save(snapshot)

    async def _send(self) -> None:
        if self._leaving:
            return
        try:
            self._control.report.remote(self._latest())
        except Exception as error:  # noqa: BLE001 - the control may be about to be restarted
            logger.debug("worker %s: no report: %s", self._name, error)

    def _latest(self) -> WorkerReport:
        settings, worker = self._settings, self._worker
        address = f"{self._login.user}@{settings.sip_domain}"
        info = WorkerInfo(self._name, address, self._node, settings.calls, self._incarnation)
        known: dict[str, Any] = {"node": self._node, "pid": os.getpid(), "lag": self._lag.worst}
        if worker is None:
            return WorkerReport(info, self._state, drained=self._drained, **known)
        status = worker.status.value
        return WorkerReport(
            info,
            self._state,
            ready=status.ready,
            draining=status.draining or self._draining,
            drained=self._drained,
            stopped=self._stopped,
            calls=dict(_known_as(slot) for slot in worker.slots),
            refused=worker.refused,
            failed=worker.failed,
            resumed=worker.resumed,
            **known,
        )


def _known_as(slot: Any) -> tuple[str, Kind]:
    """The id of a slot's call at the dispatcher: what all legs have in common, or the job."""
    if isinstance(slot, Job):
        return slot.id, Kind.OUTBOUND
    kind = Kind.INBOUND if slot.direction is CallDirection.INBOUND else Kind.OUTBOUND
    return slot.telnyx_ids.session_id or slot.call_id, kind
