"""A gateway's settings, and the TOML file that they are read from."""

from __future__ import annotations

import dataclasses
import difflib
import importlib.util
import inspect
import math
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway.destinations.menu import Menu
from telnyx_native.gateway.dial_plan import DialPlan
from telnyx_native.gateway.guest import ASSISTANT
from telnyx_native.gateway.leg import DTMF_KEYS
from telnyx_native.gateway.limits import Limits
from telnyx_native.gateway.scripted_brain import scripted_brain
from telnyx_native.gateway.server import Gateway
from telnyx_native.gateway.users import User

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from telnyx_native.gateway.assistant import Brain
    from telnyx_native.gateway.certificate import Certificate

__all__ = ["EXAMPLE", "GatewayConfig", "load_brain"]

EXAMPLE = Path(__file__).parents[1] / "assets" / "gateway.toml"
"""A file with every setting, explained."""

SCRIPT = "script"
"""The name of the brain that every gateway has."""

T = TypeVar("T")


@dataclass(frozen=True)
class GatewayConfig:
    """All that a gateway can be told in a file.

    Attributes:
        users: Who may log in.
        plan: Where numbers lead, groups, menus, and the folder of sounds.
        assistants: What the assistants say and do, by their ids.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        limits: What bounds the gateway.
        file: Where the settings come from, for error messages.
    """

    users: Sequence[User] = ()
    plan: DialPlan = field(default_factory=DialPlan)
    assistants: Mapping[str, Brain] = field(default_factory=lambda: {ASSISTANT: scripted_brain})
    host: str = "127.0.0.1"
    port: int = 0
    limits: Limits = field(default_factory=Limits)
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
            return _read(_Table(settings), path)
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
            )
        except ConfigurationError as error:
            raise ConfigurationError(f"{self.file}: {error}" if self.file else str(error)) from None


def load_brain(address: str, folder: Path) -> Brain:
    """Find the brain of an assistant.

    Args:
        address: `FILE.py:FUNCTION`, or `script` for the brain that every gateway has.
        folder: Where the file is, if its path is relative.

    Raises:
        ConfigurationError: There is no such file, it cannot be imported, or has no such async function.
    """
    if address == SCRIPT:
        return scripted_brain
    name, _, function = address.rpartition(":")
    path = folder / name
    if not name.endswith(".py") or not function:
        raise ConfigurationError(f"{address!r} is no brain: write FILE.py:FUNCTION, or {SCRIPT}")
    if not path.is_file():
        raise ConfigurationError(f"there is no file {path}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None  # noqa: S101 - it ends with .py
    assert spec.loader is not None  # noqa: S101 - likewise
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ConfigurationError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error
    brain = getattr(module, function, None)
    if not inspect.iscoroutinefunction(brain):
        raise ConfigurationError(f"{path} has no async function {function!r}")
    return cast("Brain", brain)


class _Table:
    """A table of the file: what is taken from it is checked, and nothing else may be in it.

    Args:
        values: What is in it.
        name: How it is called in error messages.
    """

    def __init__(self, values: Mapping[str, Any], name: str = "") -> None:
        self._values = values
        self._name = name
        self._known: list[str] = []

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

    def table(self, key: str) -> _Table:
        """Return a table in this table; an empty one if it is not there."""
        return _Table(self.take(key, dict, f"settings below [{self._path(key)}]", {}), self._path(key))

    def each_table(self, key: str) -> Iterator[tuple[str, _Table]]:
        """Go through the tables of a table, each with its name."""
        tables = self.table(key)
        for name in tables._values:  # noqa: SLF001 - one of our own
            yield name, tables.table(name)

    def each_text(self, key: str) -> Mapping[str, str]:
        """Return a table of texts."""
        texts = self.table(key)
        return {name: texts.text(name) for name in texts._values}  # noqa: SLF001 - one of our own

    def each_list(self, key: str) -> Mapping[str, Sequence[str]]:
        """Return a table of lists of texts."""
        lists = self.table(key)
        return {name: lists.texts(name) for name in lists._values}  # noqa: SLF001 - one of our own

    def end(self) -> None:
        """Complain of settings that were not asked for."""
        for key in self._values:
            if key not in self._known:
                close = difflib.get_close_matches(key, self._known, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(self._known)}"
                raise self.error(key, f"there is no such setting; {hint}")

    def error(self, key: str, complaint: str) -> ConfigurationError:
        """Return the error about a setting of this table."""
        return ConfigurationError(f"{self._path(key)}: {complaint}")

    def _path(self, key: str) -> str:
        quoted = key if key.replace("_", "").replace("-", "").isalnum() else f'"{key}"'
        return f"{self._name}.{quoted}" if self._name else quoted


def _kind_of(value: object) -> str:
    """Name the kind of a value; the value itself may be a secret."""
    kinds = {str: "a text", bool: "true or false", int: "a whole number", float: "a number", list: "a list"}
    return kinds.get(type(value), "a table" if isinstance(value, dict) else "a date")


def _read(settings: _Table, file: Path) -> GatewayConfig:
    sounds = settings.text("sounds")
    config = GatewayConfig(
        users=[_read_user(name, table) for name, table in settings.each_table("users")],
        plan=DialPlan(
            numbers=settings.each_text("numbers"),
            groups=settings.each_list("groups"),
            menus={name: _read_menu(table) for name, table in settings.each_table("menus")},
            sounds=file.parent / sounds if sounds else None,
        ),
        assistants=_read_assistants(settings, file.parent),
        host=settings.text("host", GatewayConfig.host),
        port=_in_range(settings, "port", 8899, most=65_535),
        limits=_read_limits(settings.table("limits")),
        file=file,
    )
    settings.end()
    return config


def _read_user(name: str, table: _Table) -> User:
    user = User(
        name,
        password=table.text("password") or _missing(table, "password", 'a user needs one: password = "…"'),
        number=table.text("number") or None,
        token=table.text("token") or None,
        caller_id_name=table.text("caller_id_name"),
        caller_id_number=table.text("caller_id_number"),
    )
    table.end()
    return user


def _read_menu(table: _Table) -> Menu:
    keys = table.each_text("keys")
    for key in keys:
        if key not in DTMF_KEYS:
            raise table.error("keys", f"no telephone has the key {key!r}; there are 0-9, *, # and A-D")
    menu = Menu(
        keys=keys,
        prompt=table.texts("prompt"),
        invalid=table.texts("invalid", Menu.invalid),
        timeout=_in_range(table, "timeout", Menu.timeout, most=3600.0),
        tries=_in_range(table, "tries", Menu.tries, least=1, most=100),
        barge_in=table.take("barge_in", bool, "true or false", Menu.barge_in),
        otherwise=table.text("otherwise") or None,
    )
    table.end()
    return menu


def _read_assistants(settings: _Table, folder: Path) -> Mapping[str, Brain]:
    brains = {}
    table = settings.table("assistants")
    for name, address in settings.each_text("assistants").items():
        try:
            brains[name] = load_brain(address, folder)
        except ConfigurationError as error:
            raise table.error(name, str(error)) from None
    return brains or {ASSISTANT: scripted_brain}


def _read_limits(table: _Table) -> Limits:
    usual = Limits()
    names = [each.name for each in dataclasses.fields(Limits)]
    limits = Limits(**{name: _in_range(table, name, getattr(usual, name)) for name in names})
    table.end()
    return limits


N = TypeVar("N", int, float)


def _in_range(table: _Table, key: str, default: N, *, least: N | int = 0, most: N | None = None) -> N:
    """Return a number of the kind of the default."""
    value = table.take(key, type(default), "a whole number" if isinstance(default, int) else "a number", default)
    if math.isnan(value):
        raise table.error(key, "write a number, not nan")
    if value < least or (most is not None and value > most):
        bounds = f"from {least:g}" + ("" if most is None else f" to {most:g}")
        raise table.error(key, f"write a number {bounds}, not {value:g}")
    return value


def _missing(table: _Table, key: str, complaint: str) -> str:
    raise table.error(key, complaint)
