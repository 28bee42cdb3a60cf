"""All that is served over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from telnyx_native.gateway.web.call_report import ReportHost, add_call_report
from telnyx_native.gateway.web.control import ControlHost, make_control

if TYPE_CHECKING:
    from telnyx_native.gateway.limits import Limits

__all__ = ["SiteHost", "make_site"]


class SiteHost(ReportHost, ControlHost, Protocol):
    """What the site needs of the gateway."""

    @property
    def limits(self) -> Limits:
        """What bounds it."""

    @property
    def url(self) -> str:
        """The address for clients."""

    def connect_hint(self) -> str:
        """Return the one line to copy for a first call."""


def make_site(host: SiteHost) -> web.Application:
    """Return the site of a gateway."""
    site = web.Application(client_max_size=host.limits.call_report_size)
    add_call_report(site, host)
    site.add_subapp("/api", make_control(host))

    async def help_text(_request: web.Request) -> web.Response:
        return web.Response(
            text=f"This is telnyx-native's gateway. It speaks WebSocket: point a Telnyx client at {host.url}\n"
            f"or try:  {host.connect_hint()}\n"
        )

    site.router.add_get("/", help_text)
    return site
