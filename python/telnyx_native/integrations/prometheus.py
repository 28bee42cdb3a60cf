"""Calls as Prometheus metrics (extra `[metrics]`).

```python
from prometheus_client import start_http_server
from telnyx_native.integrations.prometheus import CallMetrics

start_http_server(9100)
async with TelnyxClient() as client:
    CallMetrics().watch(client)
```
"""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from typing import TYPE_CHECKING

from telnyx_native.errors import CallError, ConfigurationError
from telnyx_native.integrations import watch, watch_calls
from telnyx_native.media.turns import BargeIn, DeadAir, Response
from telnyx_native.states import CallState, ConnectionStatus

try:
    from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
except ImportError:
    message = 'Prometheus metrics need the extra: pip install "telnyx-native[metrics]"'
    raise ConfigurationError(message) from None

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telnyx_native.call import Call
    from telnyx_native.client import TelnyxClient

__all__ = ["CallMetrics"]

RESPONSE_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5)
SETUP_BUCKETS = (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60)
DURATION_BUCKETS = (1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)
MOS_BUCKETS = (1.5, 2, 2.5, 3.1, 3.5, 3.7, 4.0, 4.1, 4.2, 4.3, 4.4, 5)
RTT_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 1)
JITTER_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2)


class CallMetrics:
    """Counts and measures the calls of clients.

    Args:
        registry: Where the metrics are registered; one `CallMetrics` for each.
        turns: Whether it is measured how fast calls are answered and interrupted (`Call.turn_flow`), which is looked
            for natively. Without it these metrics stay empty.
        quality: Whether calls are measured every second, which costs some 0.2 ms of CPU a call each time. Without it
            the metrics of quality stay empty.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY, *, quality: bool = True, turns: bool = True) -> None:
        self._quality = quality
        self._turns = turns
        direction = ("direction",)
        self._clients = Gauge("telnyx_clients_ready", "Clients that are logged in.", registry=registry)
        self._reconnections = Counter("telnyx_reconnections", "Connections that were lost.", registry=registry)
        self._calls = Gauge("telnyx_calls", "Calls that are not over.", direction, registry=registry)
        self._ended = Counter(
            "telnyx_calls_ended", "Calls that are over, by Q.850 cause.", ("direction", "cause"), registry=registry
        )

        def histogram(name: str, text: str, buckets: Sequence[float], labels: Sequence[str] = ()) -> Histogram:
            return Histogram(name, text, labels, registry=registry, buckets=buckets)

        self._setup = histogram(
            "telnyx_call_setup_seconds", "From the beginning of a call until it was active.", SETUP_BUCKETS, direction
        )
        self._duration = histogram(
            "telnyx_call_duration_seconds", "From active to the end of a call.", DURATION_BUCKETS, direction
        )
        self._response = histogram(
            "telnyx_call_response_seconds", "From the remote party's last sound to our first.", RESPONSE_BUCKETS
        )
        self._barge_in = histogram(
            "telnyx_call_barge_in_seconds", "From the remote party's interruption to our silence.", RESPONSE_BUCKETS
        )
        self._dead_air = Counter("telnyx_call_dead_air", "How often nobody spoke for long.", registry=registry)
        self._mos = histogram("telnyx_call_mos", "Mean opinion score, each second.", MOS_BUCKETS)
        self._rtt = histogram("telnyx_call_round_trip_seconds", "Round-trip time, each second.", RTT_BUCKETS)
        self._jitter = histogram("telnyx_call_jitter_seconds", "Jitter, each second.", JITTER_BUCKETS)
        self._received = Counter("telnyx_call_packets_received", "Audio packets that came.", registry=registry)
        self._lost = Counter("telnyx_call_packets_lost", "Audio packets that did not come.", registry=registry)
        self._underruns = Counter(
            "telnyx_audio_underruns", "How often playback ran dry; the end of each utterance is one.", registry=registry
        )
        self._unread = Counter(
            "telnyx_audio_unread_seconds", "Received audio that nobody read in time.", registry=registry
        )

    def watch(self, client: TelnyxClient) -> None:
        """Count and measure the calls of a client from now on; until it is closed."""
        watch(self._follow_connection(client))
        watch_calls(client, self._follow)

    async def _follow_connection(self, client: TelnyxClient) -> None:
        was_ready = False
        async for status in client.connection_status_flow:
            is_ready = status is ConnectionStatus.CLIENT_READY
            self._clients.inc(is_ready - was_ready)
            self._reconnections.inc(status is ConnectionStatus.RECONNECTING)
            was_ready = is_ready
        self._clients.inc(-was_ready)

    async def _follow(self, call: Call) -> None:
        direction = call.direction.value
        with self._calls.labels(direction).track_inprogress():
            measuring = self._measure(call), self._follow_turns(call)
            await asyncio.gather(*measuring, call.call_state_flow.wait_for(CallState.DONE))
        reason = call.termination_reason
        self._ended.labels(direction, (reason and reason.cause) or "UNKNOWN").inc()
        setup, end = call.timings.since_created("active"), call.timings.since_created("ended")
        if setup is not None and end is not None:
            self._setup.labels(direction).observe(setup)
            self._duration.labels(direction).observe(end - setup)
        self._count_audio(call)

    async def _measure(self, call: Call) -> None:
        if not self._quality:
            return
        received = lost = 0
        async for metrics in call.call_quality_flow:
            for histogram, value in (
                (self._mos, metrics.mos),
                (self._rtt, metrics.rtt),
                (self._jitter, metrics.jitter),
            ):
                if math.isfinite(value):
                    histogram.observe(value)
            # Both begin anew when the audio moves to another path.
            self._received.inc(max(0, metrics.packets_received - received))
            self._lost.inc(max(0, metrics.packets_lost - lost))
            received, lost = metrics.packets_received, metrics.packets_lost

    async def _follow_turns(self, call: Call) -> None:
        if not self._turns:
            return
        with suppress(CallError):  # it was never answered
            await call.wait_active()
            async for event in call.turn_flow:
                match event:
                    case Response(latency=seconds):
                        self._response.observe(seconds)
                    case BargeIn(silence_after=seconds):
                        self._barge_in.observe(seconds)
                    case DeadAir():
                        self._dead_air.inc()

    def _count_audio(self, call: Call) -> None:
        try:
            audio = call.audio
        except CallError:
            return  # it was never accepted
        self._underruns.inc(audio.counters.underruns)
        self._unread.inc(audio.counters.capture_lost / audio.sample_rate)
