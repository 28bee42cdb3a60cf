"""Faults and scenarios over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from telnyx_native.gateway.fault_names import inject, inject_into_call, inject_into_server
from telnyx_native.gateway.scenarios import SCENARIOS
from telnyx_native.gateway.web.bodies import read_object, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telnyx_native.gateway.faults import Faults
    from telnyx_native.gateway.leg import Leg
    from telnyx_native.gateway.scenarios import Scenarios

__all__ = ["FaultApiHost", "add_faults", "find_leg"]


class FaultApiHost(Protocol):
    """What faults over HTTP need of the gateway."""

    @property
    def calls(self) -> Sequence[Leg]:
        """The legs of the calls that are going on."""

    @property
    def faults(self) -> Faults:
        """What goes wrong on purpose."""

    @property
    def scenarios(self) -> Scenarios:
        """Faults that follow one another."""


def add_faults(api: web.Application, host: FaultApiHost) -> None:
    """Add the paths about faults to the API."""

    async def into_user(request: web.Request) -> web.Response:
        user, fault = request.match_info["name"], text_of(await read_object(request), "fault")
        await inject(host.faults, user, fault)
        return web.json_response({"user": user, "fault": fault})

    async def into_call(request: web.Request) -> web.Response:
        fault = text_of(await read_object(request), "fault")
        leg = find_leg(host.calls, request)
        await inject_into_call(host.faults, leg, fault)
        return web.json_response({"call": leg.dialog.ids.leg_id, "fault": fault})

    async def into_server(request: web.Request) -> web.Response:
        fault = text_of(await read_object(request), "fault")
        inject_into_server(host.faults, fault)
        return web.json_response({"fault": fault}, status=202)

    async def scenarios(_request: web.Request) -> web.Response:
        return web.json_response(
            [
                {"name": name, "summary": scenario.summary, "running": name in host.scenarios.running}
                for name, scenario in SCENARIOS.items()
            ]
        )

    async def start(request: web.Request) -> web.Response:
        host.scenarios.start(request.match_info["name"])
        return await scenarios(request)

    async def stop(request: web.Request) -> web.Response:
        await host.scenarios.stop(request.match_info["name"])
        return await scenarios(request)

    api.add_routes(
        [
            web.post("/users/{name}/faults", into_user),
            web.post("/calls/{id}/faults", into_call),
            web.post("/faults", into_server),
            web.get("/scenarios", scenarios),
            web.put("/scenarios/{name}", start),
            web.delete("/scenarios/{name}", stop),
        ]
    )


def find_leg(calls: Sequence[Leg], request: web.Request) -> Leg:
    """Return the call that a path is about; status 404 if there is none."""
    for leg in calls:
        if leg.dialog.ids.leg_id == request.match_info["id"]:
            return leg
    raise web.HTTPNotFound(text="there is no such call")
