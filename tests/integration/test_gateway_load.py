"""Many calls, one after the other and at once: nothing is left of them."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from support.process import native_threads, open_files
from telnyx_native import CredentialConfig, TelnyxClient, TxServerConfiguration
from telnyx_native.gateway import Gateway, User

DESTINATIONS = ("echo", "tone", "bob")


@pytest.fixture
async def gateway():
    async with Gateway([User("alice", "secret"), User("bob", "secret")]) as gateway:
        yield gateway


@pytest.fixture
async def alice(gateway):
    """A client that calls, beside one that answers."""

    async def answer_all():
        async for call in bob.incoming_calls:
            await call.accept()

    async with TelnyxClient() as alice, TelnyxClient() as bob:
        for client, name in ((alice, "alice"), (bob, "bob")):
            await client.connect(TxServerConfiguration.parse(gateway.url), CredentialConfig(name, "secret"))
        answering = asyncio.create_task(answer_all())
        yield alice
        answering.cancel()


async def all_over(gateway):
    async with asyncio.timeout(5):
        while gateway.calls:  # noqa: ASYNC110 - the calls of many flows
            await asyncio.sleep(0.01)


def start_all_threads_of_the_executor():
    """Reports of calls are posted in threads, of which the loop starts one more whenever none is idle."""
    threads = 8
    executor, all_there = ThreadPoolExecutor(threads), Barrier(threads)
    asyncio.get_running_loop().set_default_executor(executor)
    list(executor.map(lambda _: all_there.wait(), range(threads)))


def holdings():
    return native_threads(), open_files(), len(asyncio.all_tasks())


async def test_twenty_calls_in_a_row_leave_nothing(alice, gateway):
    start_all_threads_of_the_executor()
    held = None
    for number in range(21):
        call = await alice.new_invite(DESTINATIONS[number % 3])
        await call.wait_active(5)
        await call.end()
        await all_over(gateway)
        if number == 2:  # every kind of call was there once
            held = holdings()
    async with asyncio.timeout(5):  # for the reports of the last calls, and for the other end to free its media
        while any(now > before for now, before in zip(holdings(), held, strict=True)):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_ten_calls_at_once(alice, gateway):
    calls = [await alice.new_invite("bob") for _ in range(10)]
    await asyncio.gather(*(call.wait_active(10) for call in calls))
    assert len(gateway.calls) == 20
    await asyncio.gather(*(call.end() for call in calls))
    await all_over(gateway)
