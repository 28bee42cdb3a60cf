"""Logins with tokens at the real gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.limit import LIMIT
from telnyx_native import AuthenticationError, ConnectionStatus, TelnyxClient, TokenConfig, TxServerConfiguration
from telnyx_native.gateway import Gateway, User

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with Gateway([User("alice", "s3cret", token="fixed-t0ken"), User("bob", "hidden")]) as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[TelnyxClient]:
    async with TelnyxClient() as made:
        yield made


async def test_minted_token(gateway: Gateway, client: TelnyxClient) -> None:
    warnings = client.warning_flow.collect()
    token = TokenConfig(gateway.mint_token("bob", 60))
    await client.connect(TxServerConfiguration.parse(gateway.url), token_config=token)
    assert [connection.user_name for connection in gateway.connections] == ["bob"]
    assert (await anext(warnings)).code == 34001
    call = await client.new_invite("echo")
    await call.wait_active(LIMIT)
    await client.token_login(TokenConfig(gateway.mint_token("bob")))
    assert client.connection_status_flow.value is ConnectionStatus.CLIENT_READY
    assert list(client.calls.values()) == [call]


async def test_fixed_token(gateway: Gateway, client: TelnyxClient) -> None:
    await client.connect(TxServerConfiguration.parse(gateway.url), token_config=TokenConfig("fixed-t0ken"))
    assert [connection.user_name for connection in gateway.connections] == ["alice"]


async def test_token_of_another_gateway(gateway: Gateway, client: TelnyxClient) -> None:
    other = Gateway([User("alice", "s3cret")])
    with pytest.raises(AuthenticationError, match="create a new token") as caught:
        await client.connect(
            TxServerConfiguration.parse(gateway.url), token_config=TokenConfig(other.mint_token("alice"))
        )
    assert caught.value.code == -32001
    assert client.connection_status_flow.value is ConnectionStatus.DISCONNECTED


async def test_expired_token(gateway: Gateway, client: TelnyxClient) -> None:
    token = TokenConfig(gateway.mint_token("alice", -1))
    with pytest.raises(AuthenticationError, match="create a new token"):
        await client.connect(TxServerConfiguration.parse(gateway.url), token_config=token)
    assert gateway.counters.failed_logins == 1  # it is the server that knows
