from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from support.forwarder import Network, unreachable
from support.users import log_in
from telnyx_native import TelnyxClient
from telnyx_native.gateway import Gateway, User, scripted_brain
from telnyx_native.gateway.calls.media import LegMedia


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


@pytest.fixture
async def network(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Network]:
    """Puts itself between the gateway's peers and the clients."""
    between = Network()
    answer, restart = LegMedia.answer, LegMedia.restart

    async def answer_through(media: LegMedia, offer: str) -> str:
        return await between.lead_through(await answer(media, unreachable(offer)))

    async def restart_through(media: LegMedia, offer: str) -> str:
        return await between.lead_through(await restart(media, unreachable(offer)))

    monkeypatch.setattr(LegMedia, "answer", answer_through)
    monkeypatch.setattr(LegMedia, "restart", restart_through)
    yield between
    between.close()
