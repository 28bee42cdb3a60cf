"""A conference room: whoever calls is in it, and everybody hears who comes and goes.

Start `telnyx-native gateway --open` in another terminal and run this; then call `alice` from two browser windows, or
from a browser and with

    telnyx-native call alice --server ws://127.0.0.1:8899 --user bob --password demo --duration 20
"""

import asyncio
import sys
from contextlib import suppress

from telnyx_native import Call, Conference, CredentialConfig, TelnyxClient, TelnyxError, TxServerConfiguration
from telnyx_native.media.tones import tone

SERVER = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8899"


def beep(room: Conference, hz: int) -> None:
    room.audio.play(tone((hz,), 0.3, room.audio.sample_rate, level_dbfs=-20))


async def take_part(call: Call, room: Conference) -> None:
    try:
        await call.accept()
        await call.wait_active(timeout=10)
        beep(room, 880)
        room.add(call)
    except TelnyxError as error:  # somebody who does not come in disturbs nobody
        print(f"{call.caller_number}: {error}", flush=True)
        return
    print(f"{call.caller_number} is in, {len(room.members)} now", flush=True)
    await call.wait_done()
    beep(room, 440)
    print(f"{call.caller_number} is out, {len(room.members)} left", flush=True)


async def main() -> None:
    async with TelnyxClient() as client, Conference() as room, asyncio.TaskGroup() as calls:
        incoming = client.incoming_calls.collect()
        await client.connect(TxServerConfiguration.parse(SERVER), CredentialConfig("alice", "demo"))
        print("call alice", flush=True)
        async for call in incoming:
            calls.create_task(take_part(call, room))


with suppress(KeyboardInterrupt):
    asyncio.run(main())
