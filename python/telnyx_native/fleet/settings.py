"""A fleet's settings, and the TOML file that they are read from."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from telnyx_native.call_control import CallControl
from telnyx_native.config import CredentialConfig, TokenConfig, TxServerConfiguration
from telnyx_native.errors import ConfigurationError
from telnyx_native.fleet.dispatch_terms import Rules
from telnyx_native.redaction import Secret, keep_secret
from telnyx_native.toml_settings import Table, settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ClusterSettings", "FleetSettings", "Login", "VoiceApiSettings", "WorkerSettings"]

LOCAL = "local"
"""The address of a cluster that is started on this machine."""


@dataclass(frozen=True)
class Login:
    """What one worker logs in with: a telephony credential of its own.

    Telnyx rings the client that logged in last with a credential. Two workers with the same one would take each other's
    calls.

    Attributes:
        user: The SIP user; calls for the worker are sent to it.
        password: Its password; or a token is given.
        token: A login token; or a password is given.
    """

    user: str
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        keep_secret(self, "password", "token")

    @property
    def config(self) -> CredentialConfig | TokenConfig:
        """The configuration for a client."""
        return TokenConfig(self.token) if self.token else CredentialConfig(self.user, self.password)


@dataclass(frozen=True)
class WorkerSettings:
    """How each worker is.

    Attributes:
        bot: What serves a call, `MODULE:FUNCTION`.
        place: What does an outbound job, `MODULE:FUNCTION`; empty without jobs.
        folder: Where the module is looked for, beside the installed ones.
        count: Workers at the beginning.
        calls: Calls and jobs that each takes at a time.
        cpus: Processors that each is given by Ray; a part of one, too.
        server: The server that it logs in to.
        sip_domain: The domain of its SIP address.
        drain: Seconds that its calls may go on when it drains.
        call_control: What lets bots transfer calls; that of the Voice API.
    """

    bot: str
    place: str = ""
    folder: str = ""
    count: int = 1
    calls: int = 10
    cpus: float = 1.0
    server: str = "wss://rtc.telnyx.com"
    sip_domain: str = "sip.telnyx.com"
    drain: float = 3600.0
    call_control: CallControl | None = None


@dataclass(frozen=True)
class ClusterSettings:
    """Where the fleet runs.

    Attributes:
        address: `local` starts a cluster on this machine; otherwise that of a Ray cluster, or `auto`.
        nodes: Nodes of a local cluster, each with its share of this machine.
        calls_per_node: Slots of a node of a local cluster; twice what the workers need by default, so that they can be
            rolled.
        name: The fleet's name: several may share a cluster.
    """

    address: str = LOCAL
    nodes: int = 1
    calls_per_node: int = 0
    name: str = "telnyx-fleet"

    @property
    def is_local(self) -> bool:
        """Whether the cluster is started on this machine."""
        return self.address == LOCAL


@dataclass(frozen=True)
class VoiceApiSettings:
    """How inbound calls come: by webhooks of an application, and the commands of Telnyx's Voice API.

    Attributes:
        api_key: What commands are proved with.
        public_key: What webhooks are verified with, as the portal shows it.
        base_url: Where the API is, if not at Telnyx.
        host: Where webhooks are taken.
        port: Where webhooks are taken; 0 takes a free one.
        waiting: What a caller hears who waits for a slot: the address of a sound, for which the call is answered; or
            nothing but the ringing, for which it is not.
        ring: Seconds that a worker may take to answer.
    """

    api_key: str = field(repr=False)
    public_key: str
    base_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 8095
    waiting: str = ""
    ring: int = 20

    def __post_init__(self) -> None:
        keep_secret(self, "api_key")


@dataclass(frozen=True)
class FleetSettings:
    """All that a fleet can be told in a file.

    Attributes:
        workers: How each worker is.
        logins: What workers log in with, one each.
        cluster: Where they run.
        dispatch: How calls are given to them.
        voice_api: How inbound calls come; without it, only calls that go to a worker directly, and jobs.
        status_host: Where the status page is.
        status_port: Where the status page is; 0 takes a free one.
        least: Workers that autoscaling keeps; 0 switches it off.
        most: Workers that autoscaling allows.
        buffer: Slots that autoscaling keeps free.
    """

    workers: WorkerSettings
    logins: Sequence[Login]
    cluster: ClusterSettings = field(default_factory=ClusterSettings)
    dispatch: Rules = field(default_factory=Rules)
    voice_api: VoiceApiSettings | None = None
    status_host: str = "127.0.0.1"
    status_port: int = 8096
    least: int = 0
    most: int = 0
    buffer: int = 0

    @classmethod
    def load(cls, file: str | Path) -> FleetSettings:
        """Read a TOML file.

        Raises:
            ConfigurationError: It cannot be read, or says something that cannot be. The message names the file, the
                setting, and what it should be.
        """
        path = Path(file)
        with settings_of(path) as table:
            return _read(table, path.absolute().parent)


def _read(table: Table, folder: Path) -> FleetSettings:
    voice_api = _read_voice_api(table.table("voice_api")) if "voice_api" in table.names else None
    workers = _read_workers(table.table("workers"), folder)
    if voice_api is not None:
        control = CallControl(Secret(voice_api.api_key).reveal(), voice_api.base_url)
        workers = replace(workers, call_control=control)
    scaling = table.table("autoscaling")
    status = table.table("status")
    settings = FleetSettings(
        workers=workers,
        logins=_read_logins(table.table("logins")),
        cluster=_read_cluster(table.table("cluster"), workers),
        dispatch=_read_rules(table.table("dispatch")),
        voice_api=voice_api,
        status_host=status.text("host", FleetSettings.status_host),
        status_port=status.number("port", FleetSettings.status_port, most=65_535),
        least=scaling.number("least", 0, most=100_000),
        most=scaling.number("most", 0, most=100_000),
        buffer=scaling.number("buffer", 0, most=1_000_000),
    )
    for read in (scaling, status):
        read.reject_unknown()
    if "voice_api" not in table.names:
        table.table("voice_api")
    table.reject_unknown()
    if settings.least > settings.most:
        raise scaling.error("most", f"write at least {settings.least}, which is the least")
    if len(settings.logins) < max(workers.count, settings.most):
        wanted = max(workers.count, settings.most)
        message = f"each of {wanted} workers needs a login of its own, and there are {len(settings.logins)}"
        raise ConfigurationError(f"logins: {message}")
    return settings


def _read_workers(table: Table, folder: Path) -> WorkerSettings:
    usual = WorkerSettings("")
    workers = WorkerSettings(
        bot=table.required_text("bot", 'what serves a call: bot = "my_bot:serve"'),
        place=table.text("place"),
        folder=str(folder / table.text("folder", ".")),
        count=table.number("count", usual.count, least=1, most=100_000),
        calls=table.number("calls", usual.calls, least=1, most=10_000),
        cpus=table.number("cpus", usual.cpus, least=0.01, most=1024.0),
        server=table.text("server", usual.server),
        sip_domain=table.text("sip_domain", usual.sip_domain),
        drain=table.number("drain", usual.drain, most=7 * 86_400.0),
    )
    table.reject_unknown()
    for key in ("bot", "place"):
        if (name := getattr(workers, key)) and not all(name.partition(":")[::2]):
            raise table.error(key, f'write MODULE:FUNCTION, such as "my_bot:serve", not {name!r}')
    try:
        TxServerConfiguration.parse(workers.server)
    except ConfigurationError as error:
        raise table.error("server", str(error)) from None
    return workers


def _read_logins(table: Table) -> Sequence[Login]:
    logins = []
    for user in table.names:
        login = table.table(user)
        secrets = {key: _secret(login, key) for key in ("password", "token")}
        login.reject_unknown()
        if bool(secrets["password"]) == bool(secrets["token"]):
            raise table.error(user, 'write either password = "…" or token = "…", or password_env = "NAME"')
        logins.append(Login(user, **secrets))
    return tuple(logins)


def _secret(table: Table, key: str) -> str:
    """A secret of the file, or of the environment."""
    text, variable = table.text(key), table.text(f"{key}_env")
    if not variable:
        return text
    if variable not in os.environ:
        raise table.error(f"{key}_env", f"the environment has no variable {variable}")
    return os.environ[variable]


def _read_cluster(table: Table, workers: WorkerSettings) -> ClusterSettings:
    usual = ClusterSettings()
    cluster = ClusterSettings(
        address=table.text("address", usual.address),
        nodes=table.number("nodes", usual.nodes, least=1, most=100),
        calls_per_node=table.number("calls_per_node", usual.calls_per_node, most=1_000_000),
        name=table.text("name", usual.name),
    )
    table.reject_unknown()
    if not cluster.name.replace("-", "").replace("_", "").isalnum():
        raise table.error("name", "write letters, digits, - and _")
    if 0 < cluster.calls_per_node < workers.calls:
        raise table.error("calls_per_node", f"write at least {workers.calls}, which a worker takes; or 0")
    return cluster


def _read_rules(table: Table) -> Rules:
    usual = Rules()
    values = {name: table.number(name, getattr(usual, name)) for name in vars(usual)}
    table.reject_unknown()
    try:
        return Rules(**values)
    except ConfigurationError as error:
        raise ConfigurationError(f"dispatch.{error}") from None


def _read_voice_api(table: Table) -> VoiceApiSettings:
    api_key = _secret(table, "api_key")
    if not api_key:
        raise table.error("api_key", 'what commands are proved with: api_key_env = "TELNYX_API_KEY"')
    settings = VoiceApiSettings(
        api_key=api_key,
        public_key=table.required_text("public_key", "what webhooks are verified with; the portal shows it"),
        base_url=table.text("base_url") or None,
        host=table.text("host", VoiceApiSettings.host),
        port=table.number("port", VoiceApiSettings.port, most=65_535),
        waiting=table.text("waiting"),
        ring=table.number("ring", VoiceApiSettings.ring, least=5, most=600),
    )
    table.reject_unknown()
    return settings
