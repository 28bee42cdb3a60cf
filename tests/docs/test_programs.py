"""Programs on the pages, run as they stand there in a process of their own: they end well, whatever they do."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from support.limit import LIMIT
from support.pages import SERVER, Block, blocks
from support.scripts import program
from telnyx_native.gateway import Gateway, User
from telnyx_native.gateway.destinations.sounds import PROMPT
from telnyx_native.media.files import read_audio

PROGRAMS = [block for block in blocks() if block.is_program]
PATIENCE = 3.0
"""Seconds after its login until a program that has not placed a call is called."""


async def call_it(gateway: Gateway) -> None:
    """Call whoever has logged in, speak, press a key, hang up."""
    while not gateway.connections:  # noqa: ASYNC110 - the state of a gateway
        await asyncio.sleep(0.02)
    await asyncio.sleep(PATIENCE)
    if gateway.calls or not gateway.connections:
        return
    caller = await gateway.place_call("alice", from_="+15550199")
    await caller.wait_answered(LIMIT)
    await caller.media.wait_connected()
    await caller.audio.write(read_audio(PROMPT, caller.audio.sample_rate))
    await caller.audio.drain()
    await caller.peer.insert_dtmf("5")
    await asyncio.sleep(PATIENCE)
    await caller.hang_up()


@pytest.mark.parametrize("block", PROGRAMS, ids=lambda block: block.name)
async def test_program(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    users = [User("alice", "demo", "+15550100"), User("bob", "demo", "+15550101")]
    async with Gateway(users) as gateway, program("-c", block.text.replace(SERVER, gateway.url)) as process:
        calling = asyncio.create_task(call_it(gateway))
        ended = asyncio.create_task(process.communicate())
        await asyncio.wait([ended, calling], timeout=LIMIT, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            process.send_signal(signal.SIGINT)
        _, errors = await asyncio.wait_for(ended, LIMIT)
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)
    ended_by_us = not errors or errors.decode().rstrip().endswith("KeyboardInterrupt")
    assert process.returncode == 0 or ended_by_us, errors.decode()
    assert "never awaited" not in errors.decode()
