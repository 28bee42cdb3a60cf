"""How many calls a client takes, and how it comes to take no more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from support.field_descriptions import OFFER
from support.limit import LIMIT
from telnyx_native.client import TelnyxClient
from telnyx_native.config import Limits, Timeouts, TxServerConfiguration
from telnyx_native.errors import CallError, CallLimitError, ConfigurationError, DrainingError
from telnyx_native.states import CallState, ConnectionStatus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from support.fake_media import FakeEngine
    from support.telnyx_server import ScriptedServer
    from telnyx_native.config import CredentialConfig


@pytest.fixture
async def limited(
    timeouts: Timeouts, server: ScriptedServer, credentials: CredentialConfig, media: FakeEngine
) -> AsyncIterator[TelnyxClient]:
    async with TelnyxClient(timeouts=timeouts, limits=Limits(max_concurrent_calls=2)) as client:
        await client.connect(TxServerConfiguration.parse(server.address), credentials)
        yield client


async def cause_of_bye(server: ScriptedServer, call_id: str) -> str:
    bye = await server.received(
        lambda f: f.get("method") == "telnyx_rtc.bye" and f["params"]["dialogParams"]["callID"] == call_id
    )
    return bye["params"]["cause"]


async def test_one_call_too_many(limited: TelnyxClient, server: ScriptedServer) -> None:
    began = limited.new_calls.collect()
    calls = [await limited.new_invite("echo") for _ in range(2)]
    with pytest.raises(CallLimitError, match=r"max_concurrent_calls"):
        await limited.new_invite("echo")
    server.push("telnyx_rtc.invite", callID="c1", sdp=OFFER)
    assert await cause_of_bye(server, "c1") == "USER_BUSY"
    assert limited.refused_calls == 1
    await calls[0].end()
    incoming = limited.incoming_calls.collect()
    server.push("telnyx_rtc.invite", callID="c2", sdp=OFFER)
    assert (await anext(incoming)).call_id == "c2"
    assert [(await anext(began)).call_id for _ in range(4)] == [*(call.call_id for call in calls), "c1", "c2"]


async def test_draining_waits_for_calls_that_go_on(online: TelnyxClient, server: ScriptedServer, talking: Any) -> None:
    call = await talking()
    draining = asyncio.create_task(online.drain(LIMIT))
    await asyncio.sleep(0)
    with pytest.raises(DrainingError, match="no more calls"):
        await online.new_invite("echo")
    server.push("telnyx_rtc.invite", callID="c1", sdp=OFFER)
    assert await cause_of_bye(server, "c1") == "USER_BUSY"
    assert call.state == CallState.ACTIVE
    await call.end()
    assert await draining == 0
    assert online.connection_status_flow.value is ConnectionStatus.DISCONNECTED


async def test_a_call_that_rings_can_still_be_accepted(online: TelnyxClient, server: ScriptedServer) -> None:
    incoming = online.incoming_calls.collect()
    server.push("telnyx_rtc.invite", callID="c1", sdp=OFFER)
    call = await anext(incoming)
    draining = asyncio.create_task(online.drain(LIMIT))
    await asyncio.sleep(0)
    await call.accept()
    await call.wait_active(LIMIT)
    await call.end()
    assert await draining == 0


async def test_calls_that_take_too_long_are_hung_up(online: TelnyxClient, server: ScriptedServer, talking: Any) -> None:
    call = await talking()
    assert await online.drain(0.02) == 1
    assert call.termination_reason is not None
    assert await cause_of_bye(server, call.call_id) == "NORMAL_CLEARING"


async def test_client_takes_calls_again_after_draining(
    online: TelnyxClient, server: ScriptedServer, credentials: CredentialConfig
) -> None:
    assert await online.drain() == 0
    await online.connect(TxServerConfiguration.parse(server.address), credentials)
    await online.new_invite("echo")


async def test_draining_that_is_given_up(online: TelnyxClient, talking: Any) -> None:
    call = await talking()
    draining = asyncio.create_task(online.drain())
    await asyncio.sleep(0)
    draining.cancel()
    with pytest.raises(asyncio.CancelledError):
        await draining
    assert call.state == CallState.ACTIVE
    assert online.is_registered
    with pytest.raises(CallError):
        await online.new_invite("echo")
    await online.disconnect()


def test_a_limit_is_more_than_zero() -> None:
    with pytest.raises(ConfigurationError, match="max_concurrent_calls"):
        Limits(max_concurrent_calls=0)


async def test_call_that_two_clients_ring_for_is_accepted_once(
    online: TelnyxClient, server: ScriptedServer, timeouts: Timeouts, credentials: CredentialConfig
) -> None:
    """Two clients of one process that log in as the same user may both be told of a call."""
    async with TelnyxClient(timeouts=timeouts) as other:
        await other.connect(TxServerConfiguration.parse(server.address), credentials)
        warnings = other.warning_flow.collect()
        rings = [client.incoming_calls.collect() for client in (online, other)]
        server.push("telnyx_rtc.invite", callID="c1", sdp=OFFER)
        first, second = [await asyncio.wait_for(anext(each), LIMIT) for each in rings]
        await first.accept()
        with pytest.raises(CallError, match="accepted by another client of this process"):
            await second.accept()
        assert (await anext(warnings)).name == "DUPLICATE_INBOUND_ANSWER"
        await first.end()
        assert first.termination_reason is not None
