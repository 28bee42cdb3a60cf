from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest

from telnyx_native import assistant as tools_module
from telnyx_native.assistant import FunctionCall, Tools
from telnyx_native.errors import ConfigurationError, SocketConnectionError
from telnyx_native.logs import Log, LogLevel


class Records:
    def __init__(self) -> None:
        self.levels: list[LogLevel] = []

    def log(self, level: LogLevel, tag: str, message: str, exception: BaseException | None) -> None:
        self.levels.append(level)


class Bench:
    """Tools whose outputs can be waited for."""

    def __init__(self) -> None:
        self.records = Records()
        self.log = Log("ai", LogLevel.ALL, self.records)
        self.outputs: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.tools = Tools(self.answer)

    async def answer(self, call_id: str, output: str) -> None:
        self.outputs.put_nowait((call_id, output))

    async def use(self, name: str, arguments: str = "{}", call_id: str = "c1") -> str:
        self.tools.run(FunctionCall(call_id, name, arguments), self.log)
        async with asyncio.timeout(2):
            answered, output = await self.outputs.get()
        assert answered == call_id
        return output


@pytest.fixture
async def bench() -> Bench:
    return Bench()


async def add(a: int, b: int = 1) -> dict[str, int]:
    return {"sum": a + b}


async def shout(text: str) -> str:
    return text.upper()


async def test_arguments_by_name_and_results_as_json(bench: Bench) -> None:
    bench.tools.register("add", add, timeout=1)
    assert json.loads(await bench.use("add", '{"a": 1, "b": 2}')) == {"sum": 3}


async def test_text_is_returned_as_it_is(bench: Bench) -> None:
    bench.tools.register("shout", shout, timeout=1)
    assert await bench.use("shout", '{"text": "hé"}') == "HÉ"


@pytest.mark.parametrize("arguments", ["", "{}", "null"])
async def test_no_arguments(bench: Bench, arguments: str) -> None:
    async def ping() -> None:
        return None

    bench.tools.register("ping", ping, timeout=1)
    assert await bench.use("ping", arguments) == "null"


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("nonsense", "{}", "there is no tool nonsense"),
        ("add", "{", "the arguments are not JSON"),
        ("add", "[1]", "the arguments are not a JSON object"),
        ("add", '{"c": 1}', "TypeError: .*unexpected keyword"),
        ("fail", "{}", "ValueError: not today"),
        ("sleep", "{}", "TimeoutError"),
        ("unspeakable", "{}", "TypeError: .*not JSON serializable"),
        ("chatter", "{}", "the output has more than"),
    ],
)
async def test_failures_are_told_and_logged(bench: Bench, name: str, arguments: str, error: str) -> None:
    async def fail() -> None:
        raise ValueError("not today")

    async def sleep() -> None:
        await asyncio.sleep(10)

    async def unspeakable() -> object:
        return object()

    async def chatter() -> str:
        return "x" * (tools_module.LONGEST_OUTPUT + 1)

    for tool in (fail, sleep, unspeakable, chatter, add):
        bench.tools.register(tool.__name__, tool, timeout=0.05)
    output = json.loads(await bench.use(name, arguments))
    assert list(output) == ["error"]
    assert re.match(error, output["error"])
    assert bench.records.levels


async def test_tools_run_side_by_side_up_to_a_limit(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools_module, "MOST_AT_A_TIME", 2)
    gate = asyncio.Event()

    async def wait(n: int) -> int:
        await gate.wait()
        return n

    bench.tools.register("wait", wait, timeout=5)
    for n in (1, 2):
        bench.tools.run(FunctionCall(f"c{n}", "wait", json.dumps({"n": n})), bench.log)
    assert "too many" in await bench.use("wait", '{"n": 3}', "c3")
    gate.set()
    assert {await bench.outputs.get(), await bench.outputs.get()} == {("c1", "1"), ("c2", "2")}


async def test_same_use_runs_once(bench: Bench) -> None:
    runs: list[int] = []

    async def count() -> int:
        runs.append(1)
        await asyncio.sleep(0)
        return len(runs)

    bench.tools.register("count", count, timeout=1)
    bench.tools.run(FunctionCall("c1", "count", "{}"), bench.log)
    assert await bench.use("count") == "1"
    assert await bench.use("count", call_id="c2") == "2"


async def test_a_use_that_is_asked_for_again_has_the_same_output(bench: Bench, until: Any) -> None:
    runs: list[int] = []

    async def count() -> int:
        runs.append(1)
        return len(runs)

    bench.tools.register("count", count, timeout=1)
    for _ in range(3):
        assert await bench.use("count") == "1"
        await until(lambda: not bench.tools._running)
    assert await bench.use("count", call_id="c2") == "2"
    assert len(runs) == 2


async def test_what_is_remembered_of_uses_is_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools_module, "REMEMBERED", 3)
    bench.tools.register("add", add, timeout=1)
    for n in range(10):
        await bench.use("add", '{"a": 1}', f"c{n}")
    assert len(bench.tools._outputs) == 3


async def test_stop_cancels_what_runs(bench: Bench) -> None:
    cancelled = asyncio.Event()

    async def linger() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            cancelled.set()

    bench.tools.register("linger", linger, timeout=5)
    bench.tools.run(FunctionCall("c1", "linger", "{}"), bench.log)
    await asyncio.sleep(0)
    await bench.tools.stop(1)
    assert cancelled.is_set()
    assert bench.outputs.empty()
    await bench.tools.stop(1)


async def test_stop_does_not_wait_for_ever_for_a_stubborn_tool(bench: Bench) -> None:
    release = asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    bench.tools.register("stubborn", stubborn, timeout=5)
    bench.tools.run(FunctionCall("c1", "stubborn", "{}"), bench.log)
    await asyncio.sleep(0)
    async with asyncio.timeout(1):
        await bench.tools.stop(0.02)
    release.set()


async def test_lost_connection_is_survived(until: Any) -> None:
    async def answer(call_id: str, output: str) -> None:
        raise SocketConnectionError("gone")

    bench = Bench()
    tools = Tools(answer)
    tools.register("add", add, timeout=1)
    tools.run(FunctionCall("c1", "add", '{"a": 1}'), bench.log)
    await until(lambda: bench.records.levels == [LogLevel.WARNING])


@pytest.mark.parametrize(("name", "tool"), [("", add), ("x", len), ("x", None), ("x", lambda: add(1))])
def test_what_is_no_tool(name: str, tool: Any) -> None:
    with pytest.raises(ConfigurationError, match="tool"):
        Tools(lambda _, __: asyncio.sleep(0)).register(name, tool, timeout=1)


def test_timeout_must_be_something() -> None:
    with pytest.raises(ConfigurationError, match="timeout"):
        Tools(lambda _, __: asyncio.sleep(0)).register("add", add, timeout=0)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"type": "function_call", "call_id": "c", "name": "n", "arguments": "{}"}, FunctionCall("c", "n", "{}")),
        (
            {"type": "function_call", "call_id": "c", "name": "n", "arguments": {"a": 1}},
            FunctionCall("c", "n", '{"a": 1}'),
        ),
        ({"type": "function_call", "call_id": "c", "name": "n"}, FunctionCall("c", "n", "null")),
        ({"type": "function_call", "call_id": "", "name": "n"}, None),
        ({"type": "function_call", "call_id": 7, "name": "n"}, None),
        ({"type": "message", "call_id": "c", "name": "n"}, None),
        (None, None),
        ([], None),
    ],
)
def test_function_calls(item: object, expected: FunctionCall | None) -> None:
    assert FunctionCall.parse(item) == expected
