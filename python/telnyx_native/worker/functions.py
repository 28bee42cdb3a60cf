"""The functions of a bot, by name: `MODULE:FUNCTION`."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telnyx_native.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["load_function"]


def load_function(name: str, folder: str | Path = "") -> Callable[..., Any]:
    """Return the function `MODULE:FUNCTION`.

    Args:
        name: Its name.
        folder: Where the module is looked for, before the installed ones; the current one by default.

    Raises:
        ConfigurationError: There is none. An error inside the module is raised as it is.
    """
    module_name, _, path = name.partition(":")
    if not module_name or not path:
        raise ConfigurationError(f"{name!r} is not MODULE:FUNCTION, such as my_bot:serve")
    where = str(Path(folder).absolute())
    if where not in sys.path:
        sys.path.insert(0, where)
    try:
        found: Any = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise ConfigurationError(f"there is no module {module_name}, in {where} or installed") from None
    for part in path.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise ConfigurationError(f"module {module_name} has no function {path}")
    function: Callable[..., Any] = found
    return function
