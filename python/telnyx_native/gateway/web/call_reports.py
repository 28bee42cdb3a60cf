"""`POST /call_report`: where clients send what they have measured, from pages of any origin."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from telnyx_native.gateway.calls.call_info import LONGEST_ID
from telnyx_native.gateway.limits import looks_convoluted
from telnyx_native.untrusted_text import is_call_id, one_line

if TYPE_CHECKING:
    from telnyx_native.gateway.calls.reports import CallReports
    from telnyx_native.gateway.limits import Counters, Limits

__all__ = ["ReportHost", "add_call_report"]

logger = logging.getLogger(__name__)

_CORS = {"Access-Control-Allow-Origin": "*"}

_PREFLIGHT = _CORS | {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "content-type, x-call-report-id, x-call-id, x-voice-sdk-id",
    "Access-Control-Allow-Private-Network": "true",
    "Access-Control-Max-Age": "86400",
}
"""Any page may send reports: what lets a report in is its id, which only a client that logged in knows."""


class ReportHost(Protocol):
    """What call reports need of the gateway."""

    @property
    def call_reports(self) -> CallReports:
        """Where they are kept."""

    @property
    def limits(self) -> Limits:
        """What bounds them."""

    @property
    def counters(self) -> Counters:
        """Where they are counted."""


def add_call_report(site: web.Application, host: ReportHost) -> None:
    """Serve `/call_report` on a site."""

    async def allow(_request: web.Request) -> web.Response:
        return web.Response(status=204, headers=_PREFLIGHT)

    async def take(request: web.Request) -> web.Response:
        refusal = await _take(request, host)
        if refusal is None:
            host.counters.call_reports += 1
            return web.json_response({"status": "ok"}, headers=_CORS)
        host.counters.refused_call_reports += 1
        return refusal

    site.router.add_route("OPTIONS", "/call_report", allow)
    site.router.add_post("/call_report", take)


async def _take(request: web.Request, host: ReportHost) -> web.Response | None:
    """Keep a report; return the answer no if there is a reason for it."""
    report_id, call_id, voice_sdk_id = (
        one_line(request.headers.get(f"x-{name}", "")) for name in ("call-report-id", "call-id", "voice-sdk-id")
    )
    if not report_id or not host.call_reports.knows(report_id):
        return _no(401, "x-call-report-id is missing, or not from this gateway")
    if not is_call_id(call_id) or len(voice_sdk_id) > LONGEST_ID:
        return _no(400, "x-call-id is missing, or an id is none")
    if (request.content_length or 0) > host.limits.call_report_size:
        return _no(413, "the report is too big")
    try:
        async with asyncio.timeout(host.limits.send_time), host.call_reports.turn(report_id):
            data = await request.read()
            if looks_convoluted(data, host.limits.call_report_values):
                return _no(413, "the report has too many values")
            report = await host.call_reports.read(
                data, call_id=call_id, report_id=report_id, voice_sdk_id=voice_sdk_id or None
            )
    except TimeoutError:
        return _no(408, "the report does not come")
    except web.HTTPRequestEntityTooLarge:
        return _no(413, "the report is too big")
    except ValueError as error:
        return _no(400, f"the report is not understood: {error}")
    host.call_reports.add(report)
    logger.info("a report about call %r has come (%d bytes)", call_id, len(data))
    return None


def _no(status: int, why: str) -> web.Response:
    return web.json_response({"error": why}, status=status, headers=_CORS)
