"""All that is served over HTTP, and the console's files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from aiohttp import web

from telnyx_native.gateway.web.api import ControlHost, make_control
from telnyx_native.gateway.web.call_reports import ReportHost, add_call_report

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

__all__ = ["PageHost", "SiteHost", "add_pages", "make_site"]


class PageHost(Protocol):
    """What the pages need of the gateway."""

    @property
    def url(self) -> str:
        """The address for clients."""

    def connect_hint(self) -> str:
        """Return the one line to copy for a first call."""


class SiteHost(ReportHost, ControlHost, PageHost, Protocol):
    """What the site needs of the gateway."""

    def keep_out(self, hosts: Sequence[str], origins: Sequence[str]) -> str | None:
        """Return why a request with these `Host` and `Origin` headers is not taken, or `None` if it is."""


def make_site(host: SiteHost) -> web.Application:
    """Return the site of a gateway."""
    site = web.Application(client_max_size=host.limits.call_report_size, middlewares=[_own_pages_only(host)])
    add_call_report(site, host)
    site.add_subapp("/api", make_control(host))
    add_pages(site, host)
    return site


def _own_pages_only(host: SiteHost) -> Any:
    @web.middleware
    async def check(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Refuse what pages of foreign origins ask for."""
        complaint = host.keep_out(request.headers.getall("Host", []), request.headers.getall("Origin", []))
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


def add_pages(site: web.Application, host: PageHost) -> None:
    """Serve the console, the description of the HTTP API, and a line of help to who is no browser."""

    async def front_page(request: web.Request) -> web.StreamResponse:
        if "text/html" in request.headers.get("Accept", ""):
            return web.FileResponse(CONSOLE / "index.html")
        return web.Response(
            text=f"This is telnyx-native's gateway. It speaks WebSocket: point a Telnyx client at {host.url}\n"
            f"or try:  {host.connect_hint()}\n"
        )

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
