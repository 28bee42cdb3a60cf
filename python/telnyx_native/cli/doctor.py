"""`telnyx-native doctor`: why calls do not work on this machine."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path  # noqa: TC003 - typer evaluates the annotations
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from telnyx_native.cli.command import CaFile, ExitCode, LoginToken, SipPassword, SipUser, plain, run, trust
from telnyx_native.errors import ConfigurationError
from telnyx_native.states import Verdict
from telnyx_native.untrusted_text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from telnyx_native.config import CredentialConfig, TokenConfig, TxServerConfiguration
    from telnyx_native.doctor import Diagnosis, Finding, Symptom

__all__ = ["doctor"]

STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red", "skipped": "dim"}


def doctor(
    *,
    server: Annotated[str, typer.Option(help="Server to reach, such as ws://127.0.0.1:8899.")] = "wss://rtc.telnyx.com",
    user: SipUser = None,
    password: SipPassword = None,
    token: LoginToken = None,
    call: Annotated[
        str | None,
        typer.Option(metavar="DESTINATION", help="Place a test call to somebody who answers at once, such as echo."),
    ] = None,
    ca_file: CaFile = None,
    ice_server: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="STUN or TURN server in place of the server's own; repeat it for more."),
    ] = None,
    turn_user: Annotated[str, typer.Option(help="User name at the TURN servers.")] = "",
    turn_password: Annotated[str, typer.Option(help="Its password.")] = "",
    sound: Annotated[
        bool, typer.Option("--sound", help="This machine is to have a microphone and a loudspeaker; listen to it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Find out why calls do not work here, and what to do about it.

    Looks at the installation, the sound devices, the way to the server (name, port, encryption, clock, login) and the
    way of the audio (STUN, TURN, UDP), and goes through the usual symptoms. It shows no secrets: its output can be
    sent to support.

    **Exit codes**: 0 calls should work, perhaps with warnings · 1 something fails · 2 the command line is wrong ·
    130 interrupted

    **Example**: telnyx-native doctor --server ws://127.0.0.1:8899 --user alice --password demo --call echo
    """
    plan = _Plan(server, user, password, token, call, ca_file, ice_server, turn_user, turn_password, sound, as_json)
    run(_doctor(plan))


@dataclass(frozen=True)
class _Plan:
    """What the command line asks for."""

    server: str
    user: str | None
    password: str | None = field(repr=False)
    token: str | None = field(repr=False)
    destination: str | None
    ca_file: Path | None
    ice_urls: list[str] | None
    turn_user: str
    turn_password: str = field(repr=False)
    sound: bool
    as_json: bool


async def _doctor(plan: _Plan) -> ExitCode:
    from rich.console import Console

    from telnyx_native.doctor import examine

    server, login = _server(plan), _login(plan)
    if plan.destination and login is None:
        raise ConfigurationError("--call needs --user and --password, or --token")
    console = Console(highlight=False)
    progress = Console(highlight=False, quiet=plan.as_json)
    progress.print(f"Looking at this machine and the way to [bold]{plain(server.url)}[/bold] ...\n")
    diagnosis = await examine(
        server,
        login,
        destination=plan.destination,
        needs_sound=plan.sound,
        on_finding=lambda finding: progress.print(_line(finding)),
    )
    if plan.as_json:
        console.print_json(json.dumps(diagnosis.as_dict()))
    else:
        _conclude(console, diagnosis)
    return ExitCode.CALL_FAILED if diagnosis.verdict is Verdict.BLOCKED else ExitCode.OK


def _server(plan: _Plan) -> TxServerConfiguration:
    from telnyx_native.config import IceServer, TxServerConfiguration

    server = TxServerConfiguration.parse(plan.server, ssl_context=trust(plan.ca_file))
    if not plan.ice_urls:
        return server
    ice_servers = tuple(IceServer((url,), plan.turn_user, plan.turn_password) for url in plan.ice_urls)
    return replace(server, ice_servers=ice_servers)


def _login(plan: _Plan) -> CredentialConfig | TokenConfig | None:
    from telnyx_native.config import CredentialConfig, TokenConfig

    if plan.token:
        return TokenConfig(plan.token)
    if bool(plan.user) != bool(plan.password):
        raise ConfigurationError("give both --user and --password, or neither")
    return CredentialConfig(plan.user, plan.password) if plan.user and plan.password else None


def _line(finding: Finding) -> Table:
    from rich.table import Table

    line = Table.grid(padding=(0, 2), expand=True)
    line.add_column(width=8)
    line.add_column(width=14)
    line.add_column(ratio=1)
    seen = Text(clean(finding.detail))
    if finding.advice:
        seen.append(f"\n-> {finding.advice}", STYLES[finding.status])
    line.add_row(Text(finding.status.value, STYLES[finding.status]), finding.check, seen)
    return line


def _conclude(console: Console, diagnosis: Diagnosis) -> None:
    console.print(_symptoms(diagnosis.symptoms))
    style = {Verdict.READY: "bold green", Verdict.DEGRADED: "bold yellow"}.get(diagnosis.verdict, "bold red")
    console.print(Text.assemble("Verdict: ", (diagnosis.verdict.value, style)))


def _symptoms(symptoms: Sequence[Symptom]) -> Table:
    from rich.table import Table

    table = Table("if you see", "here", "next step", title="\nThe usual troubles", title_justify="left")
    for symptom in symptoms:
        table.add_row(symptom.name, Text(symptom.status.value, STYLES[symptom.status]), symptom.next_step)
    return table
