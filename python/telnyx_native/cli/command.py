"""What every command has: an exit code, one line on what went wrong, and texts of others made harmless."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import sys
from collections import defaultdict
from enum import IntEnum
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from telnyx_native.errors import (
    AuthenticationError,
    ConfigurationError,
    GatewayRegistrationError,
    RequestTimeoutError,
    SocketConnectionError,
    TelnyxError,
)
from telnyx_native.untrusted_text import clean, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from ssl import SSLContext

__all__ = [
    "CaFile",
    "ExitCode",
    "LoginToken",
    "RateLimitFilter",
    "SanitizingFormatter",
    "SipPassword",
    "SipUser",
    "drain_on_signals",
    "own_command",
    "plain",
    "run",
    "trust",
]


SipUser = Annotated[
    str | None, typer.Option(envvar="TELNYX_SIP_USER", help="SIP user name to log in with.", show_default=False)
]
SipPassword = Annotated[
    str | None, typer.Option(envvar="TELNYX_SIP_PASSWORD", help="Its password.", show_default=False)
]
LoginToken = Annotated[
    str | None, typer.Option(envvar="TELNYX_LOGIN_TOKEN", help="Login token, instead of both.", show_default=False)
]
CaFile = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="Certificate to trust, of a server that signed its own."),
]


class ExitCode(IntEnum):
    """Exit codes of the commands."""

    OK = 0
    CALL_FAILED = 1
    USAGE = 2
    NO_CONNECTION = 3
    INTERRUPTED = 130


def run(command: Coroutine[Any, Any, ExitCode]) -> None:
    """Run a command to its end, then exit with its code; Ctrl-C cancels it, and it cleans up."""
    raise typer.Exit(_code_of(command))


def _code_of(command: Coroutine[Any, Any, ExitCode]) -> ExitCode:
    try:
        return asyncio.run(command)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except ConfigurationError as error:
        _complain(error)
        return ExitCode.USAGE
    except (
        AuthenticationError,
        GatewayRegistrationError,
        RequestTimeoutError,
        SocketConnectionError,
    ) as error:
        _complain(error)
        return ExitCode.NO_CONNECTION
    except TelnyxError as error:
        _complain(error)
        return ExitCode.CALL_FAILED


def _complain(error: TelnyxError) -> None:
    Console(stderr=True).print(Text.assemble(("Error: ", "bold red"), clean(str(error))), soft_wrap=True)


def drain_on_signals(drain: Callable[[], None], working: asyncio.Task[Any]) -> asyncio.Event:
    """The first SIGTERM or SIGINT drains, the second one cancels; the event says that there was a second one."""
    interrupted = asyncio.Event()
    signals = 0

    def on_signal() -> None:
        nonlocal signals
        signals += 1
        if signals == 1:
            drain()
        else:
            interrupted.set()
            working.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    return interrupted


LINES_PER_SECOND = 50
"""Lines of one kind that are shown in a second."""


def plain(text: object) -> str:
    """Return `text` for rich's markup, where it is shown as it is, on one line, without control characters."""
    return escape(one_line(str(text)))


class SanitizingFormatter(logging.Formatter):
    """Formats records of any content for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the message, with its traceback, without control characters and halves of characters."""
        return clean(super().format(record))


class RateLimitFilter(logging.Filter):
    """Limits the records of a kind in a second, so that one client cannot fill the log and hold up the rest.

    Records are of a kind if their messages have the same pattern.
    """

    def __init__(self) -> None:
        super().__init__()
        self._second = 0
        self._shown: defaultdict[str, int] = defaultdict(int)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is shown; the last one of a second says that there may be more."""
        if (second := int(monotonic())) != self._second:
            self._second = second
            self._shown.clear()
        kind = str(record.msg)
        self._shown[kind] += 1
        if self._shown[kind] == LINES_PER_SECOND:
            record.msg, record.args = f"{record.getMessage()} (and more of the kind)", ()
        return self._shown[kind] <= LINES_PER_SECOND


def own_command() -> str:
    """Return what to type for this program: its name, its path if it is not on the PATH, or `python -m`."""
    called = Path(sys.argv[0])
    if called.name != "telnyx-native":
        return f"{_shortest(sys.executable)} -m telnyx_native"
    found = shutil.which(called.name)
    return called.name if found and called.resolve() == Path(found).resolve() else _shortest(sys.argv[0])


def _shortest(path: str) -> str:
    """Return a path relative to where we are, if it is below; absolute otherwise."""
    relative = os.path.relpath(path)
    return os.path.abspath(path) if relative.startswith("..") else relative  # noqa: PTH100 - keeps links of a venv


def trust(ca_file: Path | None) -> SSLContext | None:
    """What trusts the certificates in a file, and only these; `None` for those that the system trusts.

    Raises:
        ConfigurationError: There is no certificate in the file.
    """
    import ssl

    if ca_file is None:
        return None
    try:
        return ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError as error:
        raise ConfigurationError(f"--ca-file: {ca_file} has no certificate in PEM format") from error
