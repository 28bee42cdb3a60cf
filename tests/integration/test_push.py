"""A phone that sleeps: the gateway announces a call, the client wakes up, takes it or declines it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from support.limit import LIMIT
from telnyx_native import (
    Call,
    CredentialConfig,
    PushConfig,
    PushProvider,
    TelnyxClient,
    TxServerConfiguration,
)
from telnyx_native.gateway import Gateway, PushNotification

ALICE = CredentialConfig("alice", "s3cret", push=PushConfig("device-token", provider=PushProvider.IOS))


@pytest.fixture
async def pushes(gateway: Gateway) -> AsyncIterator[AsyncIterator[PushNotification]]:
    """The notifications to Alice, whose phone has registered and gone to sleep."""
    async with TelnyxClient() as client:
        await client.connect(TxServerConfiguration.parse(gateway.url), ALICE)
    async with asyncio.timeout(LIMIT):
        while gateway.connections:  # noqa: ASYNC110 - no event to wait for
            await asyncio.sleep(0.01)
    with gateway.push.sent.collect() as sent:
        yield sent


async def next_payload(pushes: AsyncIterator[PushNotification]) -> dict[str, Any]:
    return (await asyncio.wait_for(anext(pushes), LIMIT)).payload


async def test_the_call_rings_when_the_client_has_come_for_it(
    gateway: Gateway, pushes: AsyncIterator[PushNotification]
) -> None:
    leg = await gateway.place_call("alice", from_="+15550199", name="Desk")
    payload = await next_payload(pushes)
    async with TelnyxClient() as client:
        config = TxServerConfiguration.parse(gateway.url)
        await client.connect(config, ALICE, tx_push_meta_data=payload)
        call: Call = await client.wait_for_pushed_call()
        assert (call.caller_name, call.caller_number) == ("Desk", "+15550199")
        await call.accept()
        await leg.wait_answered(LIMIT)
        await call.wait_active(LIMIT)
        await leg.hang_up()
        assert (await call.wait_done()).cause == "NORMAL_CLEARING"


async def test_the_call_is_declined(gateway: Gateway, pushes: AsyncIterator[PushNotification]) -> None:
    leg = await gateway.place_call("alice", from_="+15550199")
    payload = await next_payload(pushes)
    async with TelnyxClient() as client:
        await client.connect_with_decline_push(payload, ALICE, server_config=TxServerConfiguration.parse(gateway.url))
    assert (await leg.wait_ended(LIMIT)).cause == "USER_BUSY"


async def test_no_more_notifications(gateway: Gateway, pushes: AsyncIterator[PushNotification]) -> None:
    async with TelnyxClient() as client:
        await client.connect(TxServerConfiguration.parse(gateway.url), ALICE)
        assert gateway.push.announces("alice", active=False)
        await client.disable_push()
        assert not gateway.push.announces("alice", active=False)
