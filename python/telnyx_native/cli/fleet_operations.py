"""`telnyx-native fleet up`, `status`, `scale`, `drain`, `roll`, `down`: the operation of a fleet."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from telnyx_native.cli.command import ExitCode, plain, run
from telnyx_native.cli.fleet import fleet

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from rich.table import Table

    from telnyx_native.fleet.operations import Fleet

__all__ = ["DEFAULT", "SettingsFile", "down", "drain", "roll", "scale", "status", "up"]

SettingsFile = Annotated[Path, typer.Option("--file", "-f", dir_okay=False, help="The fleet's settings.")]
DEFAULT = Path("fleet.toml")


@fleet.command()
def up(file: Annotated[Path, typer.Argument(dir_okay=False, metavar="FLEET.toml")] = DEFAULT) -> None:
    """Bring a fleet up: a cluster if there is none, the control, and the workers.

    **Exit codes**: 0 all workers serve · 1 a login was refused · 2 the settings cannot be

    **Example**: telnyx-native fleet up examples/fleet/fleet.toml
    """
    run(_up(file))


@fleet.command()
def status(
    file: SettingsFile = DEFAULT,
    *,
    live: Annotated[bool, typer.Option("--live", help="Show it until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Show workers, calls and counters of a fleet.

    **Exit codes**: 0 it is shown · 2 there is no such fleet
    """
    run(_with(file, lambda running: _status(running, live=live, as_json=as_json)))


@fleet.command()
def scale(
    count: Annotated[int, typer.Argument(min=0, help="Workers.")],
    file: SettingsFile = DEFAULT,
) -> None:
    """Have more workers, or fewer: those that go finish their calls.

    **Exit codes**: 0 it is on its way · 2 there are not so many logins, or there is no such fleet
    """

    async def do(running: Fleet) -> str:
        await running.scale(count)
        return f"{count} workers are wanted"

    run(_with(file, lambda running: _done(do(running))))


@fleet.command()
def drain(
    name: Annotated[str, typer.Argument(metavar="WORKER|NODE", help="A worker, or a node with all of its workers.")],
    file: SettingsFile = DEFAULT,
) -> None:
    """Let workers finish their calls, and take no more; they are not replaced.

    **Exit codes**: 0 they drain · 2 there is no such worker or node
    """

    async def do(running: Fleet) -> str:
        return f"draining: {', '.join(await running.drain(name))}"

    run(_with(file, lambda running: _done(do(running))))


@fleet.command()
def roll(
    file: SettingsFile = DEFAULT,
    *,
    hand_over: Annotated[
        bool, typer.Option("--hand-over", help="The new processes take the calls over; callers hear a short silence.")
    ] = False,
) -> None:
    """Replace all workers by new processes, one after the other, without cutting a call: for a new version.

    The old process of a worker keeps its calls until they end, and the new one gets the new calls.

    **Exit codes**: 0 all are replaced · 2 there is no such fleet
    """

    async def do(running: Fleet) -> str:
        return f"replaced: {', '.join(await running.roll(hand_over=hand_over))}"

    run(_with(file, lambda running: _done(do(running))))


@fleet.command()
def down(file: SettingsFile = DEFAULT) -> None:
    """Drain all workers, and end the fleet; a local cluster ends, too.

    **Exit codes**: 0 it has ended · 2 there is no such fleet · 130 interrupted: it goes on draining
    """
    run(_down(file))


async def _up(file: Path) -> ExitCode:
    from rich.console import Console

    from telnyx_native.fleet.operations import Fleet
    from telnyx_native.fleet.settings import FleetSettings

    console = Console(highlight=False)
    with console.status("") as progress:
        settings = FleetSettings.load(file)
        shown = await Fleet.up(settings, lambda text: progress.update(plain(text)))
    console.print(_table(shown), *_troubles(shown), sep="\n")
    for name, address in shown["addresses"].items():
        console.print(f"{name}: {plain(address)}", soft_wrap=True)
    return ExitCode.CALL_FAILED if any(worker["stopped"] for worker in shown["workers"]) else ExitCode.OK


async def _with(file: Path, do: Callable[[Fleet], Awaitable[ExitCode]]) -> ExitCode:
    from telnyx_native.fleet.operations import Fleet
    from telnyx_native.fleet.settings import FleetSettings

    async with Fleet(FleetSettings.load(file)) as running:
        return await do(running)


async def _done(work: Awaitable[str]) -> ExitCode:
    typer.echo(await work)
    return ExitCode.OK


async def _status(running: Fleet, *, live: bool, as_json: bool) -> ExitCode:
    from rich.console import Console
    from rich.live import Live

    from telnyx_native.fleet.operations import LOOK_EVERY

    if as_json:
        typer.echo(json.dumps(await running.status()))
    elif not live:
        shown = await running.status()
        Console(highlight=False).print(_table(shown), *_troubles(shown), sep="\n")
    else:
        with Live(console=Console(highlight=False), auto_refresh=False) as screen:
            while True:
                screen.update(_table(await running.status()), refresh=True)
                await asyncio.sleep(LOOK_EVERY)
    return ExitCode.OK


async def _down(file: Path) -> ExitCode:
    from rich.console import Console

    from telnyx_native.fleet.operations import LOOK_EVERY, Fleet
    from telnyx_native.fleet.settings import FleetSettings

    fleet = Fleet(FleetSettings.load(file))
    with Console(highlight=False).status("") as progress:
        async with fleet:
            ending = asyncio.create_task(fleet.down())
            while not ending.done():
                with suppress(Exception):  # the control may have ended since
                    shown = await fleet.status()
                    calls = sum(worker["calls"] for worker in shown["workers"])
                    progress.update(f"draining: {calls} calls at {len(shown['workers'])} workers")
                await asyncio.wait({ending}, timeout=LOOK_EVERY)
            await ending
        progress.update("ending the cluster")
        await fleet.stop_cluster()
    typer.echo("The fleet has ended.")
    return ExitCode.OK


def _troubles(shown: Mapping[str, Any]) -> list[str]:
    """What keeps workers from serving, which has no room in the table."""
    idle = (worker for worker in shown["workers"] if not worker["ready"])
    return [f"[bold]{plain(worker['name'])}[/bold]: {plain(worker['state'])}" for worker in idle]


def _table(shown: Mapping[str, Any]) -> Table:
    from rich.table import Table

    used = sum(worker["calls"] for worker in shown["workers"])
    table = Table(
        title=f"{plain(shown['fleet'])}: {used} calls in {shown['capacity']} slots, {shown['waiting']} waiting",
        caption=f"{shown['wanted']} workers wanted" + (", being rebuilt" if shown["rebuilding"] else ""),
    )
    for column in ("worker", "state", "calls", "reserved", "login", "node", "resumed", "failed", "lag"):
        table.add_column(
            column, justify="right" if column in ("calls", "reserved", "resumed", "failed", "lag") else "left"
        )
    for worker in shown["workers"]:
        table.add_row(
            plain(worker["name"]),
            plain(worker["state"]),
            f"{worker['calls']}/{worker['capacity']}",
            str(worker["reserved"]),
            plain(worker["user"]),
            plain(worker["node"][:8]),
            str(worker["resumed"]),
            str(worker["failed"]),
            f"{worker['lag'] * 1000:.0f} ms",
        )
    return table
