"""One side of the calls of a comparison: a process that holds an end of each. Started by compare.py.

It obeys commands, a JSON list a line on stdin, and answers each with a line on stdout. What it is told to do with a
call goes to the adapter of the voice stack that it measures, see peers/.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import os
import re
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from click_probe import Listener, Source, tone


class CallEnds:
    def __init__(self, stack: Any, carried: str) -> None:
        self._stack = stack
        self._carried = carried
        self._peers: list[Any] = []
        self._sources: list[Source] = []
        self._listeners: list[Listener] = []
        self._begin_measuring()

    # --- commands ----------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        call, listener = len(self._peers), Listener()
        peer = self._stack.peer(listener.hear, lambda candidate: say("candidate", call, candidate))
        self._peers.append(peer)
        self._listeners.append(listener)
        if peer.PULL:
            peer.next_frame = self._source(peer, call).next

    async def offer(self, call: int) -> Any:
        return await self._peers[call].create_offer()

    async def answer(self, call: int, offer: Any) -> Any:
        return await self._peers[call].create_answer(offer)

    async def accept(self, call: int, answer: Any) -> None:
        await self._peers[call].set_answer(answer)

    async def candidate(self, call: int, candidate: Any) -> None:
        await self._peers[call].add_candidate(candidate)

    async def connected(self, call: int) -> float:
        return await asyncio.wait_for(self._peers[call].wait_connected(), 20)

    async def talk(self) -> None:
        """Send from now on, all calls in step on an absolute schedule, as the media loop of a bot would."""
        pushing = [(peer.push, self._source(peer, n)) for n, peer in enumerate(self._peers) if not peer.PULL]
        if pushing:
            self._talking = asyncio.create_task(self._push(pushing, self._peers[0].FRAME_MS / 1000))

    async def measure(self) -> None:
        for source in self._sources:
            source.clicks.clear()
        for listener in self._listeners:
            listener.reset()
        self._begin_measuring()

    async def report(self) -> dict[str, Any]:
        now, wall = resource.getrusage(resource.RUSAGE_SELF), time.monotonic() - self._began
        switches = now.ru_nvcsw + now.ru_nivcsw - self._used.ru_nvcsw - self._used.ru_nivcsw
        return {
            "cpu": (now.ru_utime + now.ru_stime - self._used.ru_utime - self._used.ru_stime) / wall,
            "switches": switches / wall,
            "threads": threads(),
            "memory": resident(),
            "sent": [source.clicks for source in self._sources],
            "heard": [listener.clicks for listener in self._listeners],
            "delivered": sum(listener.seconds for listener in self._listeners) / wall / len(self._listeners),
            "stats": await self._peers[0].stats(),
        }

    async def memory(self) -> float:
        return resident()

    # --- how ---------------------------------------------------------------------------------------------------------

    def _begin_measuring(self) -> None:
        self._began, self._used = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)

    def _source(self, peer: Any, call: int) -> Source:
        carried = tone(peer.rate) if self._carried == "tone" else np.fromfile(f"{self._carried}.{peer.rate}", np.int16)
        source = Source(call, carried, peer.rate, peer.FRAME_MS, peer.channels)
        self._sources.append(source)
        return source

    async def _push(self, pushing: list[tuple[Any, Source]], period: float) -> None:
        due = time.monotonic()
        while True:
            for push, source in pushing:
                push(source.next())
            due += period
            await asyncio.sleep(max(0.0, due - time.monotonic()))


def resident() -> float:
    """Megabytes of memory that the process occupies."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024


def threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def say(*message: Any) -> None:
    os.write(1, (json.dumps(message) + "\n").encode())  # in one piece, also from the threads of a stack


async def obey(ends: CallEnds, number: int, command: str, arguments: list[Any]) -> None:
    try:
        say("done", number, await getattr(ends, command)(*arguments))
    except Exception as error:  # noqa: BLE001 - whatever a stack raises, the other process reports it
        say("failed", number, f"{command}: {type(error).__name__}: {error}")


async def main(adapter: str, role: str, codec: str, carried: str) -> None:
    stack = importlib.import_module(f"peers.{adapter}").Stack(role, codec)
    if hasattr(stack, "start"):
        await stack.start()
    ends = CallEnds(stack, carried)
    commands = asyncio.StreamReader(limit=1 << 22)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    say("ready")
    running = set()
    while line := await commands.readline():
        task = asyncio.create_task(obey(ends, *json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(*sys.argv[1:]))
    os._exit(0)  # some stacks never let go of their threads
