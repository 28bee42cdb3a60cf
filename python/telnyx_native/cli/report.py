"""`telnyx-native report`: the report of a call, to be looked at."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from telnyx_native.cli.command import ExitCode, plain, run
from telnyx_native.errors import ConfigurationError

__all__ = ["report"]


def report(
    file: Annotated[Path, typer.Argument(metavar="CALL.json", help="A report that call_report_directory has written.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", dir_okay=False, help="Where to; .html or .png says what. By default CALL.html."),
    ] = None,
    *,
    open_page: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Draw the report of a call: quality, delay, jitter, loss and levels over time, states and milestones.

    The web page holds everything it needs; it can be mailed. A picture needs the extra **[report]**.

    **Exit codes**: 0 it is drawn · 2 the command line is wrong, the file is no report, or a package is missing
    """
    run(_report(file, output or Path(f"{file.stem}.html"), open_page=open_page))


async def _report(file: Path, output: Path, *, open_page: bool) -> ExitCode:
    import webbrowser

    from rich.console import Console

    from telnyx_native.report.page import page, picture
    from telnyx_native.report.reading import read_report

    kind = output.suffix.lower()
    if kind not in (".html", ".png"):
        raise ConfigurationError(f"--output: {output} is neither .html nor .png")
    reading = read_report(file)
    content = page(reading).encode() if kind == ".html" else picture(reading)
    try:
        await asyncio.to_thread(output.write_bytes, content)
    except OSError as error:
        raise ConfigurationError(f"--output: cannot write {output}: {error.strerror or error}") from None
    console = Console(highlight=False)
    console.print(f"Drawn: {plain(output)}", soft_wrap=True)
    if open_page and not await asyncio.to_thread(lambda: webbrowser.open(output.resolve().as_uri())):
        console.print("There is no browser to open it; open it by hand.")
    return ExitCode.OK
