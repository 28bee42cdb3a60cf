"""The examples, as a user runs them, against a gateway."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.scripts import LIMIT, outcome, program, someone_logged_in
from support.signals import dominant_frequency, pcm, tone
from telnyx_native.gateway import Gateway, User

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

EXAMPLES = Path(__file__).parents[2] / "examples"
RATE = 16_000


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with Gateway([User("alice", "demo")]) as running:
        yield running


async def test_first_call(gateway: Gateway) -> None:
    async with program(EXAMPLES / "01_first_call.py", gateway.url) as process:
        code, output, errors = await outcome(process)
    assert code == 0, errors
    heard = re.search(r"heard it (\d+)% as loud", output)
    assert heard
    assert int(heard[1]) == pytest.approx(100, abs=30)
    assert "the call ended: NORMAL_CLEARING 16" in output


async def test_answer_and_echo(gateway: Gateway) -> None:
    async with program(EXAMPLES / "02_answer_and_echo.py", gateway.url) as process:
        await someone_logged_in(gateway)
        for number in ("+15550198", "+15550199"):
            caller = await gateway.place_call("alice", from_=number)
            await caller.wait_answered(LIMIT)
            await caller.audio.write(tone(440, 3.0, RATE).data)
            await caller.audio.read(RATE)  # the jitter buffers settle
            assert dominant_frequency(pcm(await caller.audio.read(RATE)), RATE) == pytest.approx(440, abs=3)
            await caller.hang_up()
        async for line in process.stdout:
            if b"+15550199 is done" in line:
                break
        process.send_signal(signal.SIGINT)
        code, _, errors = await outcome(process)
    assert (code, errors) == (0, "")


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
async def test_server_that_is_not_there(example: Path) -> None:
    async with program(example, "ws://127.0.0.1:9") as process:
        code, _, errors = await outcome(process)
    assert code == 1
    assert "cannot connect to ws://127.0.0.1:9" in errors
