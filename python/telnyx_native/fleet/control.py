"""The control of a fleet: an actor that gives calls to workers, and has as many of them as wanted."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from aiohttp import web

from telnyx_native.errors import (
    CallError,
    CallLimitError,
    ConfigurationError,
    DrainingError,
    SocketConnectionError,
)
from telnyx_native.event_loop import Tasks, run_blocking
from telnyx_native.fleet import actors
from telnyx_native.fleet.dispatch import Dispatcher
from telnyx_native.fleet.dispatch_terms import Action, Assign, Drained, Drop, Expire, Kind, Refuse
from telnyx_native.fleet.inbound import InboundCalls
from telnyx_native.fleet.status_page import page
from telnyx_native.fleet.webhooks import LARGEST, Webhooks
from telnyx_native.fleet.worker_actor import FleetWorker
from telnyx_native.logs import LINE_FORMAT
from telnyx_native.redaction import Secret
from telnyx_native.rest import TIMEOUT, telnyx_package
from telnyx_native.worker.health import listen, port_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from telnyx_native.fleet.settings import FleetSettings, Login, VoiceApiSettings
    from telnyx_native.fleet.worker_actor import WorkerReport
    from telnyx_native.snapshot import JSONValue
    from telnyx_native.worker import JobResult

__all__ = ["FleetControl"]

logger = logging.getLogger(__name__)

REMEMBERED = "inbound calls"
"""What the memory keeps inbound calls under."""

WANTED = "wanted workers"
"""What the memory keeps the number of workers under."""

START_TIME = 120.0
"""Seconds that a new process of a worker may take to serve, while workers are rolled."""

SCALE_EVERY = 5.0
"""Seconds between two looks at how many workers are wanted."""


@dataclass
class Member:
    """A worker of the fleet, as the control sees it.

    Attributes:
        name: Its name.
        user: The login that it has.
        handle: Its actor.
        report: Its latest report; `None` before the first.
        draining: Whether it was asked to drain.
    """

    name: str
    user: str
    handle: Any
    report: WorkerReport | None = None
    draining: bool = False


class FleetControl:
    """Gives calls to workers; makes workers, drains them, and replaces them.

    What it knows it learns anew from the workers' reports, when it was killed and restarted.

    Args:
        settings: What the fleet was told.
        memory: The actor that keeps what outlives this one.
    """

    def __init__(self, settings: FleetSettings, memory: Any) -> None:
        logging.basicConfig(level=logging.INFO, format=LINE_FORMAT)
        context = actors.ray().get_runtime_context()
        self._own_handle = context.current_actor
        expected = actors.workers() if context.was_current_actor_reconstructed else {}  # it was killed
        self._settings = settings
        self._memory = memory
        self._dispatcher = Dispatcher(settings.dispatch, now=time.monotonic(), expected=expected)
        self._members = {name: Member(name, user, actors.worker(name, user)) for name, user in expected.items()}
        self._wanted = max(settings.workers.count, settings.least)
        self._is_rebuilt = context.was_current_actor_reconstructed
        self._jobs: dict[str, asyncio.Future[str]] = {}
        self._work = Tasks()
        self._woken = asyncio.Event()
        self._listening: list[web.AppRunner] = []
        self._addresses: dict[str, str] = {}
        self._rolling = ""
        self._saving: asyncio.Handle | None = None
        self._ready = asyncio.get_running_loop().create_task(self._start(), name="telnyx-fleet-control")

    # For the commands.

    async def ready(self) -> dict[str, str]:
        """Wait until it listens; return the addresses of what it serves."""
        await asyncio.shield(self._ready)
        return self._addresses

    async def scale(self, count: int) -> None:
        """Have that many workers: make some, or drain some.

        Raises:
            ConfigurationError: There are not so many logins.
        """
        if not 0 <= count <= len(self._settings.logins):
            raise ConfigurationError(f"there are logins for {len(self._settings.logins)} workers, not for {count}")
        self._want(count)
        await self._adjust()

    async def drain(self, name: str) -> list[str]:
        """Drain a worker, or all of a node; return their names. They are not replaced.

        Raises:
            ConfigurationError: There is no such worker or node.
        """
        chosen = [member for member in self._members.values() if name in (member.name, _node_of(member))]
        chosen += [member for member in self._members.values() if not chosen and _node_of(member).startswith(name)]
        if not chosen:
            known = ", ".join(sorted(self._members)) or "none"
            raise ConfigurationError(f"there is no worker or node {name}; workers are: {known}")
        going = [member for member in chosen if not member.draining]
        self._want(max(0, self._wanted - len(going)))
        for member in going:
            self._drain(member)
        return [member.name for member in chosen]

    async def roll(self, *, hand_over: bool) -> list[str]:
        """Replace all workers, one after the other, by new processes, without cutting a call; return their names.

        Args:
            hand_over: Let the new process take the calls over at once. Otherwise the old one keeps them until they
                end, and the new one gets the new calls.

        Raises:
            ConfigurationError: A new process does not come to serve; the workers after it are left as they are.
        """
        rolled: list[str] = []
        for member in self._standing():
            self._rolling = member.name
            try:
                if hand_over:
                    await self._hand_over(member)
                else:
                    await self._replace(member)
            except TimeoutError:
                state = member.report.state if member.report else "not heard of"
                done = ", ".join(rolled) or "none"
                message = f"the new process of worker {member.name} does not serve ({state}); replaced before: {done}"
                raise ConfigurationError(message) from None
            finally:
                self._rolling = ""
            rolled.append(member.name)
        return rolled

    async def down(self) -> None:
        """Drain all workers; it returns when they have ended."""
        self._want(0)
        for member in list(self._members.values()):
            self._drain(member)
        await self._until(lambda: not self._members)

    async def place(self, job_id: str, destination: str, data: JSONValue) -> JobResult:
        """Have a job done by a worker; wait for a slot, and until it is done.

        Raises:
            CallLimitError: The queue is full, or it waited too long.
            CallError: The worker was lost, and what became of the job is not known; or a job of that id goes on.
            ConfigurationError: The bot has no function for jobs.
        """
        if job_id in self._jobs:
            raise CallError(f"there is a job {job_id} already, which goes on")
        try:
            self._jobs[job_id] = asyncio.get_running_loop().create_future()
            self._carry_out(self._dispatcher.request(job_id, time.monotonic(), kind=Kind.OUTBOUND))
            while True:
                member = self._members[await self._jobs[job_id]]
                try:
                    return await self._place_at(member, job_id, destination, data)
                except (CallLimitError, DrainingError, SocketConnectionError) as error:
                    logger.info("job %s: %s did not take it: %s", job_id, member.name, error)
                    self._jobs[job_id] = asyncio.get_running_loop().create_future()
                    self.fail(job_id)
        finally:
            self._jobs.pop(job_id, None)
            self.release(job_id)

    async def status(self) -> dict[str, Any]:
        """All there is to see, as JSON has it."""
        loads = {load.worker.name: load for load in self._dispatcher.workers}
        return {
            "fleet": self._settings.cluster.name,
            "addresses": self._addresses,
            "wanted": self._wanted,
            "waiting": self._dispatcher.waiting,
            "queue": [] if self._inbound is None else self._inbound.queue,
            "capacity": self._dispatcher.capacity,
            "rebuilding": self._dispatcher.rebuilding,
            "rolling": self._rolling,
            "counters": asdict(self._dispatcher.counters),
            "webhooks": asdict(self._webhooks.counters) if self._webhooks else None,
            "failed_commands": self._inbound.failed if self._inbound else 0,
            "workers": [_shown(member, loads.get(member.name)) for member in self._members.values()],
        }

    # For the workers.

    async def report(self, report: WorkerReport) -> None:
        """Take what a worker says of itself."""
        name = report.info.name
        member = self._members.get(name)
        if member is None:
            if report.drained:
                return
            user = report.info.address.partition("@")[0]
            member = self._members[name] = Member(name, user, await run_blocking(actors.worker, name, user))
        elif member.report is not None and report.info.incarnation < member.report.info.incarnation:
            return
        member.report = report
        member.draining |= report.draining
        if report.drained:
            self._remove(member)
        elif report.ready:
            self._carry_out(
                self._dispatcher.report(report.info, report.calls, time.monotonic(), draining=member.draining)
            )
        self._wake()

    # For inbound calls.

    def request(self, call_id: str, caller: str) -> None:
        """Ask for a slot."""
        self._carry_out(self._dispatcher.request(call_id, time.monotonic(), caller=caller))

    def confirm(self, call_id: str) -> None:
        """The call was answered by its worker."""
        self._dispatcher.confirm(call_id, time.monotonic())

    def fail(self, call_id: str) -> None:
        """The worker did not take the call: another one shall, or it is refused."""
        self._carry_out(self._dispatcher.fail(call_id, time.monotonic()))

    def release(self, call_id: str) -> None:
        """The call has ended."""
        self._carry_out(self._dispatcher.release(call_id, time.monotonic()))

    # What it does by itself.

    _webhooks: Webhooks | None = None
    _inbound: InboundCalls | None = None

    async def _start(self) -> None:
        settings = self._settings
        if self._is_rebuilt:
            self._wanted = int(await self._recall(WANTED) or self._wanted)
        if settings.voice_api is not None:
            self._inbound = InboundCalls(
                settings.voice_api, self, await run_blocking(_commands, settings.voice_api), self._remember
            )
            self._webhooks = Webhooks(settings.voice_api.public_key, self._inbound.take)
            self._inbound.remember(json.loads(await self._recall(REMEMBERED) or "[]"))
            await self._listen(
                "webhooks",
                settings.voice_api.host,
                settings.voice_api.port,
                [web.post("/webhooks", self._webhooks.handle)],
            )
        await self._listen(
            "status",
            settings.status_host,
            settings.status_port,
            [web.get("/", self._show_page), web.get("/status.json", self._show_status)],
        )
        self._work.start(self._keep_time())
        self._work.start(self._keep_size())

    async def _listen(self, name: str, host: str, port: int, routes: Iterable[web.RouteDef]) -> None:
        app = web.Application(client_max_size=LARGEST)
        app.add_routes(routes)
        try:
            runner = await listen(app, host, port)
        except ConfigurationError as error:
            raise ConfigurationError(f"{name}: {error}") from None
        self._listening.append(runner)
        path = "/webhooks" if name == "webhooks" else "/"
        self._addresses[name] = f"http://{host}:{port_of(runner)}{path}"

    async def _keep_time(self) -> None:
        """Let the dispatcher do what is due."""
        while True:
            deadline = self._dispatcher.deadline
            wait = 1.0 if deadline is None else min(1.0, max(0.005, deadline - time.monotonic()))
            await asyncio.sleep(wait)
            self._carry_out(self._dispatcher.tick(time.monotonic()))

    async def _keep_size(self) -> None:
        """Have as many workers as wanted; more or fewer with the traffic, if the settings ask for that."""
        while True:
            if self._settings.least or self._settings.most:
                self._wanted = self._wanted_now()
                _request_resources(self._settings, self._wanted)
            if not self._dispatcher.rebuilding and not self._rolling:
                await self._adjust()
            self._save()  # the memory may have been restarted
            await asyncio.sleep(SCALE_EVERY)

    def _wanted_now(self) -> int:
        calls = len(self._dispatcher.calls)
        wanted = math.ceil((calls + self._settings.buffer) / self._settings.workers.calls)
        return min(max(wanted, self._settings.least), self._settings.most)

    async def _adjust(self) -> None:
        """Make workers that are missing, or drain those that have the least to do."""
        while len(self._standing()) < self._wanted:  # it may be called again while one is made
            free = self._free_login()
            if free is None:
                logger.warning("no login is free for another worker")
                return
            await self._create(self._new_name(), free)
        surplus = sorted(self._standing(), key=lambda member: len(member.report.calls) if member.report else 0)
        for member in surplus[: max(0, len(surplus) - self._wanted)]:
            self._drain(member)

    def _standing(self) -> list[Member]:
        """The workers that do not drain."""
        return [member for member in self._members.values() if not member.draining]

    def _free_login(self) -> Login | None:
        used = {member.user for member in self._members.values()}
        return next((login for login in self._settings.logins if login.user not in used), None)

    def _login_of(self, member: Member) -> Login | None:
        return next((login for login in self._settings.logins if login.user == member.user), None)

    def _new_name(self) -> str:
        return next(name for n in range(1, 1_000_000) if (name := f"w{n}") not in self._members)

    async def _create(self, name: str, login: Login) -> Member:
        settings = self._settings.workers
        arguments = name, settings, login, self._own_handle, self._memory
        member = self._members[name] = Member(name, login.user, None)
        member.handle = await run_blocking(
            partial(actors.create_worker, FleetWorker, name, login.user, settings.calls, settings.cpus, *arguments)
        )
        if member.draining:  # it was not wanted any more before it was there
            member.handle.drain.remote(replaced=False)
        return member

    def _drain(self, member: Member, *, replaced: bool = False) -> None:
        if member.draining:
            return
        member.draining = True
        if member.report is not None and member.report.ready:
            self._carry_out(self._dispatcher.drain(member.name, time.monotonic()))
        if member.handle is not None:
            member.handle.drain.remote(replaced=replaced)

    def _remove(self, member: Member) -> None:
        """A worker has ended."""
        self._members.pop(member.name, None)
        self._carry_out(self._dispatcher.remove(member.name, time.monotonic()))
        self._work.start(run_blocking(partial(actors.ray().kill, member.handle, no_restart=True)))
        self._wake()

    async def _replace(self, old: Member) -> None:
        """A new worker logs in with the same login, and gets the new calls; the old one keeps its own to their end."""
        login = self._login_of(old)
        if login is None:
            return
        new = await self._create(self._new_name(), login)
        async with asyncio.timeout(START_TIME):
            await self._until(lambda: new.report is not None and new.report.ready)
        self._drain(old, replaced=True)

    async def _hand_over(self, member: Member) -> None:
        """The same worker in a new process, with its calls."""
        before = member.report.info.incarnation if member.report else 0
        with suppress(Exception):
            await member.handle.detach.remote()
        await run_blocking(partial(actors.ray().kill, member.handle, no_restart=False))

        def is_back() -> bool:
            report = member.report
            return report is not None and report.ready and report.info.incarnation > before

        async with asyncio.timeout(START_TIME):
            await self._until(is_back)

    async def _place_at(self, member: Member, job_id: str, destination: str, data: JSONValue) -> JobResult:
        from ray.exceptions import RayActorError

        try:
            result: JobResult = await member.handle.place.remote(job_id, destination, data)
        except RayActorError:
            raise CallError(f"job {job_id}: worker {member.name} was lost; its call may go on") from None
        return result

    def _carry_out(self, actions: Sequence[Action]) -> None:
        for action in actions:
            job = self._jobs.get(getattr(action, "call_id", ""))
            if self._inbound is not None and self._inbound.carry_out(action):
                continue
            match action:
                case Assign(worker=worker) if job is not None and not job.done():
                    job.set_result(worker.name)
                case Refuse(why=why) if job is not None and not job.done():
                    job.set_exception(CallLimitError(why.value))
                case Drained(worker=worker):
                    logger.info("worker %s has no calls left", worker.name)
                case Drop() | Expire():
                    logger.info("call %s is gone", action.call_id)

    def _remember(self) -> None:
        """Keep the inbound calls for a control that follows; those that change together are saved together."""
        if self._saving is None:
            self._saving = asyncio.get_running_loop().call_soon(self._save)

    def _save(self) -> None:
        self._saving = None
        if self._inbound is not None:
            self._memory.save.remote(REMEMBERED, json.dumps(self._inbound.memory()))

    async def _recall(self, name: str) -> str | None:
        """What an earlier process of the control left; `None` if nothing is there, or the memory was lost as well."""
        try:
            text: str | None = await self._memory.load.remote(name)
        except Exception as error:  # noqa: BLE001 - whatever it is, the fleet has to come up without it
            logger.warning("the memory does not answer: %s", error)
            return None
        return text

    def _want(self, count: int) -> None:
        self._wanted = count
        self._memory.save.remote(WANTED, str(count))

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Wait for what a report brings."""
        while not condition():
            self._woken.clear()
            await self._woken.wait()

    def _wake(self) -> None:
        self._woken.set()

    async def _show_status(self, _: web.Request) -> web.Response:
        return web.json_response(await self.status())

    async def _show_page(self, _: web.Request) -> web.Response:
        return web.Response(text=page(await self.status()), content_type="text/html")


def _node_of(member: Member) -> str:
    return member.report.node if member.report else ""


def _shown(member: Member, load: Any) -> dict[str, Any]:
    report = member.report
    return {
        "name": member.name,
        "state": report.state if report else "being started",
        "user": member.user,
        "node": _node_of(member),
        "pid": report.pid if report else 0,
        "calls": len(report.calls) if report else 0,
        "reserved": load.reserved if load else 0,
        "confirmed": load.confirmed if load else 0,
        "capacity": report.info.capacity if report else 0,
        "ready": bool(report and report.ready),
        "stopped": bool(report and report.stopped),
        "draining": member.draining,
        "refused": report.refused if report else 0,
        "failed": report.failed if report else 0,
        "resumed": report.resumed if report else 0,
        "lag": round(report.lag, 4) if report else 0.0,
    }


def _commands(settings: VoiceApiSettings) -> Any:
    """The commands of the official package; loading it takes about a second."""
    key = Secret(settings.api_key).reveal()
    client = telnyx_package().AsyncTelnyx(api_key=key, base_url=settings.base_url, timeout=TIMEOUT, max_retries=1)
    return client.calls.actions


def _request_resources(settings: FleetSettings, workers: int) -> None:
    """Let Ray's autoscaler have room for the workers, where there is one."""
    from ray.autoscaler import sdk

    bundle = {"CPU": max(1, math.ceil(settings.workers.cpus)), actors.CALLS: settings.workers.calls}
    with suppress(Exception):
        sdk.request_resources(bundles=[bundle] * workers)
