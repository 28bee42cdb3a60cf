"""A table of calls that changes as they go: levels and quality."""

from __future__ import annotations

import asyncio
import math
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from rich.live import Live
from rich.table import Table
from rich.text import Text

from telnyx_native.errors import CallError
from telnyx_native.media.quality import CallQuality
from telnyx_native.media.turns import Response
from telnyx_native.untrusted_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import Console

    from telnyx_native import Call
    from telnyx_native.gateway import Gateway
    from telnyx_native.media.quality import CallQualityMetrics

__all__ = ["LiveCall", "LiveCalls", "follow_call", "follow_gateway", "live_table"]

REFRESHES = 4
"""Times a second that the table is drawn."""

QUIETEST = -60.0
"""dBFS of an empty meter."""

METER = 12
"""Steps of a meter."""

STYLES = {
    CallQuality.EXCELLENT: "green",
    CallQuality.GOOD: "green",
    CallQuality.FAIR: "yellow",
    CallQuality.POOR: "red",
    CallQuality.BAD: "bold red",
}


@dataclass
class LiveCall:
    """One row.

    Attributes:
        who: Who talks with whom.
        state: The state of the call.
        begun: When it began, in seconds of `time.monotonic`.
        measured: `mos`, `rtt` and `jitter` in seconds, `loss`, and `level_in` and `level_out` from 0 to 1, as far as
            they are known.
        response: Seconds that the latest answer took; NaN before there was one.
    """

    who: str
    state: str = ""
    begun: float = field(default_factory=monotonic)
    measured: Mapping[str, float | None] = field(default_factory=dict)
    response: float = math.nan


class LiveCalls:
    """The table.

    Attributes:
        calls: The rows, by whatever tells calls apart.
    """

    def __init__(self) -> None:
        self.calls: dict[str, LiveCall] = {}

    def __rich__(self) -> Table:
        table = Table(title=f"Calls: {len(self.calls)}", title_justify="left", expand=True)
        table.add_column("call", ratio=1, no_wrap=True)
        table.add_column("state", no_wrap=True)
        answers = any(math.isfinite(call.response) for call in self.calls.values())
        for name in ("time", *["answer"] * answers, "MOS", "rtt", "jitter", "loss"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("received", no_wrap=True)
        table.add_column("sent", no_wrap=True)
        for call in self.calls.values():
            table.add_row(*_cells(call, answers=answers))
        return table


@contextmanager
def live_table(console: Console) -> Iterator[LiveCalls]:
    """Show a table below what is printed, while the context lasts."""
    calls = LiveCalls()
    with Live(calls, console=console, refresh_per_second=REFRESHES, redirect_stderr=False):
        yield calls


async def follow_call(calls: LiveCalls, call: Call) -> None:
    """Keep the row of a call, until it is over."""
    row = calls.calls[call.call_id] = LiveCall(call.destination_number)

    async def follow_quality() -> None:
        async for metrics in call.call_quality_flow:
            row.measured = _numbers(metrics)

    async def follow_states() -> None:
        async for state in call.call_state_flow:
            row.state = state.name

    async def follow_turns() -> None:
        with suppress(CallError):  # it was never answered
            await call.wait_active()
            async for event in call.turn_flow:
                if isinstance(event, Response):
                    row.response = event.latency

    await asyncio.gather(follow_states(), follow_quality(), follow_turns())


async def follow_gateway(calls: LiveCalls, gateway: Gateway) -> None:
    """Keep a row for each leg of a gateway's calls, until it is closed."""
    async for event in gateway.monitor.events:
        data, leg = event.data, event.data.get("id", "")
        if event.kind == "call" and data["state"] == "ended":
            calls.calls.pop(leg, None)
        elif event.kind == "call":
            sides = [data[side]["number"] or data[side]["name"] for side in ("from", "to")]
            row = calls.calls.setdefault(leg, LiveCall(f"{sides[0] or data['user']} -> {sides[1]} ({data['user']})"))
            row.state = "held" if data["held"] else data["state"]
        elif event.kind == "quality" and leg in calls.calls:
            calls.calls[leg].measured = {name: value for name, value in data.items() if name != "id"}


def _numbers(metrics: CallQualityMetrics) -> dict[str, float | None]:
    return {
        "mos": metrics.mos,
        "rtt": metrics.rtt,
        "jitter": metrics.jitter,
        "loss": metrics.loss,
        "level_in": metrics.inbound_level,
        "level_out": metrics.outbound_level,
    }


def _cells(call: LiveCall, *, answers: bool) -> list[str | Text]:
    def known(name: str) -> float:
        value = call.measured.get(name)
        return math.nan if value is None else value

    minutes, seconds = divmod(int(monotonic() - call.begun), 60)
    mos = known("mos")
    return [
        Text(one_line(call.who)),
        call.state.lower(),
        f"{minutes}:{seconds:02}",
        *[_formatted(1000 * call.response, "{:.0f} ms")] * answers,
        Text(_formatted(mos, "{:.2f}"), STYLES.get(CallQuality.from_mos(mos), "")),
        _formatted(1000 * known("rtt"), "{:.0f} ms"),
        _formatted(1000 * known("jitter"), "{:.0f} ms"),
        _formatted(100 * known("loss"), "{:.1f} %"),
        _meter(known("level_in")),
        _meter(known("level_out")),
    ]


def _formatted(value: float, form: str) -> str:
    return form.format(value) if math.isfinite(value) else "-"


def _meter(level: float) -> Text:
    """A bar for a level from 0 to 1, on a scale of decibels."""
    if math.isnan(level):
        return Text("-")
    decibels = 20 * math.log10(level) if level > 0 else QUIETEST
    steps = round(METER * (1 - max(decibels, QUIETEST) / QUIETEST))
    return Text.assemble(("█" * steps, "green" if decibels < -3 else "yellow"), ("░" * (METER - steps), "dim"))
