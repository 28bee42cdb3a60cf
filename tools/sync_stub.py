"""Writes python/telnyx_native/sync/__init__.pyi: what type checkers and editors see of the synchronous classes.

They are made when the program runs (`telnyx_native.sync.classes`), from the asynchronous ones; this makes signatures
from the same sources. `make sync-stub` writes the file, and a test says when it is out of date.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import telnyx_native
from telnyx_native.sync import classes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

STUB = Path(classes.__file__).with_name("__init__.pyi")

HEADER = "# Made by tools/sync_stub.py from the asynchronous classes: `make sync-stub` makes it anew.\n"

RENAMED = {**classes.SYNC_NAMES, "AsyncIterator": "Iterator"}
"""What has another name when nothing is awaited."""

KEPT_DECORATORS = ("property", "overload")

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Stub:
    """The text of the stub, as it comes to be."""

    def __init__(self) -> None:
        self._imports = {"from collections.abc import Iterator"}
        self._type_variables: set[str] = set()
        self._parts: list[str] = []

    def text(self) -> str:
        """Return it as a whole."""
        public = sorted({*telnyx_native.__all__} - {*classes.__all__} - {"__version__"})
        names = [f"from telnyx_native import {name} as {name}" for name in public]
        variables = sorted(self._type_variables)
        names_of_all = sorted({*telnyx_native.__all__, *classes.__all__})
        parts = [
            HEADER,
            *sorted(self._imports),
            *names,
            "from telnyx_native import __version__ as __version__",
            "",
            *variables,
            "",
            f"__all__ = {names_of_all!r}",
            "",
            *self._parts,
        ]
        return "\n".join(parts) + "\n"

    def add_class(self, name: str) -> None:
        """Add the synchronous class of that name."""
        made = getattr(classes, name)
        original = made._original  # noqa: SLF001 - it is what the stub is made from
        own = {function.name: function for function in _functions(_class_of(made))}
        lines = [f"{attribute}: {kind}" for attribute, kind in self._attributes(original) if name not in own]
        seen: set[str] = set()
        for function, kind in _methods(original):
            sync_name = RENAMED.get(function.name, function.name)
            if not (sync_name == "__init__" or hasattr(made, sync_name)) or _is_private(sync_name):
                continue
            is_made_elsewhere = sync_name == "__init__" and sync_name not in own
            is_behind_overloads = sync_name in seen and not function.decorator_list
            if is_made_elsewhere or is_behind_overloads or sync_name == "__repr__":
                continue
            seen.add(sync_name)
            lines += (
                self._signature(own[sync_name], classes)
                if sync_name in own
                else self._signature(function, sys.modules[kind.__module__])
            )
        for sync_name in own.keys() - seen:
            if not _is_private(sync_name):
                lines += self._signature(own[sync_name], classes)
        bases = [text for text in map(ast.unparse, _class_of(made).bases) if text != classes.Wrapper.__name__]
        for base in bases:
            self._note_names(base, classes)
        self._parts.append(f"class {name}{f'({bases[0]})' if bases else ''}:")
        self._parts += [f"    {line}" for line in lines or ["..."]] + [""]

    def add_function(self, name: str) -> None:
        """Add the synchronous function of that name."""
        original = inspect.unwrap(getattr(classes, name))
        (function,) = ast.parse(dedent(inspect.getsource(original))).body
        assert isinstance(function, Function)
        self._parts += [*self._signature(function, sys.modules[original.__module__]), ""]

    def _attributes(self, original: type) -> Iterator[tuple[str, str]]:
        """Yield the public attributes that a constructor sets, and their types."""
        module = sys.modules[original.__module__]
        (constructor,) = (f for f in _functions(_class_of(original)) if f.name == "__init__")
        parameters = {a.arg: a.annotation for a in (*constructor.args.args, *constructor.args.kwonlyargs)}
        for statement in constructor.body:
            if isinstance(statement, ast.AnnAssign):
                target: ast.expr = statement.target
                kind: str | None = ast.unparse(statement.annotation)

            elif isinstance(statement, ast.Assign):
                target, kind = statement.targets[0], _kind_of(statement.value, parameters)
            else:
                continue
            if isinstance(target, ast.Attribute) and not _is_private(target.attr):
                assert kind, f"{original.__name__}.{target.attr} needs an annotation, for tools/sync_stub.py to know it"
                self._note_names(kind, module)
                yield target.attr, kind

    def _signature(self, function: Function, module: ModuleType) -> list[str]:
        arguments = function.args
        arguments.defaults = [_default(value) for value in arguments.defaults]
        arguments.kw_defaults = [value and _default(value) for value in arguments.kw_defaults]
        name = RENAMED.get(function.name, function.name)
        returns = ast.unparse(function.returns) if function.returns else "None"
        for old, new in RENAMED.items():
            returns = returns.replace(old, new)
        decorators = [text for text in map(ast.unparse, function.decorator_list) if _is_kept(text)]
        annotations = [a.annotation for a in ast.walk(arguments) if isinstance(a, ast.arg) and a.annotation]
        for text in (returns, *map(ast.unparse, annotations), *(text for text in decorators if text == "overload")):
            self._note_names(text, module)
        given = ast.unparse(arguments).replace("aio.", "")
        return [*(f"@{text}" for text in decorators), f"def {name}({given}) -> {returns}: ..."]

    def _note_names(self, annotation: str, module: ModuleType) -> None:
        """See to it that the names in an annotation mean something in the stub."""
        for node in ast.walk(ast.parse(annotation, mode="eval")):
            if isinstance(node, ast.Name) and not self._is_there(node.id):
                self._find(node.id, module)

    def _is_there(self, name: str) -> bool:
        return name in {*classes.__all__, *telnyx_native.__all__, "Iterator", "aio"} or hasattr(builtins, name)

    def _find(self, name: str, module: ModuleType) -> None:
        tree = ast.parse(inspect.getsource(module))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom | ast.Import):
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        self._imports.add(ast.unparse(type(node)(**{**vars(node), "names": [alias]})))
                        return
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
                if ast.unparse(node.value).startswith("TypeVar"):
                    self._imports.add("from typing import TypeVar")
                    self._type_variables.add(ast.unparse(node))
                    self._note_names(ast.unparse(node.value), module)
                else:
                    self._imports.add(f"from {module.__name__} import {name}")
                return
        self._imports.add(f"from {module.__name__} import {name}")


def _functions(tree: ast.ClassDef) -> list[Function]:
    return [node for node in tree.body if isinstance(node, Function)]


def _methods(kind: type) -> Iterator[tuple[Function, type]]:
    """The methods of a class, and of those that it is made from, where they are not given anew."""
    given: set[str] = set()
    for one in kind.__mro__:
        if one.__module__.startswith("telnyx_native"):
            functions = _functions(_class_of(one))
            yield from ((function, one) for function in functions if function.name not in given)
            given |= {function.name for function in functions}


def _class_of(kind: type) -> ast.ClassDef:
    (tree,) = ast.parse(dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    return tree


def _is_private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


def _is_kept(decorator: str) -> bool:
    return decorator in KEPT_DECORATORS or decorator.endswith(".setter")


def _kind_of(value: ast.expr, parameters: dict[str, ast.expr | None]) -> str | None:
    """The type of what is assigned, if it can be seen."""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return value.func.id
    if isinstance(value, ast.Constant):
        return type(value.value).__name__
    if isinstance(value, ast.Name) and (annotation := parameters.get(value.id)):
        return ast.unparse(annotation)
    return "dict[str, str]" if isinstance(value, ast.Dict) else None


def _default(value: ast.expr) -> ast.expr:
    """A default value as it stands, if it is a literal."""
    try:
        ast.literal_eval(value)
    except ValueError:
        return ast.Constant(...)
    return value


def stub() -> str:
    """Return what the file should be."""
    made = Stub()
    for name in classes.__all__:
        if isinstance(getattr(classes, name), type):
            made.add_class(name)
        else:
            made.add_function(name)
    return made.text()


if __name__ == "__main__":
    STUB.write_text(stub())
