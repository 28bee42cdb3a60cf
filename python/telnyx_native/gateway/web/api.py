"""The HTTP API: users, applications, calls, events, faults and scenarios.

`openapi.json` beside the console's files describes it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from telnyx_native.errors import CallError, ConfigurationError, MediaError
from telnyx_native.gateway.faults.names import inject, inject_into_call, inject_into_server
from telnyx_native.gateway.faults.scenarios import SCENARIOS
from telnyx_native.gateway.voice_api.applications import Application
from telnyx_native.redaction import mask, same_secret
from telnyx_native.untrusted_text import one_line
from telnyx_native.version import __version__

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from aiohttp.typedefs import Handler

    from telnyx_native.gateway.calls.leg import CalleeLeg, Leg
    from telnyx_native.gateway.calls.registry import Calls
    from telnyx_native.gateway.connection import Connections
    from telnyx_native.gateway.context import GatewayContext
    from telnyx_native.gateway.faults.faults import Faults
    from telnyx_native.gateway.faults.scenarios import Scenarios
    from telnyx_native.gateway.monitor import GatewayEvent
    from telnyx_native.gateway.voice_api.call_control import CallControl

__all__ = ["ApiContext", "make_api"]


async def _read_object(request: web.Request) -> dict[str, Any]:
    """Return the body of a request; anything but an object is answered with status 400."""
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="the body must be a JSON object")
    return body


def _text_of(wanted: dict[str, Any], key: str) -> str:
    """Return a text of a body, empty if there is none; anything but a text is answered with status 400."""
    value = wanted.get(key) or ""
    if not isinstance(value, str):
        raise web.HTTPBadRequest(text=f"{key} must be a string")
    return one_line(value)


LARGEST_BODY = 65_536
"""Bytes a request may have; all of them are small."""

HEARTBEAT = 15.0
"""Seconds without an event until a comment is sent, so that a dead watcher is noticed."""

TOKEN_LIFETIME = 86_400.0
"""Seconds a login token from here is good."""


@dataclasses.dataclass(frozen=True)
class ApiContext:
    """What the API shows, and what it does.

    Attributes:
        gateway: What the gateway shares.
        programs: The names of the destinations beside the users.
        call_control: The applications; `None` if the Voice API is off.
        control_token: What lets a request in.
        place_call: Calls a user, see `Gateway.place_call`.
        mint_token: Makes a login token of a user that is good for so many seconds.
    """

    gateway: GatewayContext
    connections: Connections
    calls: Calls
    faults: Faults
    scenarios: Scenarios
    programs: Sequence[str]
    call_control: CallControl | None
    control_token: str
    place_call: Callable[..., Awaitable[CalleeLeg]]
    mint_token: Callable[[str, float], str]


def make_api(context: ApiContext) -> web.Application:
    """Return the API, to be served below a path of its own."""
    api = web.Application(middlewares=[_authorized(context), _errors], client_max_size=LARGEST_BODY)
    handlers = _Handlers(context)
    api.add_routes(
        [
            web.get("/status", handlers.status),
            web.get("/users", handlers.users),
            web.post("/users/{name}/token", handlers.login_token),
            web.post("/users/{name}/faults", handlers.fault_of_user),
            web.get("/calls", handlers.calls),
            web.post("/calls", handlers.place_call),
            web.delete("/calls/{id}", handlers.hang_up),
            web.post("/calls/{id}/faults", handlers.fault_of_call),
            web.get("/events", handlers.events),
            web.post("/faults", handlers.fault_of_server),
            web.get("/scenarios", handlers.scenarios),
            web.put("/scenarios/{name}", handlers.start_scenario),
            web.delete("/scenarios/{name}", handlers.stop_scenario),
        ]
    )
    if context.call_control is not None:
        applications = _ApplicationHandlers(context.call_control)
        api.add_routes(
            [
                web.get("/applications", applications.list),
                web.put("/applications/{name}", applications.put),
                web.delete("/applications/{name}", applications.remove),
            ]
        )
    api.on_shutdown.append(handlers.close_streams)
    return api


def _authorized(context: ApiContext) -> Any:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check the token. It comes in a header that no page of another origin can set."""
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not same_secret(given, context.control_token):
            return web.json_response(
                {"error": "the token is missing or wrong; the gateway prints it when it starts"},
                status=401,
                headers={"WWW-Authenticate": "Bearer"},
            )
        return await handler(request)

    return check


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer an error with its text."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return web.json_response({"error": error.text or error.reason}, status=error.status)
    except ConfigurationError as error:
        return web.json_response({"error": str(error)}, status=404)
    except CallError as error:
        return web.json_response({"error": str(error)}, status=409)
    except MediaError as error:
        return web.json_response({"error": str(error)}, status=503)


class _Handlers:
    def __init__(self, context: ApiContext) -> None:
        self._context = context
        self._streams: set[asyncio.Task[Any]] = set()

    async def status(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {
                "version": __version__,
                "destinations": list(self._context.programs),
                "counters": dataclasses.asdict(self._context.gateway.counters),
            }
        )

    async def users(self, _request: web.Request) -> web.Response:
        return web.json_response(self._users())

    async def login_token(self, request: web.Request) -> web.Response:
        return web.json_response(
            {"login_token": self._context.mint_token(request.match_info["name"], TOKEN_LIFETIME)}, status=201
        )

    async def calls(self, _request: web.Request) -> web.Response:
        return web.json_response(self._calls())

    async def place_call(self, request: web.Request) -> web.Response:
        wanted = await _read_object(request)
        user, caller, name, destination = (_text_of(wanted, key) for key in ("user", "from", "name", "destination"))
        if not user or not caller:
            raise web.HTTPBadRequest(text="user and from are needed")
        leg = await self._context.place_call(user, from_=caller, name=name, destination=destination or None)
        return web.json_response(self._context.gateway.monitor.describe(leg), status=201)

    async def hang_up(self, request: web.Request) -> web.Response:
        leg = self._find_leg(request)
        await leg.hang_up()
        return web.json_response(self._context.gateway.monitor.describe(leg))

    async def close_streams(self, _api: web.Application) -> None:
        """Close the streams of events: the gateway restarts or closes."""
        for stream in self._streams:
            stream.cancel()

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Stream what happens as server-sent events (HTML Living Standard, section 9.2)."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        stream = asyncio.current_task()
        assert stream is not None  # noqa: S101 - a handler runs in a task
        self._streams.add(stream)
        stream.add_done_callback(self._streams.discard)
        with self._context.gateway.monitor.events.collect() as events:
            await response.prepare(request)
            await response.write(_record("snapshot", {"users": self._users(), "calls": self._calls()}))
            while True:
                try:
                    async with asyncio.timeout(HEARTBEAT):
                        event: GatewayEvent = await anext(events)
                    await response.write(_record(event.kind, {"time": event.time, **event.data}))
                except TimeoutError:
                    await response.write(b":\n\n")
                except (StopAsyncIteration, ConnectionResetError):
                    return response

    async def fault_of_user(self, request: web.Request) -> web.Response:
        user, fault = request.match_info["name"], _text_of(await _read_object(request), "fault")
        await inject(self._context.faults, user, fault)
        return web.json_response({"user": user, "fault": fault})

    async def fault_of_call(self, request: web.Request) -> web.Response:
        fault = _text_of(await _read_object(request), "fault")
        leg = self._find_leg(request)
        await inject_into_call(self._context.faults, leg, fault)
        return web.json_response({"call": leg.info.ids.leg_id, "fault": fault})

    async def fault_of_server(self, request: web.Request) -> web.Response:
        fault = _text_of(await _read_object(request), "fault")
        inject_into_server(self._context.faults, fault)
        return web.json_response({"fault": fault}, status=202)

    async def scenarios(self, _request: web.Request) -> web.Response:
        running = self._context.scenarios.running
        return web.json_response(
            [
                {"name": name, "summary": scenario.summary, "running": name in running}
                for name, scenario in SCENARIOS.items()
            ]
        )

    async def start_scenario(self, request: web.Request) -> web.Response:
        self._context.scenarios.start(request.match_info["name"])
        return await self.scenarios(request)

    async def stop_scenario(self, request: web.Request) -> web.Response:
        await self._context.scenarios.stop(request.match_info["name"])
        return await self.scenarios(request)

    def _users(self) -> list[dict[str, Any]]:
        present = [connection.user_name for connection in self._context.connections.logged_in]
        return [
            {"name": user.name, "number": user.number, "connections": present.count(user.name)}
            for user in self._context.gateway.directory
        ]

    def _find_leg(self, request: web.Request) -> Leg:
        """Return the call that a path is about; status 404 if there is none."""
        for leg in self._context.calls.legs:
            if leg.info.ids.leg_id == request.match_info["id"]:
                return leg
        raise web.HTTPNotFound(text="there is no such call")

    def _calls(self) -> list[dict[str, Any]]:
        return [self._context.gateway.monitor.describe(leg) for leg in self._context.calls.legs]


class _ApplicationHandlers:
    """What the API does with applications, while the Voice API is on."""

    def __init__(self, control: CallControl) -> None:
        self._control = control

    async def list(self, _request: web.Request) -> web.Response:
        shown = [
            {"name": each.name, "numbers": list(each.numbers), "webhook_url": mask(each.webhook_url)}
            for each in self._control.applications
        ]
        return web.json_response({"public_key": self._control.public_key, "applications": shown})

    async def put(self, request: web.Request) -> web.Response:
        wanted = await _read_object(request)
        numbers = wanted.get("numbers", [])
        if not isinstance(numbers, list) or not all(isinstance(number, str) for number in numbers):
            raise web.HTTPBadRequest(text="numbers must be a list of strings")
        url, failover_url = (_text_of(wanted, key) for key in ("webhook_url", "webhook_failover_url"))
        try:
            self._control.put(Application(request.match_info["name"], url, failover_url or None, numbers))
        except ConfigurationError as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        return await self.list(request)

    async def remove(self, request: web.Request) -> web.Response:
        self._control.applications.remove(request.match_info["name"])
        return await self.list(request)


def _record(kind: str, data: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
