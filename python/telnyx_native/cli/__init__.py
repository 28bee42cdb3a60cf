"""The command `telnyx-native`."""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

from telnyx_native.cli import fleet_dial, fleet_operations  # noqa: F401 - commands of `fleet`
from telnyx_native.cli.call import call
from telnyx_native.cli.demo import demo
from telnyx_native.cli.devices import devices
from telnyx_native.cli.doctor import doctor
from telnyx_native.cli.fleet import fleet
from telnyx_native.cli.gateway import gateway
from telnyx_native.cli.report import report
from telnyx_native.cli.worker import worker
from telnyx_native.version import versions

__all__ = ["app", "main"]


app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        for name, version in versions().items():
            typer.echo(f"{name} {version}")
        raise typer.Exit


@app.callback()
def telnyx_native(
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print all versions and exit.",
        ),
    ] = False,
) -> None:
    """Telnyx WebRTC voice for Python: try it, run a local server for it, place calls with it.

    Begin with **telnyx-native demo**: it needs no account and no network.
    """


app.command()(demo)
app.command()(gateway)
app.command()(call)
app.command()(devices)
app.command()(doctor)
app.command()(report)
app.add_typer(fleet, name="fleet")
app.command()(worker)


def main() -> None:
    """Run the command that the command line names."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal or a pipe may know ASCII only
    app(prog_name="telnyx-native")
