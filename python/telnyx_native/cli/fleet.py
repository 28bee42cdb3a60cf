"""`telnyx-native fleet`: bots in many processes and on many hosts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from telnyx_native.cli.command import ExitCode, run

if TYPE_CHECKING:
    from rich.table import Table

    from telnyx_native.fleet.simulation_terms import Outcome, Quantiles

__all__ = ["fleet"]

fleet = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Bots in many processes and on many hosts: plan them, run them, dial with them.",
)


@fleet.command()
def plan(
    *,
    calls_per_hour: Annotated[float, typer.Option(help="Calls that come in the busiest hour.")],
    seconds: Annotated[float, typer.Option(help="How long a call lasts, on average.")],
    wait: Annotated[float, typer.Option(help="Seconds that a caller may wait.")],
    service_level: Annotated[float, typer.Option(help="Part of the callers that shall wait no longer.")] = 0.8,
    calls_per_worker: Annotated[int, typer.Option(help="Calls that a worker takes at once.")] = 10,
    workers_per_host: Annotated[int, typer.Option(help="Workers that a host has room for.")] = 4,
) -> None:
    """Calculate how many slots, workers and hosts a traffic needs (Erlang C).

    **Exit codes**: 0 it is calculated · 2 the command line is wrong
    """

    async def calculate() -> ExitCode:
        from rich.console import Console

        from telnyx_native.fleet import plan as erlang

        needed = erlang.plan(
            calls_per_hour=calls_per_hour,
            seconds=seconds,
            wait=wait,
            service_level=service_level,
            calls_per_worker=calls_per_worker,
            workers_per_host=workers_per_host,
        )
        table = _table(f"{calls_per_hour:,.9g} calls an hour of {seconds:,.9g} s", "", "")
        table.add_row("Calls at once, on average", f"{needed.erlangs:,.1f}")
        table.add_row("Slots", f"{needed.slots:,}")
        table.add_row(f"Workers, of {calls_per_worker:,} slots", f"{needed.workers:,}")
        table.add_row(f"Hosts, of {workers_per_host:,} workers", f"{needed.hosts:,}")
        table.add_row("Callers that wait at all", f"{needed.waits:.1%}")
        table.add_row("Mean wait of all callers", f"{needed.mean_wait:.2f} s")
        table.add_row(f"Served within {wait:,g} s", f"{needed.service_level:.1%}")
        table.add_row("Slots that are taken, on average", f"{needed.occupancy:.1%}")
        Console(highlight=False).print(table)
        return ExitCode.OK

    run(calculate())


@fleet.command()
def simulate(
    *,
    workers: Annotated[int, typer.Option(help="How many workers there are.")] = 1000,
    capacity: Annotated[int, typer.Option(help="Calls that each takes.")] = 60,
    rate: Annotated[float, typer.Option(help="Calls that come in a second.")] = 2000.0,
    seconds: Annotated[float, typer.Option(help="Mean duration of a call.")] = 25.0,
    duration: Annotated[float, typer.Option(help="Simulated seconds for which calls come.")] = 60.0,
    seed: Annotated[int, typer.Option(help="Decides all that is random; the same gives the same course.")] = 1,
    calm: Annotated[bool, typer.Option("--calm", help="Nothing crashes, is lost, or drains.")] = False,
) -> None:
    """Run the dispatcher under simulated time, in a fleet that this machine could not hold.

    Workers crash, come back and are rolled, messages are lost, the dispatcher is killed, calls come in surges. It is
    checked all the time that no worker has more calls than it may, and that no slot is lost. The CPU time that the
    dispatcher takes is real.

    **Exit codes**: 0 all held · 1 something happened that must not · 2 the command line is wrong · 130 interrupted
    """
    run(_simulate(workers, capacity, rate, seconds, duration, seed, calm=calm))


async def _simulate(
    workers: int, capacity: int, rate: float, seconds: float, duration: float, seed: int, *, calm: bool
) -> ExitCode:
    from rich.console import Console

    from telnyx_native.fleet.simulation import Simulation
    from telnyx_native.fleet.simulation_terms import CALM, Faults, Scenario

    scenario = Scenario(
        workers=workers,
        capacity=capacity,
        rate=rate,
        seconds=seconds,
        duration=duration,
        seed=seed,
        faults=CALM if calm else Faults(),
    )
    simulation = Simulation(scenario)
    console = Console(highlight=False)
    with console.status("") as status:
        while simulation.advance(simulation.now + 1):
            status.update(f"simulated: {simulation.now:,.0f} s, {simulation.outcome.calls:,} calls")
            await asyncio.sleep(0)  # where Ctrl-C comes in
    outcome = simulation.outcome
    console.print(_course(scenario.workers, scenario.capacity, outcome), _costs(outcome))
    if not outcome.holds:
        console.print("[bold red]Something happened that must not: see the rows in red.")
        return ExitCode.CALL_FAILED
    return ExitCode.OK


def _course(workers: int, capacity: int, outcome: Outcome) -> Table:
    """What happened."""
    table = _table(f"{workers:,} workers of {capacity:,} slots", "", "")
    counters = outcome.counters
    for text, number in (
        ("Calls", outcome.calls),
        ("Most at once", outcome.most_at_once),
        ("Crashes of workers", outcome.crashes),
        ("Workers rolled", outcome.rolled),
        ("Kills of the dispatcher", outcome.kills),
        ("Calls that were there again after a crash", counters.reattached),
        ("Calls adopted, most after kills", counters.adopted),
        ("Calls that their worker did not take", counters.failed),
        ("Calls dispatched again", counters.put_back),
        ("Reservations expired", counters.expired),
        ("Released, since unreported", counters.unreported),
        ("Refused: queue full", counters.refused_full),
        ("Refused: waited too long", counters.refused_waited),
        ("Refused: no worker took it", counters.refused_failed),
        ("Callers who gave up", outcome.gave_up),
        ("Calls cut: worker away too long", outcome.cut),
    ):
        table.add_row(text, f"{number:,}")
    table.add_row("Calls that waited", f"{outcome.waited:.1%}")
    table.add_row("Wait, p50 / p99 / worst", _seconds(outcome.wait))
    for text, number in (
        ("Above capacity", outcome.above_capacity),
        ("Slots leaked", outcome.leaked),
        ("Closed with calls", outcome.closed_with_calls),
        ("Calls forgotten", outcome.stranded),
    ):
        table.add_row(text, f"{number:,}", style="bold red" if number else "green")
    return table


def _costs(outcome: Outcome) -> Table:
    """What it took."""
    table = _table("CPU time of the dispatcher, in µs", "event", "times", "p50", "p99", "worst", "total")
    for name, cost in (*outcome.cost.items(), ("request, release", outcome.decision)):
        table.add_row(
            name, f"{cost.count:,}", *(f"{time * 1e6:,.0f}" for time in (cost.p50, cost.p99, cost.worst, cost.total))
        )
    return table


def _seconds(times: Quantiles) -> str:
    return " / ".join(f"{time:.2f}" for time in (times.p50, times.p99, times.worst)) + " s"


def _table(title: str, *columns: str) -> Table:
    from rich.table import Table

    table = Table(title=title, show_header=any(columns))
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table
