"""Play a file into a call, and record both sides of it.

Start `telnyx-native gateway` in another terminal and run this. It calls the gateway's echo, says something, and
leaves `call.flac`: left what was heard, right what was said.
"""

import asyncio
import sys
from pathlib import Path

from telnyx_native import CredentialConfig, TelnyxClient, TxServerConfiguration

SERVER = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8899"
SOUNDS = Path(__file__).parent / "sounds"


async def main() -> None:
    async with TelnyxClient() as client:
        await client.connect(TxServerConfiguration.parse(SERVER), CredentialConfig("alice", "demo"))
        call = await client.new_invite("echo")
        await call.wait_active(timeout=10)
        async with await call.record("call.flac") as recording:
            await call.audio.play(SOUNDS / "goodbye.flac")
            await call.audio.read(call.audio.sample_rate)  # a second more: the echo is still on its way
        print(f"recorded {recording.duration:.1f} s of both sides in call.flac")


asyncio.run(main())
