from __future__ import annotations

import pytest

from interop.packages import fetch
from support.users import log_in
from telnyx_native import TelnyxClient
from telnyx_native.gateway import Gateway, User, scripted_brain


@pytest.fixture(scope="session")
def js_packages():
    """Telnyx's clients are there."""
    fetch()


@pytest.fixture
async def gateway():
    users = [User("alice", "s3cret", "+15550100"), User("bob", "s3cret", "+15550101")]
    async with Gateway(users, assistants={"assistant": scripted_brain}) as gateway:
        yield gateway
        counters = gateway.counters
        assert (counters.malformed_frames, counters.unknown_methods, counters.handler_failures) == (0, 0, 0)
        assert counters.refused_call_reports == 0


@pytest.fixture
async def bob(gateway):
    async with TelnyxClient() as client:
        await log_in(client, gateway, "bob")
        yield client
