"""The HTTP site: call reports, the API, and the console's files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from telnyx_native.gateway.web.api import make_api
from telnyx_native.gateway.web.call_reports import add_call_reports

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from telnyx_native.gateway.web.api import ApiContext

__all__ = ["CONSOLE", "make_site"]


def make_site(
    api: ApiContext, *, keep_out: Callable[[Sequence[str], Sequence[str]], str | None], welcome: Callable[[], str]
) -> web.Application:
    """Return the site of a gateway.

    Args:
        api: What the API shows, and what it does.
        keep_out: Returns why a request with these `Host` and `Origin` headers is not taken, or `None` if it is.
        welcome: Returns the text of `/` for programs that are no browsers.
    """
    limit = api.gateway.limits.call_report_size
    site = web.Application(client_max_size=limit, middlewares=[_own_pages_only(keep_out)])
    add_call_reports(site, api.gateway)
    site.add_subapp("/api", make_api(api))
    _add_pages(site, welcome)
    return site


def _own_pages_only(keep_out: Callable[[Sequence[str], Sequence[str]], str | None]) -> Any:
    @web.middleware
    async def check(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Refuse what pages of foreign origins ask for."""
        complaint = keep_out(request.headers.getall("Host", []), request.headers.getall("Origin", []))
        if complaint is not None:
            return web.Response(status=403, text=f"{complaint}\n")
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
async def _guarded(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Add the headers that say what a page may do."""
    response = await handler(request)
    if not response.prepared:
        response.headers.update(_HEADERS)
    return response
