"""An answering machine: take every call, and say back what the caller says.

Start `telnyx-native gateway` in another terminal and run this; then call it from a third one:

    telnyx-native call alice --server ws://127.0.0.1:8899 --user bob --password demo --duration 5
"""

import asyncio
import sys
from contextlib import suppress

from telnyx_native import Call, CredentialConfig, TelnyxClient, TelnyxError, TxServerConfiguration

SERVER = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8899"


async def answer(call: Call) -> None:
    print(f"{call.caller_number} calls", flush=True)
    try:
        await call.accept()
        async for frame in call.audio:  # 20 ms of what the caller says
            await call.audio.write(frame)
    except TelnyxError as error:  # the caller is gone: the next one shall still be answered
        print(f"{call.caller_number}: {error}", flush=True)
    print(f"{call.caller_number} is done: {await call.wait_done()}", flush=True)


async def main() -> None:
    async with TelnyxClient() as client, asyncio.TaskGroup() as calls:
        incoming = client.incoming_calls.collect()
        await client.connect(TxServerConfiguration.parse(SERVER), CredentialConfig("alice", "demo"))
        async for call in incoming:
            calls.create_task(answer(call))


with suppress(KeyboardInterrupt):
    asyncio.run(main())
