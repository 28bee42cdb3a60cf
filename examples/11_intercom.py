"""An intercom for a small board: microphone, loudspeaker, echo cancellation, a bell, and a gate that a key opens.

It needs `pip install "telnyx-native[devices]"` and PortAudio (`apt install libportaudio2`). Start `telnyx-native
gateway --open` in another terminal and run this; then call `alice` from the phone in the browser, or ring the bell
here by pressing Enter, which calls the gateway's echo (the second argument names somebody else).
"""

import asyncio
import sys
from contextlib import suppress

from telnyx_native import (
    AudioConfig,
    Call,
    CredentialConfig,
    Handset,
    TelnyxClient,
    TelnyxError,
    TxServerConfiguration,
    run_microphone_check,
)

SERVER = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8899"
HOUSE = sys.argv[2] if len(sys.argv) > 2 else "echo"
GATE_KEY = "9"


async def talk(call: Call) -> None:
    """Let who is at the gate and who is in the house talk, until one of them has enough."""
    try:
        async with Handset(call):
            await call.wait_active(timeout=30)
            print(f"talking to {call.remote_party.number}", flush=True)
            async for pressed in call.dtmf_flow:
                if pressed.key == GATE_KEY:
                    print("the gate opens", flush=True)  # set a GPIO pin here
    except TelnyxError as error:  # no answer, or no microphone
        print(error, flush=True)
    finally:
        await call.end()
    print(f"over: {call.termination_reason}", flush=True)


async def answer(client: TelnyxClient) -> None:
    """The house calls: no need to press anything."""
    async for call in client.incoming_calls:
        with suppress(TelnyxError):
            await call.accept(audio=AudioConfig.microphone())
            await talk(call)


async def ring(client: TelnyxClient) -> None:
    """Somebody presses the bell."""
    bell = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(bell), sys.stdin)
    while await bell.readline():
        if client.calls:  # the second press hangs up
            await asyncio.gather(*(call.end() for call in client.calls.values()))
            continue
        with suppress(TelnyxError):
            await talk(await client.new_invite(HOUSE, audio=AudioConfig.microphone()))


async def main() -> None:
    report = await run_microphone_check()
    print(f"microphone: {report.verdict.name}", *report.reasons, flush=True)
    async with TelnyxClient() as client, asyncio.TaskGroup() as tasks:
        answering = tasks.create_task(answer(client))
        await client.connect(TxServerConfiguration.parse(SERVER), CredentialConfig("alice", "demo"))
        print("ready; Enter rings", flush=True)
        await ring(client)
        answering.cancel()


with suppress(KeyboardInterrupt):
    asyncio.run(main())
