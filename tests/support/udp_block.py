"""A network whose firewall swallows UDP: run in a network namespace of its own, where `nft` may do as it likes.

A gateway and a TURN server (coturn) are at an address of this namespace. Prints what the doctor says of the audio path,
one JSON object a line: while all is well, when UDP is blocked, and when the TURN server is gone, too.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from support.limit import LIMIT
from support.network_switch import ip
from telnyx_native import IceServer, TxServerConfiguration
from telnyx_native.doctor import examine
from telnyx_native.gateway import Gateway, User

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SERVER, CLIENT = "10.77.0.1", "10.77.0.2"


def block_udp() -> None:
    for words in (
        "add table inet firewall",
        "add chain inet firewall in { type filter hook input priority 0 ; }",
        "add rule inet firewall in meta l4proto udp drop",
    ):
        subprocess.run(["nft", words], check=True)


@asynccontextmanager
async def turn_server() -> AsyncIterator[None]:
    with TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            "turnserver",
            *("-n", "--no-cli", "--no-tls", "--no-dtls", "--listening-ip", SERVER, "--relay-ip", SERVER),
            *("--lt-cred-mech", "--user", "caller:opensesame", "--realm", "test"),
            *("--log-file", "/dev/null", "--pidfile", str(Path(folder) / "pid"), "--userdb", str(Path(folder) / "db")),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await listening()
            yield
        finally:
            process.terminate()
            await process.wait()


async def listening() -> None:
    async with asyncio.timeout(LIMIT):
        while True:
            try:
                _, writer = await asyncio.open_connection(SERVER, 3478)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


async def tell_of(server: TxServerConfiguration) -> None:
    diagnosis = await examine(server)
    (judgement,) = (finding for finding in diagnosis.findings if finding.check == "audio path")
    sys.stdout.write(json.dumps(asdict(judgement) | {"verdict": diagnosis.verdict.value}) + "\n")


async def main() -> None:
    ip("link", "set", "lo", "up")
    ip("link", "add", "cable", "type", "veth", "peer", "name", "plug")
    for end in ("cable", "plug"):
        ip("link", "set", end, "up")
    for address in (SERVER, CLIENT):
        ip("addr", "add", f"{address}/24", "dev", "cable")
    urls = (f"turn:{SERVER}:3478?transport=udp", f"turn:{SERVER}:3478?transport=tcp")
    ice_servers = (IceServer((f"stun:{SERVER}:3478",)), IceServer(urls, "caller", "opensesame"))
    async with Gateway([User("alice", "s3cret")], host=SERVER) as gateway:
        port = int(gateway.url.rpartition(":")[2])
        server = TxServerConfiguration(SERVER, port, secure=False, ice_servers=ice_servers)
        async with turn_server():
            await tell_of(server)
            block_udp()
            await tell_of(server)
        await tell_of(server)


if __name__ == "__main__":
    asyncio.run(main())
