"""The HTTP site: call reports, the API, the Voice API, and the console's files."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from telnyx_native.gateway.limits import has_too_many_values
from telnyx_native.gateway.voice_api.api import make_voice_api
from telnyx_native.gateway.web.api import make_api
from telnyx_native.untrusted_text import is_call_id, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiohttp.typedefs import Handler

    from telnyx_native.gateway.context import GatewayContext
    from telnyx_native.gateway.web.api import ApiContext

__all__ = ["CONSOLE", "make_site"]

logger = logging.getLogger(__name__)


LONGEST_ID = 128
"""Characters of a `voice_sdk_id`; longer ones are not taken."""

_CORS = {"Access-Control-Allow-Origin": "*"}

_PREFLIGHT = _CORS | {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "content-type, x-call-report-id, x-call-id, x-voice-sdk-id",
    "Access-Control-Allow-Private-Network": "true",
    "Access-Control-Max-Age": "86400",
}
"""Any page may send reports: what lets a report in is its id, which only a client that logged in knows."""


def add_call_reports(site: web.Application, context: GatewayContext) -> None:
    """Serve `/call_report` on a site."""

    async def allow(_request: web.Request) -> web.Response:
        return web.Response(status=204, headers=_PREFLIGHT)

    async def take(request: web.Request) -> web.Response:
        refusal = await _take(request, context)
        if refusal is None:
            context.counters.call_reports += 1
            return web.json_response({"status": "ok"}, headers=_CORS)
        context.counters.refused_call_reports += 1
        return refusal

    site.router.add_route("OPTIONS", "/call_report", allow)
    site.router.add_post("/call_report", take)


async def _take(request: web.Request, context: GatewayContext) -> web.Response | None:
    """Keep a report; return the refusal, if there is a reason for one."""
    report_id, call_id, voice_sdk_id = (
        one_line(request.headers.get(f"x-{name}", "")) for name in ("call-report-id", "call-id", "voice-sdk-id")
    )
    if not report_id or not context.call_reports.knows(report_id):
        return _refusal(401, "x-call-report-id is missing, or not from this gateway")
    if not is_call_id(call_id) or len(voice_sdk_id) > LONGEST_ID:
        return _refusal(400, "x-call-id is missing, or an id is none")
    if (request.content_length or 0) > context.limits.call_report_size:
        return _refusal(413, "the report is too big")
    try:
        async with asyncio.timeout(context.limits.send_time), context.call_reports.receiving(report_id):
            data = await request.read()
            if has_too_many_values(data, context.limits.call_report_values):
                return _refusal(413, "the report has too many values")
            report = await context.call_reports.read(
                data, call_id=call_id, report_id=report_id, voice_sdk_id=voice_sdk_id or None
            )
    except TimeoutError:
        return _refusal(408, "the report does not come")
    except web.HTTPRequestEntityTooLarge:
        return _refusal(413, "the report is too big")
    except ValueError as error:
        return _refusal(400, f"the report is not understood: {error}")
    context.call_reports.add(report)
    logger.info("a report about call %r has come (%d bytes)", call_id, len(data))
    return None


def _refusal(status: int, why: str) -> web.Response:
    return web.json_response({"error": why}, status=status, headers=_CORS)


def make_site(
    api: ApiContext, *, check_origin: Callable[[Sequence[str], Sequence[str]], str | None], welcome: Callable[[], str]
) -> web.Application:
    """Return the site of a gateway.

    Args:
        api: What the API shows, and what it does.
        check_origin: Returns why a request with these `Host` and `Origin` headers is not taken, or `None` if it is.
        welcome: Returns the text of `/` for programs that are no browsers.
    """
    limit = api.gateway.limits.call_report_size
    site = web.Application(client_max_size=limit, middlewares=[_check_origins(check_origin)])
    add_call_reports(site, api.gateway)
    site.add_subapp("/api", make_api(api))
    if api.call_control is not None:
        site.add_subapp("/v2", make_voice_api(api.call_control))
    _add_pages(site, welcome)
    return site


def _check_origins(check_origin: Callable[[Sequence[str], Sequence[str]], str | None]) -> Any:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse what pages of foreign origins ask for."""
        refusal = check_origin(request.headers.getall("Host", []), request.headers.getall("Origin", []))
        if refusal is not None:
            return web.Response(status=403, text=f"{refusal}\n")
        return await handler(request)

    return check


CONSOLE = Path(__file__).parents[2] / "assets" / "console"

_HEADERS = {
    # Nothing from anywhere else, and in nobody's frame: the page may use the microphone and knows the token.
    "Content-Security-Policy": "default-src 'self'; connect-src 'self' ws: wss:; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


def _add_pages(site: web.Application, welcome: Callable[[], str]) -> None:
    """Serve the console, the description of the HTTP API, and a line of help for other visitors."""

    async def front_page(request: web.Request) -> web.StreamResponse:
        if "text/html" in request.headers.get("Accept", ""):
            return web.FileResponse(CONSOLE / "index.html")
        return web.Response(text=welcome())

    async def description(_request: web.Request) -> web.StreamResponse:
        return web.FileResponse(CONSOLE / "openapi.json")

    async def readable_description(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/console/api.html")

    site.router.add_get("/", front_page)
    site.router.add_get("/openapi.json", description)
    site.router.add_get("/docs", readable_description)
    site.router.add_static("/console", CONSOLE)
    site.middlewares.append(_guarded)


@web.middleware
async def _guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Add the headers that say what a page may do."""
    response = await handler(request)
    if not response.prepared:
        response.headers.update(_HEADERS)
    return response
