"""Logins at the real gateway, good and bad: each ends soon, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from support.limit import LIMIT
from support.process import holdings, native_threads, open_files
from telnyx_native import (
    AuthenticationError,
    ConnectionStatus,
    CredentialConfig,
    SocketConnectionError,
    TelnyxClient,
    TxServerConfiguration,
)
from telnyx_native.gateway import Gateway, User

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ALICE = CredentialConfig("alice", "s3cret")


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with Gateway([User("alice", "s3cret", "+15550100")]) as running:
        yield running


async def test_login_and_out_again(gateway: Gateway) -> None:
    async with TelnyxClient() as client:
        await client.connect(TxServerConfiguration.parse(gateway.url), ALICE)
        assert client.connection_status_flow.value is ConnectionStatus.CLIENT_READY
        assert len(gateway.connections) == 1
        await client.disconnect()
        await client.connect(TxServerConfiguration.parse(gateway.url), ALICE)


@pytest.mark.parametrize("credentials", [CredentialConfig("alice", "wr0ng"), CredentialConfig("nobody", "s3cret")])
async def test_wrong_credentials(gateway: Gateway, credentials: CredentialConfig) -> None:
    before = native_threads(), open_files()
    async with asyncio.timeout(2):
        client = TelnyxClient()
        with pytest.raises(AuthenticationError) as caught:
            await client.connect(TxServerConfiguration.parse(gateway.url), credentials)
    assert caught.value.code == -32001
    assert client.connection_status_flow.value is ConnectionStatus.DISCONNECTED
    assert await holdings(before) == before
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("telnyx-")]


async def test_another_try_on_the_same_connection(gateway: Gateway) -> None:
    async with TelnyxClient() as client:
        await client.connect(TxServerConfiguration.parse(gateway.url))
        with pytest.raises(AuthenticationError):
            await client.credential_login(CredentialConfig("alice", "wr0ng"))
        await client.credential_login(ALICE)
        await (await client.new_invite("echo")).wait_active(LIMIT)


async def test_unreachable_server() -> None:
    before = native_threads(), open_files()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        server = TxServerConfiguration("127.0.0.1", unused.getsockname()[1], secure=False)
        async with asyncio.timeout(2), TelnyxClient() as client:
            with pytest.raises(SocketConnectionError, match="cannot connect"):
                await client.connect(server, ALICE)
    assert await holdings(before) == before
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_two_clients_of_one_user(gateway: Gateway) -> None:
    server = TxServerConfiguration.parse(gateway.url)
    async with TelnyxClient() as one, TelnyxClient() as two:
        await asyncio.gather(one.connect(server, ALICE), two.connect(server, ALICE))
        calls = await asyncio.gather(one.new_invite("echo"), two.new_invite("echo"))
        await asyncio.gather(*(call.wait_active(LIMIT) for call in calls))
