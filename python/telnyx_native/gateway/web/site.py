"""All that is served over HTTP."""

from __future__ import annotations

from typing import Protocol

from aiohttp import web

from telnyx_native.gateway.web.call_report import ReportHost, add_call_report
from telnyx_native.gateway.web.control import ControlHost, make_control
from telnyx_native.gateway.web.pages import PageHost, add_pages

__all__ = ["SiteHost", "make_site"]


class SiteHost(ReportHost, ControlHost, PageHost, Protocol):
    """What the site needs of the gateway."""


def make_site(host: SiteHost) -> web.Application:
    """Return the site of a gateway."""
    site = web.Application(client_max_size=host.limits.call_report_size)
    add_call_report(site, host)
    site.add_subapp("/api", make_control(host))
    add_pages(site, host)
    return site
