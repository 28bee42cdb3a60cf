"""How a worker is doing, over HTTP: for those who restart it, send it calls, or watch it."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict, deque
from dataclasses import asdict
from ipaddress import ip_address
from typing import TYPE_CHECKING, Self

from aiohttp import web

from telnyx_native.errors import (
    CallLimitError,
    ConfigurationError,
    DrainingError,
    SocketConnectionError,
)
from telnyx_native.redaction import Secret, same_secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_native.worker.jobs import JobResult
    from telnyx_native.worker.worker import Worker

__all__ = ["HealthServer", "LoopLag", "listen", "port_of"]

LAG_INTERVAL = 0.1
"""Seconds between two looks at the event loop."""

LAG_WINDOW = 100
"""Looks of which the worst is shown: the last ten seconds, so that a scrape every ten misses none."""

LARGEST_JOB = 64 * 1024
"""Bytes of a request for a job."""

REMEMBERED_JOBS = 10_000
"""Results that can be asked for; the oldest are forgotten."""


class LoopLag:
    """How late the event loop is: what a bot that blocks it does to all its calls.

    Attributes:
        worst: Seconds, the most of the last ten seconds.
    """

    def __init__(self) -> None:
        self._seen: deque[float] = deque(maxlen=LAG_WINDOW)

    @property
    def worst(self) -> float:
        """Seconds, the most of the last ten seconds."""
        return max(self._seen, default=0.0)

    async def watch(self) -> None:
        """Look at it until this is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_INTERVAL
            await asyncio.sleep(LAG_INTERVAL)
            self._seen.append(max(0.0, loop.time() - due))


class HealthServer:
    """The HTTP of a worker, as an async context manager.

    - `GET /healthz`: 200 while the event loop answers.
    - `GET /readyz`: 200 if it would take a call now; 503 says why not.
    - `GET /metrics`: for Prometheus; needs the extra `[metrics]`.
    - `POST /jobs` with `{"destination": "+15551234567", "data": …, "id": "7"}`: begins a job. 503 if there is no slot.
    - `GET /jobs/ID`: what came of it.

    Args:
        worker: The worker; it must not be started yet.
        host: Where to listen.
        port: Where to listen; 0 takes a free one, see `port`.
        token: What `/jobs` wants as `Authorization: Bearer`. Without one, jobs come from this machine only, and not
            from pages in a browser.

    Raises:
        ConfigurationError: It listens beyond this machine, and has no token.
    """

    def __init__(self, worker: Worker, *, host: str = "127.0.0.1", port: int = 0, token: str | None = None) -> None:
        if not _is_loopback(host) and not token:
            raise ConfigurationError(f"to listen on {host}, whoever sends jobs needs a token; set one")
        self.lag = LoopLag()
        self._worker = worker
        self._host = host
        self._port = port
        self._token = None if token is None else Secret(token)
        self._jobs: OrderedDict[str, asyncio.Task[JobResult]] = OrderedDict()
        self._runner: web.AppRunner | None = None
        self._watching: asyncio.Task[None] | None = None
        self._metrics = _metrics_of(worker, self.lag)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        assert self._runner is not None  # noqa: S101 - it runs
        return port_of(self._runner)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=LARGEST_JOB)
        app.add_routes(
            [
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
                web.get("/metrics", self._show_metrics),
                web.post("/jobs", self._begin_job),
                web.get("/jobs/{id}", self._job),
            ]
        )
        self._runner = await listen(app, self._host, self._port)
        self._watching = asyncio.create_task(self.lag.watch(), name="telnyx-worker-lag")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._watching is not None:
            self._watching.cancel()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "alive", "event_loop_lag": round(self.lag.worst, 4)})

    async def _readyz(self, _: web.Request) -> web.Response:
        status = self._worker.status.value
        why = "draining" if status.draining else "" if status.free else "full" if status.ready else "not logged in"
        told = asdict(status) | {"calls": len(status.calls), "free": status.free, "reason": why}
        return web.json_response(told, status=503 if why else 200)

    async def _show_metrics(self, _: web.Request) -> web.Response:
        if self._metrics is None:
            return web.Response(status=501, text='metrics need the extra: pip install "telnyx-native[metrics]"\n')
        return web.Response(body=self._metrics(), content_type="text/plain", charset="utf-8")

    async def _begin_job(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request):
            return refusal
        try:
            wanted = json.loads(await request.read())
        except (ValueError, RecursionError):
            return _error(400, "the body is not JSON")
        if not isinstance(wanted, dict):
            return _error(422, "the body is not a JSON object")
        destination, job_id = wanted.get("destination"), wanted.get("id")
        if not isinstance(destination, str) or not destination:
            return _error(422, "destination is not a text: whom to call")
        if job_id is not None and not (isinstance(job_id, str) and 0 < len(job_id) <= 200):
            return _error(422, "id is not a text of 1 to 200 characters")
        if job_id in self._jobs:
            return _error(409, "there is a job of that id")
        try:
            task = self._worker.begin(destination, wanted.get("data"), job_id=job_id)
        except (CallLimitError, DrainingError, SocketConnectionError) as error:
            return _error(503, str(error))
        except ConfigurationError as error:
            return _error(422, str(error))
        job_id = task.get_name()
        self._jobs[job_id] = task
        while len(self._jobs) > REMEMBERED_JOBS:
            self._jobs.popitem(last=False)
        return web.json_response({"id": job_id, "state": "running"}, status=202)

    async def _job(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request):
            return refusal
        task = self._jobs.get(job_id := request.match_info["id"])
        if task is None:
            return _error(404, "there is no job of that id, or it is forgotten")
        if not task.done():
            return web.json_response({"id": job_id, "state": "running"})
        if task.cancelled():
            return web.json_response({"id": job_id, "state": "cancelled"})
        return web.json_response(asdict(task.result()) | {"state": "done"}, dumps=_dumps)

    def _refusal(self, request: web.Request) -> web.Response | None:
        """The answer to a request about jobs of somebody who has no say; `None` if it may be answered."""
        if self._token is not None:
            given = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not same_secret(given, self._token):
                return _error(401, "give the worker's token as Authorization: Bearer")
        elif "Origin" in request.headers:
            return _error(403, "jobs are not for pages in a browser")
        return None


async def listen(app: web.Application, host: str, port: int) -> web.AppRunner:
    """Serve an application until what is returned is cleaned up.

    Raises:
        ConfigurationError: The address cannot be listened on.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        raise ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror}") from None
    return runner


def port_of(runner: web.AppRunner) -> int:
    """The port that is listened on."""
    port: int = runner.addresses[0][1]
    return port


def _dumps(value: object) -> str:
    """JSON, whatever the bot returned."""
    return json.dumps(value, default=repr)


def _error(status: int, text: str) -> web.Response:
    headers = {"Retry-After": "1"} if status == 503 else None
    return web.json_response({"error": text}, status=status, headers=headers)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _metrics_of(worker: Worker, lag: LoopLag) -> Callable[[], bytes] | None:
    """What makes the text for Prometheus; `None` without its package."""
    try:
        from prometheus_client import CollectorRegistry, Gauge, generate_latest
    except ImportError:
        return None
    from telnyx_native.integrations.prometheus import CallMetrics

    registry = CollectorRegistry()
    CallMetrics(registry).watch(worker.client)

    def show(name: str, text: str, value: Callable[[], float]) -> None:
        Gauge(name, text, registry=registry).set_function(value)

    def status(name: str) -> Callable[[], float]:
        return lambda: float(getattr(worker.status.value, name))

    show("telnyx_worker_slots", "Calls and jobs that the worker takes at a time.", status("max_calls"))
    show("telnyx_worker_slots_used", "Slots that are in use.", status("used"))
    show("telnyx_worker_slots_free", "Slots that are free; none while it drains.", status("free"))
    show("telnyx_worker_ready", "Whether it is logged in.", status("ready"))
    show("telnyx_worker_draining", "Whether it takes no more.", status("draining"))
    show("telnyx_event_loop_lag_seconds", "The worst delay of the event loop in ten seconds.", lambda: lag.worst)
    show("telnyx_worker_refused", "Calls and jobs that were refused so far.", lambda: worker.refused)
    show("telnyx_worker_failed", "Calls and jobs in which the bot failed so far.", lambda: worker.failed)
    show("telnyx_worker_resumed", "Calls that were taken over from a process before.", lambda: worker.resumed)

    def text() -> bytes:
        latest: bytes = generate_latest(registry)
        return latest

    return text
