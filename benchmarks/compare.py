"""Calls of several voice stacks for Python, one after the other: set-up, delay, CPU, memory, threads.

    make bench-peers && make bench                                       # the others, then all of them
    python benchmarks/compare.py --stacks telnyx-native,wrtc --calls 40,80,100 --carry tone

Two processes hold one end each of every call, over loopback with live audio, as two bots would; see call_ends.py and
peers/. A delay is from handing over the frame with a click to getting the frame with it. CPU, memory and switches are
of both processes, divided by ends, with the harness in them: the stack "nothing" shows how much that is. Others are
measured if they are installed in build/peers/NAME. The machine should be idle; compare only numbers of one run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
PEERS = HERE.parent / "build" / "peers"
STACKS = {
    "telnyx-native": "telnyx_native",
    "telnyx-native 16 kHz": "telnyx_native_16k",
    "telnyx-native telephone": "telnyx_native_telephone",
    "reactor-webrtc": "reactor_webrtc",
    "wrtc": "wrtc",
    "baresip-python": "baresip",
    "aiortc": "aiortc",
    "libdatachannel-py": "libdatachannel",
    "nothing": "nothing",
}
"""Adapter of each stack, by the name of its package."""
SETTLE = 4.0
"""Seconds until the jitter buffers have found their depth."""
LONGEST_DELAY = 1.0


class StackError(Exception):
    """A stack did not do what it was asked to."""


@dataclass(frozen=True, slots=True)
class Result:
    """What calls of one stack cost.

    Attributes:
        setup: Milliseconds until a call is up, median of the calls but the first.
        delay: Milliseconds from one program to the other, median.
        delay_p95: The 95th percentile of it.
        lost: Clicks that were never heard.
        delivered: Audio that came out, as a share of the time.
        cpu: Percent of a core for one end.
        memory: Megabytes for one end.
        threads: Of one process.
        switches: Context switches a second for one end.
    """

    stack: str
    calls: int
    setup: float
    delay: float
    delay_p95: float
    lost: int
    delivered: float
    cpu: float
    memory: float
    threads: int
    switches: float

    @property
    def held(self) -> bool:
        """Whether the calls were good ones."""
        return self.lost == 0 and self.delivered > 0.995


class Side:
    """The process with one end of each call, see call_ends.py."""

    def __init__(self, on_candidate: Callable[[int, Any], Any]) -> None:
        self._on_candidate = on_candidate
        self._commands = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._ready = asyncio.get_running_loop().create_future()

    async def start(self, python: Path, *arguments: str) -> None:
        self._process = await asyncio.create_subprocess_exec(
            python,
            HERE / "call_ends.py",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=1 << 26,
        )
        self._listening = asyncio.create_task(self._listen())
        async with asyncio.timeout(30):
            await self._ready

    async def ask(self, command: str, *arguments: Any) -> Any:
        self._commands += 1
        answer = self._waiting[self._commands] = asyncio.get_running_loop().create_future()
        self._process.stdin.write(json.dumps([self._commands, command, arguments]).encode() + b"\n")
        async with asyncio.timeout(30):
            return await answer

    async def end(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._listening

    async def _listen(self) -> None:
        while line := await self._process.stdout.readline():
            try:
                kind, *rest = json.loads(line)
            except ValueError:
                continue  # a stack that prints
            if kind == "ready":
                self._ready.set_result(None)
            elif kind == "candidate":
                self._on_candidate(*rest)
            elif kind == "done":
                self._waiting.pop(rest[0]).set_result(rest[1])
            elif kind == "failed":
                self._waiting.pop(rest[0]).set_exception(StackError(rest[1]))
        for waiting in (self._ready, *self._waiting.values()):
            if not waiting.done():
                waiting.set_exception(StackError("its process ended"))


async def measure(stack: str, calls: int, options: argparse.Namespace, carried: str) -> Result:
    offering, answering = Side(lambda *c: forward(answering, *c)), Side(lambda *c: forward(offering, *c))
    sides = (offering, answering)
    adapter, python = STACKS[stack], python_of(stack)
    try:
        await asyncio.gather(
            *(
                side.start(python, adapter, role, options.codec, carried.format(role=role))
                for side, role in zip(sides, "ab", strict=True)
            )
        )
        before = await asyncio.gather(*(side.ask("memory") for side in sides))
        setups = [await connect(offering, answering, call) for call in range(calls)]
        await asyncio.gather(*(side.ask("talk") for side in sides))
        await asyncio.sleep(SETTLE)
        await asyncio.gather(*(side.ask("measure") for side in sides))
        await asyncio.sleep(options.seconds)
        reports = await asyncio.gather(*(side.ask("report") for side in sides))
    finally:
        await asyncio.gather(*(side.end() for side in sides), return_exceptions=True)
    heard = [
        match(sent, other["heard"][call])
        for one, other in (reports, reversed(reports))
        for call, sent in enumerate(one["sent"])
    ]
    delays = sorted(delay for found, _ in heard for delay in found) or [float("nan")]
    return Result(
        stack=stack,
        calls=calls,
        setup=1000 * statistics.median(setups[1:] or setups),
        delay=1000 * statistics.median(delays),
        delay_p95=1000 * delays[int(0.95 * len(delays))],
        lost=sum(lost for _, lost in heard),
        delivered=min(report["delivered"] for report in reports),
        cpu=100 * sum(report["cpu"] for report in reports) / (2 * calls),
        memory=sum(report["memory"] - start for report, start in zip(reports, before, strict=True)) / (2 * calls),
        threads=max(report["threads"] for report in reports),
        switches=sum(report["switches"] for report in reports) / (2 * calls),
    )


def forward(side: Side, call: int, candidate: Any) -> None:
    """Trickle a candidate; the event loop keeps the task, since its answer is awaited there."""
    FORWARDED.add(task := asyncio.create_task(side.ask("candidate", call, candidate)))
    task.add_done_callback(lambda done: (FORWARDED.discard(done), done.cancelled() or done.exception()))


FORWARDED: set[asyncio.Task[Any]] = set()


async def connect(offering: Side, answering: Side, call: int) -> float:
    """Set a call up; return how many seconds that took."""
    await asyncio.gather(offering.ask("open"), answering.ask("open"))
    began = asyncio.get_running_loop().time()  # CLOCK_MONOTONIC, like the processes'
    answer = await answering.ask("answer", call, await offering.ask("offer", call))
    await offering.ask("accept", call, answer)
    return max(await asyncio.gather(offering.ask("connected", call), answering.ask("connected", call))) - began


def match(sent: list[float], heard: list[float]) -> tuple[list[float], int]:
    """Pair each click with the first one heard before the next was sent: the delays, and how many found none.

    The last one may still be on its way.
    """
    delays, lost = [], 0
    for clicked, following in pairwise(sent):
        until = min(following, clicked + LONGEST_DELAY)
        found = next((time - clicked for time in heard if clicked < time < until), None)
        if found is None:
            lost += 1
        else:
            delays.append(found)
    return delays, lost


def python_of(stack: str) -> Path:
    """Return the Python that has the stack."""
    return Path(sys.executable) if stack.startswith(("telnyx-native", "nothing")) else PEERS / stack / "bin" / "python"


def write_carried(folder: Path, what: str) -> str:
    """Write what calls carry at the rates that stacks want; return what its files' names begin with, for a role.

    In a conversation each end talks for 2 s of every 5 s, in turn with the other; at different times in each call.
    """
    from telnyx_native.gateway.destinations.sounds import PROMPT
    from telnyx_native.media.files import read_audio

    for rate in (8_000, 16_000, 48_000):
        pcm = np.frombuffer(read_audio(PROMPT, rate), np.int16)
        talk, rest = pcm[rate // 2 : 5 * rate // 2], np.zeros(3 * rate, np.int16)
        turn = np.concatenate([talk, rest])
        for role, first in (("a", 0), ("b", 5 * rate // 2)):
            carried = np.roll(turn, first) if what == "conversation" else pcm
            carried.tofile(folder / f"{role}.{rate}")
    return str(folder / "{role}")


def show(results: list[Result], title: str) -> None:
    table = Table(title=title)
    table.add_column("stack")
    for column in ("calls", "set-up ms", "delay ms", "p95", "clicks lost", "delivered %", "CPU %/end"):
        table.add_column(column, justify="right")
    for column in ("MB/end", "threads", "switches/s"):
        table.add_column(column, justify="right")
    for r in results:
        table.add_row(
            r.stack,
            str(r.calls),
            f"{r.setup:.1f}",
            f"{r.delay:.1f}",
            f"{r.delay_p95:.1f}",
            str(r.lost),
            f"{100 * r.delivered:.1f}",
            f"{r.cpu:.2f}",
            f"{r.memory:.2f}",
            str(r.threads),
            f"{r.switches:.0f}",
        )
    Console(width=max(Console().width, 120)).print(table)


def plot(results: list[Result], path: Path, title: str) -> None:
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    panels = [("delay ms, median", "delay"), ("CPU, % of a core per end", "cpu"), ("MB per end", "memory")]
    figure, axes = plt.subplots(1, len(panels), figsize=(13, 4.2), layout="constrained")
    for axis, (label, name) in zip(axes, panels, strict=True):
        for stack in dict.fromkeys(r.stack for r in results):
            mine = [r for r in results if r.stack == stack]
            axis.plot([r.calls for r in mine], [getattr(r, name) for r in mine], marker="o", label=stack)
        axis.set(xlabel="calls", ylabel=label, ylim=(0, None))
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize="small")
    figure.suptitle(title)
    figure.savefig(path, dpi=110)


async def run(options: argparse.Namespace) -> list[Result]:
    results = []
    with tempfile.TemporaryDirectory() as folder:
        carried = "tone" if options.carry == "tone" else write_carried(Path(folder), options.carry)
        for stack in options.stacks.split(","):
            if not python_of(stack).exists():
                print(f"{stack}: not installed (make bench-peers)", file=sys.stderr)
                continue
            for calls in map(int, options.calls.split(",")):
                try:
                    result = await measure(stack, calls, options, carried)
                except (StackError, TimeoutError) as error:
                    print(f"{stack}: {calls} calls failed: {str(error) or 'no answer'}", file=sys.stderr)
                    break
                print(f"{stack}: {calls} calls, {result.cpu:.2f} % a core and {result.delay:.0f} ms", file=sys.stderr)
                results.append(result)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stacks", default=",".join(STACKS), help="which, a list")
    parser.add_argument("--calls", default="1,5,20", help="how many at once, a list")
    parser.add_argument("--seconds", type=float, default=10, help="measured after settling")
    parser.add_argument("--codec", choices=["opus", "pcmu"], default="opus")
    parser.add_argument(
        "--carry", choices=["speech", "conversation", "tone"], default="speech", help="what is said between the clicks"
    )
    parser.add_argument("--plot", type=Path, default=HERE.parent / "build" / "bench.png", help="the picture to write")
    options = parser.parse_args()
    title = f"Two processes, {options.codec}, {options.carry}, packets of 20 ms, live audio"
    results = asyncio.run(run(options))
    show(results, title)
    plot(results, options.plot, title)
    print(f"Plot: {options.plot}")


if __name__ == "__main__":
    main()
