"""Calls as Prometheus metrics, scraped over HTTP, and as OpenTelemetry spans."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import aiohttp
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.parser import text_string_to_metric_families

from support.limit import LIMIT
from support.pages import blocks, run_piece
from support.signals import tone
from support.users import log_in
from telnyx_native import BargeIn, CallError, Response, Speaker, TelnyxClient, Turn
from telnyx_native.gateway.destinations.sounds import PROMPT
from telnyx_native.integrations.opentelemetry import CallTracer
from telnyx_native.integrations.prometheus import CallMetrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import ReadableSpan

    from telnyx_native.gateway import Gateway


class Endpoint:
    """What is to be scraped."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def value(self, name: str, **labels: str) -> float:
        """A metric as a scrape of this moment has it; zero if it has none."""
        async with aiohttp.ClientSession() as http, http.get(self._url) as response:
            families = text_string_to_metric_families(await response.text())
        samples = [sample for family in families for sample in family.samples if sample.name == name]
        return next((sample.value for sample in samples if sample.labels == labels), 0.0)

    async def until(self, expected: float, name: str, **labels: str) -> None:
        async with asyncio.timeout(LIMIT):
            while await self.value(name, **labels) < expected:  # noqa: ASYNC110 - scraping is what is tested
                await asyncio.sleep(0.05)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def endpoint(registry: CollectorRegistry) -> Iterator[Endpoint]:
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    yield Endpoint(f"http://127.0.0.1:{server.server_port}/metrics")
    server.shutdown()
    server.server_close()
    thread.join()


async def nobody_watches() -> None:
    """Return when no call and no client is followed any more."""
    async with asyncio.timeout(LIMIT):
        while any(task.get_name() == "telnyx-watching" for task in asyncio.all_tasks()):  # noqa: ASYNC110 - nor here
            await asyncio.sleep(0)


async def test_metrics_of_calls(gateway: Gateway, registry: CollectorRegistry, endpoint: Endpoint) -> None:
    async with TelnyxClient() as alice:
        CallMetrics(registry).watch(alice)
        await log_in(alice, gateway, "alice")
        await endpoint.until(1, "telnyx_clients_ready")
        call = await alice.new_invite("echo")
        await call.wait_active(LIMIT)
        await endpoint.until(1, "telnyx_calls", direction="outbound")
        await call.audio.write(bytes(320))
        await endpoint.until(1, "telnyx_call_packets_received_total")
        await call.end()
        with pytest.raises(CallError):
            await (await alice.new_invite("busy")).wait_active(LIMIT)
        await gateway.place_call("alice", from_="+15550199")
        await endpoint.until(1, "telnyx_calls", direction="inbound")
        gateway.faults.drop("alice")
        await endpoint.until(1, "telnyx_reconnections_total")
    await endpoint.until(1, "telnyx_calls_ended_total", direction="outbound", cause="NORMAL_CLEARING")
    await endpoint.until(1, "telnyx_calls_ended_total", direction="outbound", cause="USER_BUSY")
    assert await endpoint.value("telnyx_clients_ready") == 0
    assert await endpoint.value("telnyx_calls", direction="outbound") == 0
    assert await endpoint.value("telnyx_calls", direction="inbound") == 0
    assert await endpoint.value("telnyx_call_setup_seconds_count", direction="outbound") == 1
    assert 0 < await endpoint.value("telnyx_call_duration_seconds_sum", direction="outbound") < LIMIT
    assert await endpoint.value("telnyx_audio_underruns_total") >= 1
    await nobody_watches()


async def converse(alice: TelnyxClient) -> None:
    """A call with a bot that is answered by itself, interrupted by the echo of what it says, and ended."""
    call = await alice.new_invite("echo")
    await call.wait_active(LIMIT)
    turns = call.turn_flow.collect()
    await call.audio.write(tone(500, 0.3, call.audio.sample_rate))
    await call.audio.play(PROMPT)  # heard again at once: the echo speaks while we do, and after us
    async with asyncio.timeout(LIMIT):
        while not isinstance(await anext(turns), BargeIn):
            pass
        while not isinstance(turn := await anext(turns), Turn) or turn.speaker is not Speaker.REMOTE:
            pass
    await call.audio.write(tone(500, 0.3, call.audio.sample_rate))
    async with asyncio.timeout(LIMIT):
        while not isinstance(await anext(turns), Response):
            pass
    await call.end()


async def test_turns_are_measured(
    gateway: Gateway,
    registry: CollectorRegistry,
    endpoint: Endpoint,
    provider: TracerProvider,
    exporter: InMemorySpanExporter,
) -> None:
    async with TelnyxClient() as alice:
        CallMetrics(registry, quality=False).watch(alice)
        CallTracer(provider, turns=True).watch(alice)
        await log_in(alice, gateway, "alice")
        await converse(alice)
        await endpoint.until(1, "telnyx_call_response_seconds_count")
        await endpoint.until(1, "telnyx_call_barge_in_seconds_count")
    await nobody_watches()
    events = {event.name for span in exporter.get_finished_spans() for event in span.events}
    assert {"telnyx.turn", "telnyx.response", "telnyx.barge_in", "telnyx.double_talk"} <= events


async def test_quality_is_measured_only_if_it_is_wanted(gateway: Gateway, registry: CollectorRegistry) -> None:
    async with TelnyxClient() as alice:
        CallMetrics(registry, quality=False).watch(alice)
        await log_in(alice, gateway, "alice")
        call = await alice.new_invite("echo")
        await call.wait_active(LIMIT)
        assert not call.call_quality_flow.collected
        await call.end()


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> Iterator[TracerProvider]:
    made = TracerProvider()
    made.add_span_processor(SimpleSpanProcessor(exporter))
    yield made
    made.shutdown()


async def finished(exporter: InMemorySpanExporter, count: int) -> list[ReadableSpan]:
    async with asyncio.timeout(LIMIT):
        while len(exporter.get_finished_spans()) < count:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.01)
    return list(exporter.get_finished_spans())


async def test_spans_of_calls(gateway: Gateway, provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    tracer = CallTracer(provider, numbers=True)
    async with TelnyxClient() as alice:
        tracer.watch(alice)
        await log_in(alice, gateway, "alice")
        call = await alice.new_invite("echo")
        await call.wait_active(LIMIT)
        with trace.use_span(tracer.span_of(call)), provider.get_tracer("bot").start_as_current_span("greeting"):
            pass
        await call.end()
    greeting, setup, span = await finished(exporter, 3)
    assert (greeting.name, setup.name, span.name) == ("greeting", "telnyx.call.setup", "telnyx.call")
    assert greeting.parent is not None
    assert setup.parent is not None
    assert greeting.parent.span_id == setup.parent.span_id == span.context.span_id
    assert span.attributes is not None
    assert span.attributes["telnyx.call.id"] == call.call_id
    assert (span.attributes["telnyx.call.direction"], span.attributes["telnyx.call.to"]) == ("outbound", "echo")
    assert (span.attributes["telnyx.call.cause"], span.attributes["telnyx.call.cause_code"]) == ("NORMAL_CLEARING", 16)
    assert [event.name for event in span.events][-2:] == ["ACTIVE", "DONE"]
    assert {"invite_sent", "answered", "media_connected"} <= {event.name for event in setup.events}
    assert span.kind is trace.SpanKind.CLIENT
    assert span.status.status_code is trace.StatusCode.UNSET
    assert span.start_time == pytest.approx(setup.start_time, abs=1e6)
    assert span.start_time < setup.end_time <= span.end_time  # type: ignore[operator]
    await nobody_watches()


async def test_span_of_a_call_that_broke(
    gateway: Gateway, provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    async with TelnyxClient() as alice:
        CallTracer(provider).watch(alice)
        await log_in(alice, gateway, "alice")
        await gateway.place_call("alice", from_="+15550199")
        gateway.faults.drop("alice")  # a call that was not answered is not kept
        _, span = await finished(exporter, 2)
    assert span.kind is trace.SpanKind.SERVER
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.attributes is not None
    assert "telnyx.call.from" not in span.attributes


async def test_what_the_page_shows(alice: TelnyxClient) -> None:
    shown = [block for block in blocks() if block.page == "operations.md" and "integrations" in block.text]
    call = await alice.new_invite("echo")
    for block in shown:
        on_a_free_port = replace(block, text=block.text.replace("9100", "0"))
        await run_piece(on_a_free_port, {"client": alice, "call": call, "trace": trace})
    assert len(shown) == 2


@pytest.mark.parametrize("extra", ["prometheus", "opentelemetry"])
def test_what_is_missing_is_named(extra: str) -> None:
    package = {"prometheus": "prometheus_client", "opentelemetry": "opentelemetry"}[extra]
    code = f"import sys; sys.modules[{package!r}] = None; import telnyx_native.integrations.{extra}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install" in done.stderr.splitlines()[-1]
