"""What observes a call: measurements, warnings, its report, and the debug report to Telnyx while it lasts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from telnyx_native.call.quality import QualityMonitor, QualityWarnings, StatsSampler
from telnyx_native.errors import TelnyxError, TelnyxWarning
from telnyx_native.media.quality import AudioStats
from telnyx_native.media.turns import Turn
from telnyx_native.report.call_report import utc
from telnyx_native.signaling.envelope import new_id
from telnyx_native.signaling.messages import DebugReportData, DebugReportStart, DebugReportStop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from telnyx_native.call.lifecycle import Lifecycle
    from telnyx_native.call.quality import StatsSample
    from telnyx_native.errors import WarningCode
    from telnyx_native.flow import SharedFlow
    from telnyx_native.logs import Log
    from telnyx_native.media.peer import Peer
    from telnyx_native.media.stream import AudioStream
    from telnyx_native.report.call_report import CallReport
    from telnyx_native.signaling.messages import Message
    from telnyx_native.signaling.session import Session

__all__ = ["DebugReport", "Observation", "Observers"]


@dataclass(frozen=True)
class Observers:
    """Who wants to know about a call.

    Attributes:
        warnings: Who collects warnings; a call is watched only for somebody.
        warn: Takes a warning.
        report: Collects what happens for a report afterwards, if there is to be one.
        turns: Whether who speaks when is in that report.
        debug: Whether statistics go to Telnyx while the call lasts.
    """

    warnings: SharedFlow[TelnyxWarning]
    warn: Callable[[TelnyxWarning], None]
    report: CallReport | None = None
    turns: bool = False
    debug: bool = False


def _warn(call_id: str, observers: Observers, code: WarningCode, detail: str) -> None:
    observers.warn(TelnyxWarning.of(code, f"call {call_id}: {detail}"))


class Observation:
    """Tells the observers of one call.

    Args:
        call_id: The call.
        life: Its life.
        observers: Who wants to know.
        signaling: The way to the server.
        log: Where failures are noted.

    Attributes:
        quality: The measurements for the application.
    """

    def __init__(self, call_id: str, life: Lifecycle, observers: Observers, signaling: Session, log: Log) -> None:
        self._call_id = call_id
        self._life = life
        self._observers = observers
        self._sampler = StatsSampler(life, log)
        self._audio: AudioStream | None = None  # whose turns are in the report
        self._debug_report = DebugReport(call_id, signaling, log) if observers.debug else None
        self._warnings = QualityWarnings(partial(_warn, call_id, observers))
        self.quality = QualityMonitor(life, self._sampler.samples, log)

    def warn(self, code: WarningCode, detail: str) -> None:
        """Warn of something about the call."""
        _warn(self._call_id, self._observers, code, detail)

    def begin(self, audio: AudioStream) -> None:
        """The call has audio: observe it until it is over."""
        samples = self._sampler.samples
        self._life.spawn(self.quality.run())
        self._life.spawn(self._warnings.watch(self._observers.warnings, samples))
        if self._observers.report is not None:
            self._life.spawn(self._report_samples(self._observers.report))
            self._life.spawn(self._report_states(self._observers.report))
            if self._observers.turns:
                self._audio = audio
                self._life.spawn(self._report_turns(self._observers.report, audio))
        if self._debug_report is not None:
            self._life.spawn(self._debug_report.send_samples(samples))

    def of_path(self, peer: Peer) -> list[Coroutine[None, None, None]]:
        """What is to be done while `peer` carries the call."""
        works = [self._sampler.run(peer)]
        if self._debug_report is not None:
            works.append(self._debug_report.send_states(peer))
        return works

    async def close(self) -> None:
        """End all measurements."""
        if self._observers.report is not None and self._audio is not None:
            for turn in self._audio._unfinished_turns():  # noqa: SLF001 - what the end of the call ends
                self._observers.report.add_turn(turn, monotonic())
        self._sampler.close()
        self.quality.close()
        if self._debug_report is not None:
            await self._debug_report.close()

    async def _report_samples(self, report: CallReport) -> None:
        async for sample in self._sampler.samples:
            report.add_sample(sample.at, sample.stats)

    async def _report_states(self, report: CallReport) -> None:
        async for state in self._life.states:
            report.add_event("info", str(state))

    async def _report_turns(self, report: CallReport, audio: AudioStream) -> None:
        async for event in audio.turn_flow:
            if isinstance(event, Turn):
                report.add_turn(event, monotonic())


class DebugReport:
    """Sends what happens. That something does not get there is no reason for anything but a note in the log.

    Args:
        call_id: The call.
        signaling: The way to the server.
        log: Where failures are noted.
    """

    def __init__(self, call_id: str, signaling: Session, log: Log) -> None:
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
            await self._tell("onconnectionstatechange", "connection", state.value, datetime.now(UTC))

    async def close(self) -> None:
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
