"""What import and calls take of a small machine: memory, and CPU time.

Needs a gateway elsewhere, so that only the client is measured:

    telnyx-native gateway                                            # on another machine, or beside
    python benchmarks/footprint.py --server ws://127.0.0.1:8899 --calls 2 --seconds 20

Heap is what malloc has handed out in all its arenas (mallinfo2, so it needs glibc 2.33), which an emulator reports
rightly; resident memory and CPU time are those of the emulator, if one runs this.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import re
import resource
import time
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from telnyx_native import Call

RATE = 16_000


class _Mallinfo2(ctypes.Structure):
    # arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost
    _fields_ = [(f"field{number}", ctypes.c_size_t) for number in range(10)]


def heap() -> float:
    """Megabytes that malloc has handed out."""
    mallinfo2 = ctypes.CDLL(None).mallinfo2
    mallinfo2.restype = _Mallinfo2
    info = mallinfo2()
    return (info.field7 + info.field4) / 1e6


def resident() -> float:
    """Megabytes of memory that the process occupies."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1e3


def report(when: str) -> None:
    print(f"{when:24} heap {heap():7.2f} MB   resident {resident():7.1f} MB", flush=True)


async def use(call: Call, words: NDArray[np.int16]) -> None:
    """Say something, and listen for as long as it takes."""
    await asyncio.gather(call.audio.write(words), call.audio.read(words.size))


async def talk(server: str, calls: int, seconds: int) -> None:
    import numpy as np

    from telnyx_native import CredentialConfig, TelnyxClient, TxServerConfiguration
    from telnyx_native.media.files import read_audio

    async with TelnyxClient() as client:
        await client.connect(TxServerConfiguration.parse(server), CredentialConfig("alice", "demo"))
        report("logged in")
        running = []
        for number in range(calls):
            call = await client.new_invite("echo")
            await call.wait_active(timeout=30)
            running.append(call)
            if number == 0:
                await asyncio.sleep(1)
                report("first call")
        speech = read_audio(files("telnyx_native") / "assets" / "prompt.flac", RATE)
        before, began = time.process_time(), time.monotonic()
        for second in range(seconds):
            words = np.roll(speech, -second * RATE)[:RATE]
            await asyncio.gather(*(use(call, words) for call in running))
        used, took = time.process_time() - before, time.monotonic() - began
        report(f"{calls} calls")
        print(f"CPU time {used:.2f} s for {calls} calls of {took:.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="ws://127.0.0.1:8899")
    parser.add_argument("--calls", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=20)
    arguments = parser.parse_args()
    report("started")
    import telnyx_native.client

    report("client imported")
    import numpy as np  # noqa: F401
    import soundfile  # noqa: F401

    report("numpy, soundfile imported")
    import telnyx_native.media.engine  # noqa: F401 - it is the import that is measured

    report("libwebrtc loaded")
    asyncio.run(talk(arguments.server, arguments.calls, arguments.seconds))
    print(f"peak resident {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.1f} MB")


if __name__ == "__main__":
    main()
