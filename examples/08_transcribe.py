"""Write down what a caller says.

The recogniser is anything that makes text of samples. The one here is CMU PocketSphinx, which runs offline and brings
its model: `pip install pocketsphinx`. It is small, and made to listen for digits; a service that understands
everything has the same two methods.

Start `telnyx-native gateway --open` in another terminal and run this; then call `alice` and say some digits.
"""

import asyncio
import sys
from contextlib import suppress
from typing import Protocol

from telnyx_native import AudioConfig, Call, CredentialConfig, TelnyxClient, TxServerConfiguration

SERVER = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8899"
RATE = 16_000
LEAD_IN = 0.4
"""Seconds before the start of speech was noticed that belong to it."""


class Recogniser(Protocol):
    """Makes text of speech."""

    def recognise(self, pcm: bytes) -> str:
        """Return what is said in an utterance of 16-bit samples at 16 kHz."""


class DigitRecogniser:
    """CMU PocketSphinx, with a grammar of digits."""

    GRAMMAR = "#JSGF V1.0; grammar digits; public <digits> = (zero|one|two|three|four|five|six|seven|eight|nine)+;"

    def __init__(self) -> None:
        from pocketsphinx import Decoder

        self._decoder = Decoder(samprate=RATE, lm=None, loglevel="FATAL")
        self._decoder.add_jsgf_string("digits", self.GRAMMAR)
        self._decoder.activate_search("digits")

    def recognise(self, pcm: bytes) -> str:
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        return found.hypstr if found else ""


class Ear:
    """Collects what is heard, so that an utterance can be cut out of it."""

    def __init__(self) -> None:
        self._heard = bytearray()

    async def listen(self, call: Call) -> None:
        async for frame in call.audio:
            self._heard += frame

    def between(self, start: float, end: float) -> bytes:
        """What was heard between two times, in seconds of received audio."""
        return bytes(self._heard[2 * max(0, round(start * RATE)) : 2 * round(end * RATE)])


async def transcribe(call: Call, recogniser: Recogniser) -> None:
    await call.accept(audio=AudioConfig(RATE))
    ear = Ear()
    listening = asyncio.create_task(ear.listen(call))
    start = 0.0
    async for event in call.voice_activity_flow:
        if event.speaking:
            start = event.at - LEAD_IN
        else:
            # Recognition computes for a while: on a thread, so that other calls do not wait for it.
            text = await asyncio.to_thread(recogniser.recognise, ear.between(start, event.at))
            print(f"{call.caller_number}: {text}", flush=True)
    await listening


async def main() -> None:
    recogniser = DigitRecogniser()
    async with TelnyxClient() as client, asyncio.TaskGroup() as calls:
        incoming = client.incoming_calls.collect()
        await client.connect(TxServerConfiguration.parse(SERVER), CredentialConfig("alice", "demo"))
        print("call alice", flush=True)
        async for call in incoming:
            calls.create_task(transcribe(call, recogniser))


with suppress(KeyboardInterrupt):
    asyncio.run(main())
