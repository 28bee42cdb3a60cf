"""The program in docs/sync.md, run as it stands there, against a gateway."""

from __future__ import annotations

from support.pages import program_under
from support.scripts import outcome, program
from telnyx_native.gateway import Gateway, User


async def test_the_script() -> None:
    async with Gateway([User("alice", "demo")]) as gateway:
        source = program_under("Without an event loop", "sync.md", gateway.url)
        async with program("-c", source) as process:
            assert await outcome(process) == (0, "heard 32000 bytes; the call ended: NORMAL_CLEARING 16\n", "")
        async with program("-c", source.replace('"echo"', '"busy"')) as process:
            code, _, errors = await outcome(process)
    assert code == 1
    assert "no call: the call ended before it was active: USER_BUSY" in errors
