"""All that looks at a call from beside: measurements, warnings and reports."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from telnyx_native.call.debug_report import DebugReport
from telnyx_native.call.quality_monitor import QualityMonitor
from telnyx_native.call.quality_warnings import QualityWarnings
from telnyx_native.call.stats_sampler import StatsSampler
from telnyx_native.codes import TelnyxWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from telnyx_native.call.lifecycle import Lifecycle
    from telnyx_native.codes import WarningCode
    from telnyx_native.flow import SharedFlow
    from telnyx_native.logs import Log
    from telnyx_native.media.peer import Peer
    from telnyx_native.report.call_report import CallReport
    from telnyx_native.signaling.messages import Signaling

__all__ = ["Observation", "Observers"]


@dataclass(frozen=True)
class Observers:
    """Who wants to know about a call.

    Attributes:
        warnings: Who collects warnings; a call is watched only for somebody.
        warn: Takes a warning.
        report: Collects what happens for a report afterwards, if there is to be one.
        debug: Whether statistics go to Telnyx while the call lasts.
    """

    warnings: SharedFlow[TelnyxWarning]
    warn: Callable[[TelnyxWarning], None]
    report: CallReport | None = None
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

    def __init__(self, call_id: str, life: Lifecycle, observers: Observers, signaling: Signaling, log: Log) -> None:
        self._call_id = call_id
        self._life = life
        self._observers = observers
        self._sampler = StatsSampler(life, log)
        self._debug_report = DebugReport(call_id, signaling, log) if observers.debug else None
        self._warnings = QualityWarnings(partial(_warn, call_id, observers))
        self.quality = QualityMonitor(life, self._sampler.samples, log)

    def warn(self, code: WarningCode, detail: str) -> None:
        """Warn of something about the call."""
        _warn(self._call_id, self._observers, code, detail)

    def begin(self) -> None:
        """The call has audio: observe it until it is over."""
        samples = self._sampler.samples
        self._life.spawn(self.quality.run())
        self._life.spawn(self._warnings.watch(self._observers.warnings, samples))
        if self._observers.report is not None:
            self._life.spawn(self._report_samples(self._observers.report))
            self._life.spawn(self._report_states(self._observers.report))
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
        self._sampler.close()
        self.quality.close()
        if self._debug_report is not None:
            await self._debug_report.stop()

    async def _report_samples(self, report: CallReport) -> None:
        async for sample in self._sampler.samples:
            report.add_sample(sample.at, sample.stats)

    async def _report_states(self, report: CallReport) -> None:
        async for state in self._life.states:
            report.add_event("info", str(state))
