"""The program in docs/sync.md, run as it stands there, against a gateway."""

from __future__ import annotations

import re
from pathlib import Path

from support.scripts import outcome, program
from telnyx_native.gateway import Gateway, User

PAGE = Path(__file__).parents[2] / "docs/sync.md"


async def test_the_script() -> None:
    source = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[0]
    async with Gateway([User("alice", "demo")]) as gateway:
        async with program("-c", source.replace("ws://127.0.0.1:8899", gateway.url)) as process:
            assert await outcome(process) == (0, "heard 32000 bytes; the call ended: NORMAL_CLEARING 16\n", "")
        async with program(
            "-c", source.replace("ws://127.0.0.1:8899", gateway.url).replace('"echo"', '"busy"')
        ) as process:
            code, _, errors = await outcome(process)
    assert code == 1
    assert "no call: the call ended before it was active: USER_BUSY" in errors
