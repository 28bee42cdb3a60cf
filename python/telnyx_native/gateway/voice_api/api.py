"""The Voice API over HTTP: `/v2/calls` and `/v2/call_events`, as the `telnyx` package speaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from telnyx_native.gateway.limits import has_too_many_values
from telnyx_native.gateway.voice_api.refusals import Refusal
from telnyx_native.redaction import same_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp.typedefs import Handler

    from telnyx_native.gateway.voice_api.call_control import CallControl

__all__ = ["make_voice_api"]

LARGEST_BODY = 131_072
"""Bytes a request may have."""

MOST_VALUES = 2000
"""Values in a request, roughly."""


def make_voice_api(control: CallControl) -> web.Application:
    """Return the Voice API, to be served below a path of its own."""
    api = web.Application(middlewares=[_refusals, _authorized(control)])

    async def dial(request: web.Request) -> web.Response:
        return web.json_response(control.dial(await _read(request)))

    async def command(request: web.Request) -> web.Response:
        names = request.match_info
        return web.json_response(control.carry_out(names["id"], names["command"], await _read(request)))

    async def status(request: web.Request) -> web.Response:
        return web.json_response(control.status(request.match_info["id"]))

    async def events(request: web.Request) -> web.Response:
        session_id = request.query.get("filter[application_session_id]")
        if not session_id:
            raise Refusal.missing("filter[application_session_id]")
        return web.json_response(control.events(session_id))

    api.router.add_get("/call_events", events)
    api.router.add_post("/calls", dial)
    api.router.add_get("/calls/{id}", status)
    api.router.add_post("/calls/{id}/actions/{command}", command)
    return api


def _authorized(control: CallControl) -> Any:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check the key."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        # All keys are looked at, so that the time shows nothing.
        known = [same_secret(given, key) for key in control.api_keys]
        if scheme.lower() != "bearer" or not any(known):
            raise Refusal.unauthorized()
        return await handler(request)

    return check


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer refusals, and errors of the HTTP server, as Telnyx does."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return web.json_response(refusal.body(), status=refusal.status)
    except web.HTTPRequestEntityTooLarge:
        return web.json_response(Refusal.malformed("The body is too big.").body(), status=413)
    except web.HTTPClientError as error:  # no such path, or no such method
        return web.json_response(Refusal.not_found().body(), status=error.status)


async def _read(request: web.Request) -> Mapping[str, Any]:
    """Return the body of a request, an object; there may be none."""
    data = await request.read()  # the site has a limit of its own, for larger bodies than these
    if len(data) > LARGEST_BODY:
        raise web.HTTPRequestEntityTooLarge(LARGEST_BODY, len(data))
    if has_too_many_values(data, MOST_VALUES):
        raise Refusal.malformed("The body has too many values.")
    try:
        body = await request.json() if data else {}
    except (ValueError, RecursionError, LookupError):
        raise Refusal.malformed("The body is no JSON.") from None
    if not isinstance(body, dict):
        raise Refusal.malformed("The body must be a JSON object.")
    return body
