"""Packets whose payload is not of the codec that their number says: what cannot be decoded ends no process."""

from __future__ import annotations

import pytest

from support.process import run_python

# The caller is told that the number of Opus means PCMU, and sends that; the callee decodes it as Opus, mostly in vain.
PROGRAM = """
import asyncio, random, sys
from telnyx_native.config import AudioConfig, PeerConfig
from telnyx_native.media.engine import MediaEngine

async def call(engine, seed):
    caller, callee = (engine.create_peer(PeerConfig(loopback=True), AudioConfig()) for _ in range(2))
    await caller.create_offer()
    await callee.create_answer(await caller.gathered())
    answer = await callee.gathered()
    await caller.set_answer(answer.replace("a=rtpmap:111 opus/48000/2", "a=rtpmap:111 PCMU/8000"))
    await caller.wait_connected(LIMIT)
    noise = random.Random(seed)
    for _ in range(10):
        caller.audio.write_nowait(bytes(3_200) + noise.randbytes(3_200 * seed))
        await asyncio.sleep(0.1)
    await callee.stats()
    await caller.close()
    await callee.close()

async def main():
    engine = MediaEngine.acquire()
    await asyncio.gather(*(call(engine, seed) for seed in range(8)))
    await engine.release()

asyncio.run(main())
print("over")
"""


@pytest.mark.parametrize("attempt", range(3))
def test_payload_of_another_codec_ends_no_process(attempt: int) -> None:
    result = run_python(PROGRAM, timeout=50)
    assert (result.returncode, result.stdout) == (0, "over\n"), result.stderr
