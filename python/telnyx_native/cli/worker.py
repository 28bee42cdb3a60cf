"""`telnyx-native worker`: run a bot as a service."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from pathlib import Path  # noqa: TC003 - typer evaluates the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from telnyx_native.cli.command import (
    CaFile,
    ExitCode,
    LoginToken,
    RateLimitFilter,
    SanitizingFormatter,
    SipPassword,
    SipUser,
    drain_on_signals,
    plain,
    run,
    trust,
)

if TYPE_CHECKING:
    from telnyx_native import CallControl, CredentialConfig, TokenConfig

__all__ = ["worker"]


def worker(
    bot: Annotated[str, typer.Argument(metavar="MODULE:SERVE", help="What serves a call, such as my_bot:serve.")],
    place: Annotated[
        str | None, typer.Option(metavar="MODULE:PLACE", help="What does an outbound job, such as my_bot:place.")
    ] = None,
    max_calls: Annotated[int, typer.Option(min=1, help="Calls and jobs at a time.")] = 50,
    user: SipUser = None,
    password: SipPassword = None,
    token: LoginToken = None,
    server: Annotated[
        str, typer.Option(envvar="TELNYX_SERVER", help="Server, such as ws://127.0.0.1:8899.")
    ] = "wss://rtc.telnyx.com",
    ca_file: CaFile = None,
    http: Annotated[
        str, typer.Option(help="Where /healthz, /readyz, /metrics and /jobs are; port 0 takes a free one.")
    ] = "127.0.0.1:8090",
    http_token: Annotated[
        str | None,
        typer.Option(
            envvar="TELNYX_WORKER_TOKEN", help="What /jobs wants; needed beyond this machine.", show_default=False
        ),
    ] = None,
    snapshot: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="File that keeps the calls for the next process, if this one crashes."),
    ] = None,
    drain: Annotated[float, typer.Option(min=0, help="Seconds that calls may go on after SIGTERM.")] = 3600.0,
    shares_login: Annotated[
        bool, typer.Option("--shares-login", help="Another worker takes this login over while this one drains.")
    ] = False,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="TELNYX_API_KEY", help="Key of the Telnyx API, for bots that transfer calls.", show_default=False
        ),
    ] = None,
    api_url: Annotated[
        str | None, typer.Option(envvar="TELNYX_BASE_URL", help="Where that API is, if not at Telnyx.")
    ] = None,
    json_logs: Annotated[bool, typer.Option("--json-logs", help="Log lines of JSON.")] = False,
) -> None:
    """Run a bot: serve inbound calls and outbound jobs, so many at a time.

    SIGTERM or Ctrl-C drains: no more calls, those that go on may end. A second one ends them.

    **Exit codes**: 0 drained · 1 calls had to be ended · 2 the command line is wrong ·
    3 no connection or no login · 130 ended by a second signal

    **Example**: telnyx-native worker my_bot:serve --max-calls 50 --snapshot calls.json
    """
    address, _, port = http.rpartition(":")
    if not port.isdigit() or not address:
        raise typer.BadParameter(f"--http is ADDRESS:PORT, not {http}")
    if token is None and (user is None or password is None):
        raise typer.BadParameter("give --user and --password, or --token; or set TELNYX_SIP_USER and so on")
    from telnyx_native import CallControl

    login = (user or "", password or "") if token is None else (token,)
    plan = _Plan(
        bot,
        place,
        max_calls,
        login,
        server,
        ca_file,
        (address, int(port)),
        http_token,
        snapshot,
        drain,
        CallControl(api_key, api_url) if api_key else None,
        shares_login=shares_login,
        json_logs=json_logs,
    )
    run(_run(plan))


@dataclass(frozen=True)
class _Plan:
    """What the command line asks for."""

    bot: str
    place: str | None
    max_calls: int
    login: tuple[str, ...] = field(repr=False)
    server: str
    ca_file: Path | None
    http: tuple[str, int]
    http_token: str | None = field(repr=False)
    snapshot: Path | None
    drain: float
    call_control: CallControl | None
    shares_login: bool
    json_logs: bool


async def _run(plan: _Plan) -> ExitCode:
    from rich.console import Console

    from telnyx_native import TxServerConfiguration
    from telnyx_native.worker import HealthServer, SnapshotFile, Worker, load_function

    _log(as_json=plan.json_logs)
    worker = Worker(
        load_function(plan.bot),
        login=_login(plan.login),
        server=TxServerConfiguration.parse(plan.server, ssl_context=trust(plan.ca_file)),
        place=None if plan.place is None else load_function(plan.place),
        max_calls=plan.max_calls,
        snapshots=None if plan.snapshot is None else SnapshotFile(plan.snapshot),
        shares_login=plan.shares_login,
        call_control=plan.call_control,
    )
    console = Console(stderr=True, highlight=False)
    host, port = plan.http
    async with HealthServer(worker, host=host, port=port, token=plan.http_token) as health:
        working = asyncio.create_task(worker.run(drain_timeout=plan.drain))
        interrupted = drain_on_signals(worker.drain, working)
        ready = asyncio.create_task(worker.status.wait_for(lambda status: status.ready or status.draining))
        await asyncio.wait({working, ready}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            resumed = f", {worker.resumed} resumed" if worker.resumed else ""
            address = f"http://{host}:{health.port}"
            console.print(f"Serving up to {plan.max_calls} calls{resumed}; see {plain(address)}/readyz", soft_wrap=True)
        try:
            late = await working
        except asyncio.CancelledError:
            if not interrupted.is_set():
                raise
            return ExitCode.INTERRUPTED
        finally:
            ready.cancel()
    console.print(f"Drained; {late} calls and jobs had to be ended." if late else "Drained.")
    return ExitCode.CALL_FAILED if late else ExitCode.OK


def _login(login: tuple[str, ...]) -> CredentialConfig | TokenConfig:
    from telnyx_native import CredentialConfig, LogLevel, TokenConfig

    if len(login) == 1:
        return TokenConfig(login[0], log_level=LogLevel.INFO)
    return CredentialConfig(*login, log_level=LogLevel.INFO)


def _log(*, as_json: bool) -> None:
    from telnyx_native import JsonLinesFormatter, LogContextFilter
    from telnyx_native.logs import LINE_FORMAT

    handler = logging.StreamHandler()
    handler.setFormatter(JsonLinesFormatter() if as_json else SanitizingFormatter(LINE_FORMAT))
    handler.addFilter(LogContextFilter())
    handler.addFilter(RateLimitFilter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
