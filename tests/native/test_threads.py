"""Python threads side by side: with a GIL they take turns, without one (3.13t and newer) they really race."""

from __future__ import annotations

import asyncio
import sys
import sysconfig
import threading
from array import array
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.peers import connected
from support.signals import dominant_frequency, pcm, tone
from telnyx_native._audio import AudioPort
from telnyx_native.media.engine import MediaEngine

pytestmark = pytest.mark.sound

RATE = 16_000
FRAME = RATE // 100
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def repeat(action: Callable[[], object], until: threading.Event) -> None:
    while not until.is_set():
        action()


def feed(port: AudioPort, words: bytes) -> None:
    written = 0
    while written < len(words) // 2:
        written += port.write(words, written)


def echo(port: AudioPort, size: int) -> None:
    """The clock: what is played is received, as long as both queues have room, so that nothing may be lost."""
    sent, echoed = bytes(2 * FRAME), 0
    while echoed < size:
        if port.queued >= FRAME and port.readable <= port.capture_size - FRAME:
            sent = port.tick(sent)
            echoed += FRAME


def listen(port: AudioPort, size: int) -> bytes:
    heard = bytearray()
    while len(heard) < 2 * size:
        heard += port.read(997)
    return bytes(heard)


def test_a_port_loses_nothing_between_a_writer_a_reader_a_clock_and_onlookers() -> None:
    port = AudioPort(RATE, 10 * FRAME, 10 * FRAME, 0)
    size = 2 * RATE
    words = array("h", ((i * 7919) % 65_536 - 32_768 for i in range(size))).tobytes()
    over = threading.Event()
    with ThreadPoolExecutor(5) as threads:
        onlookers = [threads.submit(repeat, look, over) for look in (port.counters, lambda: (port.queued, port.space))]
        try:
            work = [threads.submit(feed, port, words), threads.submit(echo, port, size)]
            heard = threads.submit(listen, port, size).result(30)
            for worker in work:
                worker.result(30)
        finally:
            over.set()
        for onlooker in onlookers:
            onlooker.result(5)
    assert heard == bytes(2 * FRAME) + words[: -2 * FRAME]


async def hear(hz: float) -> float:
    """Call, say a tone, and tell which one came."""
    engine = MediaEngine.acquire()
    try:
        async with connected(engine) as (caller, callee):
            await caller.audio.write(tone(hz, 1.0, RATE))
            await callee.audio.read(RATE // 4)
            return dominant_frequency(pcm(await callee.audio.read(RATE // 2)), RATE)
    finally:
        await engine.release()


def test_threads_with_loops_of_their_own_have_calls_at_the_same_time() -> None:
    for _ in range(2):
        tones = (440.0, 660.0, 880.0)
        with ThreadPoolExecutor(len(tones)) as threads:
            heard = list(threads.map(lambda hz: asyncio.run(hear(hz)), tones))
        assert heard == pytest.approx(tones, abs=5)


@pytest.mark.skipif(not FREE_THREADED, reason="this Python has a GIL")
def test_the_extensions_keep_the_gil_off() -> None:
    assert not sys._is_gil_enabled()
