"""What is to be said of a call, in words and numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from telnyx_native.media.quality import CallQuality

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from telnyx_native.report.reading import Reading

__all__ = ["details", "subtitle", "tiles", "title", "told"]


def tiles(reading: Reading) -> list[tuple[str, str, str]]:
    """What is most wanted: name, value, colour."""
    mos = _average(moment.mos for moment in reading.moments)
    quality = CallQuality.from_mos(mos)
    kind = {CallQuality.EXCELLENT: "good", CallQuality.GOOD: "good", CallQuality.FAIR: "warning"}.get(quality, "bad")
    kind = "" if quality is CallQuality.UNKNOWN else kind
    return [
        ("Quality", f"{mos:.2f} {quality.value}" if math.isfinite(mos) else "unknown", kind),
        ("Duration", f"{reading.duration:.1f} s", ""),
        ("Set-up", _milliseconds(reading.milestones.get("active")), ""),
        ("Round trip", f"{told(_average(m.rtt for m in reading.moments), 0)} ms", ""),
        ("Jitter", f"{told(_average(m.jitter_in for m in reading.moments), 1)} ms", ""),
        ("Loss", f"{told(_average(m.loss_in for m in reading.moments), 1)} %", ""),
        ("Codec", reading.codec.removeprefix("audio/") or "unknown", ""),
    ]


def title(reading: Reading) -> str:
    """Say who was called, or who called."""
    summary = reading.summary
    inbound = summary.get("direction") == "inbound"
    number = summary.get("callerNumber") if inbound else summary.get("destinationNumber")
    return f"Call {'from' if inbound else 'to'} {number or 'unknown'}"


def subtitle(reading: Reading) -> str:
    """Say when, and how it ended."""
    begun = str(reading.summary["startTimestamp"]).partition(".")[0].replace("T", " ")
    return f"{begun} UTC, ended by {_reason(reading)}"


def _reason(reading: Reading) -> str:
    reason = reading.summary.get("terminationReason") or {}
    parts = (reason.get("cause"), reason.get("cause_code"), reason.get("sip_code") and f"SIP {reason['sip_code']}")
    known = " ".join(str(part) for part in parts if part is not None)
    return ", ".join(filter(None, (known, reason.get("sip_reason")))) or "no reason given"


def details(reading: Reading) -> Iterator[tuple[str, str]]:
    """Yield what else is known, by its name."""
    summary = reading.summary
    for name, key in (
        ("Call", "callId"),
        ("Telnyx session", "telnyxSessionId"),
        ("Telnyx leg", "telnyxLegId"),
        ("From", "callerNumber"),
        ("To", "destinationNumber"),
        ("SDK", "sdkVersion"),
    ):
        if summary.get(key):
            yield name, str(summary[key])
    yield "Ended by", _reason(reading)
    for end in ("local", "remote"):
        if candidate := reading.path.get(end):
            kind, protocol = candidate.get("candidateType", "?"), candidate.get("protocol", "?")
            yield f"Audio, {end} end", f"{candidate.get('address', '?')}:{candidate.get('port', '?')} {kind}/{protocol}"


def _average(values: Iterable[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return sum(known) / len(known) if known else math.nan


def told(value: float, decimals: int) -> str:
    """Say a number, if it was measured."""
    return f"{value:.{decimals}f}" if math.isfinite(value) else "-"


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1000 * seconds:.0f} ms"
