"""Bridge a call to a realtime speech API over a WebSocket: both speak 24 kHz, 16-bit PCM in base64.

    python 13_realtime_speech_api.py [SERVER [API]]

The events are those of OpenAI's Realtime API: `input_audio_buffer.append` there, `response.output_audio.delta` back,
and `input_audio_buffer.speech_started` when the caller interrupts. Set the environment variable `API_KEY` for a
service that wants one. Start `telnyx-native gateway --open` in another terminal and run this; then call `alice`.
"""

import asyncio
import base64
import json
import os
import sys
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from telnyx_native import AudioConfig, Call, CredentialConfig, TelnyxClient, TelnyxError, TxServerConfiguration

SERVER = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8899"
API = sys.argv[2] if len(sys.argv) > 2 else "wss://api.openai.com/v1/realtime?model=gpt-realtime"
AUDIO = AudioConfig(24_000, playback_buffer=60)  # these services send a whole answer at once


async def say(call: Call, api: ClientConnection) -> None:
    """What the service says is played; when the caller begins to speak, what was not heard yet is dropped."""
    async for message in api:
        event = json.loads(message)
        match event["type"]:
            case "response.output_audio.delta":
                await call.audio.write(base64.b64decode(event["delta"]))
            case "input_audio_buffer.speech_started":
                cleared = call.audio.clear()
                print(f"interrupted after {cleared.heard:.1f} s", flush=True)


async def hear(call: Call, api: ClientConnection) -> None:
    """What the caller says goes to the service, until the call is over."""
    async for frame in call.audio.frames(0.04):
        audio = base64.b64encode(frame).decode()
        await api.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
    await api.close()


async def serve(call: Call) -> None:
    key = os.environ.get("API_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        async with connect(API, additional_headers=headers) as api:
            with suppress(TelnyxError, ConnectionClosed):  # either side may hang up first
                await call.accept(audio=AUDIO)
                await asyncio.gather(say(call, api), hear(call, api))
    except (OSError, WebSocketException) as error:
        print(f"the service cannot be reached: {error}", flush=True)
    await call.end()
    print(f"{call.caller_number} is done", flush=True)


async def main() -> None:
    async with TelnyxClient() as client, asyncio.TaskGroup() as calls:
        incoming = client.incoming_calls.collect()
        await client.connect(TxServerConfiguration.parse(SERVER), CredentialConfig("alice", "demo"))
        print("call alice", flush=True)
        async for call in incoming:
            calls.create_task(serve(call))


with suppress(KeyboardInterrupt):
    asyncio.run(main())
