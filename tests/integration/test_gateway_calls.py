"""Calls through the gateway with real sockets and real audio, as an application makes them."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from support.limit import LIMIT
from support.signals import chirp, dominant_frequency, find, likeness, pcm, rms, silence, tone
from telnyx_native import CallState, CredentialConfig, HangupCause, TelnyxClient, TxServerConfiguration
from telnyx_native.errors import CallError
from telnyx_native.gateway import Gateway, LegState, User

RATE = 16_000
SETTLE = 1.0
"""Seconds after which a jitter buffer has found its depth."""


@pytest.fixture
async def gateway():
    users = [User("alice", "secret", "+15550100"), User("bob", "hidden", "+15550101")]
    async with Gateway(users) as gateway:
        yield gateway


async def logged_in(client, gateway, name):
    password = {"alice": "secret", "bob": "hidden"}[name]
    await client.connect(TxServerConfiguration.parse(gateway.url), CredentialConfig(name, password))


@pytest.fixture
async def alice(gateway):
    async with TelnyxClient() as client:
        await logged_in(client, gateway, "alice")
        yield client


@pytest.fixture
async def bob(gateway):
    async with TelnyxClient() as client:
        await logged_in(client, gateway, "bob")
        yield client


def discard(audio):
    scrap = bytearray(2 * RATE)
    while audio.readinto(scrap):
        pass


async def heard(audio, seconds):
    """Return the next `seconds` of what is received, from now on."""
    discard(audio)
    return pcm(await audio.read(round(seconds * RATE)))


async def says(speaker, listener, signal, *, wait=0.6):
    """Play `signal` at one end; return where, in seconds, and how well it is found at the other.

    Two more times if it is not: on a busy machine the jitter buffer may stretch it, and a chirp is then another.
    """
    for _ in range(3):
        discard(listener)
        speaker.write_nowait(signal.data)
        where, likeness = find(signal, pcm(await listener.read(len(signal) + round(wait * RATE))))
        if likeness > 0.8:
            break
    return where / RATE, likeness


async def take_call(client):
    """Answer the next call to `client`."""
    call = await client.incoming_calls.first(timeout=LIMIT)
    await call.accept()
    await call.wait_active(LIMIT)
    return call


async def test_echo_returns_a_chirp_where_it_should_be(alice):
    call = await alice.new_invite("echo")
    await call.wait_active(LIMIT)
    await asyncio.sleep(SETTLE)
    delay, likeness = await says(call.audio, call.audio, chirp(0.5, RATE))
    assert likeness > 0.8
    assert 0.02 < delay < 0.4


@pytest.mark.parametrize(("destination", "hz"), [("tone", 440), ("tone:1000", 1000), ("TONE:300", 300)])
async def test_tone_has_its_frequency(alice, destination, hz):
    call = await alice.new_invite(destination)
    await call.wait_active(LIMIT)
    await asyncio.sleep(SETTLE)
    samples = await heard(call.audio, 1.0)
    assert dominant_frequency(samples, RATE) == pytest.approx(hz, abs=3)
    assert rms(samples) > 3000


@pytest.mark.parametrize(
    ("destination", "cause"),
    [
        ("busy", HangupCause.USER_BUSY),
        ("reject", HangupCause.CALL_REJECTED),
        ("+19995550199", HangupCause.UNALLOCATED_NUMBER),
        ("bob", HangupCause.USER_NOT_REGISTERED),
    ],
)
async def test_refused_call_is_done_with_its_reason(alice, destination, cause):
    call = await alice.new_invite(destination)
    done = await call.call_state_flow.wait_for(CallState.DONE, timeout=LIMIT)
    assert (done.reason.cause, done.reason.cause_code, done.reason.sip_code) == (
        cause.name,
        cause.code,
        cause.sip_code,
    )


async def test_users_hear_each_other(alice, bob):
    answering = asyncio.create_task(take_call(bob))
    calling = await alice.new_invite("+15550101")
    called = await answering
    await calling.wait_active(LIMIT)
    assert called.caller_number == "+15550100"
    await asyncio.sleep(SETTLE)
    for speaker, listener in ((calling, called), (called, calling)):
        delay, likeness = await says(speaker.audio, listener.audio, chirp(0.5, RATE))
        assert likeness > 0.8
        assert delay < 0.4
    quiet = await says(calling.audio, calling.audio, chirp(0.5, RATE))
    assert quiet[1] < 0.5, "a caller must not hear himself"
    await called.end()
    done = await calling.call_state_flow.wait_for(CallState.DONE, timeout=LIMIT)
    assert done.reason.cause == "NORMAL_CLEARING"


async def test_rejected_by_the_called_user(alice, bob):
    calls = bob.incoming_calls.collect()
    calling = await alice.new_invite("bob")
    called = await anext(calls)
    await calling.call_state_flow.wait_for(CallState.RINGING, timeout=LIMIT)
    await called.reject()
    done = await calling.call_state_flow.wait_for(CallState.DONE, timeout=LIMIT)
    assert (done.reason.cause, done.reason.sip_code) == ("USER_BUSY", 486)


async def test_cancelled_by_the_calling_user(alice, bob):
    calls = bob.incoming_calls.collect()
    calling = await alice.new_invite("bob")
    called = await anext(calls)
    await calling.end()
    done = await called.call_state_flow.wait_for(CallState.DONE, timeout=LIMIT)
    assert (done.reason.cause, done.reason.sip_code) == ("ORIGINATOR_CANCEL", 487)


async def test_placed_call_talks_both_ways(alice, gateway):
    answering = asyncio.create_task(take_call(alice))
    leg = await gateway.place_call("alice", from_="+15550199", name="Desk", headers={"X-Ticket": "9"})
    await leg.wait_answered(LIMIT)
    call = await answering
    assert (call.caller_name, call.caller_number) == ("Desk", "+15550199")
    assert call.remote_headers["X-Ticket"] == "9"
    await asyncio.sleep(SETTLE)
    for speaker, listener in ((leg, call), (call, leg)):
        _, likeness = await says(speaker.audio, listener.audio, chirp(0.5, RATE))
        assert likeness > 0.8
    await leg.hang_up(HangupCause.NORMAL_CLEARING)
    done = await call.call_state_flow.wait_for(CallState.DONE, timeout=LIMIT)
    assert done.reason.cause == "NORMAL_CLEARING"


async def test_placed_call_ended_by_the_user(alice, gateway):
    answering = asyncio.create_task(take_call(alice))
    leg = await gateway.place_call("alice", from_="+15550199")
    await leg.wait_answered(LIMIT)
    await (await answering).end()
    assert (await leg.wait_ended(LIMIT)).cause == "NORMAL_CLEARING"
    assert leg.state.value is LegState.ENDED


async def test_placed_call_rejected(alice, gateway):
    calls = alice.incoming_calls.collect()
    leg = await gateway.place_call("alice", from_="+15550199")
    await (await anext(calls)).reject()
    with pytest.raises(CallError, match="USER_BUSY"):
        await leg.wait_answered(LIMIT)


async def test_closing_gateway_hangs_up(alice, gateway):
    call = await alice.new_invite("echo")
    await call.wait_active(LIMIT)
    async with asyncio.timeout(5):
        await gateway.close()
    done = await call.call_state_flow.wait_for(CallState.DONE, timeout=LIMIT)
    assert done.reason.cause == "NORMAL_CLEARING"


async def test_call_that_is_held_hears_nothing(gateway, alice):
    call = await alice.new_invite("tone:1000")
    await call.wait_active(LIMIT)
    (leg,) = gateway.calls
    assert rms(await heard(call.audio, 1.0)) > 3000
    leg.hold(True)
    await asyncio.sleep(0.5)
    assert rms(await heard(call.audio, 0.5)) < 100
    leg.hold(False)
    await asyncio.sleep(0.5)
    assert rms(await heard(call.audio, 0.5)) > 3000


async def test_destination_of_ones_own():
    class Greeter:
        """Says a chirp, then hangs up."""

        async def serve(self, leg):
            await leg.answer()
            await leg.media.wait_connected()
            await leg.audio.write(np.concatenate([silence(SETTLE, RATE), chirp(0.5, RATE)]).data)
            await leg.audio.drain()
            await asyncio.sleep(0.3)
            return HangupCause.NORMAL_CLEARING

    greeting = Gateway([User("alice", "secret")], destinations={"greeter": lambda _: Greeter()})
    async with greeting as gateway, TelnyxClient() as client:
        await logged_in(client, gateway, "alice")
        call = await client.new_invite("greeter")
        samples = pcm(b"".join([frame async for frame in call.audio]))
    assert likeness(chirp(0.5, RATE), samples) > 0.8
    assert call.termination_reason.cause == "NORMAL_CLEARING"


async def test_five_calls_at_once(alice):
    calls = [await alice.new_invite(f"tone:{hz}") for hz in (400, 500, 600, 700, 800)]
    await asyncio.gather(*(call.wait_active(LIMIT) for call in calls))
    await asyncio.sleep(SETTLE)
    samples = await asyncio.gather(*(heard(call.audio, 0.5) for call in calls))
    found = [dominant_frequency(one, RATE) for one in samples]
    assert found == pytest.approx([400, 500, 600, 700, 800], abs=4)


def test_signals_are_told_apart():
    assert find(chirp(0.5, RATE), tone(440, 1.0, RATE))[1] < 0.5
