"""Commands on the pages exist, with the options that are given there."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import typer.main

from support.pages import ROOT, Block, blocks
from telnyx_native.cli import app

SHELL = [block for block in blocks() if block.language == "sh"]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def words_after(command: str, block: Block) -> list[list[str]]:
    """The words that follow `command`, each time it is run in a block."""
    found = []
    for line in block.text.replace("\\\n", " ").splitlines():
        for part in re.split(r"&&|\||&|>|;", re.sub(r"(^|\s)#.*", "", line)):
            words = shlex.split(re.sub(r"^\s*((sudo|[A-Z_]+=\S+)\s+)*", "", part))
            if words[:1] == [command]:
                found.append(words[1:])
    return found


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """The command that words name, below its groups, and the words that are left for it."""
    command: Any = typer.main.get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]
    return command, words


@pytest.mark.parametrize("block", SHELL, ids=lambda block: block.name)
def test_commands(block: Block) -> None:
    for words in words_after("telnyx-native", block):
        command, rest = command_of(words)
        known = {option for parameter in command.params for option in [*parameter.opts, *parameter.secondary_opts]}
        given = {word.split("=")[0] for word in rest if word.startswith("-")}
        assert given <= known | {"--help"}, f"{block.name}: {given - known}"
        assert not hasattr(command, "commands") or not [word for word in rest if not word.startswith("-")], block.name
    for words in words_after("make", block):
        assert {word for word in words if not re.match(r"[A-Z_]+=|-", word)} <= TARGETS, block.name
