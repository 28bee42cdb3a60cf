"""Calls as OpenTelemetry spans (extra `[otel]`).

```python
from telnyx_native.integrations.opentelemetry import CallTracer

tracer = CallTracer()
async with TelnyxClient() as client:
    tracer.watch(client)
```
"""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from telnyx_native.errors import CallError, ConfigurationError
from telnyx_native.integrations import watch_calls
from telnyx_native.states import CallDirection, CallNetworkChangeReason, CallState, CallTerminationReason
from telnyx_native.version import __version__

try:
    from opentelemetry import trace
except ImportError:
    message = 'OpenTelemetry spans need the extra: pip install "telnyx-native[otel]"'
    raise ConfigurationError(message) from None

if TYPE_CHECKING:
    from opentelemetry.trace import Span, TracerProvider

    from telnyx_native.call import Call
    from telnyx_native.client import TelnyxClient

__all__ = ["CallTracer"]

_SPACES = re.compile(r"(?<=[a-z])(?=[A-Z])")

SERVER_FAULTS = 500
"""SIP codes from here on mean that something broke, and not that somebody did not want to talk."""

LOST = {reason.name for reason in CallNetworkChangeReason}
"""Causes of calls whose network went away."""


class CallTracer:
    """Makes a span of every call, `telnyx.call`, and within it one of its set-up, `telnyx.call.setup`.

    With `turns`, the span has an event `telnyx.turn`, `telnyx.response`, `telnyx.barge_in`, `telnyx.double_talk` or
    `telnyx.dead_air` for each `Call.turn_flow` tells of, with its times as attributes.

    Args:
        tracer_provider: Where the spans go; the global provider by default.
        numbers: Whether the numbers of both sides are attributes. They are personal data.
        turns: Whether turns are events.
    """

    def __init__(
        self, tracer_provider: TracerProvider | None = None, *, numbers: bool = False, turns: bool = False
    ) -> None:
        self._tracer = trace.get_tracer("telnyx_native", __version__, tracer_provider)
        self._numbers = numbers
        self._turns = turns
        self._spans: WeakKeyDictionary[Call, Span] = WeakKeyDictionary()

    def watch(self, client: TelnyxClient) -> None:
        """Trace the calls of a client from now on; until it is closed."""
        watch_calls(client, self._follow)

    def span_of(self, call: Call) -> Span:
        """Return the span of a call, to be the parent of your own: `trace.use_span(tracer.span_of(call))`."""
        if call not in self._spans:
            self._spans[call] = self._begin(call)
        return self._spans[call]

    def _begin(self, call: Call) -> Span:
        outbound = call.direction is CallDirection.OUTBOUND
        attributes = {"telnyx.call.id": call.call_id, "telnyx.call.direction": call.direction.value}
        if self._numbers:
            attributes["telnyx.call.from"] = call.caller_number
            attributes["telnyx.call.to"] = call.destination_number
        return self._tracer.start_span(
            "telnyx.call",
            kind=trace.SpanKind.CLIENT if outbound else trace.SpanKind.SERVER,
            attributes=attributes,
            start_time=_nanoseconds(call.timings.created),
        )

    async def _follow(self, call: Call) -> None:
        span = self.span_of(call)
        broke = False

        async def follow_states() -> None:
            nonlocal broke
            async for state in call.call_state_flow:
                span.add_event(state.name)
                broke |= state == CallState.ERROR

        await asyncio.gather(follow_states(), self._follow_turns(call, span))
        self._add_setup(call, span)
        _conclude(span, call, broke=broke)
        span.end(_nanoseconds(call.timings.ended or time.monotonic()))

    async def _follow_turns(self, call: Call, span: Span) -> None:
        if not self._turns:
            return
        with suppress(CallError):  # it was never answered
            await call.wait_active()
            async for event in call.turn_flow:
                span.add_event(f"telnyx.{_SPACES.sub('_', type(event).__name__).lower()}", asdict(event))

    def _add_setup(self, call: Call, span: Span) -> None:
        timings = call.timings
        setup = self._tracer.start_span(
            "telnyx.call.setup", trace.set_span_in_context(span), start_time=_nanoseconds(timings.created)
        )
        for name in timings.as_dict():
            if name not in ("active", "ended"):
                setup.add_event(name, timestamp=_nanoseconds(getattr(timings, name)))
        setup.end(_nanoseconds(timings.active or timings.ended or time.monotonic()))


def _conclude(span: Span, call: Call, *, broke: bool) -> None:
    """Say how a call ended."""
    reason = call.termination_reason or CallTerminationReason()
    for name, value in (
        ("telnyx.session.id", call.telnyx_ids.session_id),
        ("telnyx.leg.id", call.telnyx_ids.leg_id),
        ("telnyx.call.cause", reason.cause),
        ("telnyx.call.cause_code", reason.cause_code),
        ("telnyx.call.sip_code", reason.sip_code),
        ("telnyx.call.setup_seconds", call.timings.since_created("active")),
    ):
        if value is not None:
            span.set_attribute(name, value)
    if broke or reason.cause in LOST or (reason.sip_code or 0) >= SERVER_FAULTS:
        span.set_status(trace.StatusCode.ERROR, str(reason))


def _nanoseconds(moment: float) -> int:
    """Return seconds of `time.monotonic` as nanoseconds since 1970, as spans have it."""
    return time.time_ns() - round((time.monotonic() - moment) * 1e9)
