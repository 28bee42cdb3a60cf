"""What calls cost: both ends in one process, over loopback, with real speech and clicks to time.

    python benchmarks/calls.py --calls 1,5,20 --seconds 10 [--telephone] [--conversation] [--ptime 10]

Each end sends the packaged prompt over and over, with a click about once a second that the other end listens for; in a
conversation, for 2 s of every 5 s, in turn with the other end. The delay is from the write of a click to the read of
its first loud sample. CPU and memory are of the whole process,
divided by ends. The machine should be idle; compare only numbers of one run.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from telnyx_native.config import AudioConfig, OpusConfig, PeerConfig
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.files import read_audio
from telnyx_native.media.peer import Peer

CLICK_EVERY = 97  # frames
LOUD = 12_000
SETTLE = 4.0
"""Seconds until the jitter buffers have found their depth."""

ROUND, TURN = 500, 200
"""Frames of a conversation: each side talks once in a round, for a turn."""


@dataclass
class End:
    """One end of a call: what it says, and when it heard the other end's clicks."""

    peer: Peer
    turn: int
    clicked: float = 0.0
    delays: list[float] = field(default_factory=list)

    async def listen(self, other: End) -> None:
        silent_until = 0.0
        rate = self.peer.audio.sample_rate
        async for frame in self.peer.audio.frames(0.01):
            samples = np.abs(np.frombuffer(frame, np.int16))
            now = time.monotonic()
            if now > silent_until and samples.max(initial=0) > LOUD:
                silent_until = now + 0.3
                self.delays.append(now + int(np.argmax(samples > LOUD)) / rate - other.clicked)

    def talks(self, tick: int, number: int) -> bool:
        """Whether it is its turn in a conversation; `number` is that of the call."""
        return (tick + 137 * number - self.turn * ROUND // 2) % ROUND < TURN


def speech(rate: int) -> Iterator[NDArray[np.int16]]:
    """The prompt in frames of 10 ms, quiet enough for clicks to stand out."""
    prompt = np.frombuffer(read_audio(Path(str(files("telnyx_native") / "assets/prompt.flac")), rate), np.int16) // 4
    frame = rate // 100
    frames = prompt[: len(prompt) // frame * frame].reshape(-1, frame)
    while True:
        yield from frames


def click(rate: int) -> NDArray[np.int16]:
    return (28_000 * np.sin(2 * np.pi * 1000 * np.arange(rate // 100) / rate)).astype(np.int16)


async def connect(engine: MediaEngine, audio: AudioConfig) -> tuple[End, End, float]:
    began = time.monotonic()
    caller, callee = (engine.create_peer(PeerConfig(loopback=True), audio) for _ in range(2))
    await caller.create_offer()
    await callee.create_answer(await caller.gathered())
    await caller.set_answer(await callee.gathered())
    await caller.wait_connected(10)
    await callee.wait_connected(10)
    return End(caller, 0), End(callee, 1), time.monotonic() - began


async def talk(ends: list[End], seconds: float, *, in_turn: bool) -> None:
    """Write a frame to every end that talks each 10 ms, on absolute time."""
    rate = ends[0].peer.audio.sample_rate
    frames, loud = speech(rate), click(rate)
    due = time.monotonic()
    for tick in range(round(seconds * 100)):
        frame = next(frames)
        for number, end in enumerate(ends):
            if in_turn and not end.talks(tick, number // 2):
                continue
            if (tick + 7 * number) % CLICK_EVERY == 0:
                end.clicked = time.monotonic()
                end.peer.audio.write_nowait(loud)
            else:
                end.peer.audio.write_nowait(frame)
        due += 0.01
        await asyncio.sleep(max(0.0, due - time.monotonic()))


def memory() -> float:
    """Resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


async def measure(calls: int, seconds: float, audio: AudioConfig, *, in_turn: bool) -> list[str]:
    engine = MediaEngine.acquire()
    before = memory()
    pairs = [await connect(engine, audio) for _ in range(calls)]
    ends = [end for caller, callee, _ in pairs for end in (caller, callee)]
    listening = [asyncio.create_task(end.listen(other)) for a, b, _ in pairs for end, other in ((a, b), (b, a))]
    await talk(ends, SETTLE, in_turn=in_turn)
    for end in ends:
        end.delays.clear()
    began, used = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
    await talk(ends, seconds, in_turn=in_turn)
    now, wall = resource.getrusage(resource.RUSAGE_SELF), time.monotonic() - began
    running, grown = threads(), memory() - before
    for task in listening:
        task.cancel()
    await engine.release()
    delays = sorted(1000 * delay for end in ends for delay in end.delays)
    cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    switches = now.ru_nvcsw + now.ru_nivcsw - used.ru_nvcsw - used.ru_nivcsw
    return [
        str(calls),
        f"{1000 * statistics.median(took for _, _, took in pairs):.1f}",
        f"{statistics.median(delays):.1f} / {delays[int(0.95 * len(delays))]:.1f}",
        f"{100 * cpu / wall / len(ends):.2f}",
        f"{switches / wall / len(ends):.0f}",
        str(running),
        f"{grown / len(ends):.2f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", default="1,5,20", help="how many at once, a list")
    parser.add_argument("--seconds", type=float, default=10, help="measured after settling")
    parser.add_argument("--telephone", action="store_true", help="G.711 at 8 kHz instead of Opus at 16 kHz")
    parser.add_argument("--conversation", action="store_true", help="each end talks for 40 %% of the time only")
    parser.add_argument("--ptime", type=int, help="milliseconds a packet")
    parser.add_argument("--complexity", type=int, default=OpusConfig.complexity, help="of the Opus encoder, 0 to 10")
    options = parser.parse_args()
    audio = AudioConfig.telephone() if options.telephone else AudioConfig()
    # Live audio: what comes late is dropped, as a microphone would have it.
    audio = replace(audio, max_backlog=0.01, opus=OpusConfig(ptime=options.ptime, complexity=options.complexity))
    codec = "G.711" if options.telephone else str(audio.opus)
    talking = "conversation" if options.conversation else "speech all the time"
    table = Table(title=f"telnyx-native, {audio.sample_rate // 1000} kHz, {codec}, {talking}")
    for column in (
        "calls",
        "set-up ms",
        "delay ms, median / p95",
        "CPU % of a core per end",
        "switches/s per end",
        "threads",
        "MB per end",
    ):
        table.add_column(column, justify="right")
    for calls in map(int, options.calls.split(",")):
        table.add_row(*asyncio.run(measure(calls, options.seconds, audio, in_turn=options.conversation)))
    Console().print(table)


if __name__ == "__main__":
    main()
