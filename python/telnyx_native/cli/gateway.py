"""`telnyx-native gateway`: a local server that Telnyx's clients log in to."""

from __future__ import annotations

import asyncio
import json
import logging
import resource
import signal
import ssl
import webbrowser
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from telnyx_native.cli.command import ExitCode, RateLimitFilter, SanitizingFormatter, own_command, plain, run
from telnyx_native.errors import ConfigurationError, TelnyxError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from rich.console import Console

    from telnyx_native.gateway import Brain, Certificate, Gateway, GatewayConfig, User

__all__ = ["Options", "gateway", "parse_user"]


@dataclass(frozen=True)
class Options:
    """The options, as they were written; `None` and empty lists were not given."""

    users: Sequence[str] = field(default=(), repr=False)
    tokens: Sequence[str] = field(default=(), repr=False)
    numbers: Sequence[str] = ()
    groups: Sequence[str] = ()
    assistants: Sequence[str] = ()
    sounds: Path | None = None
    ring: str | None = None
    origins: Sequence[str] = ()
    names: Sequence[str] = ()
    host: str | None = None
    port: int | None = None

    def applied_to(self, config: GatewayConfig) -> GatewayConfig:
        """Return settings with these on top: users and routes are added, the others replaced.

        Raises:
            ConfigurationError: An option is not written as it should be; the message begins with it.
        """
        plan = replace(
            config.plan,
            numbers={
                **config.plan.numbers,
                **dict(_pair("--number", text, "+15550199=sales") for text in self.numbers),
            },
            groups={**config.plan.groups, **dict(_group(text) for text in self.groups)},
            sounds=self.sounds or config.plan.sounds,
            ring=self.ring or config.plan.ring,  # type: ignore[arg-type]  # the plan checks it
        )
        return replace(
            config,
            plan=plan,
            users=_with_tokens([*config.users, *(parse_user(text) for text in self.users)], self.tokens),
            assistants=self._assistants() or config.assistants,
            origins=(*config.origins, *self.origins),
            names=(*config.names, *self.names),
            host=self.host or config.host,
            port=config.port if self.port is None else self.port,
        )

    def _assistants(self) -> Mapping[str, Brain]:
        from telnyx_native.gateway.destinations.assistant import SCRIPT, load_brain

        brains = {}
        for text in self.assistants:
            name, _, address = text.partition("=")
            try:
                brains[name] = load_brain(address or SCRIPT, Path.cwd())
            except ConfigurationError as error:
                raise ConfigurationError(f"--assistant {name}: {error}") from None
        return brains


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


def _with_tokens(users: Sequence[User], texts: Sequence[str]) -> Sequence[User]:
    tokens = dict(_pair("--token", text, "alice:TOKEN", sign=":") for text in texts)
    for name in tokens.keys() - {user.name for user in users}:
        raise ConfigurationError(f"--token: there is no user {name!r}; name one with --user")
    return [replace(user, token=tokens.get(user.name, user.token)) for user in users]


def _group(text: str) -> tuple[str, Sequence[str]]:
    name, members = _pair("--group", text, "sales=alice,bob")
    return name, tuple(member.strip() for member in members.split(","))


def _pair(option: str, text: str, example: str, *, sign: str = "=") -> tuple[str, str]:
    name, _, value = text.partition(sign)
    if not name or not value:
        raise ConfigurationError(f"{option} is written like this: {option} {example}")
    return name, value


DEMO_PASSWORD = "demo"  # noqa: S105 - everybody may know it: it is printed
DEMO_USERS = (f"alice:{DEMO_PASSWORD}:+15550100", f"bob:{DEMO_PASSWORD}:+15550101")
"""Who may log in when nobody is named; their password is printed."""

EXAMPLE_BOT = Path(__file__).with_name("example_bot.py")

BOT = "bot"
"""The user that the example bot logs in as, when nobody is named."""

DEFAULT_PORT = 8899

ROUTING = "Users, and where calls lead"
"""The heading of these options in the help."""


def _option(metavar: str, text: str, panel: str | None = None, **settings: Any) -> Any:
    """Return an option that takes a value of that form."""
    return typer.Option(metavar=metavar, help=text, rich_help_panel=panel, **settings)


def gateway(
    user: Annotated[
        list[str] | None,
        _option(
            "NAME:PASSWORD[:NUMBER]",
            "Someone who may log in; repeat it for more. Without any: alice, bob, and a bot to talk to, password demo.",
            ROUTING,
        ),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on; anything but loopback lets others in.", show_default="127.0.0.1"),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="Port to listen on; 0 takes a free one.", show_default="8899"),
    ] = None,
    config: Annotated[
        Path | None,
        _option(
            "FILE",
            "Read users, numbers, groups, menus, assistants and limits from a TOML file; options come on top.",
            ROUTING,
            dir_okay=False,
        ),
    ] = None,
    example_config: Annotated[
        Path | None,
        _option("FILE", "Write such a file, with every setting explained, and exit.", ROUTING, dir_okay=False),
    ] = None,
    token: Annotated[
        list[str] | None,
        _option(
            "USER:TOKEN", "A login token of a user that does not expire; without it, the HTTP API makes some.", ROUTING
        ),
    ] = None,
    number: Annotated[
        list[str] | None,
        _option(
            "NUMBER=ADDRESS",
            "Where a number leads: a user, a group or a destination; repeat it for more.",
            ROUTING,
        ),
    ] = None,
    group: Annotated[
        list[str] | None, _option("NAME=USER,USER…", "Users who ring together; repeat it for more.", ROUTING)
    ] = None,
    ring: Annotated[
        str | None,
        _option(
            "last|all",
            "Which phones of a user ring: the last to log in, as at Telnyx, or all, which is not its way.",
            ROUTING,
            show_default="last",
        ),
    ] = None,
    sounds: Annotated[
        Path | None,
        _option("FOLDER", "What file:NAME plays from; without it, nothing.", ROUTING, file_okay=False),
    ] = None,
    assistant: Annotated[
        list[str] | None,
        _option(
            "ID[=FILE.py:FUNCTION]",
            "An AI assistant: the id that guests log in to, and the async function that is its brain; without one it "
            "follows a script. Repeat it for more. Without any there are no guests, but for the demo's: assistant.",
            ROUTING,
        ),
    ] = None,
    origin: Annotated[
        list[str] | None,
        _option(
            "ORIGIN",
            "Web pages of this origin, such as https://app.example.com, may use it too; repeat it for more. Those of "
            "this machine may anyway.",
        ),
    ] = None,
    name: Annotated[
        list[str] | None,
        _option("HOST", "A name under which it is reached, beside localhost and IP addresses; repeat it for more."),
    ] = None,
    tls: Annotated[
        Path | None,
        _option(
            "FILE",
            "Encrypt (wss, https) with a certificate made for this run; it goes to FILE, for clients to trust.",
            dir_okay=False,
        ),
    ] = None,
    fault: Annotated[
        list[str] | None,
        _option(
            "USER:FAULT",
            "Misbehave towards a user: delay:SECONDS, duplicate, registration:STATE or registration:STATE:TIMES, "
            "where STATE is refused, no_answer, FAIL_WAIT, NOREG, EXPIRED, ...; "
            "login-error:CODE:TIMES; late-description; channel-limit:CALLS; "
            "media:loss=0.05,jitter=0.03,delay=0.1,reorder=0.02; repeat it for more. The HTTP API has more of them.",
        ),
    ] = None,
    scenario: Annotated[
        list[str] | None,
        _option(
            "NAME",
            "Run a scenario of faults: flaky-wifi, congested-link, server-restart, amnesia, registration-storm, "
            "slow-start, slow-server, dead-link, garbage, expired-tokens or moving-media; repeat it for more at once. "
            "What each does is said when it begins.",
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
    **echo**, **tone** or **tone:HZ**, **music**, **file:NAME**, **dtmf** (reads keys back), **ivr** or **ivr:MENU**,
    **conference:NAME**, **voicemail**, **progress:SIGNAL** (a tone of the network), **early** (early media),
    **hangup-after:SECONDS**, **busy**, **reject**, **noanswer**, **assistant** or **assistant:ID**. It prints one line
    to copy into another terminal for a first call, then logs the calls until Ctrl-C.

    **Exit codes**: 0 ended with Ctrl-C · 2 the command line or a file is wrong · 3 cannot listen there
    """
    if example_config:
        run(_write_example(example_config))
    settings = Options(
        users=user or [],
        tokens=token or [],
        numbers=number or [],
        groups=group or [],
        assistants=assistant or [],
        sounds=sounds,
        ring=ring,
        origins=origin or [],
        names=name or [],
        host=host,
        port=port,
    )
    run(
        _gateway(
            _Plan(
                config,
                settings,
                tls,
                fault or [],
                scenario or [],
                open_console=open_console,
                live=live,
                verbose=verbose,
            )
        )
    )


async def _write_example(file: Path) -> ExitCode:
    """Write a file with every setting explained; one that is there already is left as it is."""
    from telnyx_native.gateway.configuration import EXAMPLE

    try:
        with file.open("x") as opened:
            opened.write(EXAMPLE.read_text())
    except OSError as error:
        raise ConfigurationError(f"--example-config: cannot write {file}: {error.strerror or error}") from None
    typer.echo(f"Wrote {file}. Start the gateway with it: telnyx-native gateway --config {file}")
    return ExitCode.OK


@dataclass(frozen=True)
class _Plan:
    """What the command line asks for."""

    file: Path | None
    options: Options
    tls: Path | None
    faults: list[str]
    scenarios: list[str]
    open_console: bool
    live: bool
    verbose: bool


async def _gateway(plan: _Plan) -> ExitCode:
    from rich.console import Console

    from telnyx_native.event_loop import running
    from telnyx_native.gateway import GatewayConfig, scripted_brain
    from telnyx_native.gateway.destinations.assistant import ASSISTANT
    from telnyx_native.gateway.faults.names import inject
    from telnyx_native.gateway.web.port import is_loopback

    console = Console()
    _allow_many_files()
    interrupted = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, interrupted.set)
    config = GatewayConfig.load(plan.file) if plan.file else GatewayConfig(port=DEFAULT_PORT)
    demo = not config.users and not plan.options.users
    if demo:
        users = [parse_user(text) for text in (*DEMO_USERS, f"{BOT}:{DEMO_PASSWORD}")]
        config = replace(config, users=users, assistants=config.assistants or {ASSISTANT: scripted_brain})
    config = plan.options.applied_to(config)
    certificate = _write_certificate(plan.tls, config.host) if plan.tls else None
    server = config.gateway(certificate=certificate)
    for user, _, name in (text.partition(":") for text in plan.faults):
        await inject(server.faults, user, name)
    check_scenarios(plan.scenarios)
    with _log_on(console, logging.DEBUG if plan.verbose else logging.INFO):
        async with server, _example_bot(server, certificate) if demo else nullcontext():
            _introduce(console, server, demo=demo, ca_file=plan.tls)
            if not is_loopback(config.host):
                _warn_of_others(console, demo=demo)
            if plan.open_console and not await asyncio.to_thread(webbrowser.open, server.console_url):
                console.print("There is no browser to open; copy the console's address into one.")
            for name in plan.scenarios:
                server.scenarios.start(name)
            async with running(_show_pushes(console, server)), _shown(console, server) if plan.live else nullcontext():
                await interrupted.wait()
            console.print("Hanging up and closing …")
    return ExitCode.OK


def _allow_many_files() -> None:
    """Let the process open as many files as it may: sockets of clients and of calls are files."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def check_scenarios(names: list[str]) -> None:
    """Raise a ConfigurationError for a scenario that there is not."""
    from telnyx_native.gateway.faults.scenarios import SCENARIOS

    for name in names:
        if name not in SCENARIOS:
            raise ConfigurationError(f"--scenario: there is no {name!r}; there are {', '.join(SCENARIOS)}")


def _write_certificate(file: Path, host: str) -> Certificate:
    from telnyx_native.gateway import Certificate

    certificate = Certificate.self_signed(host)
    try:
        file.write_text(certificate.pem)
    except OSError as error:
        raise ConfigurationError(f"--tls: cannot write {file}: {error.strerror or error}") from None
    return certificate


@asynccontextmanager
async def _example_bot(server: Gateway, certificate: Certificate | None) -> AsyncIterator[None]:
    """Let the example bot take the calls of its user until the context ends."""
    from telnyx_native import TxServerConfiguration
    from telnyx_native.cli.example_bot import run_bot
    from telnyx_native.event_loop import running

    async def run() -> None:
        trust = ssl.create_default_context(cadata=certificate.pem) if certificate else None
        try:
            await run_bot(TxServerConfiguration.parse(server.url, ssl_context=trust), BOT, DEMO_PASSWORD)
        except* TelnyxError as errors:
            logging.getLogger("telnyx_native.gateway").warning("the example bot is gone: %s", errors.exceptions[0])

    async with running(run()):
        yield


def _introduce(console: Console, server: Gateway, *, demo: bool, ca_file: Path | None) -> None:
    options = f" --ca-file {ca_file}" if ca_file else ""
    options += f" --password {DEMO_PASSWORD}" if demo else ""
    users = ", ".join(user.name + (f" ({user.number})" if user.number else "") for user in server.directory)
    console.print(f"Gateway listening on [bold]{plain(server.url)}[/bold]; users: {plain(users)}. Ctrl-C ends it.")
    console.print("The console, with a phone in it, for a browser (the address lets in who knows it):\n")
    console.print(f"  {plain(server.console_url)}\n", soft_wrap=True, highlight=False, style="bold")
    if demo:
        console.print(
            f"To talk to a bot: open that address, press [bold]Call[/bold] next to [bold]{BOT}[/bold], and allow the "
            f"microphone. It says back what you say; its code: {EXAMPLE_BOT}\n"
            f"A bot of yours logs in as alice or bob, password {DEMO_PASSWORD}.\n",
            soft_wrap=True,
            highlight=False,
        )
    if server.applications:
        names = ", ".join(each.name for each in server.applications)
        console.print(
            f"The Voice API is at {plain(server.voice_api_url)}, for the applications {plain(names)}; webhooks are "
            f"verified with the public key {server.public_key}\n",
            soft_wrap=True,
            highlight=False,
        )
    call = server.connect_hint().replace("telnyx-native", own_command(), 1)
    console.print("For a first call, in another terminal:\n")
    # One line whatever the width of the terminal: it is there to be copied.
    console.print(f"  {plain(call + options)}\n", soft_wrap=True, highlight=False, style="bold")


def _warn_of_others(console: Console, *, demo: bool) -> None:
    console.print("[bold yellow]Warning:[/bold yellow] others on the network can reach this gateway.")
    if demo:
        console.print("Everybody knows the password of its users: name your own with --user or --config.")


async def _show_pushes(console: Console, server: Gateway) -> None:
    """Print the push notifications, each on one line whatever the width of the terminal: to be copied."""
    async for push in server.push.sent:
        console.print(json.dumps(push.payload), soft_wrap=True, highlight=False, markup=False)


@asynccontextmanager
async def _shown(console: Console, server: Gateway) -> AsyncIterator[None]:
    """Show the calls of the gateway while the context lasts."""
    from telnyx_native.cli.live import follow_gateway, live_table
    from telnyx_native.event_loop import running

    with live_table(console) as calls:
        async with running(follow_gateway(calls, server)):
            yield


@contextmanager
def _log_on(console: Console, level: int) -> Iterator[None]:
    """Show what the gateway logs while the context lasts."""
    from rich.logging import RichHandler

    logger = logging.getLogger("telnyx_native.gateway")
    handler = RichHandler(console=console, show_path=False, show_level=level == logging.DEBUG)
    handler.setFormatter(SanitizingFormatter())
    handler.addFilter(RateLimitFilter())
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
