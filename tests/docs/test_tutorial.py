"""The tutorial, followed as a new user would: in the order given, with nothing but its text, it prints what it says."""

from __future__ import annotations

import asyncio
import re
import shlex
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.limit import LIMIT
from support.pages import ROOT

PAGE = (ROOT / "docs/tutorial.md").read_text()
BIN = Path(sys.executable).parent


def blocks_of(heading: str) -> list[tuple[str, str, str]]:
    """The blocks of a section: language, title, text."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', section, re.DOTALL | re.MULTILINE)


class Terminal:
    """A shell of the user's, in which a command runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def shows(self, expected: str) -> None:
        """Wait until the text of the page was printed, line by line; `…` stands for anything, and widths may differ."""
        assert self._process.stdout is not None
        for line in expected.splitlines():
            if line == "…":
                return
            printed = (await asyncio.wait_for(self._process.stdout.readline(), LIMIT)).decode()
            pattern = ".*".join(map(re.escape, " ".join(line.split()).split("…")))
            assert re.fullmatch(pattern, " ".join(printed.split())), printed

    async def interrupt(self) -> None:
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGINT)
        await asyncio.wait_for(self._process.wait(), LIMIT)


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator:
    """Runs a command of the page as its reader would, with the gateway on a port that is free here."""
    terminals = []

    async def start(command: str) -> Terminal:
        words = shlex.split(command)
        program = str(BIN / words[0])
        process = await asyncio.create_subprocess_exec(
            program,
            *words[1:],
            cwd=tmp_path,
            env={"PATH": str(BIN), "COLUMNS": "400", "HOME": str(tmp_path)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        terminals.append(Terminal(process))
        return terminals[-1]

    yield start
    for terminal in terminals:
        await terminal.interrupt()


@pytest.mark.timeout(180)
async def test_the_tutorial(run, tmp_path: Path, unused_tcp_port: int) -> None:
    def here(text: str) -> str:
        return text.replace("8899", str(unused_tcp_port))

    async def follow(heading: str) -> Terminal:
        """Save what is to be saved and type what is to be typed; what is printed must be what the page shows."""
        terminal: Terminal | None = None
        for language, title, text in blocks_of(heading):
            if title.endswith((".py", ".ini")):
                (tmp_path / title).write_text(here(text))
            elif language == "sh" and "pip install" not in text:
                terminal = await run(here(text.strip()) + (f" --port {unused_tcp_port}" if " gateway " in text else ""))
            elif language == "text" and terminal is not None:
                await terminal.shows(here(text))
        assert terminal is not None
        return terminal

    await follow("Install")
    gateway = await follow("A server of your own")

    (first_call, output, refusal) = (text for kind, _, text in blocks_of("The first call") if kind != "sh")
    (tmp_path / "first_call.py").write_text(here(first_call))
    await (await run("python first_call.py")).shows(output)
    (tmp_path / "wrong.py").write_text(here(first_call).replace('"demo"', '"wrong"'))
    wrong = await asyncio.create_subprocess_exec(
        sys.executable, "wrong.py", cwd=tmp_path, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await asyncio.wait_for(wrong.communicate(), LIMIT)
    assert errors.decode().splitlines()[-1] == refusal.strip()

    source, start, ready, command, gone = (text for _, _, text in blocks_of("A bot that answers"))
    (tmp_path / "bot.py").write_text(here(source))
    bot = await run(start.strip())
    await bot.shows(ready)
    await run(here(command.strip()))
    await bot.shows(gone)
    assert (tmp_path / "heard.wav").stat().st_size > 50_000
    await bot.interrupt()

    ((_, _, serve),) = blocks_of("Keys, and being interrupted")
    begin, end = source.index("async def serve"), source.index("async def main")
    (tmp_path / "bot.py").write_text(here(source[:begin] + serve + "\n" + source[end:]))
    await follow("A test")
    await gateway.interrupt()
