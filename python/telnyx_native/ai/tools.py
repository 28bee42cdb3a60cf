"""Functions of the application that an assistant may call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from telnyx_native.errors import ConfigurationError, TelnyxError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_native.logs import Log

__all__ = ["FunctionCall", "Tool", "Tools"]

Tool = Callable[..., Awaitable[Any]]
"""An async function; the assistant's arguments reach it by name. It returns text, or something that JSON can say."""

MOST_AT_A_TIME = 16
"""Tools that run side by side; one more is refused."""

REMEMBERED = 256
"""Uses whose output is kept, in case the assistant asks for the same again."""

LONGEST_OUTPUT = 256 * 1024
"""Characters that a tool may return."""


@dataclass(frozen=True)
class FunctionCall:
    """The assistant's wish to use a tool.

    Attributes:
        call_id: This use of it.
        name: The tool.
        arguments: JSON text with the arguments by name.
    """

    call_id: str
    name: str
    arguments: str

    @classmethod
    def parse(cls, item: object) -> FunctionCall | None:
        """Read an item of a conversation; `None` if it is something else."""
        if not isinstance(item, dict) or item.get("type") != "function_call":
            return None
        call_id, name, arguments = (item.get(key) for key in ("call_id", "name", "arguments"))
        if not isinstance(call_id, str) or not isinstance(name, str) or not call_id:
            return None
        return cls(call_id, name, arguments if isinstance(arguments, str) else json.dumps(arguments))


class Tools:
    """The tools by name, and those that are running.

    Args:
        answer: Sends the output of a tool; it takes the id of the use and the text.
    """

    def __init__(self, answer: Callable[[str, str], Awaitable[None]]) -> None:
        self._answer = answer
        self._tools: dict[str, tuple[Tool, float]] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._outputs: dict[str, str] = {}  # of the latest uses, the oldest first

    def register(self, name: str, tool: Tool, *, timeout: float) -> None:
        """Let the assistant use `tool` under `name`, in place of what had the name before.

        Raises:
            ConfigurationError: It is no async function, or has no name.
        """
        if not name or not iscoroutinefunction(tool):
            raise ConfigurationError(f"a tool is an async function with a name; {name!r} is not")
        if not timeout > 0:
            raise ConfigurationError(f"the timeout of tool {name!r} must be more than zero")
        self._tools[name] = (tool, timeout)

    def run(self, call: FunctionCall, log: Log) -> None:
        """Run a tool in the background and send what it returns.

        The same use, asked for again, does not run again; the output that it had is sent once more.
        """
        if call.call_id in self._running:
            return
        if call.call_id in self._outputs:
            work = self._send(call, self._outputs[call.call_id], log)
        elif len(self._running) >= MOST_AT_A_TIME:
            work = self._refuse(call, log)
        else:
            work = self._serve(call, log)
        task = asyncio.create_task(work, name=f"telnyx-tool-{call.name}")
        self._running[call.call_id] = task
        task.add_done_callback(lambda _: self._running.pop(call.call_id, None))

    def cancel(self) -> None:
        """Stop what is running."""
        for task in self._running.values():
            if task is not asyncio.current_task():
                task.cancel()

    async def stop(self, limit: float) -> None:
        """Stop what is running, and wait for it for at most `limit` seconds."""
        self.cancel()
        others = set(self._running.values()) - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=limit)

    async def _serve(self, call: FunctionCall, log: Log) -> None:
        output = self._outputs[call.call_id] = await self._output_of(call, log)
        if len(self._outputs) > REMEMBERED:
            del self._outputs[next(iter(self._outputs))]
        await self._send(call, output, log)

    async def _refuse(self, call: FunctionCall, log: Log) -> None:
        log.warning(f"the assistant uses more than {MOST_AT_A_TIME} tools at a time; {call.name} was refused")
        await self._send(call, _failure("too many tools are running; try again later"), log)

    async def _send(self, call: FunctionCall, output: str, log: Log) -> None:
        try:
            await self._answer(call.call_id, output)
        except TelnyxError as error:
            log.warning(f"the output of tool {call.name} was not sent: {error}")

    async def _output_of(self, call: FunctionCall, log: Log) -> str:
        if call.name not in self._tools:
            log.warning(f"the assistant asked for the tool {call.name}, which is not registered")
            return _failure(f"there is no tool {call.name}")
        tool, timeout = self._tools[call.name]
        try:
            arguments = _arguments_of(call)
            async with asyncio.timeout(timeout):
                return _as_text(await tool(**arguments))
        except ConfigurationError as error:
            log.warning(f"tool {call.name}: {error}")
            return _failure(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the tool's, and the assistant has to know
            log.error(f"tool {call.name} failed", error)
            return _failure(f"{type(error).__name__}: {error}".rstrip(": "))


def _arguments_of(call: FunctionCall) -> Mapping[str, Any]:
    try:
        arguments = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        raise ConfigurationError("the arguments are not JSON") from None
    if arguments is None:
        return {}
    if not isinstance(arguments, dict):
        raise ConfigurationError("the arguments are not a JSON object")
    return arguments


def _as_text(result: object) -> str:
    text = result if isinstance(result, str) else json.dumps(result)
    if len(text) > LONGEST_OUTPUT:
        raise ConfigurationError(f"the output has more than {LONGEST_OUTPUT} characters")
    return text


def _failure(why: str) -> str:
    return json.dumps({"error": why})
