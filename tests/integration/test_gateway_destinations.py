"""What calls to the gateway's destinations sound like."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from support.limit import LIMIT
from support.signals import Pcm, chirp, dominant_frequency, likeness, pcm, rms, silence, tone
from support.users import log_in
from telnyx_native import AudioConfig, Call, CallState, TelnyxClient
from telnyx_native.gateway import DialPlan, Gateway, GatewayLimits, Menu, User
from telnyx_native.gateway.destinations.sounds import PROMPT, hold_music
from telnyx_native.media.files import read_audio, write_wav
from telnyx_native.testing.recognition import SoundPattern

RATE = 16_000
SETTLE = 1.0
"""Seconds after which a jitter buffer has found its depth."""

RINGBACK = (440, 480)
"""Hz that the ringback tone is made of; either may be the louder one in what is heard of it."""

MENUS = {
    "main": Menu(
        keys={"1": "tone:1000", "2": "ivr:sub", "3": "+15550101"},
        prompt=("tone:600:20",),
        invalid=("tone:250:0.5",),
        tries=3,
    ),
    "sub": Menu(keys={"1": "echo"}, timeout=0.3, tries=2, otherwise="tone:1500"),
    "patient": Menu(keys={"1": "echo"}, prompt=("tone:600:2",), barge_in=False, timeout=0.3, tries=1),
}


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    settling = silence(SETTLE, 24_000)
    write_wav(tmp_path / "chirp.wav", np.concatenate([settling, chirp(1.5, 24_000)]), 24_000)
    plan = DialPlan(
        numbers={"+15550199": "everybody", "+15550198": "ivr"},
        groups={"everybody": ["alice", "bob", "carol"]},
        menus=MENUS,
        sounds=tmp_path,
    )
    users = [User(name, "s3cret", number) for name, number in (("alice", None), ("bob", "+15550101"), ("carol", None))]
    async with Gateway(users, plan=plan, limits=GatewayLimits(conference_members=3)) as running:
        yield running


async def listen(call: Call, seconds: float) -> Pcm:
    """What is heard from now on."""
    scrap = bytearray(2 * RATE)
    while call.audio.readinto(scrap):
        pass
    return pcm(await call.audio.read(round(seconds * RATE)))


async def hears(call: Call, *hz: float) -> None:
    """Wait until a tone is heard, one of these."""
    async with asyncio.timeout(LIMIT):
        while True:
            samples = pcm(await call.audio.read(RATE // 5))
            if rms(samples) > 1000 and any(abs(dominant_frequency(samples, RATE) - one) < 8 for one in hz):
                return


async def heard_to_the_end(call: Call) -> Pcm:
    async with asyncio.timeout(LIMIT):
        return pcm(b"".join([frame async for frame in call.audio]))


async def test_early_media_is_heard_before_the_answer(alice: TelnyxClient) -> None:
    call = await alice.new_invite("early:3")
    await call.call_state_flow.wait_for(CallState.RINGING, timeout=LIMIT)
    await hears(call, *RINGBACK)
    assert call.state == CallState.RINGING
    await call.wait_active(LIMIT)
    await asyncio.sleep(SETTLE)
    call.audio.write_nowait(chirp(0.5, RATE).data)
    assert likeness(chirp(0.5, RATE), await listen(call, 1.2)) > 0.7


async def test_call_hung_up_after_a_while(alice: TelnyxClient) -> None:
    call = await alice.new_invite("hangup-after:0.7")
    await call.wait_active(LIMIT)
    heard = await heard_to_the_end(call)
    assert len(heard) / RATE == pytest.approx(0.7, abs=0.3)
    assert call.termination_reason is not None
    assert call.termination_reason.cause == "NORMAL_CLEARING"


async def test_file_is_played_once(alice: TelnyxClient, tmp_path: Path) -> None:
    for name in ("file:chirp.wav", f"file:{tmp_path}/chirp.wav"):
        call = await alice.new_invite(name)
        assert likeness(chirp(1.5, RATE), await heard_to_the_end(call)) > 0.7
        assert (await call.wait_done()).cause == "NORMAL_CLEARING"


async def test_the_packages_own_prompt(alice: TelnyxClient) -> None:
    call = await alice.new_invite("file")
    assert likeness(read_audio(PROMPT, RATE), await heard_to_the_end(call)) > 0.7


async def test_music(alice: TelnyxClient) -> None:
    call = await alice.new_invite("music")
    await call.wait_active(LIMIT)
    await asyncio.sleep(SETTLE)
    heard = SoundPattern(await listen(call, 2.0), RATE)
    assert heard.find(np.tile(hold_music(RATE), 2)).similarity > 0.8
    await call.hold()
    await asyncio.sleep(0.5)
    assert rms(await listen(call, 0.3)) < 50
    await call.unhold()
    await asyncio.sleep(0.5)
    assert rms(await listen(call, 0.3)) > 300


@pytest.mark.parametrize("in_band", [False, True])
async def test_keys_are_read_back(alice: TelnyxClient, in_band: bool) -> None:
    call = await alice.new_invite("dtmf", audio=AudioConfig(dtmf_tones=True))
    await call.wait_active(LIMIT)
    await hears(call, 880)
    keys = call.dtmf_flow.collect()
    for entry in ("42#", "7*0"):  # ended by a key, and by a pause
        await (call.dtmf_in_band if in_band else call.dtmf)(entry)
        read_back = list(entry.rstrip("#"))
        heard: list[str] = []
        async with asyncio.timeout(LIMIT):
            while heard[-1:] != read_back[-1:]:
                heard.append((await anext(keys)).key)
        # On a busy machine a tone may have a gap, which makes two keys of it.
        assert list(dict.fromkeys(heard)) == read_back


class TestIvr:
    async def test_key_interrupts_the_prompt(self, alice: TelnyxClient) -> None:
        call = await alice.new_invite("+15550198")
        await call.wait_active(LIMIT)
        await hears(call, 600)
        await call.dtmf("1")
        await hears(call, 1000)

    async def test_key_that_leads_nowhere(self, alice: TelnyxClient) -> None:
        call = await alice.new_invite("ivr:main")
        await call.wait_active(LIMIT)
        for _ in range(2):
            await hears(call, 600)
            await call.dtmf("9")
            await hears(call, 250)

    async def test_menu_below_a_menu_whose_time_runs_out(self, alice: TelnyxClient) -> None:
        call = await alice.new_invite("ivr")
        await call.wait_active(LIMIT)
        await hears(call, 600)
        await call.dtmf("2")
        await hears(call, 1500)

    async def test_prompt_that_is_heard_to_its_end(self, alice: TelnyxClient) -> None:
        call = await alice.new_invite("ivr:patient")
        await call.wait_active(LIMIT)
        await call.dtmf("1")  # too early
        heard = await heard_to_the_end(call)
        assert dominant_frequency(heard, RATE) == pytest.approx(600, abs=5)
        assert (await call.wait_done()).cause == "NORMAL_CLEARING"

    async def test_key_that_calls_a_user(self, alice: TelnyxClient, bob: TelnyxClient) -> None:
        incoming = bob.incoming_calls.collect()
        call = await alice.new_invite("ivr")
        await call.wait_active(LIMIT)
        await hears(call, 600)
        await call.dtmf("3")
        called = await asyncio.wait_for(anext(incoming), LIMIT)
        await hears(call, *RINGBACK)
        await called.accept()
        await called.wait_active(LIMIT)
        await asyncio.sleep(SETTLE)
        called.audio.write_nowait(chirp(0.5, RATE).data)
        assert likeness(chirp(0.5, RATE), await listen(call, 1.2)) > 0.7
        await called.end()
        assert (await call.wait_done()).cause == "NORMAL_CLEARING"


async def test_group_rings_together_and_the_first_to_answer_has_the_call(
    gateway: Gateway, alice: TelnyxClient, bob: TelnyxClient
) -> None:
    async with TelnyxClient() as first_phone, TelnyxClient() as carol:
        await log_in(first_phone, gateway, "carol")
        await log_in(carol, gateway, "carol")  # the last phone of hers
        ringing = [client.incoming_calls.collect() for client in (bob, carol)]
        call = await alice.new_invite("+15550199")
        called = [await asyncio.wait_for(anext(calls), LIMIT) for calls in ringing]
        await called[1].accept()
        await call.wait_active(LIMIT)
        reason = await called[0].wait_done()
        assert (reason.cause, reason.sip_code, reason.sip_reason) == ("LOSE_RACE", 200, "Call completed elsewhere")
        assert not first_phone.calls
        await asyncio.sleep(SETTLE)
        called[1].audio.write_nowait(chirp(0.5, RATE).data)
        assert likeness(chirp(0.5, RATE), await listen(call, 1.2)) > 0.7


async def test_group_of_which_everybody_refuses(gateway: Gateway, alice: TelnyxClient, bob: TelnyxClient) -> None:
    async with TelnyxClient() as carol:
        await log_in(carol, gateway, "carol")
        ringing = [client.incoming_calls.collect() for client in (bob, carol)]
        call = await alice.new_invite("everybody")
        for calls in ringing:
            await (await asyncio.wait_for(anext(calls), LIMIT)).reject()
        reason = await call.wait_done()
        assert (reason.cause, reason.sip_code) == ("USER_BUSY", 486)


async def test_conference(gateway: Gateway, alice: TelnyxClient, bob: TelnyxClient) -> None:
    async with TelnyxClient() as carol:
        await log_in(carol, gateway, "carol")
        clients = (alice, bob, carol)
        calls = [await client.new_invite("conference:room") for client in clients]
        elsewhere = await alice.new_invite("conference:other")
        for call in (*calls, elsewhere):
            await call.wait_active(LIMIT)
        await asyncio.sleep(SETTLE)
        for call, hz in zip(calls, (500, 700, 900), strict=True):
            call.audio.write_nowait(tone(hz, 4.0, RATE, amplitude=4000).data)
        await asyncio.sleep(0.5)
        heard = await asyncio.gather(*(listen(call, 0.5) for call in (*calls, elsewhere)))
        assert [loud_tones(samples) for samples in heard] == [{700, 900}, {500, 900}, {500, 700}, set()]
        await calls[2].hold()
        await asyncio.sleep(0.5)
        heard = await asyncio.gather(*(listen(call, 0.3) for call in calls))
        assert [loud_tones(samples) for samples in heard] == [{700}, {500}, set()]
        await calls[0].end()
        await asyncio.sleep(0.5)
        assert loud_tones(await listen(calls[1], 0.3)) == set()


def loud_tones(samples: Pcm) -> set[int]:
    """Which of the three are heard."""
    return {hz for hz in (500, 700, 900) if amplitude(samples, hz) > 500}


def amplitude(samples: Pcm, hz: float) -> float:
    time = np.arange(len(samples)) / RATE
    return float(2 * abs(np.mean(samples * np.exp(-2j * np.pi * hz * time))))


async def test_conference_that_is_full(alice: TelnyxClient, bob: TelnyxClient, gateway: Gateway) -> None:
    first = await alice.new_invite("conference:small")
    await first.wait_active(LIMIT)
    second = await bob.new_invite("conference:small")
    await second.wait_active(LIMIT)
    await (await bob.new_invite("conference:small")).wait_active(LIMIT)
    third = await bob.new_invite("conference:small")
    assert (await third.wait_done()).cause == "NORMAL_CIRCUIT_CONGESTION"
    await first.end()
    await gateway_is_left_by(gateway, 2)
    fourth = await alice.new_invite("conference:small")
    await fourth.wait_active(LIMIT)


async def gateway_is_left_by(gateway: Gateway, left: int) -> None:
    async with asyncio.timeout(LIMIT):
        while len(gateway.calls) > left:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.02)
