"""The reports of a client's calls: which are made, what they say, and where they go."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from telnyx_native.background import in_background
from telnyx_native.config import AnonymousConfig, TokenConfig
from telnyx_native.errors import ReportError
from telnyx_native.report.call_report import CallReport
from telnyx_native.report.upload import post, write
from telnyx_native.version import USER_AGENT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine

    from telnyx_native.call import Call
    from telnyx_native.client.connection import Connection
    from telnyx_native.client.publisher import Publisher
    from telnyx_native.config import IceServer, TelnyxConfig

__all__ = ["ReportDelivery"]


@dataclass(frozen=True)
class _Filing:
    """A report, and whose turn it is to post it."""

    report: CallReport
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class ReportDelivery:
    """Makes a report of each call that somebody wants one of, and delivers it when the call is over.

    Args:
        connection: Knows who is logged in and where, and whether the server asks for reports.
        publisher: Has the log.
    """

    def __init__(self, connection: Connection, publisher: Publisher) -> None:
        self._connection = connection
        self._session = connection.session
        self._publisher = publisher
        self._filings: dict[str, _Filing] = {}
        self._deliveries: set[asyncio.Task[None]] = set()

    def open(self, call_id: str) -> CallReport | None:
        """Begin the report of a call, if one is wanted."""
        config = self._connection.config
        if config is None or not (config.call_report_directory or self._is_asked_for(config)):
            return None
        filing = self._filings[call_id] = _Filing(CallReport())
        return filing.report

    def flush(self, call: Call) -> None:
        """Post what there is of a report in the background: the connection is lost, and maybe the call with it."""
        filing, config = self._filings.get(call.call_id), self._connection.config
        if filing is not None and config is not None and self._is_asked_for(config):
            self._begin(self._post(call, filing, config, flush_reason="socket-close"))

    def close(self, call: Call) -> None:
        """End the report of a call, and deliver it in the background."""
        filing, config = self._filings.pop(call.call_id, None), self._connection.config
        if filing is not None and config is not None:
            filing.report.add_event("info", str(call.state))
            self._begin(self._deliver(call, filing, config))

    async def wait_delivered(self, limit: float) -> None:
        """Return when all reports are where they are wanted, or `limit` seconds have passed: what is left is lost."""
        if not self._deliveries:
            return
        _, late = await asyncio.wait(self._deliveries, timeout=limit)
        for delivery in late:
            self._publisher.log.warning(f"a call report was given up after {limit:g} s")
            delivery.cancel()

    def _is_asked_for(self, config: TelnyxConfig) -> bool:
        return config.call_reports and self._session.call_report_id is not None

    def _begin(self, delivery: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._unless_the_end_comes(delivery), name="telnyx-report")
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)

    async def _unless_the_end_comes(self, delivery: Coroutine[Any, Any, None]) -> None:
        """Drop a report that an interpreter which is about to end begins no more work for."""
        try:
            await delivery
        except RuntimeError as error:
            self._publisher.log.debug(f"a call report was dropped: {error}")

    async def _deliver(self, call: Call, filing: _Filing, config: TelnyxConfig) -> None:
        if config.call_report_directory is not None:
            body = await in_background(filing.report.as_dict, self._summary(call, config))
            await self._try(write(config.call_report_directory / f"{call.call_id}.json", body))
        if self._is_asked_for(config):
            await self._post(call, filing, config)

    async def _post(
        self, call: Call, filing: _Filing, config: TelnyxConfig, *, flush_reason: str | None = None
    ) -> None:
        """Post what was not posted yet; what does not arrive is in the next attempt, too."""
        server = self._connection.server
        headers = {"x-call-report-id": self._session.call_report_id or "", "x-call-id": call.call_id}
        if self._session.voice_sdk_id:
            headers["x-voice-sdk-id"] = self._session.voice_sdk_id
        async with filing.turn:
            body = await in_background(filing.report.next_segment, self._summary(call, config), flush_reason)
            url, proxy = f"{server.http_url}/call_report", not server.is_local
            if await self._try(post(url, headers, body, proxy=proxy, ssl_context=server.ssl_context)):
                filing.report.note_delivered(body)

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
    """The way to log in, in the words of the Telnyx JS SDK."""
    if isinstance(config, AnonymousConfig):
        return "anonymous_login"
    return "login_token" if isinstance(config, TokenConfig) else "login_password"


def _described(ice: IceServer) -> dict[str, Any]:
    """An ICE server without its secrets."""
    return {"urls": list(ice.urls), "hasUsername": bool(ice.username), "hasCredential": bool(ice.password)}


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(1000 * seconds, 1)
