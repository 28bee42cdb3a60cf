"""A voice menu: keys choose, and speaking or pressing a key interrupts what is being said.

Start `telnyx-native gateway --open` in another terminal and run this; then call `alice` from the phone in the
browser. The bot plays a tune, takes a message, or hangs up.
"""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np

from telnyx_native import Call, CredentialConfig, TelnyxClient, TelnyxError, TxServerConfiguration
from telnyx_native.media.tones import tone

SERVER = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8899"
SOUNDS = Path(__file__).parent / "sounds"


async def yield_to_speech(call: Call) -> None:
    """Barge-in: whoever speaks is listened to."""
    async for event in call.voice_activity_flow:
        if event.speaking:
            call.audio.clear()


async def menu(call: Call) -> None:
    keys = call.dtmf_flow.collect()
    while True:
        call.audio.play(SOUNDS / "menu.flac")
        pressed = await asyncio.wait_for(anext(keys), timeout=30)
        call.audio.clear()
        print(f"{call.caller_number} chose {pressed.key}", flush=True)
        match pressed.key:
            case "1":
                rate = call.audio.sample_rate
                notes = [(523, 0.2), (659, 0.2), (784, 0.2), (1047, 0.6)]
                await call.audio.play(np.concatenate([tone((hz,), seconds, rate) for hz, seconds in notes]))
            case "2":
                await take_message(call)
            case "#":
                await call.audio.play(SOUNDS / "goodbye.flac")
                await asyncio.sleep(0.3)  # the last of it is still on its way to the caller
                return


async def take_message(call: Call) -> None:
    keys = call.dtmf_flow.collect()
    await call.audio.play(SOUNDS / "message.flac")
    await call.audio.play(tone((1000,), 0.3, call.audio.sample_rate))
    async with await call.record(f"message-{call.call_id}.flac") as recording:
        await anext(keys)
    print(f"{call.caller_number} left a message of {recording.duration:.0f} s: {recording.path}", flush=True)


async def serve(call: Call) -> None:
    with suppress(StopAsyncIteration, TimeoutError, TelnyxError):  # the caller hangs up, or falls asleep
        await call.accept()
        await call.wait_active(timeout=10)
        interrupting = asyncio.create_task(yield_to_speech(call))
        try:
            await menu(call)
        finally:
            await call.end()
            await interrupting


async def main() -> None:
    async with TelnyxClient() as client, asyncio.TaskGroup() as calls:
        incoming = client.incoming_calls.collect()
        await client.connect(TxServerConfiguration.parse(SERVER), CredentialConfig("alice", "demo"))
        print("call alice", flush=True)
        async for call in incoming:
            calls.create_task(serve(call))


with suppress(KeyboardInterrupt):
    asyncio.run(main())
