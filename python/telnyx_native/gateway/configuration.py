"""A gateway's settings, and the TOML file that they are read from."""

from __future__ import annotations

import dataclasses
import difflib
import math
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway.accounts.users import User
from telnyx_native.gateway.calls.dtmf import DTMF_KEYS
from telnyx_native.gateway.destinations.assistant import load_brain
from telnyx_native.gateway.destinations.ivr import Menu
from telnyx_native.gateway.destinations.router import DialPlan
from telnyx_native.gateway.limits import GatewayLimits
from telnyx_native.gateway.server import Gateway
from telnyx_native.gateway.voice_api.applications import Application, VoiceApi

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
        try:
            with path.open("rb") as opened:
                settings = tomllib.load(opened)
        except OSError as error:
            raise ConfigurationError(f"cannot read {path}: {error.strerror or error}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path}: this is no TOML: {error}") from None
        try:
            return _read(Table(settings), path)
        except ConfigurationError as error:
            raise ConfigurationError(f"{path}: {error}") from None

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


T = TypeVar("T")
N = TypeVar("N", int, float)


class Table:
    """A table of the file: what is taken from it is checked, and nothing else may be in it.

    Args:
        values: What is in it.
        name: How it is called in error messages.
    """

    def __init__(self, values: Mapping[str, Any], name: str = "") -> None:
        self._values = values
        self._name = name
        self._known: list[str] = []

    @property
    def names(self) -> Sequence[str]:
        """The names of all that is in it."""
        return tuple(self._values)

    def take(self, key: str, kind: type[T], what: str, default: T) -> T:
        """Return a value that is of a kind; `what` says what that is. A whole number will do for a float."""
        self._known.append(key)
        value = self._values.get(key, default)
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            raise self.error(key, f"write {what}, not {_kind_of(value)}")
        return value

    def text(self, key: str, default: str = "") -> str:
        """Return a text."""
        return self.take(key, str, "a text in quotes", default)

    def texts(self, key: str, default: Sequence[str] = ()) -> Sequence[str]:
        """Return a list of texts; a single one may stand for itself."""
        self._known.append(key)
        value = self._values.get(key, list(default))
        value = [value] if isinstance(value, str) else value
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.error(key, f'write texts in brackets, such as ["one", "two"], not {_kind_of(value)}')
        return tuple(value)

    def number(self, key: str, default: N, *, least: N | int = 0, most: N | None = None) -> N:
        """Return a number of the kind of the default, within bounds."""
        what = "a whole number" if isinstance(default, int) else "a number"
        value = self.take(key, type(default), what, default)
        if math.isnan(value):
            raise self.error(key, "write a number, not nan")
        if value < least or (most is not None and value > most):
            bounds = f"from {least:g}" + ("" if most is None else f" to {most:g}")
            raise self.error(key, f"write a number {bounds}, not {value:g}")
        return value

    def required_text(self, key: str, message: str) -> str:
        """Return a text that must be there."""
        text = self.text(key)
        if not text:
            raise self.error(key, message)
        return text

    def table(self, key: str) -> Table:
        """Return a table in this table; an empty one if it is not there."""
        return Table(self.take(key, dict, f"settings below [{self._path(key)}]", {}), self._path(key))

    def each_table(self, key: str) -> Iterator[tuple[str, Table]]:
        """Go through the tables of a table, each with its name."""
        tables = self.table(key)
        for name in tables.names:
            yield name, tables.table(name)

    def each_text(self, key: str) -> Mapping[str, str]:
        """Return a table of texts."""
        texts = self.table(key)
        return {name: texts.text(name) for name in texts.names}

    def each_list(self, key: str) -> Mapping[str, Sequence[str]]:
        """Return a table of lists of texts."""
        lists = self.table(key)
        return {name: lists.texts(name) for name in lists.names}

    def reject_unknown(self) -> None:
        """Complain of settings that were not asked for."""
        for key in self._values:
            if key not in self._known:
                close = difflib.get_close_matches(key, self._known, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(self._known)}"
                raise self.error(key, f"there is no such setting; {hint}")

    def error(self, key: str, message: str) -> ConfigurationError:
        """Return the error about a setting of this table."""
        return ConfigurationError(f"{self._path(key)}: {message}")

    def _path(self, key: str) -> str:
        quoted = key if key.replace("_", "").replace("-", "").isalnum() else f'"{key}"'
        return f"{self._name}.{quoted}" if self._name else quoted


def _kind_of(value: object) -> str:
    """Name the kind of a value; the value itself may be a secret."""
    kinds = {str: "a text", bool: "true or false", int: "a whole number", float: "a number", list: "a list"}
    return kinds.get(type(value), "a table" if isinstance(value, dict) else "a date")
