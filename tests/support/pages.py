"""The code on the pages for users: every block of it, and how a block is run as it stands there."""

from __future__ import annotations

import asyncio
import re
from ast import PyCF_ALLOW_TOP_LEVEL_AWAIT
from dataclasses import dataclass
from inspect import iscoroutine
from pathlib import Path
from typing import Any

import telnyx_native

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES.remove(ROOT / "docs/tutorial.md")  # it is one program in steps, which tests/docs/test_tutorial.py follows
SERVER = "ws://127.0.0.1:8899"
"""The gateway that the pages speak of; a test leads them to its own."""


@dataclass(frozen=True)
class Block:
    """A block of code on a page."""

    page: str
    """The file's name."""
    heading: str
    """Of the section that it is in."""
    language: str
    text: str
    line: int

    @property
    def name(self) -> str:
        """How it is called in a test's id."""
        return f"{self.page}:{self.line}"

    @property
    def is_program(self) -> bool:
        """Whether it runs by itself; if not, it is a piece of a program and needs a scene."""
        runs = "asyncio.run(" in self.text or "from telnyx_native.sync import" in self.text
        return self.language == "python" and runs


def blocks() -> list[Block]:
    """All blocks of all pages, in their order."""
    found = []
    for page in PAGES:
        text, heading = page.read_text(), ""
        for match in re.finditer(
            r"^#+ (?P<heading>[^\n]+)$|^```(\w+)[^\n]*\n(.*?)^```$", text, re.DOTALL | re.MULTILINE
        ):
            if match["heading"]:
                heading = match["heading"]
            else:
                line = text[: match.start()].count("\n") + 2
                found.append(Block(page.name, heading, match[2], match[3], line))
    return found


def block_under(heading: str, page: str) -> Block:
    """The one block of Python in a section of a page."""
    place = (page, heading, "python")
    (block,) = [block for block in blocks() if (block.page, block.heading, block.language) == place]
    return block


def program_under(heading: str, page: str, server: str) -> str:
    """The program in a section of a page, led to a server that a test can have."""
    return block_under(heading, page).text.replace(SERVER, server)


async def run_piece(block: Block, scene: dict[str, Any]) -> None:
    """Run a piece of a program with all public names and those of a scene in sight."""
    public = {name: getattr(telnyx_native, name) for name in telnyx_native.__all__}
    names = public | {"asyncio": asyncio, "Path": Path} | scene
    code = compile(block.text, block.name, "exec", flags=PyCF_ALLOW_TOP_LEVEL_AWAIT)
    # With that flag the block is a coroutine when it awaits anything, and runs at once when it does not.
    running = eval(code, names)
    if iscoroutine(running):
        await running
