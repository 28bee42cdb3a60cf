"""The engine's life: many calls, closing at any moment, exit, fork, and what the extension needs."""

from __future__ import annotations

import asyncio
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from support.limit import LIMIT
from support.peers import LOOPBACK, connected, negotiate
from support.process import holdings, native_threads, open_files, run_python
from telnyx_native import _audio, _webrtc
from telnyx_native.config import AudioConfig
from telnyx_native.errors import EngineClosedError
from telnyx_native.media.engine import MediaEngine

MODULES = [Path(_audio.__file__), Path(_webrtc.__file__)]
needs_binutils = pytest.mark.skipif(shutil.which("readelf") is None, reason="there is no binutils")


async def test_users_of_one_loop_share_an_engine_until_the_last_releases_it() -> None:
    before = native_threads(), open_files()
    first, second = MediaEngine.acquire(), MediaEngine.acquire()
    assert first is second
    await first.release()
    peer = second.create_peer(LOOPBACK, AudioConfig())
    await peer.create_offer()
    await second.release()
    assert await holdings(before) == before
    with pytest.raises(EngineClosedError):
        second.create_peer(LOOPBACK, AudioConfig())
    with pytest.raises(EngineClosedError):
        await peer.stats()


async def test_threads_do_not_grow_with_calls(engine: MediaEngine) -> None:
    async with connected(engine):
        one_call = native_threads()
        async with connected(engine), connected(engine), connected(engine), connected(engine):
            assert native_threads() == one_call


async def test_the_clock_ticks_only_while_there_are_calls(engine: MediaEngine) -> None:
    async with connected(engine) as (_, callee):
        await callee.audio.read(1600)
    ticks = engine.counters["ticks"]
    assert ticks > 5
    await asyncio.sleep(0.1)
    assert engine.counters["ticks"] <= ticks + 1
    async with connected(engine) as (_, callee):
        await callee.audio.read(1600)
    assert engine.counters["ticks"] > ticks + 5


async def test_ten_calls_at_once(engine: MediaEngine) -> None:
    pairs = [tuple(engine.create_peer(LOOPBACK, AudioConfig()) for _ in range(2)) for _ in range(10)]
    async with asyncio.timeout(10):
        await asyncio.gather(*(negotiate(caller, callee) for caller, callee in pairs))
        await asyncio.gather(*(peer.wait_connected(LIMIT) for pair in pairs for peer in pair))
        await asyncio.gather(*(peer.close() for pair in pairs for peer in pair))


async def test_twenty_calls_in_a_row_leave_nothing_behind(engine: MediaEngine) -> None:
    async with connected(engine):
        pass
    before = native_threads(), open_files()
    for _ in range(20):
        async with connected(engine) as (caller, _):
            await caller.audio.write(bytes(3200))
    assert await holdings(before) == before


@pytest.mark.parametrize("seed", range(8))
async def test_the_engine_can_be_closed_at_any_moment(seed: int) -> None:
    before = native_threads(), open_files()
    engine = MediaEngine.acquire()
    caller, callee = (engine.create_peer(LOOPBACK, AudioConfig()) for _ in range(2))
    negotiating = asyncio.create_task(negotiate(caller, callee))
    listening = asyncio.create_task(callee.audio.read(1600))
    await asyncio.sleep(random.Random(seed).uniform(0, 0.02))
    async with asyncio.timeout(2):
        await engine.release()
        await asyncio.gather(negotiating, listening, return_exceptions=True)
    assert await holdings(before) == before


BUSY_CALL = """
import asyncio
from telnyx_native.config import AudioConfig, PeerConfig
from telnyx_native.media.engine import MediaEngine

async def call():
    engine = MediaEngine.acquire()
    caller, callee = (engine.create_peer(PeerConfig(loopback=True), AudioConfig()) for _ in range(2))
    await caller.create_offer()
    await callee.create_answer(await caller.gathered())
    await caller.set_answer(await callee.gathered())
    await caller.wait_connected(30)
    await caller.audio.write(bytes(64000))
    return engine, caller, callee
"""


@pytest.mark.parametrize(
    "ending",
    [
        "asyncio.run(call())",
        "kept = asyncio.run(call())",
        "import sys\nasync def main():\n    await call()\n    sys.exit(0)\nasyncio.run(main())",
        "loop = asyncio.new_event_loop()\nloop.run_until_complete(call())",
        "async def main():\n"
        "    engine, *_ = await call()\n"
        "    asyncio.create_task(engine.release())\n"
        "    await asyncio.sleep(0)\n"
        "asyncio.run(main())",
    ],
    ids=["dropped", "kept", "sys.exit", "loop left open", "release cancelled"],
)
def test_a_program_that_forgets_to_close_ends_cleanly(ending: str) -> None:
    result = run_python(BUSY_CALL + ending)
    assert (result.returncode, result.stderr) == (0, "")


def test_an_exception_leaves_its_traceback_and_nothing_else() -> None:
    result = run_python(BUSY_CALL + "async def main():\n    await call()\n    raise KeyError('x')\nasyncio.run(main())")
    assert result.returncode == 1
    assert result.stderr.strip().endswith("KeyError: 'x'")


def test_a_forked_child_is_told_and_both_processes_end_cleanly() -> None:
    result = run_python(
        BUSY_CALL
        + """
import os
async def main():
    engine, caller, callee = await call()
    child = os.fork()
    if child == 0:
        try:
            caller.echo()
        except RuntimeError as error:
            print(error, flush=True)
        os._exit(7)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    await caller.stats()
    await engine.release()
asyncio.run(main())
"""
    )
    assert result.returncode == 0, result.stderr
    assert "belongs to the parent process" in result.stdout
    assert result.stdout.strip().endswith("7")


def test_two_loops_in_two_threads_have_engines_of_their_own() -> None:
    result = run_python(
        BUSY_CALL
        + """
import threading
def run():
    async def main():
        engine, *_ = await call()
        await engine.release()
    asyncio.run(main())
threads = [threading.Thread(target=run) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
    )
    assert (result.returncode, result.stderr) == (0, "")


@needs_binutils
@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_the_extension_needs_nothing_but_libc(module: Path) -> None:
    listing = subprocess.run(["readelf", "-d", module], capture_output=True, text=True, check=True).stdout
    needed = {line.split("[")[1].split("]")[0].split(".so")[0] for line in listing.splitlines() if "(NEEDED)" in line}
    loaders = {name for name in needed if name.startswith("ld-linux")}
    assert needed - loaders <= {"libc", "libm", "libgcc_s"}


@needs_binutils
@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_the_extension_exports_its_entry_point_only(module: Path) -> None:
    listing = subprocess.run(["nm", "-D", "--defined-only", module], capture_output=True, text=True, check=True).stdout
    assert [line.split()[-1] for line in listing.splitlines()] == [f"PyInit_{module.name.split('.')[0]}"]
