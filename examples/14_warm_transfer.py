"""Hand a caller to a colleague, who is told first what it is about; if there is no colleague, the caller is told.

Start `telnyx-native gateway --open` in another terminal and run this; then call `alice` from the phone in the
browser. The colleague is the gateway's music; the second argument names another one, such as `bob`.
"""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from telnyx_native import Call, ConsultationError, CredentialConfig, TelnyxClient, TelnyxError, TxServerConfiguration

SERVER = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8899"
COLLEAGUE = sys.argv[2] if len(sys.argv) > 2 else "music"
SOUNDS = Path(__file__).parent / "sounds"


async def serve(caller: Call) -> None:
    try:
        await caller.accept()
        await caller.wait_active(timeout=10)
        await caller.audio.play(SOUNDS / "please_hold.flac")
        await hand_over(caller)
        await caller.wait_done()
    except TelnyxError as error:
        print(f"a call failed: {error}", flush=True)
    finally:
        await caller.end()


async def hand_over(caller: Call) -> None:
    try:
        async with await caller.consult(COLLEAGUE, timeout=20) as consultation:
            print(f"{COLLEAGUE} is told about {caller.caller_number}", flush=True)
            await consultation.colleague.audio.play(SOUNDS / "briefing.flac")  # only the colleague hears it
            await consultation.complete()
            print(f"{caller.caller_number} talks with {COLLEAGUE}", flush=True)
    except ConsultationError as error:
        print(f"{COLLEAGUE}: {error.outcome.value}", flush=True)
        await caller.audio.play(SOUNDS / "goodbye.flac")
        await caller.end()


async def main() -> None:
    async with TelnyxClient() as client, asyncio.TaskGroup() as calls:
        incoming = client.incoming_calls.collect()
        await client.connect(TxServerConfiguration.parse(SERVER), CredentialConfig("alice", "demo"))
        print("call alice", flush=True)
        async for call in incoming:
            calls.create_task(serve(call))


with suppress(KeyboardInterrupt):
    asyncio.run(main())
