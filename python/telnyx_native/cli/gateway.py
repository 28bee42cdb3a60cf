"""`telnyx-native gateway`: a local server that Telnyx's clients log in to."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import signal
import webbrowser
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path  # noqa: TC003 - typer evaluates the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from telnyx_native.cli.outcome import ExitCode, run
from telnyx_native.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from rich.console import Console

    from telnyx_native.gateway import Certificate, Gateway, User

__all__ = ["gateway"]

DEMO_PASSWORD = "demo"  # noqa: S105 - everybody may know it: it is printed
DEMO_USERS = (f"alice:{DEMO_PASSWORD}:+15550100", f"bob:{DEMO_PASSWORD}:+15550101")
"""Who may log in when nobody is named; their password is printed."""


def gateway(
    user: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME:PASSWORD[:NUMBER]",
            help="Someone who may log in; repeat it for more. Without it: alice and bob, password demo.",
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; anything but loopback lets others in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 takes a free one.")] = 8899,
    tls: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Encrypt (wss, https) with a certificate made for this run; it goes to FILE, for clients to trust.",
        ),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="USER:FAULT",
            help="Misbehave towards a user: delay:SECONDS, duplicate, registration:STATE or registration:STATE:TIMES, "
            "where STATE is refused, no_answer, FAIL_WAIT, NOREG, EXPIRED, ...; repeat it for more. "
            "The HTTP API has more of them.",
        ),
    ] = None,
    open_console: Annotated[
        bool, typer.Option("--open", help="Open the console, with a phone in it, in the browser.")
    ] = False,
    live: Annotated[bool, typer.Option("--live", help="Show levels and quality of the calls as they go.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show every message on the wire, without secrets.")
    ] = False,
) -> None:
    """Run a Telnyx-compatible server on this machine, without an account or the internet.

    Telnyx's clients log in to it, call each other by name or number, and reach these destinations:
    **echo**, **tone** or **tone:HZ**, **busy**, **reject**,
    **noanswer**, **assistant**. It prints one line to copy into another terminal for a first call, then logs the
    calls until Ctrl-C.

    **Exit codes**: 0 ended with Ctrl-C · 2 the command line is wrong · 3 cannot listen there
    """
    run(_gateway(_Plan(user, host, port, tls, fault or [], open_console=open_console, live=live, verbose=verbose)))


@dataclass(frozen=True)
class _Plan:
    """What the command line asks for."""

    users: list[str] | None = field(repr=False)
    host: str
    port: int
    tls: Path | None
    faults: list[str]
    open_console: bool
    live: bool
    verbose: bool


async def _gateway(plan: _Plan) -> ExitCode:
    from rich.console import Console

    from telnyx_native.gateway import Gateway
    from telnyx_native.gateway.fault_names import inject

    console = Console()
    interrupted = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, interrupted.set)
    server = Gateway(
        [parse_user(text) for text in plan.users or DEMO_USERS],
        host=plan.host,
        port=plan.port,
        certificate=_write_certificate(plan.tls, plan.host) if plan.tls else None,
    )
    for user, _, name in (text.partition(":") for text in plan.faults):
        await inject(server.faults, user, name)
    with _log_on(console, logging.DEBUG if plan.verbose else logging.INFO):
        async with server:
            _introduce(console, server, demo=not plan.users, ca_file=plan.tls)
            if not _is_loopback(plan.host):
                console.print("[bold yellow]Warning:[/bold yellow] others on the network can reach this gateway.")
            if plan.open_console and not await asyncio.to_thread(webbrowser.open, server.console_url):
                console.print("There is no browser to open; copy the console's address into one.")
            async with _shown(console, server) if plan.live else nullcontext():
                await interrupted.wait()
            console.print("Hanging up and closing …")
    return ExitCode.OK


def parse_user(text: str) -> User:
    """Read `name:password[:number]`.

    Raises:
        ConfigurationError: It is not that.
    """
    from telnyx_native.gateway import User

    name, _, rest = text.partition(":")
    password, _, number = rest.partition(":")
    if not name or not password:
        raise ConfigurationError("--user needs NAME:PASSWORD or NAME:PASSWORD:NUMBER, such as alice:secret:+15550100")
    return User(name, password, number or None)


def _write_certificate(file: Path, host: str) -> Certificate:
    from telnyx_native.gateway import Certificate

    certificate = Certificate.self_signed(host)
    try:
        file.write_text(certificate.pem)
    except OSError as error:
        raise ConfigurationError(f"--tls: cannot write {file}: {error.strerror or error}") from None
    return certificate


def _introduce(console: Console, server: Gateway, *, demo: bool, ca_file: Path | None) -> None:
    options = f" --ca-file {ca_file}" if ca_file else ""
    options += f" --password {DEMO_PASSWORD}" if demo else ""
    users = ", ".join(user.name + (f" ({user.number})" if user.number else "") for user in server.directory)
    console.print(f"Gateway listening on [bold]{server.url}[/bold]; users: {users}. Ctrl-C ends it.")
    console.print("The console, with a phone in it, for a browser (the address lets in who knows it):\n")
    console.print(f"  {server.console_url}\n", soft_wrap=True, highlight=False, style="bold")
    console.print("For a first call, in another terminal:\n")
    # One line whatever the width of the terminal: it is there to be copied.
    console.print(f"  {server.connect_hint()}{options}\n", soft_wrap=True, highlight=False, style="bold")


@asynccontextmanager
async def _shown(console: Console, server: Gateway) -> AsyncIterator[None]:
    """Show the calls of the gateway while the context lasts."""
    from telnyx_native.cli.live import follow_gateway, shown

    with shown(console) as calls:
        following = asyncio.create_task(follow_gateway(calls, server))
        try:
            yield
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


@contextmanager
def _log_on(console: Console, level: int) -> Iterator[None]:
    """Show what the gateway logs while the context lasts."""
    from rich.logging import RichHandler

    logger = logging.getLogger("telnyx_native.gateway")
    handler = RichHandler(console=console, show_path=False, show_level=level == logging.DEBUG)
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
