"""Running Python programs as a user does, in processes of their own."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from support.limit import LIMIT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from telnyx_native.gateway import Gateway


@asynccontextmanager
async def program(*arguments: str | Path, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A Python program with these arguments and this in its environment, until it ends or the context does."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, *map(str, arguments), stdin=pipe, stdout=pipe, stderr=pipe, env=os.environ | environment
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def outcome(process: asyncio.subprocess.Process) -> tuple[int | None, str, str]:
    """Wait for the end; return exit code, stdout and stderr."""
    output, errors = await asyncio.wait_for(process.communicate(), LIMIT)
    return process.returncode, output.decode(), errors.decode()


async def someone_logged_in(gateway: Gateway) -> None:
    """Wait until a client has logged in."""
    for _ in range(round(LIMIT / 0.02)):
        if gateway.connections:
            return
        await asyncio.sleep(0.02)
    raise TimeoutError("nobody has logged in")
