"""The program in docs/operations.md, run as it stands there, against a gateway."""

from __future__ import annotations

import asyncio
import signal

from support.limit import LIMIT
from support.pages import program_under
from support.scripts import outcome, program, someone_logged_in
from telnyx_native.errors import CallError
from telnyx_native.gateway import Gateway, User


async def test_told_to_end_the_bot_finishes_its_call() -> None:
    async with (
        Gateway([User("alice", "demo")]) as gateway,
        program("-c", program_under("Ending without cutting anybody off", "operations.md", gateway.url)) as process,
    ):
        await someone_logged_in(gateway)
        caller = await gateway.place_call("alice", from_="+15550199")
        await caller.wait_answered(LIMIT)
        process.send_signal(signal.SIGTERM)
        late = await refused_call(gateway)
        assert (await late.wait_ended(LIMIT)).cause == "USER_BUSY"
        assert await caller.audio.read(1600)
        await caller.hang_up()
        code, _, errors = await outcome(process)
    assert code == 0, errors
    assert f"INFO [{caller.call_id}] hello, +15550199" in errors
    assert "INFO [] done, 0 calls were cut off" in errors


async def refused_call(gateway: Gateway):
    """A call to the bot as soon as that takes no more; before, it is answered, and hung up again."""
    async with asyncio.timeout(LIMIT):
        while True:
            leg = await gateway.place_call("alice", from_="+15550198")
            try:
                await leg.wait_answered(LIMIT)
            except CallError:
                return leg
            await leg.hang_up()
