"""Many calls, one after the other and at once: nothing is left of them."""

from __future__ import annotations

import asyncio

import pytest

from support.busy_gateway import bridged, flood, hold_calls, logged_in
from support.gateway_process import gateway_process
from support.limit import LIMIT
from support.process import held, let_go, start_threads_of_the_executor
from telnyx_native import CallState, CredentialConfig, TelnyxClient, TxServerConfiguration
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


async def test_twenty_calls_in_a_row_leave_nothing(alice, gateway):
    start_threads_of_the_executor()
    for number in range(21):
        call = await alice.new_invite(DESTINATIONS[number % 3])
        await call.wait_active(LIMIT)
        await call.end()
        await all_over(gateway)
        if number == 2:  # every kind of call was there once
            before = held()
    await let_go(before)


async def test_ten_calls_at_once(alice, gateway):
    calls = [await alice.new_invite("bob") for _ in range(10)]
    await asyncio.gather(*(call.wait_active(LIMIT) for call in calls))
    assert len(gateway.calls) == 20
    await asyncio.gather(*(call.end() for call in calls))
    await all_over(gateway)


async def test_reports_of_calls_that_end_together_all_arrive(gateway):
    async with TelnyxClient() as client:
        await client.connect(TxServerConfiguration.parse(gateway.url), CredentialConfig("alice", "secret"))
        calls = [await client.new_invite("echo") for _ in range(12)]
        await asyncio.gather(*(call.wait_active(LIMIT) for call in calls))
    assert {report.call_id for report in gateway.call_reports} == {call.call_id for call in calls}


async def test_a_taste_of_the_load(tmp_path):
    """`make load` is the meal."""
    async with gateway_process(10, tmp_path) as gateway:
        metrics = await hold_calls(gateway, users=10, calls=2, seconds=1)
        assert len(metrics) == 4
        assert all(end.packets_received > 50 for end in metrics)


async def test_a_taste_of_the_flood(tmp_path):
    async with gateway_process(4, tmp_path) as gateway, logged_in(gateway, 4) as clients:
        ends = await bridged(clients, 2)
        await flood(gateway, 300)
        assert (await gateway.get("status"))["counters"]["handler_failures"] == 0
        assert [end.call.state for end in ends] == [CallState.ACTIVE] * 4
        async with logged_in(gateway, 4):
            pass
