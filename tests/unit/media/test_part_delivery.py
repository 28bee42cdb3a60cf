"""Who is told of the files of a recording."""

from __future__ import annotations

import asyncio
import logging
import threading
from pathlib import Path

import pytest

from telnyx_native.config import RecordedPart
from telnyx_native.logs import Log, LogLevel
from telnyx_native.media.part_delivery import PartDelivery

PARTS = [RecordedPart(Path(f"call-{n}.wav"), n, 1.0) for n in (1, 2, 3)]


def deliver_to(function: object) -> PartDelivery:
    return PartDelivery(function, Log("media", LogLevel.NONE))  # type: ignore[arg-type]


async def test_a_coroutine_has_them_one_after_another_in_the_event_loop() -> None:
    seen: list[object] = []

    async def upload(part: RecordedPart) -> None:
        seen.append(part.number)
        await asyncio.sleep(0)
        seen.append(threading.current_thread())

    delivery = deliver_to(upload)
    for part in PARTS:
        delivery.add(part)
    await delivery.done()
    assert seen == [1, threading.main_thread(), 2, threading.main_thread(), 3, threading.main_thread()]


async def test_a_plain_function_may_block() -> None:
    threads: list[threading.Thread] = []
    delivery = deliver_to(lambda part: threads.append(threading.current_thread()))
    delivery.add(PARTS[0])
    await delivery.done()
    assert threads[0] is not threading.main_thread()


async def test_a_function_that_returns_an_awaitable_is_waited_for() -> None:
    seen: list[int] = []

    async def upload(part: RecordedPart) -> None:
        await asyncio.sleep(0)
        seen.append(part.number)

    delivery = deliver_to(lambda part: upload(part))
    delivery.add(PARTS[0])
    await delivery.done()
    assert seen == [1]


async def test_one_that_fails_is_said_and_the_next_one_comes(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[int] = []

    async def upload(part: RecordedPart) -> None:
        seen.append(part.number)
        if part.number == 1:
            raise OSError("no route to the bucket")

    delivery = deliver_to(upload)
    for part in PARTS:
        delivery.add(part)
    await delivery.done()
    assert seen == [1, 2, 3]
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "call-1.wav" in record.message
    assert "no route" in record.message


async def test_nothing_to_wait_for() -> None:
    await deliver_to(print).done()
