"""Settings from TOML files, checked: an error names the file, the setting, and what to write."""

from __future__ import annotations

import difflib
import math
import tomllib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from telnyx_native.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["Table", "settings_of"]

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


@contextmanager
def settings_of(path: Path) -> Iterator[Table]:
    """Read a file; errors about its settings that are raised inside name the file.

    Raises:
        ConfigurationError: It cannot be read, or is no TOML.
    """
    try:
        with path.open("rb") as opened:
            settings = tomllib.load(opened)
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: this is no TOML: {error}") from None
    try:
        yield Table(settings)
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error}") from None
