"""A gateway as a command, in a process of its own."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from support.limit import LIMIT


@dataclass
class GatewayProcess:
    """Where it listens.

    Attributes:
        url: The address for clients.
        token: What lets a request to its HTTP API in.
        pid: Its process.
    """

    url: str
    token: str
    pid: int

    async def get(self, path: str) -> Any:
        """Ask its HTTP API."""
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {self.token}"}) as http,
            http.get(f"http{self.url.removeprefix('ws')}/api/{path}") as response,
        ):
            assert response.status == 200, await response.text()
            return await response.json()


@asynccontextmanager
async def gateway_process(users: int, folder: Path, *options: str) -> AsyncIterator[GatewayProcess]:
    """Run `telnyx-native gateway` with `user0`, `user1`, ..., whose password is their name."""
    config = folder / "gateway.toml"
    config.write_text("port = 0\n" + "".join(f'[users.user{n}]\npassword = "user{n}"\n' for n in range(users)))
    with (folder / "gateway.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "telnyx_native", "gateway", "--config", str(config), *options),
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
        assert process.stdout is not None
        said = ""
        async with asyncio.timeout(LIMIT):
            while not (found := re.search(r"http(://[^/\s]+)/#token=(\S+)", said)):
                line = await process.stdout.readline()
                assert line, f"it ended: {said}"
                said += line.decode()
        drain = asyncio.create_task(_drain(process.stdout, folder / "gateway.out"))
        try:
            yield GatewayProcess(f"ws{found[1]}", found[2], process.pid)
            assert process.returncode is None, "it has ended"
        finally:
            if process.returncode is None:
                process.terminate()
            await asyncio.wait_for(process.wait(), LIMIT)
            await drain


async def _drain(stream: asyncio.StreamReader, file: Path) -> None:
    with file.open("wb") as out:
        while data := await stream.read(1 << 16):
            out.write(data)
