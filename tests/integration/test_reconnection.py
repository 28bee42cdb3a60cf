"""The connection to the server goes away in the middle of calls, and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from time import monotonic
from typing import Any

import pytest

from support.cable import Cable
from support.limit import LIMIT
from support.signals import dominant_frequency, pcm, rms, tone
from support.users import talking
from telnyx_native import (
    Call,
    CallState,
    ConnectionStatus,
    CredentialConfig,
    ErrorCode,
    TelnyxClient,
    TxServerConfiguration,
)
from telnyx_native.config import Timeouts
from telnyx_native.errors import CallError, SocketConnectionError
from telnyx_native.gateway import Gateway, User
from telnyx_native.gateway.limits import GatewayLimits

RATE = 16_000
BACK = 3.0
"""Seconds from the server's return to audio."""

ALICE = CredentialConfig("alice", "s3cret")
QUICK = Timeouts(silence=0.5, probe=0.5, connect=2)


@pytest.fixture
async def cable(gateway: Gateway) -> AsyncIterator[Cable]:
    async with Cable(int(gateway.url.rpartition(":")[2])) as cable:
        yield cable


@pytest.fixture
async def caller(cable: Cable) -> AsyncIterator[TelnyxClient]:
    async with TelnyxClient(timeouts=QUICK) as client:
        await client.connect(TxServerConfiguration.parse(cable.url), ALICE)
        yield client


async def hear(call: Call, frequency: float) -> None:
    """Wait until what is said comes back."""
    async with asyncio.timeout(LIMIT):
        while True:
            call.audio.write_nowait(tone(frequency, 0.25, RATE))
            heard = pcm(await call.audio.read(RATE // 4))
            if rms(heard) > 1_000 and dominant_frequency(heard, RATE) == pytest.approx(frequency, abs=10):
                return


async def brought_back(call: Call, since: float) -> None:
    """Wait until the call stands again, which must be soon."""
    await call.call_state_flow.wait_for(CallState.ACTIVE, timeout=LIMIT)
    await hear(call, 700)
    assert monotonic() - since < BACK


def names(states: list[CallState]) -> list[str]:
    return [state.name for state in states]


@pytest.mark.timed
async def test_reset_connection_is_made_again_and_the_call_goes_on(caller: TelnyxClient, cable: Cable) -> None:
    call = await talking(caller)
    states, statuses = call.call_state_flow.collect(), caller.connection_status_flow.collect()
    session_id = caller._session.session_id
    cable.reset()
    await call.call_state_flow.wait_for(CallState.RECONNECTING, timeout=LIMIT)
    await brought_back(call, monotonic())
    assert caller._session.session_id == session_id
    await call.end()
    assert names([state async for state in states]) == ["ACTIVE", "RECONNECTING", "ACTIVE", "DONE"]
    await caller.close()
    assert [status async for status in statuses] == [
        ConnectionStatus.CLIENT_READY,
        ConnectionStatus.RECONNECTING,
        ConnectionStatus.CONNECTED,
        ConnectionStatus.CLIENT_READY,
        ConnectionStatus.DISCONNECTED,
    ]


@pytest.mark.timed
async def test_audio_flows_while_the_server_is_away(caller: TelnyxClient, cable: Cable) -> None:
    call = await talking(caller)
    await hear(call, 500)
    await cable.pull()
    await call.call_state_flow.wait_for(CallState.RECONNECTING, timeout=LIMIT)
    await hear(call, 900)
    assert isinstance(call.state, CallState.RECONNECTING)
    await cable.plug_in()
    await brought_back(call, monotonic())


async def test_moving_to_the_new_path_is_not_heard(caller: TelnyxClient, cable: Cable) -> None:
    call = await talking(caller, "tone:440")
    await call.audio.read(2 * RATE)
    cable.reset()
    await call.call_state_flow.wait_for(CallState.RECONNECTING, timeout=LIMIT)
    await call.call_state_flow.wait_for(CallState.ACTIVE, timeout=LIMIT)
    await call.audio.read(RATE // 2)
    for _ in range(10):
        heard = pcm(await call.audio.read(RATE // 10))
        assert dominant_frequency(heard, RATE) == pytest.approx(440, abs=12)


@pytest.mark.timed
async def test_silent_connection_is_given_up_and_made_again(caller: TelnyxClient, cable: Cable) -> None:
    call = await talking(caller)
    cable.block()
    await call.call_state_flow.wait_for(CallState.RECONNECTING, timeout=LIMIT)
    cable.unblock()
    await brought_back(call, monotonic())


@pytest.mark.timed
async def test_server_that_returns_to_a_network_that_swallowed_everything(gateway: Gateway, cable: Cable) -> None:
    """The kernel, by itself, might ask for the connection too rarely to notice in time."""
    async with TelnyxClient(timeouts=Timeouts(silence=0.5, probe=0.5)) as client:
        await client.connect(TxServerConfiguration.parse(cable.url), ALICE)
        call = await talking(client)
        await cable.swallow()
        await call.call_state_flow.wait_for(CallState.RECONNECTING, timeout=LIMIT)
        await asyncio.sleep(4)  # so long it is away
        await cable.plug_in()
        cable.unblock()
        await brought_back(call, monotonic())


async def test_mute_and_hold_survive(caller: TelnyxClient, cable: Cable, gateway: Gateway) -> None:
    muted, held = await talking(caller), await talking(caller)
    muted.mute()
    await held.hold()
    cable.reset()
    await muted.call_state_flow.wait_for(CallState.RECONNECTING, timeout=LIMIT)
    await muted.call_state_flow.wait_for(CallState.ACTIVE, timeout=LIMIT)
    await held.call_state_flow.wait_for(CallState.HELD, timeout=LIMIT)
    assert muted.muted
    await muted.audio.write(tone(700, 0.5, RATE))
    await muted.audio.read(RATE)
    assert rms(pcm(await muted.audio.read(RATE // 4))) < 50
    muted.unmute()
    await hear(muted, 700)
    assert [leg.held.value for leg in gateway.calls if leg.call_id == held.call_id] == [True]
    await held.unhold()
    await hear(held, 500)


async def test_users_who_are_bridged_hear_each_other_again(
    caller: TelnyxClient, cable: Cable, bob: TelnyxClient
) -> None:
    calls = bob.incoming_calls.collect()
    call = await caller.new_invite("bob")
    other = await anext(calls)
    await other.accept()
    await call.wait_active(LIMIT)
    cable.reset()
    await call.call_state_flow.wait_for(CallState.RECONNECTING, timeout=LIMIT)
    await call.call_state_flow.wait_for(CallState.ACTIVE, timeout=LIMIT)
    assert other.state == CallState.ACTIVE
    for speaker, listener, frequency in ((call, other, 600), (other, call, 800)):
        await speaker.audio.write(tone(frequency, 2.0, RATE))
        async with asyncio.timeout(LIMIT):
            while dominant_frequency(pcm(await listener.audio.read(RATE // 4)), RATE) != pytest.approx(
                frequency, abs=10
            ):
                pass


@pytest.mark.timed
async def test_connection_that_is_lost_again_while_the_call_is_brought_back(
    caller: TelnyxClient, cable: Cable, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = await talking(caller)
    attached = asyncio.Event()
    attach = gateway.handlers["telnyx_rtc.attach"]

    async def cut_once(connection: Any, request: Any) -> Any:
        if not attached.is_set():
            attached.set()
            cable.reset()
            return None
        return await attach(connection, request)

    monkeypatch.setitem(gateway.handlers, "telnyx_rtc.attach", cut_once)
    cable.reset()
    await asyncio.wait_for(attached.wait(), LIMIT)
    await call.call_state_flow.wait_for(CallState.ACTIVE, timeout=LIMIT)
    await hear(call, 700)


async def test_call_that_nobody_brings_back_is_dropped(gateway: Gateway, cable: Cable) -> None:
    async with TelnyxClient(timeouts=replace(QUICK, reconnect=0.7)) as client:
        await client.connect(TxServerConfiguration.parse(cable.url), ALICE)
        call = await talking(client)
        states = call.call_state_flow.collect()
        await cable.pull()
        reason = await asyncio.wait_for(call.wait_done(), LIMIT)
        assert reason.cause == "NETWORK_LOST"
        assert names([state async for state in states]) == ["ACTIVE", "RECONNECTING", "DROPPED", "DONE"]
        await cable.plug_in()
        await client.connection_status_flow.wait_for(ConnectionStatus.CLIENT_READY, timeout=LIMIT)
        for leg in gateway.calls:  # and the server, which has kept it, is told
            assert (await leg.wait_ended(LIMIT)).cause == "NORMAL_CLEARING"


async def test_calls_that_are_not_answered_are_over(caller: TelnyxClient, gateway: Gateway, cable: Cable) -> None:
    inbound = caller.incoming_calls.collect()
    outbound = await caller.new_invite("noanswer")
    await gateway.place_call("alice", from_="+15550199")
    ringing = await anext(inbound)
    cable.reset()
    for call in (outbound, ringing):
        assert (await asyncio.wait_for(call.wait_done(), LIMIT)).cause == "NETWORK_LOST"
    await caller.connection_status_flow.wait_for(ConnectionStatus.CLIENT_READY, timeout=LIMIT)


async def test_server_that_has_lost_the_calls(caller: TelnyxClient, cable: Cable) -> None:
    call = await talking(caller)
    errors = caller.socket_response_flow.collect()
    await cable.pull()
    async with Gateway([User("alice", "s3cret")]) as other:
        cable.lead_to(int(other.url.rpartition(":")[2]))
        await cable.plug_in()
        assert (await asyncio.wait_for(call.wait_done(), LIMIT)).cause == "SERVER_ERROR"
        assert caller.connection_status_flow.value is ConnectionStatus.CLIENT_READY
        await (await talking(caller)).end()
        await caller.close()
    assert ErrorCode.SESSION_NOT_REATTACHED in [response.error_kind async for response in errors]


async def test_without_reconnection_the_call_is_over(cable: Cable) -> None:
    async with TelnyxClient(timeouts=QUICK) as client:
        await client.connect(TxServerConfiguration.parse(cable.url), replace(ALICE, auto_reconnect=False))
        warnings = client.warning_flow.collect()
        call = await talking(client)
        states = call.call_state_flow.collect()
        cable.reset()
        await asyncio.wait_for(call.wait_done(), LIMIT)
        assert names([state async for state in states]) == ["ACTIVE", "DROPPED", "DONE"]
        assert client.connection_status_flow.value is ConnectionStatus.DISCONNECTED
        assert (await anext(warnings)).name == "RECONNECTION_FAILED_WITH_NO_AUTO_RECONNECT"


async def test_login_that_is_refused_ends_the_attempts(caller: TelnyxClient, cable: Cable, gateway: Gateway) -> None:
    call = await talking(caller)
    responses = caller.socket_response_flow.collect()
    await cable.pull()
    async with Gateway([User("alice", "another password")]) as other:
        cable.lead_to(int(other.url.rpartition(":")[2]))
        await cable.plug_in()
        assert (await asyncio.wait_for(call.wait_done(), LIMIT)).cause == "SERVER_ERROR"
        await caller.connection_status_flow.wait_for(ConnectionStatus.DISCONNECTED, timeout=LIMIT)
        await caller.close()
    assert ErrorCode.RECONNECTION_EXHAUSTED in [response.error_kind async for response in responses]


async def test_session_that_goes_on_elsewhere(caller: TelnyxClient, gateway: Gateway) -> None:
    """A second login with the session id: the first socket is punted, and stays away."""
    call = await talking(caller)
    async with TelnyxClient(timeouts=QUICK) as other:
        other._session.session_id = caller._session.session_id
        other._session._account = caller._session._account
        await other.connect(TxServerConfiguration.parse(gateway.url), ALICE)
        assert (await asyncio.wait_for(call.wait_done(), LIMIT)).cause == "SERVER_ERROR"
        assert caller.connection_status_flow.value is ConnectionStatus.DISCONNECTED
        assert not caller._connection.is_open
        assert other.connection_status_flow.value is ConnectionStatus.CLIENT_READY


async def test_disconnecting_ends_the_attempts(caller: TelnyxClient, cable: Cable, gateway: Gateway) -> None:
    call = await talking(caller)
    await cable.pull()
    await call.call_state_flow.wait_for(CallState.RECONNECTING, timeout=LIMIT)
    with pytest.raises(SocketConnectionError, match="being made again"):
        await caller.new_invite("echo")
    with pytest.raises(SocketConnectionError, match="disconnect first"):
        await caller.connect(TxServerConfiguration.parse(gateway.url), ALICE)
    with pytest.raises(CallError, match="RECONNECTING"):
        await call.hold()
    await asyncio.wait_for(caller.disconnect(), LIMIT)
    assert (await call.wait_done()).cause == "NORMAL_CLEARING"
    await caller.connect(TxServerConfiguration.parse(gateway.url), ALICE)
    await (await talking(caller)).end()


async def test_gateway_hangs_up_calls_whose_client_stays_away(cable: Cable) -> None:
    async with (
        Gateway([User("alice", "s3cret")], limits=GatewayLimits(detach_time=0.3)) as gateway,
        TelnyxClient(timeouts=QUICK) as client,
    ):
        cable.lead_to(int(gateway.url.rpartition(":")[2]))
        await client.connect(TxServerConfiguration.parse(cable.url), ALICE)
        await talking(client)
        (leg,) = gateway.calls
        await cable.pull()
        assert (await leg.wait_ended(LIMIT)).cause == "RECOVERY_ON_TIMER_EXPIRE"
        assert not gateway.calls


async def test_assistant_goes_on_after_a_loss(gateway: Gateway, cable: Cable) -> None:
    async with TelnyxClient(timeouts=QUICK) as guest:
        await guest.connect_anonymously("assistant", server_config=TxServerConfiguration.parse(cable.url))
        call = await guest.new_invite()
        await call.wait_active(LIMIT)
        cable.reset()
        await call.call_state_flow.wait_for(CallState.RECONNECTING, timeout=LIMIT)
        await call.call_state_flow.wait_for(CallState.ACTIVE, timeout=LIMIT)
        transcript = guest.transcript_update_flow.collect()
        await guest.send_ai_assistant_message("Are you still there?")
        async with asyncio.timeout(LIMIT):
            async for items in transcript:
                if items[-1].role == "assistant":
                    break


async def test_twenty_calls_come_back_together(caller: TelnyxClient, cable: Cable) -> None:
    calls = await asyncio.gather(*(talking(caller) for _ in range(20)))
    await cable.pull()
    for call in calls:
        await call.call_state_flow.wait_for(CallState.RECONNECTING, timeout=LIMIT)
    await cable.plug_in()
    await asyncio.gather(*(call.call_state_flow.wait_for(CallState.ACTIVE, timeout=LIMIT) for call in calls))
    await asyncio.gather(*(hear(call, 700) for call in calls))
