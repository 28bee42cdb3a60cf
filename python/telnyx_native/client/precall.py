"""A short call before the real ones: is the network good enough?

Thresholds and reasons are those of the Telnyx JS SDK (`runPreCall`).
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING

from telnyx_native.errors import CallError, ConfigurationError, MediaError, RequestError, WaitTimeoutError
from telnyx_native.media.quality import AudioStats, mean_opinion_score
from telnyx_native.states import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from telnyx_native.call import Call
    from telnyx_native.client.client import TelnyxClient
    from telnyx_native.media.quality import StatsReport

__all__ = ["PreCallReport", "Spread", "run_pre_call"]

SETUP_LIMIT = 30.0
"""Seconds until the call must be active."""

INTERVAL = 1.0
"""Seconds between two measurements."""


@dataclass(frozen=True)
class Spread:
    """The values of something measured every second; NaN when it never was.

    Attributes:
        average: Their mean.
        lowest: The least of them.
        highest: The greatest of them.
    """

    average: float = math.nan
    lowest: float = math.nan
    highest: float = math.nan

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Summarise values; those that are NaN do not count."""
        known = [value for value in values if not math.isnan(value)]
        return cls(fmean(known), min(known), max(known)) if known else cls()


@dataclass(frozen=True)
class PreCallReport:
    """How a test call went.

    Attributes:
        verdict: What came out.
        reasons: Why it is not READY, such as `"network_high_rtt"`; with what to do about it.
        rtt: Round-trip time in seconds.
        jitter: Jitter in seconds.
        mos: Mean opinion score, 1 to 5.
        loss: Share of the packets that were lost, 0 to 1.
        packets: Packets that arrived.
        path: The kinds of network address at both ends, such as `"host-srflx"`; empty without a path.
        setup: Seconds from placing the call to audio; `None` if it did not get there.
    """

    verdict: Verdict
    reasons: dict[str, str] = field(default_factory=dict, hash=False)
    rtt: Spread = Spread()
    jitter: Spread = Spread()
    mos: Spread = Spread()
    loss: float = 0.0
    packets: int = 0
    path: str = ""
    setup: float | None = None


async def run_pre_call(client: TelnyxClient, destination_number: str, *, duration: float = 5.0) -> PreCallReport:
    """Place a test call, measure it, hang up, and judge.

    Args:
        client: Logged in.
        destination_number: Somebody who answers at once and stays: a test number, the gateway's `echo`.
        duration: Seconds to measure, at least 2, in whole seconds.

    Raises:
        ConfigurationError: The duration is too short.
        SocketConnectionError: The client is not logged in, or the connection ended.
    """
    if not duration >= 2:
        raise ConfigurationError("measure for at least two seconds")
    try:
        call = await client.new_invite(destination_number)
    except (CallError, RequestError, MediaError) as error:
        return PreCallReport(Verdict.INCONCLUSIVE, {"call_failed": str(error)})
    try:
        return await _measure(call, duration)
    finally:
        await call.end()


async def _measure(call: Call, duration: float) -> PreCallReport:
    try:
        await call.wait_active(SETUP_LIMIT)
    except WaitTimeoutError:
        return PreCallReport(Verdict.INCONCLUSIVE, {"call_not_answered": "call somebody who answers at once"})
    except CallError as error:
        if call.timings.answered is None:
            return PreCallReport(Verdict.INCONCLUSIVE, {"call_failed": str(error)})
        advice = "the audio path did not come up: check that UDP may pass, or use TURN servers"
        return PreCallReport(Verdict.BLOCKED, {"ice_failed": advice})
    seconds = [_Second.of(await call.stats())]
    for _ in range(round(duration)):
        await asyncio.sleep(INTERVAL)
        seconds.append(_Second.of(await call.stats()))
    first, last = seconds[0], seconds[-1]
    received, lost = last.received - first.received, max(0, last.lost - first.lost)
    loss = lost / (lost + received) if lost else 0.0
    report = PreCallReport(
        Verdict.READY,
        rtt=Spread.of([second.rtt for second in seconds]),
        jitter=Spread.of([second.jitter for second in seconds]),
        mos=Spread.of([mean_opinion_score(jitter=s.jitter, rtt=s.rtt, loss=loss) for s in seconds]),
        loss=loss,
        packets=received,
        path=last.path,
        setup=call.timings.since_created("active"),
    )
    return _judged(report)


@dataclass(frozen=True)
class _Second:
    """What is known after each second: round-trip time and jitter by what both ends say, and counters so far."""

    rtt: float
    jitter: float
    received: int
    lost: int
    path: str

    @classmethod
    def of(cls, report: StatsReport) -> _Second:
        audio = AudioStats.of(report)
        rtt = audio.remote_inbound.get("roundTripTime", audio.pair.get("currentRoundTripTime", math.nan))
        jitter = max(audio.inbound.get("jitter", math.nan), audio.remote_inbound.get("jitter", 0.0))
        return cls(
            float(rtt),
            float(jitter),
            int(audio.inbound.get("packetsReceived", 0)),
            int(audio.inbound.get("packetsLost", 0)),
            f"{audio.local.get('candidateType', '?')}-{audio.remote.get('candidateType', '?')}",
        )


def _judged(report: PreCallReport) -> PreCallReport:
    faults = list(_faults(report))
    verdict = Verdict.BLOCKED if any(severe for severe, *_ in faults) else Verdict.DEGRADED
    if not faults:
        return report
    return PreCallReport(**{**vars(report), "verdict": verdict, "reasons": {name: text for _, name, text in faults}})


def _faults(report: PreCallReport) -> Iterator[tuple[bool, str, str]]:
    """Yield what is wrong: whether it is severe, its name, and its text."""
    rtt, jitter = report.rtt.average, report.jitter.average
    if rtt > 0.3:
        yield rtt > 0.5, "network_high_rtt", f"{1000 * rtt:.0f} ms there and back: choose a nearer region"
    if jitter > 0.03:
        yield jitter > 0.1, "network_high_jitter", f"{1000 * jitter:.0f} ms: other traffic fills the link"
    if report.loss > 0.02:
        yield report.loss > 0.05, "network_packet_loss", f"{report.loss:.0%} of the packets are lost"
    if not report.packets:
        yield True, "network_no_audio", "nothing arrives: check that UDP may pass"
