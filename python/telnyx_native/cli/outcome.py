"""How a command ends: its exit code, and one line on what went wrong."""

from __future__ import annotations

import asyncio
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.text import Text

from telnyx_native.errors import (
    AuthenticationError,
    ConfigurationError,
    GatewayRegistrationError,
    RequestTimeoutError,
    SocketConnectionError,
    TelnyxError,
)
from telnyx_native.untrusted_text import clean

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["ExitCode", "run"]


class ExitCode(IntEnum):
    """What the shell is told."""

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
