"""The brain of an assistant, from a file of the user's."""

from __future__ import annotations

import importlib.util
import inspect
from typing import TYPE_CHECKING, cast

from telnyx_native.errors import ConfigurationError
from telnyx_native.gateway.scripted_brain import scripted_brain

if TYPE_CHECKING:
    from pathlib import Path

    from telnyx_native.gateway.assistant import Brain

__all__ = ["SCRIPT", "load_brain"]

SCRIPT = "script"
"""The name of the brain that every gateway has."""


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
