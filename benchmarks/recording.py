"""What recordings cost: CPU and bytes of each kind of file, for calls over loopback in one process.

    python benchmarks/recording.py [--calls 10] [--seconds 10] [--kinds wav,flac,opus,packets]

One end of each call plays the packaged prompt over and over, the other end is recorded. What a kind of file takes is
the CPU of the whole process, less that of the same calls without recordings, divided by calls; kinds take turns with
no recording at all, so that what else happens on the machine spoils both. Compare only numbers of one run.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from importlib.resources import files
from pathlib import Path

from rich.console import Console
from rich.table import Table

from telnyx_native.config import AudioConfig, PeerConfig
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.peer import Peer
from telnyx_native.media.recording import begin_packet_recording, begin_recording

PROMPT = Path(str(files("telnyx_native") / "assets/prompt.flac"))
ROUNDS = 3
"""Of which the medians count."""


async def connect(engine: MediaEngine) -> tuple[Peer, Peer]:
    caller, callee = (engine.create_peer(PeerConfig(loopback=True), AudioConfig()) for _ in range(2))
    await caller.create_offer()
    await callee.create_answer(await caller.gathered())
    await caller.set_answer(await callee.gathered())
    await caller.wait_connected(10)
    caller.audio.play(PROMPT, loop=True)
    return caller, callee


async def cpu_of(kind: str | None, peers: list[Peer], seconds: float, folder: Path) -> tuple[float, int]:
    """CPU seconds of the process in so many seconds with recordings, and the bytes of one."""
    recordings = []
    for i, peer in enumerate(peers):
        if kind == "packets":
            recordings.append(await begin_packet_recording(folder / f"{i}.opus", peer.audio))
        elif kind is not None:
            recordings.append(await begin_recording(folder / f"{i}.{kind}", peer.audio))
    begun = time.process_time()
    await asyncio.sleep(seconds)
    used = time.process_time() - begun
    for recording in recordings:
        await recording.stop()
    return used, recordings[0].path.stat().st_size if recordings else 0


async def measure(arguments: argparse.Namespace) -> None:
    engine = MediaEngine.acquire()
    calls = [await connect(engine) for _ in range(arguments.calls)]
    heard = [callee for _, callee in calls]
    used: dict[str, list[float]] = {}
    size: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        await asyncio.sleep(2)
        for _ in range(ROUNDS):
            for kind in arguments.kinds.split(","):
                plain, _ = await cpu_of(None, heard, arguments.seconds, Path(folder))
                recorded, size[kind] = await cpu_of(kind, heard, arguments.seconds, Path(folder))
                used.setdefault(kind, []).append((recorded - plain) / arguments.calls / arguments.seconds)
    table = Table(
        "file", "CPU of a call", "bytes a second", title=f"{arguments.calls} calls of {arguments.seconds:g} s"
    )
    for kind, values in used.items():
        table.add_row(kind, f"{statistics.median(values):.3%} of a core", f"{size[kind] / arguments.seconds:,.0f}")
    Console().print(table)
    for caller, callee in calls:
        await caller.close()
        await callee.close()
    await engine.release()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--calls", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--kinds", default="wav,flac,opus,packets")
    asyncio.run(measure(parser.parse_args()))
