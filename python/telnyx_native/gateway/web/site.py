"""All that is served over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from aiohttp import web

from telnyx_native.gateway.web.call_report import ReportHost, add_call_report
from telnyx_native.gateway.web.control import ControlHost, make_control
from telnyx_native.gateway.web.pages import PageHost, add_pages

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

__all__ = ["SiteHost", "make_site"]


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
