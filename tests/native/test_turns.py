"""Turns: the edges of what sounds, on both sides, agree with the audio itself."""

from __future__ import annotations

import asyncio
from typing import TypeVar

import numpy as np
import pytest

from support.peers import connected
from support.signals import chirp, silence
from telnyx_native import _audio
from telnyx_native.config import AudioConfig, VoiceActivityConfig
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.peer import Peer
from telnyx_native.media.simulated_network import NetworkConditions, SimulatedNetwork
from telnyx_native.media.tap import AudioDirection, AudioTap
from telnyx_native.media.turns import BargeIn, DeadAir, DoubleTalk, Edge, Response, Turn, TurnEvent

T = TypeVar("T")

RATE = 16_000
EXACT = 0.010
"""Seconds by which an edge may be off: a tick."""

AUDIBLE = 60
"""Amplitude of -55 dBFS."""


class Listener:
    """What a tap hears, and the turns of the same call."""

    def __init__(self, peer: Peer) -> None:
        self.tap: AudioTap = peer.audio.tap(AudioDirection.BOTH)
        self.events: list[TurnEvent] = []
        self._turns = peer.audio.turn_flow.collect()

    async def until(self, kind: type[TurnEvent], count: int = 1) -> None:
        async with asyncio.timeout(15):
            while sum(isinstance(event, kind) for event in self.events) < count:
                self.events.append(await anext(self._turns))

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]

    def edges(self) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        """From when to when the remote side and this one sounded, in seconds since the tap was opened."""
        heard = np.frombuffer(self.tap.read_nowait(8 * RATE), np.int16).reshape(-1, 2)
        return sounding(heard[:, 0]), sounding(heard[:, 1])


def sounding(samples: np.ndarray) -> list[tuple[float, float]]:
    """From when to when there is sound, whose pauses are shorter than 0.35 s."""
    loud = np.flatnonzero(np.abs(samples.astype(int)) > AUDIBLE)
    cuts = np.flatnonzero(np.diff(loud) > 0.35 * RATE)
    firsts, lasts = loud[[0, *(cuts + 1)]], loud[[*cuts, -1]]
    return [(first / RATE, (last + 1) / RATE) for first, last in zip(firsts, lasts, strict=True)]


async def test_answers_and_interruptions_are_where_the_sound_is(engine: MediaEngine) -> None:
    """Over a network with jitter and losses: they agree with what a tap hears of the same call."""
    network = SimulatedNetwork(3)
    async with connected(engine, network=network) as (human, bot):
        await human.audio.write(silence(1.0, RATE))
        await human.audio.drain()  # the jitter buffer has settled
        network.sending.conditions = NetworkConditions(delay=0.03, jitter=0.01, loss=0.05)
        heard = Listener(bot)
        await human.audio.write(np.concatenate([silence(0.5, RATE), chirp(0.8, RATE), silence(0.6, RATE)]))
        await heard.until(Turn)
        saying = asyncio.create_task(bot.audio.write(chirp(4.0, RATE)))
        await heard.until(Response)
        await human.audio.write(np.concatenate([silence(0.5, RATE), chirp(1.5, RATE)]))
        with bot.audio.voice_activity_flow.collect() as activity:
            while not (await asyncio.wait_for(anext(activity), 10)).speaking:
                pass
        bot.audio.clear()
        await saying
        await heard.until(BargeIn)
        await heard.until(Turn, 3)
        remote, local = heard.edges()
    (answer,), (interruption,) = heard.of(Response), heard.of(BargeIn)
    assert answer.latency == pytest.approx(local[0][0] - remote[0][1], abs=EXACT)
    assert interruption.silence_after == pytest.approx(local[0][1] - remote[1][0], abs=EXACT)
    # Taps and turns count from another moment: the answer tells which.
    offset = answer.at - local[0][0]
    for turn, (began, ended) in zip(heard.of(Turn), (remote[0], local[0], remote[1]), strict=True):
        assert turn.began - offset == pytest.approx(began, abs=EXACT)
        assert turn.ended - offset == pytest.approx(ended, abs=EXACT)
    (both,) = heard.of(DoubleTalk)
    assert (both.began, both.ended) == (interruption.at, heard.of(Turn)[1].ended)


async def test_noise_is_nobody_speaking(engine: MediaEngine) -> None:
    audio = AudioConfig(voice_activity=VoiceActivityConfig(aggressiveness=3, dead_air=1.5))
    async with connected(engine, None, audio) as (human, bot):
        heard = Listener(bot)
        noise = np.random.default_rng(4).normal(0, 200, 4 * RATE).astype(np.int16)
        await human.audio.write(noise)
        await heard.until(DeadAir)
    assert [turn for turn in heard.of(Turn) if turn.began > 0.5] == [], "the detector has learnt the noise by then"


def port(dead_air: int = 100) -> _audio.AudioPort:
    made = _audio.AudioPort(RATE, RATE, RATE, 0, RATE)
    made.follow_turns(True, 40, dead_air)
    return made


def edges_of(made: _audio.AudioPort) -> list[tuple[Edge, float]]:
    return [(Edge(value), position / RATE) for kind, value, _, position, *_ in made.take_notices()]


def play(made: _audio.AudioPort, seconds: float) -> None:
    for _ in range(round(100 * seconds)):
        made.tick()


def test_what_is_sent_begins_and_ends_once_for_each_utterance() -> None:
    """Pauses within it are shorter than the hangover."""
    made = port()
    play(made, 0.2)
    made.write(np.concatenate([chirp(0.3, RATE), silence(0.3, RATE), chirp(0.2, RATE)]), 0, 0)
    play(made, 1.5)
    edges = edges_of(made)
    assert [edge for edge, _ in edges] == [Edge.LOCAL_BEGINS, Edge.LOCAL_ENDS]
    assert edges[0][1] == pytest.approx(0.2, abs=EXACT)
    assert edges[1][1] == pytest.approx(1.0, abs=EXACT)


def test_dead_air_is_told_once_for_each_silence() -> None:
    made = port(dead_air=100)
    play(made, 3.0)
    assert edges_of(made) == [(Edge.DEAD_AIR, 0.0)]
    made.write(chirp(0.5, RATE), 0, 0)
    play(made, 3.0)
    began, ended, dead = edges_of(made)
    assert (began[0], ended[0], dead[0]) == (Edge.LOCAL_BEGINS, Edge.LOCAL_ENDS, Edge.DEAD_AIR)
    assert dead[1] == ended[1]


def test_nobody_is_told_who_does_not_ask() -> None:
    made = _audio.AudioPort(RATE, RATE, RATE, 0, RATE)
    made.write(chirp(0.5, RATE), 0, 0)
    play(made, 2.0)
    assert edges_of(made) == []
