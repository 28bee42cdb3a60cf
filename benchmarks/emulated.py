"""What calls take on another architecture: instructions and memory from malloc, counted by qemu. For docs/arm.md.

    make wheels                                            # installs the wheels in Debians of their architectures
    make bench-arm                                         # then this, for aarch64 and armv7l

Each row is a process of its own, footprint.py, which calls a gateway outside of the emulation. Needs Debian's qemu-user
(the static qemu takes no plugins) and gcc. With ``--machine x86_64`` this Python runs it, under qemu and then without:
as many cycles as that takes give an idea how many a board needs for as many instructions.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wheels.targets import TARGETS, Target

HERE = Path(__file__).parent
WORK = HERE.parent / "build/wheels"
PLUGIN = HERE.parent / "build/count_instructions.so"
SHORT, LONG = 10, 30
"""Seconds of calls: what the longer take more is what calls take while they last."""
CALLS = (1, 4)


@dataclass(frozen=True, slots=True)
class Run:
    """What a process took.

    Attributes:
        seconds: How long its calls really were.
        heap: Megabytes after each step, by its name.
        instructions: All it ran.
        first_thread: Those of the thread with the event loop.
        cpu: Seconds of CPU time of the calls, of the emulator if there is one.
    """

    seconds: float
    heap: dict[str, float]
    instructions: int
    first_thread: int
    cpu: float


def build_plugin() -> None:
    PLUGIN.parent.mkdir(exist_ok=True)
    source = HERE / "count_instructions.c"
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", source, "-o", PLUGIN], check=True)


def emulation(target: Target) -> tuple[list[str | Path], dict[str, str]]:
    """The command that starts Python with the wheel, and what it needs in its environment."""
    qemu: list[str | Path] = [f"qemu-{target.emulator}", "-plugin", PLUGIN]
    if target.is_here:
        return [*qemu, sys.executable], {}
    root = WORK / f"bookworm-{target.debian}"
    # Debian's numpy finds these two by links that lead out of the root.
    libraries = ":".join(f"{root}/usr/lib/{target.triplet}/{name}" for name in ("blas", "lapack"))
    packages = root / "root/trial/lib/python3.11/site-packages"
    if not packages.is_dir():
        sys.exit(f'no wheel is installed in {root}: make wheels WHEELS="--machine {target.machine}"')
    python = [*qemu, "-E", f"LD_LIBRARY_PATH={libraries}", "-L", root, root / "usr/bin/python3.11"]
    return python, {"PYTHONPATH": str(packages)}


@contextmanager
def gateway() -> Iterator[str]:
    """A gateway in a process of its own: its address."""
    command = [sys.executable, "-m", "telnyx_native", "gateway", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            while not (found := re.search(r"http(://[^/\s]+)/", line := process.stdout.readline())):
                assert line, "the gateway has ended"
            threading.Thread(target=process.stdout.read, daemon=True).start()
            yield f"ws{found[1]}"
        finally:
            process.terminate()
            process.wait()


def run(python: list[str | Path], environment: dict[str, str], server: str, calls: int, seconds: int) -> Run:
    footprint = [HERE / "footprint.py", "--server", server, "--calls", str(calls), "--seconds", str(seconds)]
    done = subprocess.run(
        [*python, *footprint], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}")
    cpu, took = map(float, re.search(r"CPU time ([\d.]+) s for \d+ calls of ([\d.]+) s", done.stdout).groups())
    counted = re.search(r"(\d+) instructions, (\d+) of the first thread", done.stderr)
    instructions, first_thread = map(int, counted.groups()) if counted else (0, 0)
    heap = {name.strip(): float(mb) for name, mb in re.findall(r"(.+?) heap +([\d.]+) MB", done.stdout)}
    return Run(took, heap, instructions, first_thread, cpu)


def measure(target: Target, server: str) -> None:
    python, environment = emulation(target)
    print(f"== {target.machine}: millions of instructions, megabytes of memory from malloc", flush=True)
    heap: dict[int, float] = {}
    idle = run(python, environment, server, 0, 0)
    print(f"   {'start, imports, login':40} {idle.instructions / 1e6:8.1f} million", flush=True)
    for calls in CALLS:
        short, long = (run(python, environment, server, calls, seconds) for seconds in (SHORT, LONG))
        if calls == CALLS[0]:
            for step, megabytes in short.heap.items():
                print(f"   {step:40} {megabytes:8.1f} MB")
        heap[calls] = short.heap[f"{calls} calls"]
        print(f"   {f'{calls} calls, after {SHORT} s':40} {heap[calls]:8.1f} MB")
        print(f"   {f'{calls} calls, after {LONG} s':40} {long.heap[f'{calls} calls']:8.1f} MB")
        of_calls = calls * (long.seconds - short.seconds)
        each = (long.instructions - short.instructions) / of_calls
        first = (long.first_thread - short.first_thread) / of_calls
        print(f"   {f'each second of a call, with {calls}':40} {each / 1e6:8.1f} million")
        print(f"   {'   of these the thread with the event loop':40} {first / 1e6:8.1f} million")
        if calls == CALLS[0]:
            rest = short.instructions - idle.instructions - each * calls * short.seconds
            print(f"   {'a first call, set up and ended':40} {rest / 1e6:8.1f} million", flush=True)
    few, many = CALLS
    print(f"   {'each further call':40} {(heap[many] - heap[few]) / (many - few):8.1f} MB", flush=True)
    if target.is_here:
        natively = run([sys.executable], {}, server, many, LONG)
        used = natively.cpu / natively.seconds / many
        print(f"   {'without qemu, of a core, each call':40} {used:8.1%}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machine", action="append", choices=list(TARGETS), help="default: the two ARMs")
    arguments = parser.parse_args()
    build_plugin()
    with gateway() as server:
        for machine in arguments.machine or ("aarch64", "armv7l"):
            measure(TARGETS[machine], server)


if __name__ == "__main__":
    main()
