"""`telnyx-native demo`: a call to oneself, through a gateway of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from telnyx_native.cli.command import ExitCode, own_command, plain, run

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.table import Table

    from telnyx_native import Call
    from telnyx_native.media.alignment import Alignment
    from telnyx_native.media.quality import CallQualityMetrics

__all__ = ["demo"]

SAMPLE_RATE = 16_000
"""Hz; the rate of the prompt, and of the recording."""

SETTLE = 1.0
"""Seconds before the prompt: a jitter buffer stretches time until it has found its depth."""

TAIL = 0.75
"""Seconds recorded beyond the prompt's length: more than it takes to come back."""

LEAST_CORRELATION = 0.8
"""How alike prompt and recording must be for the demo to succeed."""

ACTIVE_TIMEOUT = 10.0
"""Seconds until the call has to be up; on one machine it takes a few hundredths."""


def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", dir_okay=False, help="Where the recording goes (WAV).")
    ] = Path("demo-recording.wav"),
) -> None:
    """Place a call on this machine and check what comes back; no account, no network.

    Starts a gateway, logs in to it over a real socket, calls its echo, plays a spoken prompt, records what
    comes back, measures the call and compares the recording with the prompt.

    **Exit codes**: 0 the recording matches the prompt · 1 it does not, or the call failed ·
    2 the command line is wrong or the recording cannot be written · 3 no connection · 130 interrupted
    """
    run(_demo(output))


@dataclass(frozen=True)
class _Measurement:
    """What one call showed."""

    setup: float
    metrics: CallQualityMetrics
    alignment: Alignment
    recording: NDArray[np.int16]

    @property
    def matches(self) -> bool:
        return self.alignment.correlation >= LEAST_CORRELATION


async def _demo(output: Path) -> ExitCode:
    from rich.console import Console

    from telnyx_native import CredentialConfig, TelnyxClient, TxServerConfiguration
    from telnyx_native.gateway import Gateway, User
    from telnyx_native.gateway.destinations.sounds import PROMPT
    from telnyx_native.media.files import WavWriter, read_audio

    console = Console()
    prompt = read_audio(PROMPT, SAMPLE_RATE)
    with WavWriter(output, SAMPLE_RATE) as recording:
        async with Gateway(users=[User("demo", "demo")]) as gateway, TelnyxClient() as client:
            console.print(f"Gateway listening on [bold]{gateway.url}[/bold]")
            await client.connect(TxServerConfiguration.parse(gateway.url), CredentialConfig("demo", "demo"))
            console.print("Logged in; calling [bold]echo[/bold] …")
            call = await client.new_invite("echo")
            await call.wait_active(ACTIVE_TIMEOUT)
            console.print(f"Call is up; playing {len(prompt) / SAMPLE_RATE:.1f} s of speech …")
            measurement = await _measure(call, prompt)
            await call.end()
        recording.write(measurement.recording.data)
    console.print(_table(measurement))
    console.print(f"Recording: {plain(output)}", soft_wrap=True)
    if not measurement.matches:
        console.print("[bold red]The recording does not match the prompt.[/bold red]")
        return ExitCode.CALL_FAILED
    console.print("[bold green]The call works: what came back is what was said.[/bold green]")
    console.print(
        f"\nNext, talk to a bot in your browser:  {own_command()} gateway --open", soft_wrap=True, highlight=False
    )
    return ExitCode.OK


async def _measure(call: Call, prompt: NDArray[np.int16]) -> _Measurement:
    """Play the prompt into an echoing call and measure what comes back."""
    import asyncio

    import numpy as np

    from telnyx_native.media.alignment import align
    from telnyx_native.media.quality import CallQualityMetrics

    await asyncio.sleep(SETTLE)
    # The first sample to be sent and the first to be recorded belong to the same tick of the media clock, so
    # where the prompt lies in the recording is the round trip, exact to a sample.
    stale = bytearray(2 * SAMPLE_RATE)
    while call.audio.readinto(stale):
        pass
    call.audio.write_nowait(prompt.data)
    heard = await call.audio.read(len(prompt) + round(TAIL * SAMPLE_RATE))
    recording = np.frombuffer(heard, dtype=np.int16)
    return _Measurement(
        setup=call.timings.since_created("active") or 0.0,
        metrics=CallQualityMetrics.from_stats(await call.stats()),
        alignment=align(prompt, recording, SAMPLE_RATE),
        recording=recording,
    )


def _table(measurement: _Measurement) -> Table:
    from rich.table import Table

    metrics, alignment = measurement.metrics, measurement.alignment
    table = Table(title="The call", show_header=False)
    table.add_row("Set-up time", f"{measurement.setup * 1000:.0f} ms")
    table.add_row("Round-trip audio latency", f"{alignment.offset * 1000:.1f} ms")
    table.add_row("Packets sent / received", f"{metrics.packets_sent} / {metrics.packets_received}")
    table.add_row("Packets lost", f"{metrics.packets_lost} ({metrics.loss:.1%})")
    table.add_row("Jitter", f"{metrics.jitter * 1000:.1f} ms")
    table.add_row("MOS", f"{metrics.mos:.2f} ({metrics.quality.value})")
    table.add_row("Match with the prompt", f"{alignment.correlation:.3f}")
    return table
