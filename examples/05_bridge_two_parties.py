"""Connect a caller to somebody else: the two hear each other natively, and the program can still speak to either.

Start `telnyx-native gateway --open` in another terminal and run this; then call `alice` from the phone in the
browser. You are connected to the gateway's music; the second argument names another destination.
"""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from telnyx_native import Call, CredentialConfig, TelnyxClient, TelnyxError, TxServerConfiguration

SERVER = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8899"
DESTINATION = sys.argv[2] if len(sys.argv) > 2 else "music"
SOUNDS = Path(__file__).parent / "sounds"


async def connect(client: TelnyxClient, caller: Call) -> None:
    try:
        await caller.accept()
        await caller.wait_active(timeout=10)
        caller.audio.play(SOUNDS / "please_hold.flac")
        other = await client.new_invite(DESTINATION, caller_number=caller.caller_number)
        await bridge(caller, other)
    except TelnyxError as error:
        print(f"{DESTINATION} was not reached: {error}", flush=True)
    finally:
        await caller.end()


async def bridge(caller: Call, other: Call) -> None:
    """Let two talk until one of them hangs up."""
    try:
        await other.wait_active(timeout=30)
        await caller.audio.drain()
        caller.bridge(other)
        print(f"{caller.caller_number} talks to {DESTINATION}", flush=True)
        ends = [asyncio.create_task(call.wait_done()) for call in (caller, other)]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await other.end()


async def main() -> None:
    async with TelnyxClient() as client, asyncio.TaskGroup() as calls:
        incoming = client.incoming_calls.collect()
        await client.connect(TxServerConfiguration.parse(SERVER), CredentialConfig("alice", "demo"))
        print("call alice", flush=True)
        async for call in incoming:
            calls.create_task(connect(client, call))


with suppress(KeyboardInterrupt):
    asyncio.run(main())
