"""The client against the real gateway, over real sockets and with real media."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from support.hearing import echoes, hear_tone, hears_nothing, saying_tone
from support.limit import LIMIT
from support.process import held, let_go, start_threads_of_the_executor
from support.signals import chirp, dominant_frequency, likeness, pcm, rms, silence, tone
from support.users import answered_call, client_of, hear_each_other, log_in
from telnyx_native import (
    AudioConfig,
    CallError,
    CallMessage,
    CallState,
    CallTerminationReason,
    ConfigurationError,
    ConnectionStatus,
    CredentialConfig,
    HangupCause,
    Limits,
    TelnyxClient,
    TxServerConfiguration,
)
from telnyx_native.gateway import Gateway, User
from telnyx_native.media.peer import PeerConnectionState

RATE = 16_000
SETTLE = 1.0
"""Seconds after which a jitter buffer has found its depth and plays without stretching."""


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 48_000])
async def test_echo_returns_what_was_said(alice: TelnyxClient, rate: int) -> None:
    call = await alice.new_invite("echo", audio=AudioConfig(sample_rate=rate))
    await call.wait_active(LIMIT)
    said = chirp(1.0, rate, high=1000)
    await call.audio.write(silence(SETTLE, rate))
    await call.audio.write(said)
    heard = pcm(await call.audio.read(3 * rate))
    assert likeness(said, heard) > 0.8


async def test_states_and_timings_of_an_outbound_call(alice: TelnyxClient) -> None:
    call = await alice.new_invite("tone:1000")
    states = call.call_state_flow.collect()
    await call.wait_active(LIMIT)
    await call.audio.read(RATE // 2)
    assert dominant_frequency(pcm(await call.audio.read(RATE // 2)), RATE) == pytest.approx(1000, abs=5)
    assert {"outbound-rtp", "inbound-rtp"} <= {entry["type"] for entry in (await call.stats()).values()}
    await call.end()
    names = [state.name async for state in states]
    assert names[-2:] == ["ACTIVE", "DONE"]
    assert call.telnyx_ids.session_id
    setup = call.timings.since_created("active")
    assert setup is not None
    assert setup < 2


async def test_muted_call_is_silent(alice: TelnyxClient) -> None:
    call = await alice.new_invite("echo")
    await call.wait_active(LIMIT)
    call.mute()
    await call.audio.write(tone(440, 1.0, RATE))
    assert rms(pcm(await call.audio.read(RATE))) < 50
    call.unmute()
    await call.audio.write(tone(440, 1.0, RATE))
    assert rms(pcm(await call.audio.read(RATE))) > 500


async def test_users_hear_each_other(alice: TelnyxClient, bob: TelnyxClient) -> None:
    outbound, inbound = await answered_call(alice, bob, "+15550101")
    assert inbound.caller_number == "+15550100"
    question, reply = chirp(0.5, RATE), chirp(0.5, RATE, low=3000, high=300)
    await asyncio.gather(*(call.audio.write(silence(SETTLE, RATE)) for call in (outbound, inbound)))
    await asyncio.gather(outbound.audio.write(question), inbound.audio.write(reply))
    at_bob, at_alice = await asyncio.gather(inbound.audio.read(3 * RATE), outbound.audio.read(3 * RATE))
    assert likeness(question, pcm(at_bob)) > 0.8
    assert likeness(reply, pcm(at_alice)) > 0.8
    await inbound.end()
    reason = await outbound.wait_done()
    assert (reason.cause, reason.cause_code) == ("NORMAL_CLEARING", 16)


async def test_rejected_call(alice: TelnyxClient, bob: TelnyxClient) -> None:
    incoming = bob.incoming_calls.collect()
    outbound = await alice.new_invite("bob")
    inbound = await asyncio.wait_for(anext(incoming), LIMIT)
    await inbound.reject()
    reason = await outbound.wait_done()
    assert (reason.cause, reason.cause_code, reason.sip_code) == ("USER_BUSY", 17, 486)


async def test_cancelled_call(alice: TelnyxClient, bob: TelnyxClient) -> None:
    incoming = bob.incoming_calls.collect()
    outbound = await alice.new_invite("bob")
    inbound = await asyncio.wait_for(anext(incoming), LIMIT)
    await outbound.end()
    reason = await asyncio.wait_for(inbound.wait_done(), LIMIT)
    assert reason.cause == "ORIGINATOR_CANCEL"
    assert bob.calls == alice.calls == {}


async def test_call_placed_by_the_gateway(gateway: Gateway, alice: TelnyxClient) -> None:
    incoming = alice.incoming_calls.collect()
    placed = await gateway.place_call("alice", from_="+15559999", headers={"X-Ticket": "9"})
    call = await asyncio.wait_for(anext(incoming), LIMIT)
    assert (call.caller_number, call.remote_headers) == ("+15559999", {"X-Ticket": "9"})
    await alice.accept_call(call.call_id)
    await asyncio.gather(call.wait_active(LIMIT), placed.wait_answered(LIMIT))
    said = chirp(0.5, RATE)
    await placed.audio.write(silence(SETTLE, RATE))
    await placed.audio.write(said)
    assert likeness(said, pcm(await call.audio.read(3 * RATE))) > 0.8
    await placed.hang_up(HangupCause.NORMAL_TEMPORARY_FAILURE)
    reason = await asyncio.wait_for(call.wait_done(), LIMIT)
    assert (reason.cause, reason.cause_code, reason.sip_code) == ("NORMAL_TEMPORARY_FAILURE", 41, 503)


@pytest.mark.parametrize(
    ("destination", "reason"),
    [
        ("busy", CallTerminationReason("USER_BUSY", 17, 486, "Busy Here")),
        ("reject", CallTerminationReason("CALL_REJECTED", 21, 603, "Decline")),
        ("nobody", CallTerminationReason("UNALLOCATED_NUMBER", 1, 404, "Not Found")),
    ],
)
async def test_calls_that_are_not_taken(alice: TelnyxClient, destination: str, reason: CallTerminationReason) -> None:
    async with asyncio.timeout(2):
        call = await alice.new_invite(destination)
        with pytest.raises(CallError):
            await call.wait_active()
        assert await call.wait_done() == reason


async def test_unanswered_call_is_given_up(alice: TelnyxClient) -> None:
    call = await alice.new_invite("noanswer")
    await call.call_state_flow.wait_for(CallState.RINGING, timeout=LIMIT)
    async with asyncio.timeout(2):
        await alice.end_call(call.call_id)
    assert call.termination_reason == CallTerminationReason.of(HangupCause.NORMAL_CLEARING)


async def test_gateway_that_goes_away_ends_the_call() -> None:
    async with TelnyxClient() as client:
        async with Gateway([User("alice", "s3cret")]) as gateway:
            await log_in(client, gateway, "alice")
            call = await client.new_invite("echo")
            await call.wait_active(LIMIT)
        assert await asyncio.wait_for(call.wait_done(), LIMIT) is not None
        await client.connection_status_flow.wait_for(ConnectionStatus.RECONNECTING, timeout=LIMIT)
        assert client.calls == {}


async def test_ten_calls_at_once(alice: TelnyxClient) -> None:
    tones = [400 + 100 * n for n in range(10)]
    calls = await asyncio.gather(*(alice.new_invite("echo") for _ in tones))
    await asyncio.gather(*(call.wait_active(LIMIT) for call in calls))
    await asyncio.gather(*(call.audio.write(tone(hz, 2.0, RATE)) for call, hz in zip(calls, tones, strict=True)))
    heard = await asyncio.gather(*(call.audio.read(2 * RATE) for call in calls))
    assert [dominant_frequency(pcm(audio)[RATE:], RATE) for audio in heard] == pytest.approx(tones, abs=5)
    assert len(alice.calls) == 10
    await asyncio.gather(*(call.end() for call in calls))
    assert alice.calls == {}


async def test_twenty_calls_in_a_row_leave_nothing_behind(alice: TelnyxClient) -> None:
    async def one_call() -> None:
        call = await alice.new_invite("echo")
        await call.wait_active(LIMIT)
        await call.end()

    start_threads_of_the_executor()
    await one_call()
    before = held()
    for _ in range(20):
        await one_call()
    await let_go(before)


async def test_whole_session_leaves_nothing_behind() -> None:
    async def session() -> None:
        async with Gateway([User("alice", "s3cret")]) as gateway, TelnyxClient() as client:
            await log_in(client, gateway, "alice")
            call = await client.new_invite("echo")
            await call.wait_active(LIMIT)

    start_threads_of_the_executor()
    await session()
    before = held()
    await session()
    await let_go(before)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("steps", range(1, 40, 3))
async def test_cancelled_anywhere_the_client_stays_usable(gateway: Gateway, alice: TelnyxClient, steps: int) -> None:
    placing = asyncio.create_task(alice.new_invite("echo"))
    for _ in range(steps):
        await asyncio.sleep(0)
    placing.cancel()
    with suppress(asyncio.CancelledError):
        await (await placing).end()
    assert alice.calls == {}
    call = await alice.new_invite("echo")
    await call.wait_active(LIMIT)


async def test_keys_in_the_audio_are_heard_by_the_other_user(alice: TelnyxClient, bob: TelnyxClient) -> None:
    outbound, inbound = await answered_call(alice, bob, "bob")
    await inbound.audio.read(RATE // 2)
    await outbound.dtmf_in_band("5", duration=0.5)
    heard = pcm(await inbound.audio.read(RATE))
    assert dominant_frequency(heard, RATE) in (pytest.approx(770, abs=20), pytest.approx(1336, abs=20))


@pytest.mark.parametrize("early", [False, True])
async def test_early_description(gateway: Gateway, bob: TelnyxClient, early: bool) -> None:
    """With it, the audio path stands when the callee answers."""
    incoming = bob.incoming_calls.collect()
    async with TelnyxClient() as client:
        config = CredentialConfig("alice", "s3cret", early_sdp_answer=early)
        await client.connect(TxServerConfiguration.parse(gateway.url), config)
        call = await client.new_invite("bob")
        inbound = await asyncio.wait_for(anext(incoming), LIMIT)
        if early:
            await call._peer.connection_state.wait_for(PeerConnectionState.CONNECTED, timeout=LIMIT)
        await inbound.accept()
        await call.wait_active(LIMIT)
        timings = call.timings
        assert timings.media_connected is not None
        assert timings.answered is not None
        assert (timings.media_connected < timings.answered) is early
        await hear_each_other(call, inbound)


async def test_text_messages(alice: TelnyxClient, bob: TelnyxClient) -> None:
    outbound, inbound = await answered_call(alice, bob, "bob")
    at_bob, at_alice = inbound.message_flow.collect(), outbound.message_flow.collect()
    await outbound.message("the number is 42")
    assert await asyncio.wait_for(anext(at_bob), LIMIT) == CallMessage("alice", "bob", "the number is 42")
    await inbound.message("thanks", to="alice")
    assert await asyncio.wait_for(anext(at_alice), LIMIT) == CallMessage("bob", "alice", "thanks")
    for body in ("", "x" * 10_001):
        with pytest.raises(ConfigurationError, match="1 to 10000 characters"):
            await outbound.message(body)
    await outbound.end()
    with pytest.raises(CallError, match="no message can be sent"):
        await outbound.message("too late")
    assert [message async for message in at_alice] == []


async def test_accepted_twice(alice: TelnyxClient, bob: TelnyxClient) -> None:
    warnings = bob.warning_flow.collect()
    outbound, inbound = await answered_call(alice, bob, "bob")
    with pytest.raises(CallError, match="cannot be accepted"):
        await inbound.accept()
    warning = await asyncio.wait_for(anext(warnings), LIMIT)
    assert (warning.code, warning.name) == (33006, "ANSWER_WHILE_PEER_ACTIVE")
    await hear_each_other(outbound, inbound)


@pytest.mark.parametrize("most", [None, 5])
async def test_several_calls_at_a_time(gateway: Gateway, most: int | None) -> None:
    """It is told once, and not to who has said how many there may be."""
    async with client_of(gateway, "alice", limits=Limits(max_concurrent_calls=most)) as client:
        warnings = client.warning_flow.collect()
        for _ in range(3):
            await client.new_invite("noanswer")
    told = [warning.name async for warning in warnings]
    assert told == ([] if most else ["MULTIPLE_ACTIVE_CALLS_DETECTED"])


@pytest.mark.parametrize("destination", ["echo", "bob"])
async def test_call_placed_by_the_gateway_leads_somewhere(
    gateway: Gateway, alice: TelnyxClient, bob: TelnyxClient, destination: str
) -> None:
    at_alice, at_bob = alice.incoming_calls.collect(), bob.incoming_calls.collect()
    placed = await gateway.place_call("alice", from_="+15559999", destination=destination)
    call = await asyncio.wait_for(anext(at_alice), LIMIT)
    await call.accept()
    if destination == "echo":
        await echoes(call, 700)
    else:
        other = await asyncio.wait_for(anext(at_bob), LIMIT)
        await other.accept()
        await hear_each_other(call, other)
    await call.end()
    await placed.wait_ended(LIMIT)
    with pytest.raises(ConfigurationError, match="no destination 'nowhere'"):
        await gateway.place_call("alice", from_="+15559999", destination="nowhere")


async def test_nobody_is_where_a_call_leads(gateway: Gateway, alice: TelnyxClient) -> None:
    at_alice = alice.incoming_calls.collect()
    await gateway.place_call("alice", from_="+15559999", destination="busy")
    call = await asyncio.wait_for(anext(at_alice), LIMIT)
    with suppress(CallError):  # the end may come before the answer is acknowledged
        await call.accept()
    assert (await call.wait_done(LIMIT)).cause == "USER_BUSY"


async def test_deaf_call_hears_silence(alice: TelnyxClient, bob: TelnyxClient) -> None:
    """What is found in the sound, and who taps it, is not concerned."""
    outbound, inbound = await answered_call(alice, bob, "bob")
    async with saying_tone(inbound.audio, 600):
        await hear_tone(outbound.audio, 600)
        outbound.deaf()
        assert outbound.deafened
        outbound.audio.read_nowait()
        await hears_nothing(outbound.audio, 0.3)
        with outbound.audio.tap() as tap:
            assert rms(pcm(await tap.read(RATE // 5))) > 500
        assert outbound.toggle_deaf() is False
        await hear_tone(outbound.audio, 600)
    outbound.toggle_deaf()
    outbound.undeaf()
    assert not outbound.deafened
