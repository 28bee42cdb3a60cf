"""A debug report of a call: its statistics and connection states, sent to Telnyx while it lasts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from telnyx_native.errors import TelnyxError
from telnyx_native.media.stats import AudioStats
from telnyx_native.report.interval import utc
from telnyx_native.signaling.envelope import new_id
from telnyx_native.signaling.messages import DebugReportData, DebugReportStart, DebugReportStop

if TYPE_CHECKING:
    from telnyx_native.call.stats_sampler import StatsSample
    from telnyx_native.flow import SharedFlow
    from telnyx_native.logs import Log
    from telnyx_native.media.peer import Peer
    from telnyx_native.signaling.messages import Message, Signaling

__all__ = ["DebugReport"]


class DebugReport:
    """Sends what happens. That something does not get there is no reason for anything but a note in the log.

    Args:
        call_id: The call.
        signaling: The way to the server.
        log: Where failures are noted.
    """

    def __init__(self, call_id: str, signaling: Signaling, log: Log) -> None:
        self._call_id = call_id
        self._report_id = new_id()
        self._signaling = signaling
        self._log = log
        self._begun = False

    async def send_samples(self, samples: SharedFlow[StatsSample]) -> None:
        """Begin the report, and send statistics until the call is over."""
        with samples.collect() as collector:
            await self._begin()
            async for sample in collector:
                audio = AudioStats.of(sample.stats)
                data = {
                    "audio": {"inbound": [audio.inbound], "outbound": [{**audio.outbound, "track": audio.source}]},
                    "remote": {
                        "audio": {"inbound": [audio.remote_inbound], "outbound": [audio.remote_outbound]},
                    },
                    "connection": {**audio.pair, "local": audio.local, "remote": audio.remote},
                }
                await self._tell("stats", "stats", data, datetime.now(UTC), statsObject=sample.stats)

    async def send_states(self, peer: Peer) -> None:
        """Send each state of the media connection until it is closed."""
        await self._begin()
        async for state in peer.connection_state:
            await self._tell("onconnectionstatechange", "connection", state.name.lower(), datetime.now(UTC))

    async def stop(self) -> None:
        """End the report."""
        if self._begun:
            await self._send(DebugReportStop(self._report_id, self._call_id))

    async def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            await self._send(DebugReportStart(self._report_id, self._call_id))

    async def _tell(self, event: str, tag: str, data: object, at: datetime, **more: Any) -> None:
        ids = {"peerId": self._call_id, "connectionId": self._report_id}
        told = {"event": event, "tag": tag, **ids, "data": data, **more, "timestamp": utc(at)}
        await self._send(DebugReportData(self._report_id, self._call_id, told))

    async def _send(self, message: Message) -> None:
        try:
            await self._signaling.tell(message)
        except TelnyxError as error:
            self._log.debug(f"a part of the debug report is missing: {error}")
