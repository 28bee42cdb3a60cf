from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from support.users import log_in
from telnyx_native import TelnyxClient
from telnyx_native.gateway import Gateway, User, scripted_brain


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    users = [User("alice", "s3cret", "+15550100"), User("bob", "s3cret", "+15550101")]
    async with Gateway(users, assistants={"assistant": scripted_brain}) as running:
        yield running


@pytest.fixture
async def alice(gateway: Gateway) -> AsyncIterator[TelnyxClient]:
    async with TelnyxClient() as client:
        await log_in(client, gateway, "alice")
        yield client


@pytest.fixture
async def bob(gateway: Gateway) -> AsyncIterator[TelnyxClient]:
    async with TelnyxClient() as client:
        await log_in(client, gateway, "bob")
        yield client
