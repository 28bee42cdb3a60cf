"""`telnyx-native call`: place a call from the command line."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path  # noqa: TC003 - typer evaluates the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from telnyx_native.cli.command import CaFile, ExitCode, plain, run, trust
from telnyx_native.errors import AudioClosedError, CallError, WaitTimeoutError
from telnyx_native.event_loop import run_blocking
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rich.console import Console

    from telnyx_native import Call
    from telnyx_native.media.files import WavWriter
    from telnyx_native.media.stream import AudioStream

__all__ = ["call"]


SAMPLE_RATE = 16_000
"""Hz of what is played and recorded."""

TAIL = 0.5
"""Seconds to listen on after the file of `--play`: what answers it is still on its way."""


def call(
    destination: Annotated[
        str, typer.Argument(help="Whom to call: a phone number, a SIP address, a user, or e.g. echo.")
    ],
    user: Annotated[
        str,
        typer.Option(envvar="TELNYX_SIP_USER", help="SIP user name to log in with.", show_default=False),
    ],
    password: Annotated[
        str | None,
        typer.Option(
            envvar="TELNYX_SIP_PASSWORD",
            help="Its password; asked for, without echo, when it is not given.",
            show_default=False,
        ),
    ] = None,
    server: Annotated[
        str, typer.Option(help="Server to call through, such as ws://127.0.0.1:8899.")
    ] = "wss://rtc.telnyx.com",
    ca_file: CaFile = None,
    play: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Sound file to play; the call ends after it, unless --duration."
        ),
    ] = None,
    record: Annotated[Path | None, typer.Option(dir_okay=False, help="WAV file for what the other side says.")] = None,
    duration: Annotated[
        float | None, typer.Option(min=0.1, help="Seconds to talk before hanging up.", show_default=False)
    ] = None,
    ring: Annotated[float, typer.Option(min=1, help="Seconds to let it ring.")] = 60.0,
    live: Annotated[bool, typer.Option("--live", help="Show levels and quality as the call goes.")] = False,
) -> None:
    """Place a call: play a file into it, record what comes back.

    The call ends when the other side hangs up, after **--duration**, after the file of
    **--play**, or with Ctrl-C, which hangs up properly.

    **Exit codes**: 0 the call went well · 1 it failed (busy, rejected, not answered, lost) ·
    2 the command line is wrong · 3 no connection or no login · 130 interrupted with Ctrl-C

    **Example**: telnyx-native call echo --server ws://127.0.0.1:8899 --user alice
    --play question.wav --record answer.wav
    """
    secret = password or _ask_password()
    run(_call(_Plan(destination, server, ca_file, user, secret, play, record, duration, ring, live=live)))


@dataclass(frozen=True)
class _Plan:
    """What the command line asks for."""

    destination: str
    server: str
    ca_file: Path | None
    user: str
    password: str = field(repr=False)
    play: Path | None
    record: Path | None
    duration: float | None
    ring: float
    live: bool


def _ask_password() -> str:
    if not sys.stdin.isatty():
        raise typer.BadParameter("give --password or set TELNYX_SIP_PASSWORD")
    password: str = typer.prompt("Password", hide_input=True)
    return password


async def _call(plan: _Plan) -> ExitCode:
    from rich.console import Console

    from telnyx_native import AudioConfig, CredentialConfig, TelnyxClient, TxServerConfiguration
    from telnyx_native.media.files import WavWriter, read_audio

    console = Console()
    server = TxServerConfiguration.parse(plan.server, ssl_context=trust(plan.ca_file))
    credentials = CredentialConfig(plan.user, plan.password)
    speech = read_audio(plan.play, SAMPLE_RATE).tobytes() if plan.play else b""
    with WavWriter(plan.record, SAMPLE_RATE) if plan.record else nullcontext() as recording:
        async with TelnyxClient() as client:
            await client.connect(server, credentials)
            console.print(f"Logged in to {plain(server.url)} as [bold]{plain(plan.user)}[/bold]")
            call = await client.new_invite(plan.destination, audio=AudioConfig(SAMPLE_RATE))
            narrator = asyncio.create_task(_show(call, console) if plan.live else _narrate(call, console))
            try:
                await _wait_answered(call, plan.ring)
                async with _recorded(call, recording):
                    await _talk(call, speech, plan.duration)
            finally:
                await call.end()
                await narrator
    console.print(f"Call ended: {plain(call.termination_reason)}")
    if plan.record:
        console.print(f"Recording: {plain(plan.record)}", soft_wrap=True)
    reason = call.termination_reason
    is_good = reason is not None and reason.cause == HangupCause.NORMAL_CLEARING.name
    return ExitCode.OK if is_good else ExitCode.CALL_FAILED


async def _narrate(call: Call, console: Console) -> None:
    from telnyx_native import CallState

    async for state in call.call_state_flow:
        if not isinstance(state, CallState.DONE):
            console.print(f"{plain(call.destination_number)}: {plain(state)}")


async def _show(call: Call, console: Console) -> None:
    from telnyx_native.cli.live import follow_call, live_table

    with live_table(console) as calls:
        await follow_call(calls, call)


async def _wait_answered(call: Call, limit: float) -> None:
    try:
        await call.wait_active(limit)
    except WaitTimeoutError:
        raise CallError(f"{call.destination_number} did not answer within {limit:g} s") from None


async def _talk(call: Call, speech: bytes, duration: float | None) -> None:
    """Say `speech`, then return: after `duration`, or else after the speech, or else when the call ends."""
    with suppress(TimeoutError, AudioClosedError):
        async with asyncio.timeout(duration):
            if speech:
                await call.audio.write(speech)
                await call.audio.drain()
            if speech and duration is None:
                await asyncio.sleep(TAIL)
            else:
                await call.wait_done()


@asynccontextmanager
async def _recorded(call: Call, recording: WavWriter | None) -> AsyncIterator[None]:
    """Write what the call hears to `recording`, if there is one."""
    if recording is None:
        yield
        return
    recorder = asyncio.create_task(_record(call.audio, recording))
    try:
        yield
    finally:
        recorder.cancel()
        await asyncio.gather(recorder, return_exceptions=True)


BLOCK_SECONDS = 1.0
"""Audio written to the file at a time."""


async def _record(audio: AudioStream, recording: WavWriter) -> None:
    """Write all that a call hears to `recording`, until the call ends or this is cancelled."""
    try:
        async for block in audio.frames(BLOCK_SECONDS):
            await run_blocking(recording.write, block)
    finally:
        rest = bytearray(2 * round(audio.readable * audio.sample_rate))
        audio.readinto(rest)
        recording.write(rest)
