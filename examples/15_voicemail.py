"""Call somebody: talk to a human, and leave a message after the beep of a machine.

    python 15_voicemail.py [SERVER [NUMBER]]

Without a number, the answering machine of `telnyx-native gateway` is called, which has to run in another terminal. Call
yourself at the gateway's phone, and say "Hello?", to be the human: `python 15_voicemail.py ws://127.0.0.1:8899 client`.
"""

import asyncio
import sys
from pathlib import Path

from telnyx_native import (
    AnswerVerdict,
    AudioConfig,
    Call,
    CredentialConfig,
    TelnyxClient,
    TelnyxError,
    TxServerConfiguration,
)

SERVER = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8899"
NUMBER = sys.argv[2] if len(sys.argv) > 2 else "voicemail"
SOUNDS = Path(__file__).parent / "sounds"


async def deliver(call: Call) -> str:
    """Say it to whoever answers; return how that went."""
    answer = await call.detect_answer()
    print(f"{answer.verdict}, after {answer.after_answer:.1f} s, by {answer.reason}", flush=True)
    match answer.verdict:
        case AnswerVerdict.HUMAN:
            await call.audio.play(SOUNDS / "please_hold.flac")
            return "talked to a human"
        case AnswerVerdict.MACHINE:
            end = await call.wait_greeting_ended()  # its beep, or a long pause
            print(f"beep of {end.beep.frequencies[0]} Hz" if end.beep else "no beep", flush=True)
            await call.audio.play(SOUNDS / "goodbye.flac")
            return "left a message"
        case nobody:
            return f"said nothing to {nobody}"


async def main() -> None:
    async with TelnyxClient() as client:
        await client.connect(TxServerConfiguration.parse(SERVER), CredentialConfig("alice", "demo"))
        call = await client.new_invite(NUMBER, audio=AudioConfig.telephone())
        try:
            print(await deliver(call))
            await asyncio.sleep(1.0)  # the last of it is still on its way
        except TelnyxError as error:
            print(f"{NUMBER}: {error}")
        await call.end()


asyncio.run(main())
