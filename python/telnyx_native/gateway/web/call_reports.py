"""`POST /call_report`: where clients send what they have measured, from pages of any origin."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from aiohttp import web

from telnyx_native.gateway.limits import has_too_many_values
from telnyx_native.untrusted_text import is_call_id, one_line

if TYPE_CHECKING:
    from telnyx_native.gateway.context import GatewayContext

__all__ = ["add_call_reports"]

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
        return _no(401, "x-call-report-id is missing, or not from this gateway")
    if not is_call_id(call_id) or len(voice_sdk_id) > LONGEST_ID:
        return _no(400, "x-call-id is missing, or an id is none")
    if (request.content_length or 0) > context.limits.call_report_size:
        return _no(413, "the report is too big")
    try:
        async with asyncio.timeout(context.limits.send_time), context.call_reports.receiving(report_id):
            data = await request.read()
            if has_too_many_values(data, context.limits.call_report_values):
                return _no(413, "the report has too many values")
            report = await context.call_reports.read(
                data, call_id=call_id, report_id=report_id, voice_sdk_id=voice_sdk_id or None
            )
    except TimeoutError:
        return _no(408, "the report does not come")
    except web.HTTPRequestEntityTooLarge:
        return _no(413, "the report is too big")
    except ValueError as error:
        return _no(400, f"the report is not understood: {error}")
    context.call_reports.add(report)
    logger.info("a report about call %r has come (%d bytes)", call_id, len(data))
    return None


def _no(status: int, why: str) -> web.Response:
    return web.json_response({"error": why}, status=status, headers=_CORS)
