"""A gateway's settings, and the TOML file that they are read from."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway.accounts.users import User
from telnyx_native.gateway.calls.dtmf import DTMF_KEYS
from telnyx_native.gateway.destinations.assistant import load_brain
from telnyx_native.gateway.destinations.ivr import Menu
from telnyx_native.gateway.destinations.router import DialPlan
from telnyx_native.gateway.limits import GatewayLimits
from telnyx_native.gateway.server import Gateway
from telnyx_native.gateway.voice_api.applications import Application, VoiceApi
from telnyx_native.toml_settings import Table, settings_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from telnyx_native.gateway.certificate import Certificate
    from telnyx_native.gateway.destinations.assistant import Brain

__all__ = ["EXAMPLE", "GatewayConfig"]

EXAMPLE = Path(__file__).parents[1] / "assets" / "gateway.toml"
"""A file with every setting, explained."""


@dataclass(frozen=True)
class GatewayConfig:
    """All that a gateway can be told in a file.

    Attributes:
        users: Who may log in.
        plan: Where numbers lead, groups, menus, and the folder of sounds.
        assistants: What the assistants say and do, by their ids; without any there are no guests.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        limits: What bounds the gateway.
        origins: Origins of web pages that may use it, beside its own and those of this machine.
        names: Names under which it is reached, beside `localhost`, `host`, and every IP address.
        voice_api: Whether and how it plays Telnyx's Voice API.
        file: Where the settings come from, for error messages.
    """

    users: Sequence[User] = ()
    plan: DialPlan = field(default_factory=DialPlan)
    assistants: Mapping[str, Brain] = field(default_factory=dict)
    host: str = "127.0.0.1"
    port: int = 0
    limits: GatewayLimits = field(default_factory=GatewayLimits)
    origins: Sequence[str] = ()
    names: Sequence[str] = ()
    voice_api: VoiceApi | None = None
    file: Path | None = None

    @classmethod
    def load(cls, file: str | Path) -> GatewayConfig:
        """Read a TOML file; `telnyx-native gateway --example-config FILE` writes one that explains itself.

        Raises:
            ConfigurationError: It cannot be read, or says something that cannot be. The message names the file, the
                setting, and what it should be.
        """
        path = Path(file)
        with settings_of(path) as settings:
            return _read(settings, path)

    def gateway(self, *, certificate: Certificate | None = None, control_token: str | None = None) -> Gateway:
        """Make the gateway, which does not listen yet.

        Args:
            certificate: What to encrypt with; plain text without it.
            control_token: What lets a request to the HTTP API in; a random one by default.

        Raises:
            ConfigurationError: Two users share a name or a number, or the plan leads to what there is not.
        """
        try:
            return Gateway(
                self.users,
                host=self.host,
                port=self.port,
                plan=self.plan,
                limits=self.limits,
                assistants=self.assistants,
                certificate=certificate,
                control_token=control_token,
                origins=self.origins,
                names=self.names,
                voice_api=self.voice_api,
            )
        except ConfigurationError as error:
            raise ConfigurationError(f"{self.file}: {error}" if self.file else str(error)) from None


def _read(settings: Table, file: Path) -> GatewayConfig:
    sounds = settings.text("sounds")
    config = GatewayConfig(
        users=[_read_user(name, table) for name, table in settings.each_table("users")],
        plan=DialPlan(
            numbers=settings.each_text("numbers"),
            groups=settings.each_list("groups"),
            menus={name: _read_menu(table) for name, table in settings.each_table("menus")},
            sounds=file.parent / sounds if sounds else None,
            ring=settings.text("ring", "last"),  # type: ignore[arg-type]  # the plan checks it
        ),
        assistants=_read_assistants(settings, file.parent),
        host=settings.text("host", GatewayConfig.host),
        port=settings.number("port", 8899, most=65_535),
        limits=_read_limits(settings.table("limits")),
        origins=settings.texts("origins"),
        names=settings.texts("names"),
        voice_api=_read_voice_api(settings),
        file=file,
    )
    settings.reject_unknown()
    return config


def _read_user(name: str, table: Table) -> User:
    user = User(
        name,
        password=table.required_text("password", 'a user needs one: password = "…"'),
        number=table.text("number") or None,
        token=table.text("token") or None,
        caller_id_name=table.text("caller_id_name"),
        caller_id_number=table.text("caller_id_number"),
    )
    table.reject_unknown()
    return user


def _read_menu(table: Table) -> Menu:
    keys = table.each_text("keys")
    for key in keys:
        if key not in DTMF_KEYS:
            raise table.error("keys", f"no telephone has the key {key!r}; there are 0-9, *, # and A-D")
    menu = Menu(
        keys=keys,
        prompt=table.texts("prompt"),
        invalid=table.texts("invalid", Menu.invalid),
        timeout=table.number("timeout", Menu.timeout, most=3600.0),
        tries=table.number("tries", Menu.tries, least=1, most=100),
        barge_in=table.take("barge_in", bool, "true or false", Menu.barge_in),
        otherwise=table.text("otherwise") or None,
    )
    table.reject_unknown()
    return menu


def _read_assistants(settings: Table, folder: Path) -> Mapping[str, Brain]:
    brains = {}
    table = settings.table("assistants")
    for name, address in settings.each_text("assistants").items():
        try:
            brains[name] = load_brain(address, folder)
        except ConfigurationError as error:
            raise table.error(name, str(error)) from None
    return brains


def _read_voice_api(settings: Table) -> VoiceApi | None:
    wanted = "voice_api" in settings.names
    table = settings.table("voice_api")
    keys, webhook_key = table.texts("api_keys"), table.text("webhook_key") or None
    table.reject_unknown()
    applications = [_read_application(name, each) for name, each in settings.each_table("applications")]
    if not wanted and applications:
        raise ConfigurationError('voice_api.api_keys: applications need a key for their requests: ["KEY…"]')
    return VoiceApi(keys, applications, webhook_key) if wanted else None


def _read_application(name: str, table: Table) -> Application:
    application = Application(
        name,
        webhook_url=table.required_text("webhook_url", 'an application is told of its calls there: "http://…"'),
        webhook_failover_url=table.text("webhook_failover_url") or None,
        numbers=table.texts("numbers"),
        webhook_timeout=table.number("webhook_timeout", Application.webhook_timeout),
        first_command_timeout=table.number("first_command_timeout", Application.first_command_timeout),
    )
    table.reject_unknown()
    return application


def _read_limits(table: Table) -> GatewayLimits:
    usual = GatewayLimits()
    names = [each.name for each in dataclasses.fields(GatewayLimits)]
    limits = GatewayLimits(**{name: table.number(name, getattr(usual, name)) for name in names})
    table.reject_unknown()
    return limits
