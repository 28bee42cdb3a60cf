"""What our own client makes of a gateway that fails it on purpose."""

from __future__ import annotations

import asyncio

import pytest

from support.hurry import Hurry
from support.limit import LIMIT
from support.signals import dominant_frequency, pcm
from support.users import log_in
from telnyx_native import CallState, TelnyxClient
from telnyx_native.errors import AuthenticationError, GatewayRegistrationError
from telnyx_native.gateway import NetworkConditions, RegistrationFault
from telnyx_native.gateway.faults import scenarios
from telnyx_native.media.quality import CallQualityMetrics

RATE = 16_000


async def test_a_registration_that_fails_is_an_error_in_time(gateway):
    async with TelnyxClient() as client:
        gateway.faults.fail_registration("alice", RegistrationFault.FAIL_WAIT)
        with pytest.raises(GatewayRegistrationError):
            await log_in(client, gateway, "alice")
    async with TelnyxClient() as client:
        gateway.faults.fail_registration("alice", RegistrationFault.REFUSED)
        with pytest.raises(AuthenticationError):
            await log_in(client, gateway, "alice")


async def test_a_call_survives_duplicate_and_malformed_messages(gateway, alice):
    gateway.faults.duplicate("alice")
    call = await alice.new_invite("echo")
    await call.wait_active(LIMIT)
    await gateway.faults.send_malformed("alice")
    await call.hold()
    await call.unhold()
    await call.end()
    assert gateway.calls == []


async def hears(call, frequency):
    """Wait until a call brings a tone that is young: what was heard before is thrown away."""
    scrap = bytearray(2 * RATE)
    while call.audio.readinto(scrap):
        pass
    async with asyncio.timeout(LIMIT):
        while abs(dominant_frequency(pcm(await call.audio.read(RATE // 4)), RATE) - frequency) > 12:
            pass


async def quality(call):
    return CallQualityMetrics.from_stats(await call.stats())


async def tone_call(alice, gateway):
    call = await alice.new_invite("tone:440")
    await call.wait_active(LIMIT)
    await hears(call, 440)
    (leg,) = gateway.calls
    return call, leg


async def test_lost_audio_is_measured_and_ends_with_the_fault(gateway, alice):
    call, leg = await tone_call(alice, gateway)
    gateway.faults.impair_media(leg, to_client=NetworkConditions(loss=0.3))
    async with asyncio.timeout(LIMIT):
        while (await quality(call)).packets_lost < 20:  # noqa: ASYNC110 - no event to wait for
            await asyncio.sleep(0.1)
    gateway.faults.impair_media(leg)
    counters = leg.media.network.sending.counters
    assert counters.lost >= 20
    await asyncio.sleep(0.3)
    assert leg.media.network.sending.counters.lost == counters.lost
    await hears(call, 440)


async def test_late_audio_takes_longer(gateway, alice):
    call, _ = await tone_call(alice, gateway)
    gateway.faults.impair_media_of("alice", NetworkConditions(delay=0.2))
    async with asyncio.timeout(LIMIT):
        while not (await quality(call)).rtt > 0.3:  # noqa: ASYNC110 - nor here
            await asyncio.sleep(0.1)
    later = await alice.new_invite("echo")
    await later.wait_active(LIMIT)
    assert [leg.media.network.receiving.conditions.delay for leg in gateway.calls] == [0.2, 0.2]


async def test_audio_survives_that_its_address_changes(gateway, alice):
    call, leg = await tone_call(alice, gateway)
    before = leg.peer
    await gateway.faults.move_media(leg)
    async with asyncio.timeout(LIMIT):
        while leg.peer is before:  # noqa: ASYNC110 - no event to wait for
            await asyncio.sleep(0.02)
    await hears(call, 440)
    gateway.faults.rebind_media(leg)
    await asyncio.sleep(0.2)
    await hears(call, 440)
    assert call.state is CallState.ACTIVE


async def test_an_answer_whose_description_comes_later(gateway, alice):
    gateway.faults.delay_descriptions("alice")
    call, _ = await tone_call(alice, gateway)
    assert call.state is CallState.ACTIVE


async def test_new_paths_that_come_twice_or_are_none(gateway, alice):
    call, leg = await tone_call(alice, gateway)
    before = leg.peer
    await gateway.faults.send_unusable_attach(leg)
    await asyncio.sleep(0.2)
    await hears(call, 440)
    await gateway.faults.repeat_attach(leg)
    async with asyncio.timeout(LIMIT):
        while leg.peer is before:  # noqa: ASYNC110 - no event to wait for
            await asyncio.sleep(0.02)
    await hears(call, 440)
    assert call.state is CallState.ACTIVE


async def test_a_call_more_than_the_channels(gateway, alice):
    gateway.faults.limit_channels("alice", 1)
    call, _ = await tone_call(alice, gateway)
    reason = await (await alice.new_invite("echo")).wait_done(LIMIT)
    assert (reason.sip_code, reason.cause) == (403, "CALL_REJECTED")
    assert "channel limit exceeded" in reason.sip_reason
    await hears(call, 440)


async def test_a_call_outlives_the_server(gateway, alice):
    call, _ = await tone_call(alice, gateway)
    restarting = asyncio.create_task(gateway.restart(1))
    await call.call_state_flow.wait_for(CallState.RECONNECTING, timeout=LIMIT)
    await hears(call, 440)  # audio goes on
    await restarting
    await call.call_state_flow.wait_for(CallState.ACTIVE, timeout=LIMIT)
    await hears(call, 440)
    await call.hold()
    await call.end()
    assert gateway.calls == []


async def test_a_call_that_the_server_has_forgotten_ends(gateway, alice):
    call, leg = await tone_call(alice, gateway)
    await gateway.faults.lose_call(leg)
    gateway.faults.drop("alice")
    await asyncio.wait_for(call.wait_done(), LIMIT)


@pytest.mark.parametrize("name", ["flaky-wifi", "server-restart", "moving-media", "garbage", "slow-server"])
async def test_a_call_survives_a_bad_day(gateway, alice, monkeypatch, name):
    monkeypatch.setattr(scenarios, "asyncio", Hurry(5))
    call, _ = await tone_call(alice, gateway)
    gateway.scenarios.start(name)
    for _ in range(2):
        await asyncio.sleep(2)
        await hears(call, 440)
    await gateway.scenarios.stop(name)
    await call.call_state_flow.wait_for(CallState.ACTIVE, timeout=LIMIT)
    await hears(call, 440)
    await call.end()
