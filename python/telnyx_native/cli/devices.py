"""`telnyx-native devices`: the microphones and loudspeakers of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from telnyx_native.cli.command import ExitCode, plain, run

if TYPE_CHECKING:
    from rich.table import Table

    from telnyx_native.devices.sound_system import SoundDevice

__all__ = ["devices"]


def devices(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Also listen to the default microphone for two seconds.")
    ] = False,
) -> None:
    """List the microphones and loudspeakers that a call can use.

    **Exit codes**: 0 there are some, and the microphone works if it was asked · 1 there are none, or it does not ·
    2 a package or library is missing · 130 interrupted
    """
    run(_devices(check=check))


async def _devices(*, check: bool) -> ExitCode:
    import asyncio

    from rich.console import Console

    from telnyx_native.devices.sound_system import run_microphone_check, sound_devices
    from telnyx_native.states import Verdict

    console = Console()
    found = await asyncio.to_thread(sound_devices)
    if not found:
        console.print("No sound devices: plug one in, or add this user to the group audio.")
        return ExitCode.CALL_FAILED
    console.print(_table(found))
    if not check:
        return ExitCode.OK
    console.print("Listening for two seconds: say something ...")
    report = await run_microphone_check()
    console.print(f"microphone: {report.verdict.value}, peak level {report.peak:.0%}")
    for reason in report.reasons.values():
        console.print(plain(reason))
    return ExitCode.OK if report.verdict is Verdict.READY else ExitCode.CALL_FAILED


def _table(found: list[SoundDevice]) -> Table:
    from rich.table import Table

    table = Table("device", "microphone", "loudspeaker", "default")
    for device in found:
        yes = ["yes" if value else "" for value in (device.is_microphone, device.is_speaker, device.is_default)]
        table.add_row(plain(device.name), *yes)
    return table
