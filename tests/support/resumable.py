"""A program whose calls another one can resume: it prints a snapshot after each change, as a line of JSON.

    python resumable.py URL USER PASSWORD DESTINATION...

It calls each destination, keeps the number of the call with each, and waits to be killed.
"""

from __future__ import annotations

import asyncio
import sys

from telnyx_native import CredentialConfig, TelnyxClient, TxServerConfiguration


async def main(url: str, user: str, password: str, *destinations: str) -> None:
    async with TelnyxClient() as client:
        await client.connect(TxServerConfiguration.parse(url), CredentialConfig(user, password))
        snapshots = client.session_snapshot_flow.collect()
        for number, destination in enumerate(destinations):
            call = await client.new_invite(destination, client_state=f"call {number}")
            await call.wait_active(30)
            call.application_state = {"number": number}
        async for snapshot in snapshots:
            sys.stdout.write(f"{snapshot.to_json() if snapshot else None}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
