"""A fleet on Ray under test: a gateway, a cluster and workers, each in processes of their own, on free ports."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import socket
import sys
import tempfile
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from support.limit import LIMIT
from support.signals import dominant_frequency, pcm, rms, tone
from telnyx_native import AudioConfig, Call, CredentialConfig, TelnyxClient, TxServerConfiguration

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

ROOT = Path(__file__).parents[2]
NUMBER = "+15550200"
UP_TIME = 120.0
"""Seconds that a fleet may take to come up, beside other tests; some 15 on an idle machine."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Fleet:
    """A fleet that is up.

    Attributes:
        folder: Where its files are.
        name: Its name.
        url: The gateway.
        status_port: Where its status is.
        gateway: The gateway's process.
    """

    folder: Path
    name: str
    url: str
    status_port: int
    gateway: asyncio.subprocess.Process | None = None

    async def command(self, *arguments: str, limit: float = UP_TIME) -> tuple[int, str]:
        """Run a command of the fleet; return its exit code and what it said."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "telnyx_native", "fleet", *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=self.folder,
        )
        try:
            said, _ = await asyncio.wait_for(process.communicate(), limit)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode is not None
        return process.returncode, said.decode()

    async def status(self) -> dict[str, Any]:
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"http://127.0.0.1:{self.status_port}/status.json") as response,
        ):
            shown: dict[str, Any] = await response.json()
            return shown

    async def until(self, condition: Callable[[dict[str, Any]], bool], limit: float = 60.0) -> dict[str, Any]:
        """Wait until the status is so."""
        shown: dict[str, Any] = {}
        try:
            async with asyncio.timeout(limit):
                while True:
                    with suppress(aiohttp.ClientError):
                        shown = await self.status()
                        if condition(shown):
                            return shown
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"the status is still {json.dumps(shown)}") from None

    async def until_empty(self) -> None:
        await self.until(lambda shown: not any(worker["calls"] for worker in shown["workers"]) and not shown["waiting"])

    @property
    def cluster(self) -> dict[str, Any]:
        """What the keeper of the cluster wrote down."""
        file = Path(tempfile.gettempdir()) / f"telnyx-fleet-{os.getuid()}" / f"{self.name}.json"
        state: dict[str, Any] = json.loads(file.read_text())
        return state

    def processes(self, node: int) -> list[int]:
        """Ray's process of a node, and those that it started: the actors among them."""
        raylet = self.cluster["nodes"][node]["raylet"]
        children = Path(f"/proc/{raylet}/task/{raylet}/children").read_text()
        return [raylet, *map(int, children.split())]

    def kill_actor(self, name: str) -> None:
        """Kill the process of an actor, by the name of its class."""
        for node in range(len(self.cluster["nodes"])):
            for pid in self.processes(node):
                with suppress(OSError):
                    title = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
                    if title.startswith(f"ray::{name}"):
                        os.kill(pid, signal.SIGKILL)
                        return
        raise AssertionError(f"there is no {name}")

    async def start_gateway(self) -> None:
        with (self.folder / "gateway.log").open("ab") as log:
            self.gateway = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "telnyx_native", "gateway", "--config", "gateway.toml"),
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                cwd=self.folder,
            )
        port = int(self.url.rpartition(":")[2])
        async with asyncio.timeout(LIMIT):
            while True:
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    return
                await asyncio.sleep(0.05)

    async def stop_gateway(self, number: signal.Signals = signal.SIGTERM) -> None:
        assert self.gateway is not None
        with suppress(ProcessLookupError):
            self.gateway.send_signal(number)
        await asyncio.wait_for(self.gateway.wait(), LIMIT)


@asynccontextmanager
async def fleet_of(folder: Path, *, workers: int, calls: int, nodes: int = 1, logins: int = 0) -> AsyncIterator[Fleet]:
    """Bring a fleet up, and down."""
    gateway_port, webhook_port, status_port = free_port(), free_port(), free_port()
    key = Ed25519PrivateKey.generate()
    private = base64.b64encode(key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())).decode()
    public = base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    users = [f"worker{n}" for n in range(1, max(workers, logins) + 1)]
    (folder / "gateway.toml").write_text(
        f'port = {gateway_port}\n[voice_api]\napi_keys = ["KEY"]\nwebhook_key = "{private}"\n'
        f'[applications.fleet]\nwebhook_url = "http://127.0.0.1:{webhook_port}/webhooks"\nnumbers = ["{NUMBER}"]\n'
        "[limits]\ncalls_per_connection = 100\n"
        + "".join(f'[users.{user}]\npassword = "demo"\n' for user in (*users, "caller"))
    )
    name = f"test-{os.getpid()}-{gateway_port}"
    (folder / "fleet.toml").write_text(
        f'[workers]\nbot = "bot:serve"\nplace = "bot:place"\nfolder = "{ROOT / "examples" / "fleet"}"\n'
        f'count = {workers}\ncalls = {calls}\ncpus = 0.1\nserver = "ws://127.0.0.1:{gateway_port}"\n'
        f'[cluster]\nname = "{name}"\nnodes = {nodes}\n[status]\nport = {status_port}\n'
        "[dispatch]\nreattach = 60.0\n"
        f'[voice_api]\napi_key = "KEY"\npublic_key = "{public}"\nbase_url = "http://127.0.0.1:{gateway_port}/v2"\n'
        f"port = {webhook_port}\n[logins]\n" + "".join(f'{user} = {{ password = "demo" }}\n' for user in users)
    )
    fleet = Fleet(folder, name, f"ws://127.0.0.1:{gateway_port}", status_port)
    await fleet.start_gateway()
    try:
        code, said = await fleet.command("up")
        assert code == 0, said
        yield fleet
    finally:
        with suppress(TimeoutError, OSError, ValueError):
            keeper = fleet.cluster["pid"]
            with suppress(TimeoutError):
                await fleet.command("down", limit=30.0)
            os.kill(keeper, signal.SIGTERM)
        await _until_gone(name)
        await fleet.stop_gateway()


async def _until_gone(name: str) -> None:
    """No process of the cluster is left behind."""
    async with asyncio.timeout(UP_TIME):
        while any(name in text for text in _command_lines()):  # noqa: ASYNC110 - other processes
            await asyncio.sleep(0.1)


def _command_lines() -> list[str]:
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            lines.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return lines


# Callers.


@asynccontextmanager
async def caller_of(fleet: Fleet) -> AsyncIterator[TelnyxClient]:
    async with TelnyxClient() as client:
        await client.connect(TxServerConfiguration.parse(fleet.url), CredentialConfig("caller", "demo"))
        yield client


async def call(client: TelnyxClient) -> Call:
    """Call the fleet: as a telephone does, with G.711, which costs half of what Opus costs."""
    return await client.new_invite(NUMBER, audio=AudioConfig.telephone())


async def talking(client: TelnyxClient, count: int) -> list[Call]:
    """That many calls, all answered."""
    calls = list(await asyncio.gather(*(call(client) for _ in range(count))))
    await asyncio.gather(*(each.wait_active(60) for each in calls))
    return calls


async def echoes(calls: list[Call], hz: int = 600, limit: float = 60.0) -> None:
    """Wait until all say back what they hear."""

    async def hear(each: Call) -> None:
        rate = each.audio.sample_rate
        async with asyncio.timeout(limit):
            while True:
                each.audio.write_nowait(tone(hz, 0.2, rate))
                heard = pcm(await each.audio.read(rate // 5))
                if rms(heard) > 500 and abs(dominant_frequency(heard, rate) - hz) < 10:
                    return

    await asyncio.gather(*(hear(each) for each in calls))


@asynccontextmanager
async def outages(calls: list[Call]) -> AsyncIterator[list[float]]:
    """How long each caller heard nothing, at most, while the context lasts; filled at its end."""
    longest: list[float] = []

    async def listen(each: Call) -> float:
        rate, last, worst = each.audio.sample_rate, monotonic(), 0.0
        while not ended.is_set():
            each.audio.write_nowait(tone(600, 0.2, rate))
            if rms(pcm(await each.audio.read(rate // 5))) > 500:
                worst, last = max(worst, monotonic() - last), monotonic()
        return max(worst, monotonic() - last)

    ended = asyncio.Event()
    listeners = [asyncio.create_task(listen(each)) for each in calls]
    try:
        yield longest
    finally:
        ended.set()
        longest += await asyncio.gather(*listeners)
