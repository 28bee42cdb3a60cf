"""Commands on the pages exist, with the options that are given there."""

from __future__ import annotations

import re
import shlex

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


@pytest.mark.parametrize("block", SHELL, ids=lambda block: block.name)
def test_commands(block: Block) -> None:
    group = typer.main.get_command(app)
    for words in words_after("telnyx-native", block):
        command = group.commands[words[0]] if words and words[0] in group.commands else group
        known = {option for parameter in command.params for option in [*parameter.opts, *parameter.secondary_opts]}
        given = {word.split("=")[0] for word in words if word.startswith("-")}
        assert given <= known | {"--help"}, f"{block.name}: {given - known}"
        assert command is not group or not [word for word in words if not word.startswith("-")], block.name
    for words in words_after("make", block):
        assert {word for word in words if not re.match(r"[A-Z_]+=|-", word)} <= TARGETS, block.name
