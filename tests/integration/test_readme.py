"""The programs in README.md, run as they stand there, against a gateway."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from support.limit import LIMIT
from support.pages import program_under
from support.scripts import outcome, program, someone_logged_in
from support.signals import dominant_frequency, pcm, tone
from telnyx_native.gateway import Gateway, User

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

RATE = 16_000


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with Gateway([User("alice", "demo")]) as running:
        yield running


async def test_the_first_call(gateway: Gateway) -> None:
    async with program("-c", program_under("The first call", "README.md", gateway.url)) as process:
        code, output, errors = await outcome(process)
    assert code == 0, errors
    assert output == "heard 64000 bytes of audio in state ACTIVE\n"
    assert gateway.calls == []


async def test_answering_calls(gateway: Gateway) -> None:
    async with program("-c", program_under("Answering calls", "README.md", gateway.url)) as process:
        await someone_logged_in(gateway)
        caller = await gateway.place_call("alice", from_="+15550199")
        await caller.wait_answered(LIMIT)
        await caller.audio.write(tone(440, 3.0, RATE).data)
        await caller.audio.read(RATE)  # the jitter buffers settle
        assert dominant_frequency(pcm(await caller.audio.read(RATE)), RATE) == pytest.approx(440, abs=3)
        process.send_signal(signal.SIGINT)
        await outcome(process)
        assert (await caller.wait_ended(LIMIT)).cause == "NORMAL_CLEARING"


async def test_without_an_account(gateway: Gateway) -> None:
    async with program("-c", program_under("Without an account", "README.md", gateway.url)) as process:
        code, output, errors = await outcome(process)
    assert code == 0, errors
    assert output == "+15550199 hung up: NORMAL_CLEARING 16, SIP 200 OK\n"
