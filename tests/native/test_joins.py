"""Peers that hear each other natively: bridges and conferences, between real connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import numpy as np
import pytest

from support.limit import LIMIT
from support.peers import LOOPBACK, connected, negotiate
from support.signals import Pcm, pcm, rms, tone
from telnyx_native.config import AudioConfig
from telnyx_native.errors import EngineClosedError, MediaError
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.joins import PeerConference, bridge
from telnyx_native.media.peer import Peer
from telnyx_native.media.tap import AudioDirection

pytestmark = pytest.mark.sound


@dataclass
class Party:
    """The remote of one of our calls, who says a tone of their own all the time."""

    phone: Peer
    leg: Peer
    hz: int

    @property
    def rate(self) -> int:
        return self.phone.audio.sample_rate


@asynccontextmanager
async def parties(engine: MediaEngine, *rates: int) -> AsyncIterator[list[Party]]:
    """Parties of 500, 700, 900, ... Hz; `rates` are those of our ends of their calls."""
    async with AsyncExitStack() as stack:
        people = []
        for index, rate in enumerate(rates):
            pair = connected(engine, AudioConfig(capture_buffer=5), AudioConfig(sample_rate=rate))
            phone, leg = await stack.enter_async_context(pair)
            people.append(Party(phone, leg, 500 + 200 * index))
        talking = [asyncio.create_task(_talk(party)) for party in people]
        try:
            yield people
        finally:
            for task in talking:
                task.cancel()


async def _talk(party: Party) -> None:
    second = tone(party.hz, 1.0, party.rate, amplitude=6000)
    while True:
        await party.phone.audio.write(second)


def levels(heard: Pcm, rate: int, frequencies: list[int]) -> list[bool]:
    """Which of the frequencies are in what was heard."""
    spectrum = np.abs(np.fft.rfft(heard.astype(float) * np.hanning(len(heard)))) / len(heard)
    bins = [round(hz * len(heard) / rate) for hz in frequencies]
    return [bool(np.max(spectrum[index - 3 : index + 4]) > 300) for index in bins]


async def hears(party: Party, people: list[Party], *also: int) -> list[bool]:
    """Whom a party hears now, and which other frequencies."""
    party.phone.audio.read_nowait()
    await party.phone.audio.read(party.rate // 5)
    heard = pcm(await party.phone.audio.read(party.rate // 2))
    return levels(heard, party.rate, [other.hz for other in people] + list(also))


async def until_hears(party: Party, people: list[Party], expected: list[bool], *also: int) -> None:
    for _ in range(10):
        if (heard := await hears(party, people, *also)) == expected:
            return
    raise AssertionError(f"{party.hz} Hz hears {heard}, not {expected}")


@pytest.mark.parametrize("rates", [(16_000, 16_000), (8_000, 48_000), (24_000, 16_000)])
async def test_two_hear_each_other_whatever_their_rates(engine: MediaEngine, rates: tuple[int, int]) -> None:
    async with parties(engine, *rates) as people:
        alice, bob = people
        bridge(alice.leg, bob.leg)
        await until_hears(alice, people, [False, True])
        await until_hears(bob, people, [True, False])
        bob.leg.leave()
        await until_hears(alice, people, [False, False])
        await until_hears(bob, people, [False, False])


async def test_a_bridge_ends_with_either_of_the_two(engine: MediaEngine) -> None:
    async with parties(engine, 16_000, 16_000, 16_000) as people:
        alice, bob, carol = people
        bridge(alice.leg, bob.leg)
        bridge(alice.leg, carol.leg)  # and leaves bob
        await until_hears(carol, people, [True, False, False])
        await until_hears(bob, people, [False, False, False])
        await alice.leg.close()
        carol.leg.echo()
        await until_hears(carol, people, [False, False, True])


async def test_a_call_is_not_joined_to_itself_or_to_one_that_is_over(engine: MediaEngine) -> None:
    one, other = (engine.create_peer(LOOPBACK, AudioConfig()) for _ in range(2))
    with pytest.raises(MediaError, match="echo"):
        bridge(one, one)
    await other.close()
    with pytest.raises(EngineClosedError):
        bridge(one, other)
    with pytest.raises(EngineClosedError):
        other.echo()
    await one.close()


async def test_calls_of_another_event_loop_cannot_be_joined(engine: MediaEngine) -> None:
    here = engine.create_peer(LOOPBACK, AudioConfig())

    async def elsewhere() -> None:
        other = MediaEngine.acquire()
        there, conference = other.create_peer(LOOPBACK, AudioConfig()), other.create_conference(AudioConfig())
        for join in (lambda: bridge(here, there), lambda: conference.add(here)):
            with pytest.raises(MediaError, match="event loops"):
                join()
        conference.close()
        await there.close()
        await other.release()

    await asyncio.to_thread(asyncio.run, elsewhere())
    await here.close()


async def test_in_a_conference_each_hears_all_others(engine: MediaEngine) -> None:
    async with parties(engine, 16_000, 8_000, 48_000) as people:
        conference = engine.create_conference(AudioConfig(sample_rate=24_000))
        for party in people:
            conference.add(party.leg)
        assert conference.members == tuple(party.leg for party in people)
        await until_hears(people[0], people, [False, True, True])
        await until_hears(people[1], people, [True, False, True])
        await until_hears(people[2], people, [True, True, False])
        conference.audio.read_nowait()
        heard = pcm(await conference.audio.read(12_000))
        assert levels(heard, 24_000, [party.hz for party in people]) == [True, True, True]
        conference.remove(people[1].leg)
        assert conference.members == (people[0].leg, people[2].leg)
        await until_hears(people[0], people, [False, False, True])
        await until_hears(people[1], people, [False, False, False])
        conference.close()


async def test_announcements_are_for_all_or_for_one(engine: MediaEngine) -> None:
    async with parties(engine, 16_000, 16_000) as people:
        alice, bob = people
        conference = engine.create_conference(AudioConfig(playback_buffer=10))
        conference.add(alice.leg)
        conference.add(bob.leg)
        await conference.audio.write(tone(1500, 9.0, 16_000, amplitude=6000))
        await until_hears(alice, people, [False, True, True], 1500)
        await until_hears(bob, people, [True, False, True], 1500)
        conference.audio.clear()
        await alice.leg.audio.write(tone(1900, 4.0, 16_000, amplitude=6000))
        await until_hears(alice, people, [False, True, False, True], 1500, 1900)
        assert await hears(bob, people, 1500, 1900) == [True, False, False, False]
        conference.close()


async def test_a_member_may_only_listen(engine: MediaEngine) -> None:
    async with parties(engine, 16_000, 16_000) as people:
        alice, coach = people
        conference = engine.create_conference(AudioConfig())
        conference.add(alice.leg)
        conference.add(coach.leg, muted=True)
        await until_hears(coach, people, [True, False])
        assert await hears(alice, people) == [False, False]
        conference.add(coach.leg)
        await until_hears(alice, people, [False, True])
        conference.close()


async def test_who_is_on_hold_neither_hears_nor_is_heard(engine: MediaEngine) -> None:
    async with parties(engine, 16_000, 16_000, 16_000) as people:
        alice, bob, carol = people
        conference = engine.create_conference(AudioConfig())
        for party in people:
            conference.add(party.leg)
        bob.leg.hold(True)
        await until_hears(alice, people, [False, False, True])
        await until_hears(bob, people, [False, False, False])
        bob.leg.hold(False)
        await until_hears(alice, people, [False, True, True])
        await until_hears(bob, people, [True, False, True])
        conference.remove(carol.leg)
        carol.leg.echo()
        carol.leg.hold(True)
        await until_hears(carol, people, [False, False, False])
        carol.leg.hold(False)
        await until_hears(carol, people, [False, False, True])
        conference.close()


async def test_what_is_handed_to_the_encoder_has_no_step_when_calls_come_and_go(engine: MediaEngine) -> None:
    async with parties(engine, 16_000, 16_000) as people:
        alice, bob = people
        await until_hears(alice, people, [False, False])
        with bob.leg.audio.tap(AudioDirection.SENT) as tap:
            conference = engine.create_conference(AudioConfig())
            conference.add(bob.leg)
            for round_ in range(6):
                conference.add(alice.leg)
                await tap.read(16_000 // 5)
                if round_ % 2:
                    alice.leg.hold(True)
                    await tap.read(16_000 // 20)
                    alice.leg.hold(False)
                    await tap.read(16_000 // 20)
                conference.remove(alice.leg)
                await tap.read(16_000 // 10)
            conference.add(alice.leg)
            await tap.read(16_000 // 5)
            reading = asyncio.create_task(tap.read(16_000 // 2))
            await alice.leg.close()
            sent = pcm(await reading)
        # A tone of 500 Hz and 6000: its own steps are at most 1180, a cut would be one of up to 6000.
        assert np.max(np.abs(np.diff(sent.astype(int)))) < 1700
        assert rms(sent[-1600:]) == 0
        conference.close()


async def test_who_ends_is_out_and_who_goes_on_as_another_stays_in(engine: MediaEngine) -> None:
    async with parties(engine, 16_000, 16_000) as people:
        alice, bob = people
        conference = engine.create_conference(AudioConfig())
        conference.add(alice.leg)
        conference.add(bob.leg)
        successor, phone = engine.create_successor(alice.leg, LOOPBACK), engine.create_successor(alice.phone, LOOPBACK)
        await negotiate(phone, successor)
        await phone.wait_connected(LIMIT)
        await successor.wait_connected(LIMIT)
        await successor.take_over(alice.leg)
        await phone.take_over(alice.phone)
        assert conference.members == (successor, bob.leg)
        alice.phone, alice.leg = phone, successor
        await until_hears(bob, people, [True, False])
        await until_hears(alice, people, [False, True])
        await successor.close()
        assert conference.members == (bob.leg,)
        with pytest.raises(MediaError):
            conference.add(successor)
        conference.close()
        await phone.close()


async def test_a_conference_goes_on_without_members_and_ends_once(engine: MediaEngine) -> None:
    conference = engine.create_conference(AudioConfig())
    await conference.audio.write(tone(440, 0.3, 16_000))
    async with asyncio.timeout(2):
        await conference.audio.drain()
    conference.close()
    conference.close()
    assert conference.audio.closed
    peer = engine.create_peer(LOOPBACK, AudioConfig())
    with pytest.raises(MediaError, match="over"):
        conference.add(peer)
    await peer.close()


async def test_a_conference_that_nobody_holds_any_more_frees_its_members(engine: MediaEngine) -> None:
    async with parties(engine, 16_000, 16_000) as people:
        alice, bob = people

        def forgotten() -> None:
            conference: PeerConference = engine.create_conference(AudioConfig())
            conference.add(alice.leg)
            conference.add(bob.leg)

        forgotten()
        await until_hears(alice, people, [False, True])  # its members hold it
        alice.leg.leave()
        bob.leg.leave()
        await until_hears(alice, people, [False, False])
