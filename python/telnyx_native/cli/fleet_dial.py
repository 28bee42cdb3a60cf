"""`telnyx-native fleet dial`: a campaign of outbound calls."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import time as time_of_day
from pathlib import Path  # noqa: TC003 - typer evaluates the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from telnyx_native.cli.command import ExitCode, drain_on_signals, plain, run
from telnyx_native.cli.fleet import fleet
from telnyx_native.cli.fleet_operations import DEFAULT, SettingsFile

if TYPE_CHECKING:
    from rich.table import Table

    from telnyx_native.fleet.campaign import Campaign
    from telnyx_native.fleet.campaign_terms import CampaignRules
    from telnyx_native.fleet.dialling import DiallingStatus
    from telnyx_native.fleet.pacing import Window
    from telnyx_native.fleet.results import ResultFile

__all__ = ["dial"]


@fleet.command()
def dial(
    jobs: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, metavar="JOBS.csv|.jsonl", help="A number on each line.")
    ],
    *,
    results: Annotated[
        Path, typer.Option(dir_okay=False, help="What became of each job; with it, a campaign goes on where it was.")
    ],
    file: SettingsFile = DEFAULT,
    rate: Annotated[float, typer.Option(help="Calls that begin in a second.")] = 1.0,
    at_once: Annotated[int, typer.Option(min=1, help="Calls that are under way at a time.")] = 20,
    caller: Annotated[
        list[str] | None, typer.Option(help="A number to call from; several take turns.", show_default=False)
    ] = None,
    do_not_call: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Numbers that must not be called, one a line.")
    ] = None,
    hours: Annotated[
        str | None, typer.Option(metavar="HH:MM-HH:MM", help="When calls may be placed, by the time where they ring.")
    ] = None,
    time_zone: Annotated[str, typer.Option(help="Where it rings, for jobs that do not say so.")] = "UTC",
) -> None:
    """Call many numbers with the bots of a fleet, and write down what became of each.

    Who is busy or does not answer is called again later. Ctrl-C begins no more calls and lets the others end; a second
    one does not wait for them. The same command goes on where it was.

    **Exit codes**: 0 all jobs are done · 1 some could not be done, or some lines are no jobs ·
    2 the settings, a file or the command line cannot be · 130 interrupted

    **Example**: telnyx-native fleet dial jobs.csv --results results.jsonl --rate 2 --hours 09:00-20:00
    """
    plan = _Plan(jobs, results, file, rate, at_once, tuple(caller or ()), do_not_call, hours, time_zone)
    run(_dial(plan))


@dataclass(frozen=True)
class _Plan:
    """What the command line asks for."""

    jobs: Path
    results: Path
    file: Path
    rate: float
    at_once: int
    callers: tuple[str, ...]
    do_not_call: Path | None
    hours: str | None
    time_zone: str


async def _dial(plan: _Plan) -> ExitCode:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from telnyx_native.event_loop import run_blocking
    from telnyx_native.fleet.dialling import Dialler
    from telnyx_native.fleet.jobs import read_jobs
    from telnyx_native.fleet.operations import Fleet
    from telnyx_native.fleet.results import ResultFile
    from telnyx_native.fleet.settings import FleetSettings

    settings, rules, jobs = FleetSettings.load(plan.file), _rules(plan), read_jobs(plan.jobs)
    numbers = await run_blocking(_forbidden, plan.do_not_call)
    console = Console(highlight=False)
    columns = (
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with ResultFile(plan.results) as results:
        campaign = await run_blocking(_campaign, rules, numbers, results)
        async with Fleet(settings) as running:
            with Progress(*columns, console=console) as progress:
                bar = progress.add_task("reading jobs", total=None)
                dialler = Dialler(
                    campaign,
                    results,
                    running.place,
                    at_once=plan.at_once,
                    on_progress=lambda status: progress.update(
                        bar,
                        completed=status.over,
                        total=status.jobs if status.read else None,
                        description=_line(status),
                    ),
                    on_bad_line=lambda line: progress.console.print(
                        f"{plain(plan.jobs)}: {plain(line)}", style="yellow", soft_wrap=True
                    ),
                )
                working = asyncio.create_task(dialler.run(jobs))
                interrupted = drain_on_signals(dialler.drain, working)
                try:
                    await working
                except asyncio.CancelledError:
                    if not interrupted.is_set():
                        raise
    console.print(_table(dialler.status))
    return _code(dialler.status)


def _rules(plan: _Plan) -> CampaignRules:
    from telnyx_native.errors import ConfigurationError
    from telnyx_native.fleet.campaign_terms import CampaignRules, Pool, plain_number
    from telnyx_native.fleet.pacing import TokenBucket

    try:
        TokenBucket(plan.rate, now=0.0)  # it says what a rate can be
    except ConfigurationError as error:
        raise ConfigurationError(f"--rate: {error}") from None
    pool = Pool(tuple(map(plain_number, plan.callers)), rate=plan.rate)
    return CampaignRules({"default": pool}, window=_window(plan.hours), time_zone=plan.time_zone)


def _window(hours: str | None) -> Window | None:
    from telnyx_native.errors import ConfigurationError
    from telnyx_native.fleet.pacing import Window

    if hours is None:
        return None
    opens, _, closes = hours.partition("-")
    try:
        return Window(time_of_day.fromisoformat(opens.strip()), time_of_day.fromisoformat(closes.strip()))
    except ConfigurationError as error:
        raise ConfigurationError(f"--hours: {error}") from None
    except ValueError:
        raise ConfigurationError(f"--hours is {hours!r}; write it as 09:00-20:00") from None


def _forbidden(file: Path | None) -> list[str]:
    """The numbers that must not be called. A line that is none may be one of them, so nobody is called then."""
    from telnyx_native.errors import ConfigurationError
    from telnyx_native.fleet.jobs import BadLine, read_do_not_call

    numbers = []
    for number in read_do_not_call(file) if file is not None else ():
        if isinstance(number, BadLine):
            raise ConfigurationError(f"{file}: {number}; nobody is called, for it may be somebody who must not be")
        numbers.append(number)
    return numbers


def _campaign(rules: CampaignRules, numbers: list[str], results: ResultFile) -> Campaign:
    from telnyx_native.fleet.campaign import Campaign

    return Campaign(rules, now=time.time(), do_not_call=numbers, past=results.read())


def _line(status: DiallingStatus) -> str:
    """What is shown beside the bar."""
    from telnyx_native.fleet.campaign_terms import JobState

    parts = [f"{status.counts.get(state, 0):,} {state.value}" for state in JobState if status.counts.get(state)]
    if status.draining:
        parts.append("no more calls begin; Ctrl-C again does not wait for those that are under way")
    return ", ".join(parts).replace("leased", "under way")


def _table(status: DiallingStatus) -> Table:
    from rich.table import Table

    from telnyx_native.fleet.campaign_terms import JobState

    table = Table(title=f"{status.over:,} of {status.jobs:,} jobs are over")
    table.add_column("")
    table.add_column("", justify="right")
    for state in JobState:
        if count := status.counts.get(state):
            table.add_row(f"jobs {state.value}".replace("leased", "under way"), f"{count:,}")
    for cause, count in sorted(status.causes.items()):
        table.add_row(f"calls ended with {plain(cause)}", f"{count:,}")
    if status.no_room:
        table.add_row("calls for which there was no room", f"{status.no_room:,}")
    if status.bad_lines:
        table.add_row("lines that are no jobs", f"{status.bad_lines:,}")
    return table


def _code(status: DiallingStatus) -> ExitCode:
    from telnyx_native.fleet.campaign_terms import JobState

    if not status.is_finished:
        return ExitCode.INTERRUPTED
    failed = status.bad_lines or status.counts.get(JobState.DONE, 0) < status.jobs
    return ExitCode.CALL_FAILED if failed else ExitCode.OK
