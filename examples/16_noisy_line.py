"""Hear a caller on a noisy line: libwebrtc's noise suppression, and a filter of one's own behind it.

    python 16_noisy_line.py [SERVER]

What a caller says comes back without the noise around it. `receive_processing` works on all that a call receives,
before voice detection and recordings; the filter only on what is read from it, and on a thread. A filter is any
function that takes 10 ms and returns 10 ms: RNNoise, or a model that separates voices. The one here is a gate, which
turns down what is not much louder than the noise.

Start `telnyx-native gateway --open` in another terminal and run this; then call `alice`, with the radio on.
"""

import asyncio
import sys
from array import array
from contextlib import suppress

from telnyx_native import (
    AudioConfig,
    AudioProcessing,
    Call,
    CredentialConfig,
    NoiseSuppression,
    TelnyxClient,
    TelnyxError,
    TxServerConfiguration,
)

SERVER = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8899"
QUIETER = AudioProcessing(noise_suppression=NoiseSuppression.HIGH, gain_control=False)


class Gate:
    """Turns down what is not at least twice as loud as the noise."""

    def __init__(self) -> None:
        self._noise = 1_000.0  # how loud it is, on average
        self._gain = 1.0

    def __call__(self, frame: bytes) -> bytes:
        samples = array("h", frame)
        level = sum(map(abs, samples)) / len(samples)
        self._noise = max(1.0, min(level, self._noise * 1.002))  # falls at once, and rises by 2 dB a second
        wanted = 1.0 if level > 2 * self._noise else 0.2
        step = (wanted - self._gain) / len(samples)
        for i, sample in enumerate(samples):
            samples[i] = round(sample * (self._gain + step * i))
        self._gain = wanted
        return samples.tobytes()


async def serve(call: Call) -> None:
    try:
        await call.accept(audio=AudioConfig(receive_processing=QUIETER))
        with call.audio.filtered(Gate()) as heard:
            async for frame in heard:  # 20 ms, until the call ends
                await call.audio.write(frame)
    except TelnyxError as error:
        print(f"{call.caller_number}: {error}", flush=True)
    print(f"{call.caller_number} is done", flush=True)


async def main() -> None:
    async with TelnyxClient() as client, asyncio.TaskGroup() as calls:
        incoming = client.incoming_calls.collect()
        await client.connect(TxServerConfiguration.parse(SERVER), CredentialConfig("alice", "demo"))
        print("ready", flush=True)
        async for call in incoming:
            calls.create_task(serve(call))


with suppress(KeyboardInterrupt):
    asyncio.run(main())
