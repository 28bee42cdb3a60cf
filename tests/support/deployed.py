"""Commands of workers, as the files in deploy/ give them, run against a gateway here."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

from support.limit import LIMIT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from telnyx_native.gateway import Gateway

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BOTS = ROOT / "examples/fleet"
"""Where the bot is that the files in deploy/ name."""


async def serves_and_drains(
    command: Sequence[str | Path], environment: Mapping[str, str], port: int, gateway: Gateway, user: str
) -> None:
    """Start a worker, call it, tell it to end, and see that it ends after the call.

    Args:
        command: The worker's command; `telnyx-native` is that of this environment.
        environment: What the command is told by variables, and nothing else but PATH.
        port: Where it has its HTTP.
        gateway: Where it logs in.
        user: Whom it logs in as.
    """
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    told = {name: value for name, value in os.environ.items() if name.startswith(("PYTHON", "COVERAGE"))}
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        env=told | {"PATH": path, "TELNYX_SERVER": gateway.url, **environment},
        cwd=BOTS,
        stderr=asyncio.subprocess.PIPE,
    )
    said = asyncio.create_task(process.communicate())
    try:
        await _until(process, port, ready=True)
        caller = await gateway.place_call(user, from_="+15550199")
        await caller.wait_answered(LIMIT)
        assert (await _state(port, "healthz"))["status"] == "alive"
        process.send_signal(signal.SIGTERM)
        state = await _until(process, port, ready=False)
        assert (state["reason"], state["calls"]) == ("draining", 1)
        await caller.hang_up()
        _, errors = await asyncio.wait_for(asyncio.shield(said), LIMIT)
        assert process.returncode == 0, errors.decode()
    finally:
        if process.returncode is None:
            process.kill()
        await said


async def _until(process: asyncio.subprocess.Process, port: int, *, ready: bool) -> dict[str, Any]:
    async with asyncio.timeout(LIMIT):
        while process.returncode is None:
            state = await _state(port, "readyz")
            if state and ready is not bool(state["reason"]):
                return state
            await asyncio.sleep(0.05)
    raise AssertionError("the worker has ended")


async def _state(port: int, page: str) -> dict[str, Any]:
    """What a page says; nothing before it is there."""
    async with aiohttp.ClientSession() as session:
        try:
            async with session.get(f"http://127.0.0.1:{port}/{page}") as answer:
                state: dict[str, Any] = await answer.json()
        except aiohttp.ClientConnectionError:
            return {}
        return state
