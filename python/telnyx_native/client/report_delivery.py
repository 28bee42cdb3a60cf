"""Reports of calls: which calls get one, its summary, and its delivery to Telnyx or a directory."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import asdict, dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from telnyx_native.config import AnonymousConfig, TokenConfig
from telnyx_native.errors import ReportError
from telnyx_native.event_loop import run_blocking
from telnyx_native.report.call_report import CallReport
from telnyx_native.version import USER_AGENT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine, Mapping
    from pathlib import Path
    from ssl import SSLContext

    from telnyx_native.call import Call
    from telnyx_native.client.connection import Connection
    from telnyx_native.client.context import Publisher
    from telnyx_native.config import IceServer, TelnyxConfig

__all__ = ["ReportDelivery", "post", "write"]


@dataclass(frozen=True)
class _PendingReport:
    """A report, which is posted by one task at a time."""

    report: CallReport
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class ReportDelivery:
    """Creates a report for each call if the login or the server wants one, and delivers it when the call ends.

    Args:
        connection: The connection, with its login, server and session.
        publisher: The log.
    """

    def __init__(self, connection: Connection, publisher: Publisher) -> None:
        self._connection = connection
        self._session = connection.session
        self._publisher = publisher
        self._pending: dict[str, _PendingReport] = {}
        self._deliveries: set[asyncio.Task[None]] = set()

    def open(self, call_id: str) -> CallReport | None:
        """Start the report of a call, if one is wanted."""
        config = self._connection.config
        if config is None or not (config.call_report_directory or self._is_asked_for(config)):
            return None
        pending = self._pending[call_id] = _PendingReport(CallReport())
        return pending.report

    def flush(self, call: Call) -> None:
        """Post a first segment in the background: the connection is lost, and the call may be, too."""
        pending, config = self._pending.get(call.call_id), self._connection.config
        if pending is not None and config is not None and self._is_asked_for(config):
            self._begin(self._post(call, pending, config, flush_reason="socket-close"))

    def close(self, call: Call) -> None:
        """Complete the report of a call, and deliver it in the background."""
        pending, config = self._pending.pop(call.call_id, None), self._connection.config
        if pending is not None and config is not None:
            pending.report.add_event("info", str(call.state))
            self._begin(self._deliver(call, pending, config))

    async def wait_delivered(self, limit: float) -> None:
        """Wait until all reports are delivered, at most `limit` seconds; then drop the others."""
        if not self._deliveries:
            return
        _, late = await asyncio.wait(self._deliveries, timeout=limit)
        for delivery in late:
            self._publisher.log.warning(f"a call report was given up after {limit:g} s")
            delivery.cancel()

    def _is_asked_for(self, config: TelnyxConfig) -> bool:
        return config.call_reports and self._session.call_report_id is not None

    def _begin(self, delivery: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._unless_exiting(delivery), name="telnyx-report")
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)

    async def _unless_exiting(self, delivery: Coroutine[Any, Any, None]) -> None:
        """Drop the report if the interpreter is shutting down: it starts no more threads."""
        try:
            await delivery
        except RuntimeError as error:
            self._publisher.log.debug(f"a call report was dropped: {error}")

    async def _deliver(self, call: Call, pending: _PendingReport, config: TelnyxConfig) -> None:
        if config.call_report_directory is not None:
            body = await run_blocking(pending.report.as_dict, self._summary(call, config))
            await self._try(write(config.call_report_directory / f"{call.call_id}.json", body))
        if self._is_asked_for(config):
            await self._post(call, pending, config)

    async def _post(
        self, call: Call, pending: _PendingReport, config: TelnyxConfig, *, flush_reason: str | None = None
    ) -> None:
        """Post the next segment; one that fails is repeated with the next."""
        server = self._connection.server
        headers = {"x-call-report-id": self._session.call_report_id or "", "x-call-id": call.call_id}
        if self._session.voice_sdk_id:
            headers["x-voice-sdk-id"] = self._session.voice_sdk_id
        async with pending.lock:
            body = await run_blocking(pending.report.next_segment, self._summary(call, config), flush_reason)
            url, proxy = f"{server.http_url}/call_report", not server.is_local
            if await self._try(post(url, headers, body, proxy=proxy, ssl_context=server.ssl_context)):
                pending.report.note_delivered(body)

    async def _try(self, delivery: Awaitable[None]) -> bool:
        try:
            await delivery
        except ReportError as error:
            self._publisher.log.warning(str(error))
            return False
        return True

    def _summary(self, call: Call, config: TelnyxConfig) -> dict[str, Any]:
        server, login = self._connection.server, self._session.timings
        reason = call.termination_reason
        return {
            "callId": call.call_id,
            "destinationNumber": call.destination_number,
            "callerNumber": call.caller_number,
            "direction": call.direction.value,
            "state": str(call.state.name).lower(),
            "terminationReason": asdict(reason) if reason else None,
            "telnyxSessionId": call.telnyx_ids.session_id,
            "telnyxLegId": call.telnyx_ids.leg_id,
            "voiceSdkSessionId": self._session.session_id,
            "sdkVersion": USER_AGENT,
            "timingsSeconds": call.timings.as_dict(),
            "clientSummary": {
                "authentication": {"type": _kind_of(config)},
                "connection": {
                    "host": server.host,
                    "region": config.region.value,
                    "autoReconnect": config.auto_reconnect,
                },
                "media": {"audio": True, "video": False, "iceServers": [_described(ice) for ice in server.ice_servers]},
                "registration": {
                    "socketOpenMs": _milliseconds(login.since_begun("socket_open")),
                    "loginMs": _milliseconds(login.since_begun("logged_in")),
                    "registeredMs": _milliseconds(login.since_begun("registered")),
                },
            },
        }


def _kind_of(config: TelnyxConfig) -> str:
    """The kind of login, as the Telnyx JS SDK names it."""
    if isinstance(config, AnonymousConfig):
        return "anonymous_login"
    return "login_token" if isinstance(config, TokenConfig) else "login_password"


def _described(ice: IceServer) -> dict[str, Any]:
    """An ICE server without its secrets."""
    return {"urls": list(ice.urls), "hasUsername": bool(ice.username), "hasCredential": bool(ice.password)}


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(1000 * seconds, 1)


PAUSES = (0.5, 1.0, 2.0)
"""Seconds before the second, third and fourth attempt (Telnyx JS SDK)."""

PATIENCE = 5.0
"""Seconds that one attempt may take."""


async def post(
    url: str,
    headers: Mapping[str, str],
    report: Mapping[str, Any],
    *,
    proxy: bool,
    ssl_context: SSLContext | None = None,
) -> None:
    """Post a report; up to four attempts, of which only those are repeated that may succeed another time.

    Args:
        url: Where to.
        headers: What goes with it.
        report: The report.
        proxy: Whether to go through the proxy that the environment names, if it names one.
        ssl_context: Which certificates to trust; by default those that the system trusts.

    Raises:
        ReportError: It was refused, or did not get there.
    """
    aiohttp = await run_blocking(import_module, "aiohttp")  # which takes a while, the first time
    body = await run_blocking(_encoded, report)
    headers = {"Content-Type": "application/json", **headers}
    async with aiohttp.ClientSession(trust_env=proxy, timeout=aiohttp.ClientTimeout(PATIENCE)) as client:
        for pause in (*PAUSES, None):
            try:
                async with client.post(
                    url, data=body, headers=headers, ssl=ssl_context or True, allow_redirects=False
                ) as answer:
                    status, reason = answer.status, answer.reason
            except (OSError, aiohttp.ClientError) as error:
                if pause is None:
                    raise ReportError(f"the report did not get to {url}: {error or type(error).__name__}") from None
            else:
                if status < 300:
                    return
                if pause is None or status < 500:
                    raise ReportError(f"the server refused the report: {status} {reason}")
            await asyncio.sleep(pause)


async def write(path: Path, report: Mapping[str, Any]) -> None:
    """Write a report to a file, which is there as a whole or not at all.

    Raises:
        ReportError: It cannot be written.
    """
    try:
        await run_blocking(_replace, path, json.dumps(report, indent=1))
    except OSError as error:
        raise ReportError(f"the report cannot be written to {path}: {error.strerror or error}") from None


def _encoded(report: Mapping[str, Any]) -> bytes:
    return json.dumps(report, allow_nan=False).encode()


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.part")
    draft.write_text(text)
    os.replace(draft, path)  # noqa: PTH105 - pathlib's is the same, but hides that it is atomic
