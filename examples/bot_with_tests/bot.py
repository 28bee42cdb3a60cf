"""A bot with a menu of keys; test_bot.py beside it shows how it is tested.

Start `telnyx-native gateway` in another terminal and run this; then open the gateway's console in a browser and call
`alice`. After the jingle, 1 orders, 2 is a surprise, `#` hangs up; any key interrupts what is being played.
"""

import asyncio
import sys
from contextlib import suppress

import numpy as np

from telnyx_native import Call, CredentialConfig, TelnyxClient, TelnyxError, TxServerConfiguration
from telnyx_native.media.tones import progress_tone, tone


def jingle(rate: int) -> np.ndarray:
    return np.concatenate([tone((hz,), 0.25, rate) for hz in (523, 659, 784, 1047, 784, 1047)])


def answer_to(key: str, rate: int) -> np.ndarray:
    match key:
        case "1":
            return tone((880,), 1.0, rate)  # thank you for the order
        case "2":
            return np.concatenate([tone((hz,), 0.1, rate) for hz in range(400, 1600, 100)])
        case _:
            return progress_tone("congestion", "uk", 1.0, rate)  # there is no such key


async def serve(call: Call) -> None:
    with suppress(TelnyxError):  # the caller has hung up while something was being played
        await call.accept()
        await call.wait_active(timeout=10)
        rate = call.audio.sample_rate
        await call.audio.write(jingle(rate))
        async for pressed in call.dtmf_flow:
            call.audio.clear()
            if pressed.key == "#":
                break
            await call.audio.write(answer_to(pressed.key, rate))
        await call.end()


async def call_back(client: TelnyxClient, number: str) -> None:
    """Call somebody, play the jingle, and hang up."""
    call = await client.new_invite(number)
    await call.wait_active(timeout=30)
    await call.audio.write(jingle(call.audio.sample_rate))
    await call.audio.drain()
    await asyncio.sleep(0.5)  # it is still on its way
    await call.end()


async def main(server: str, user: str, password: str) -> None:
    async with TelnyxClient() as client, asyncio.TaskGroup() as calls:
        incoming = client.incoming_calls.collect()
        await client.connect(TxServerConfiguration.parse(server), CredentialConfig(user, password))
        async for call in incoming:
            calls.create_task(serve(call))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8899", "alice", "demo"))
