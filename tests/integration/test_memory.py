"""What calls that are over leave behind, while the collector of cyclic garbage is off."""

from __future__ import annotations

import asyncio
import gc
import os
import weakref
from collections import Counter
from collections.abc import Iterator

import pytest

from support.limit import LIMIT
from support.users import log_in
from telnyx_native import CredentialConfig, TelnyxClient, TxServerConfiguration
from telnyx_native.gateway import Gateway, User

pytestmark = pytest.mark.sound  # other work in this process would count

CALLS = int(os.environ.get("MEMORY_CALLS", "100"))
"""2,000 with MEMORY_CALLS=2000, which takes minutes."""

AT_ONCE = 10


@pytest.fixture
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def place_and_end(client: TelnyxClient, gateway: Gateway) -> list[weakref.ref]:
    """One call that is placed, answered and hung up; what it consisted of on both sides."""
    call = await client.new_invite("echo")
    await call.wait_active(LIMIT)
    driver = call._driver
    leg = gateway.connections[0].legs[call.call_id.lower()]
    parts = (
        *(call, driver, driver.life, driver.path, driver.observation, driver.path.negotiation),
        *(driver.path.peer, driver.path.candidates, driver.path.peer.audio),
        *(leg, leg.media, leg.media.peer, leg.media.peer.audio),
    )
    await call.end()
    return [weakref.ref(part) for part in parts]


async def everything_freed(parts: list[weakref.ref]) -> None:
    async with asyncio.timeout(LIMIT):
        while left := [part() for part in parts if part() is not None]:
            names = Counter(type(part).__name__ for part in left)
            del left
            await asyncio.sleep(0.01)
            assert names


async def test_a_call_that_is_over_is_freed_without_the_collector(without_collector: None) -> None:
    async with Gateway([User("alice", "s3cret")]) as gateway, TelnyxClient() as client:
        await log_in(client, gateway, "alice")
        await everything_freed(await place_and_end(client, gateway))


@pytest.mark.timeout(150 + CALLS)
async def test_many_calls_are_flat_without_the_collector(without_collector: None) -> None:
    async with Gateway([User("alice", "s3cret")]) as gateway, TelnyxClient() as client:
        await stay_flat(client, gateway, CALLS)


async def stay_flat(client: TelnyxClient, gateway: Gateway, calls: int) -> None:
    """Place and end that many calls, and see that no objects stay."""
    server = TxServerConfiguration.parse(gateway.url)
    # The connection that posts a report is a cycle inside of asyncio, which only the collector frees.
    await client.connect(server, CredentialConfig("alice", "s3cret", call_reports=False))

    async def batch() -> int:
        parts = await asyncio.gather(*(place_and_end(client, gateway) for _ in range(AT_ONCE)))
        await everything_freed([part for of_call in parts for part in of_call])
        return len(gc.get_objects())

    for _ in range(3):
        before = await batch()
    for _ in range(calls // AT_ONCE):
        after = await batch()
    assert after - before < max(calls // 10, 100), f"{(after - before) / calls:.1f} objects a call stay"
