"""A call over a network that changes: run in a network namespace of its own, where `ip` may do as it likes.

Prints the states of the call, one a line, and what was heard in the end. The server is at an address of this
namespace; from which of two others it is reached is what changes.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys

from support.signals import dominant_frequency, pcm
from telnyx_native import CallState, CredentialConfig, TelnyxClient, TxServerConfiguration
from telnyx_native.gateway import Gateway, User

SERVER, FIRST, SECOND = "10.77.0.1", "10.77.0.2", "10.77.0.3"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def reach_server_from(address: str) -> None:
    ip("route", "replace", "table", "local", "local", SERVER, "dev", "cable", "src", address)


async def main() -> None:
    ip("link", "set", "lo", "up")
    ip("link", "add", "cable", "type", "veth", "peer", "name", "plug")
    for end in ("cable", "plug"):
        ip("link", "set", end, "up")
    for address in (SERVER, FIRST, SECOND):
        ip("addr", "add", f"{address}/24", "dev", "cable")
    reach_server_from(FIRST)
    async with Gateway([User("alice", "s3cret")], host=SERVER) as gateway, TelnyxClient() as client:
        await client.connect(TxServerConfiguration.parse(gateway.url))
        await client.credential_login(CredentialConfig("alice", "s3cret"))  # on a connection that stood before
        call = await client.new_invite("tone:440")
        await call.wait_active(10)
        states = call.call_state_flow.collect()
        reach_server_from(SECOND)
        await call.call_state_flow.wait_for(CallState.RECONNECTING, timeout=10)
        await call.call_state_flow.wait_for(CallState.ACTIVE, timeout=10)
        await call.audio.read(16_000)
        heard = pcm(await call.audio.read(16_000))
        await call.end()
        lines = [str(state) async for state in states]
        lines.append(f"{dominant_frequency(heard, 16_000):.0f} Hz")
        sys.stdout.write("\n".join(lines))


if __name__ == "__main__":
    asyncio.run(main())
