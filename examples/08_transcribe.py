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

from telnyx_native import AudioConfig, Call, CredentialConfig, TelnyxClient, TelnyxError, TxServerConfiguration

SERVER = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8899"
RATE = 16_000
LEAD_IN = 0.4
"""Seconds before the start of speech was noticed that belong to it."""
KEPT = 2.0
"""Seconds that are kept while nobody speaks; it is noticed sooner that somebody does."""


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
    """Keeps what is heard while somebody speaks, so that the utterance can be cut out of it."""

    def __init__(self) -> None:
        self.speaking = False
        self._kept = bytearray()
        self._forgotten = 0  # samples before those

    async def listen(self, call: Call) -> None:
        async for frame in call.audio:
            self._kept += frame
            too_old = 0 if self.speaking else max(0, len(self._kept) // 2 - round(KEPT * RATE))
            del self._kept[: 2 * too_old]
            self._forgotten += too_old

    def between(self, start: float, end: float) -> bytes:
        """What was heard between two times, in seconds of received audio."""
        first, last = (max(0, round(at * RATE) - self._forgotten) for at in (start, end))
        return bytes(self._kept[2 * first : 2 * last])


async def transcribe(call: Call, recogniser: Recogniser) -> None:
    try:
        await call.accept(audio=AudioConfig(RATE))
    except TelnyxError as error:
        print(f"{call.caller_number}: {error}", flush=True)
        return
    ear = Ear()
    listening = asyncio.create_task(ear.listen(call))
    start = 0.0
    async for event in call.voice_activity_flow:
        if event.speaking:
            start = event.at - LEAD_IN
        utterance = ear.between(start, event.at)
        ear.speaking = event.speaking
        if not event.speaking:
            # Recognition computes for a while: on a thread, so that other calls do not wait for it.
            text = await asyncio.to_thread(recogniser.recognise, utterance)
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
