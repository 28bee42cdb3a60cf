"""What the engine asks of the machine, and what it leaves to the programs that come after it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

BEGIN = """
import asyncio, os, resource, sys, threading
from telnyx_native.config import AudioConfig, PeerConfig
from telnyx_native.errors import MediaError
from telnyx_native.media.engine import MediaEngine

async def begin():
    engine = MediaEngine.acquire()
    peer = engine.create_peer(PeerConfig(loopback=True), AudioConfig())
    await peer.create_offer()
    await peer.gathered()
    await engine.release()
"""
FEW_DESCRIPTORS = """
async def main():
    opened = []
    free = int(sys.argv[1])
    highest = max(map(int, os.listdir("/proc/self/fd")))
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1 + 40, highest + 1 + 40))
    while True:
        try:
            opened.append(os.open("/", os.O_RDONLY))
        except OSError:
            break
    for descriptor in opened[:free]:
        os.close(descriptor)
    try:
        await begin()
        print("began")
    except MediaError as error:
        print(error)
    for descriptor in opened[free:]:
        os.close(descriptor)
    await begin()
    print("begins when there is room")

asyncio.run(main())
"""
FEW_THREADS = """
async def main():
    os.setgid(65534)
    os.setuid(int(sys.argv[2]))
    resource.setrlimit(resource.RLIMIT_NPROC, (60, 60))
    stop, waiting = threading.Event(), []
    while True:
        try:
            waiting.append(threading.Thread(target=stop.wait))
            waiting[-1].start()
        except RuntimeError:
            waiting.pop()
            break
    free = int(sys.argv[1])
    stops = []
    stop.set()
    for thread in waiting:
        thread.join()
    stop = threading.Event()
    for _ in range(len(waiting) - free):
        thread = threading.Thread(target=stop.wait)
        thread.start()
        stops.append(thread)
    try:
        await begin()
        print("began")
    except MediaError as error:
        print(error)
    finally:
        stop.set()
        for thread in stops:
            thread.join()
    await begin()
    print("begins when there is room")

asyncio.run(main())
"""


def run(code: str, *arguments: object) -> str:
    command = [sys.executable, "-c", BEGIN + code, *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False, cwd=ROOT)
    assert result.returncode == 0, result.stderr[-2000:]
    return result.stdout


@pytest.mark.parametrize("free", [*range(12), 20])
def test_with_too_few_descriptors_the_engine_does_not_begin_and_says_so(free: int) -> None:
    told, *after = run(FEW_DESCRIPTORS, free).splitlines()
    assert after == ["begins when there is room"]
    if free < 9:
        assert "the media engine cannot begin" in told
        assert "RLIMIT_NOFILE" in told
    elif told != "began":
        assert "RLIMIT_NOFILE" in told


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody whose threads are limited")
@pytest.mark.parametrize("free", [*range(6), 12])
def test_with_too_few_threads_the_engine_does_not_begin_and_says_so(free: int) -> None:
    nobody = 60_000 + 100 * free + os.getpid() % 100  # whose threads nobody else has a part in
    told, *after = run(FEW_THREADS, free, nobody).splitlines()
    assert after == ["begins when there is room"]
    if free < 4:
        assert "the media engine cannot begin: there is no room for the" in told
        assert "RLIMIT_NPROC is 60" in told
    if free == 12:
        assert told == "began"


INHERIT = """
LOOK = '''
import os
for number in os.listdir("/proc/self/fd"):
    try:
        print(number, os.readlink(f"/proc/self/fd/{number}"))
    except FileNotFoundError:
        pass  # what the listing itself has open
'''

async def main():
    before = len(os.listdir("/proc/self/fd"))
    engine = MediaEngine.acquire()
    peers = [engine.create_peer(PeerConfig(loopback=True), AudioConfig()) for _ in range(2)]
    for peer in peers:
        await peer.create_offer()
        await peer.gathered()
    assert len(os.listdir("/proc/self/fd")) > before + 5
    if sys.argv[1] == "exec":
        os.execv(sys.executable, [sys.executable, "-c", LOOK])
    import subprocess
    subprocess.run([sys.executable, "-c", LOOK], close_fds=False)
    await engine.release()

asyncio.run(main())
"""


@pytest.mark.parametrize("how", ["spawn", "exec"])
def test_no_descriptor_of_the_engine_is_inherited(how: str) -> None:
    entries = dict(line.split(" ", 1) for line in run(INHERIT, how).splitlines())
    assert {"0", "1", "2"} <= entries.keys()
    left = {aim for number, aim in entries.items() if int(number) > 2}
    assert not [aim for aim in left if aim.startswith(("socket:", "anon_inode:", "pipe:"))]


SUBINTERPRETER = """
import sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
code = '''
try:
    import telnyx_native.{0}
except ImportError as error:
    print("ImportError", error)
'''.format(sys.argv[1])
interpreter = interpreters.create()
interpreters.{run}(interpreter, code)
interpreters.destroy(interpreter)
__import__("telnyx_native." + sys.argv[1])
print("imported")
""".replace("{run}", "run_string" if sys.version_info < (3, 13) else "exec")


@pytest.mark.parametrize("module", ["_webrtc", "_audio"])
def test_a_subinterpreter_cannot_import_it_but_the_main_one_can_afterwards(module: str) -> None:
    command = [sys.executable, "-c", SUBINTERPRETER, module]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, cwd=ROOT)
    assert result.returncode == 0, result.stderr[-2000:]
    refused, *after = result.stdout.splitlines()
    assert refused.startswith("ImportError")
    assert "interpreter" in refused
    assert after == ["imported"]
