"""A first call: dial the echo of a local gateway, say something, hear it come back.

Start `telnyx-native gateway` in another terminal and run this. The address of another gateway may follow as argument.
"""

from __future__ import annotations

import asyncio
import sys
from array import array

from telnyx_native import CredentialConfig, TelnyxClient, TxServerConfiguration
from telnyx_native.media.tones import tone

SERVER = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8899"


async def main() -> None:
    async with TelnyxClient() as client:
        await client.connect(TxServerConfiguration.parse(SERVER), CredentialConfig("alice", "demo"))
        call = await client.new_invite("echo")
        await call.wait_active(timeout=10)
        rate = call.audio.sample_rate
        beep = tone((440,), 1.0, rate)
        await call.audio.write(beep)  # queued; it leaves in real time
        heard = array("h", await call.audio.read(2 * rate))
        print(f"said 1 s, heard it {max(heard) / max(beep):.0%} as loud")
        await call.end()
        print(f"the call ended: {call.termination_reason}")


asyncio.run(main())
