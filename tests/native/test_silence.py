"""Silence that nobody encodes: the packets it is made of, and the speech that follows it."""

from __future__ import annotations

import asyncio
import re
from itertools import groupby, pairwise

import numpy as np
import opuslib
import pytest

from support.limit import LIMIT
from support.peers import LOOPBACK, connected
from support.signals import Pcm, find, likeness, pcm, rms, silence, tone
from telnyx_native.config import AudioConfig, OpusConfig
from telnyx_native.gateway.destinations.sounds import PROMPT
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.files import read_audio
from telnyx_native.media.packets import EncodedPacket

RATE = 16_000
DECODED = 48_000


async def packets_of(engine: MediaEngine, said: Pcm, opus: OpusConfig, rate: int = RATE) -> list[EncodedPacket]:
    """What arrives of it, until it was sent."""
    audio = AudioConfig(rate, playback_buffer=60, opus=opus)
    async with connected(engine, audio) as (caller, callee):
        with callee.audio.tap_packets() as tap:
            await caller.audio.write(said)
            found: list[EncodedPacket] = []
            async with asyncio.timeout(len(said) / rate + LIMIT):
                async for packet in tap:
                    found.append(packet)
                    if (packet.timestamp - found[0].timestamp) % 2**32 >= 48 * len(said) // (rate // 1000):
                        return found
    raise AssertionError("the tap has ended")


def decoded(packets: list[EncodedPacket]) -> Pcm:
    """What Opus' own decoder makes of them."""
    assert {(b.sequence_number - a.sequence_number) % 2**16 for a, b in pairwise(packets)} == {1}
    decoder = opuslib.Decoder(DECODED, 1)
    return pcm(b"".join(decoder.decode(packet.payload, DECODED * 120 // 1000) for packet in packets))


@pytest.mark.parametrize("ptime", [10, 20, 60])
@pytest.mark.parametrize("rate", [16_000, 48_000])
async def test_silence_is_the_same_packet_again_and_again(engine: MediaEngine, rate: int, ptime: int) -> None:
    said = np.concatenate([tone(440, 0.5, rate), silence(1, rate)])
    packets = await packets_of(engine, said, OpusConfig(ptime=ptime), rate)
    assert [(b.timestamp - a.timestamp) % 2**32 for a, b in pairwise(packets)] == [48 * ptime] * (len(packets) - 1)
    runs = [(payload, len(list(run))) for payload, run in groupby(packet.payload for packet in packets)]
    payload, longest = max(runs, key=lambda run: run[1])
    assert longest * ptime > 600
    assert len(payload) < 160
    assert rms(decoded(packets)[-DECODED // 2 :]) < 2


async def test_with_dtx_two_packets_tell_of_silence_every_400_milliseconds(engine: MediaEngine) -> None:
    said = np.concatenate([tone(440, 0.5, RATE), silence(3, RATE), tone(440, 0.2, RATE)])
    audio = AudioConfig(opus=OpusConfig(dtx=True))
    async with connected(engine, audio, AudioConfig(capture_buffer=10)) as (caller, callee):
        with callee.audio.tap_packets() as tap:
            await caller.audio.write(said)
            times: list[int] = []
            async with asyncio.timeout(LIMIT):
                async for packet in tap:
                    times.append(packet.timestamp)
                    if (times[-1] - times[0]) % 2**32 >= 48_000 * 3.6:
                        break
        heard = pcm(await callee.audio.read(3 * RATE))
        stats = await callee.stats()
    pauses = [(b - a) % 2**32 / 48 for a, b in pairwise(times)]
    long = [pause for pause in pauses if pause > 20][:-1]  # the last of them ends with the tone
    assert 6 <= len(long) <= 7
    assert long == pytest.approx([380] * len(long), abs=1)
    assert rms(heard[3 * RATE // 2 : 5 * RATE // 2]) < 2
    inbound = next(entry for entry in stats.values() if entry["type"] == "inbound-rtp")
    assert inbound["packetsLost"] == 0
    assert inbound["concealedSamples"] - inbound["silentConcealedSamples"] < 48_000 // 5


@pytest.mark.sound
@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
async def test_who_hears_silence_hears_zeros_and_then_speech(engine: MediaEngine, rate: int) -> None:
    word = read_audio(PROMPT, rate)[: rate // 2]
    audio = AudioConfig(rate, capture_buffer=10)
    async with connected(engine, audio, audio) as (caller, callee):
        await caller.audio.write(np.concatenate([silence(1, rate), word, silence(1.5, rate), word, silence(0.5, rate)]))
        heard = pcm(await callee.audio.read(4 * rate))
    first, _ = find(word, heard[: 5 * rate // 2])
    assert not heard[first + rate : first + 3 * rate // 2].any()
    for part in (heard[: 5 * rate // 2], heard[5 * rate // 2 :]):
        assert likeness(word, part) > 0.8


async def test_speech_begins_behind_silence_as_it_does_behind_a_whisper(engine: MediaEngine) -> None:
    """Each onset, in any part of a packet, has the energy that it has where an encoder heard the pause, too."""
    random = np.random.default_rng(17)
    word = read_audio(PROMPT, RATE)[: RATE // 4]
    word = word[np.flatnonzero(np.abs(word.astype(int)) > 500)[0] :]
    said, begins = silence(0.2, RATE), list[int]()
    for pause in random.integers(RATE // 4, RATE // 3, 16):
        said = np.concatenate([said, silence(pause / RATE, RATE)])
        begins.append(len(said))
        said = np.concatenate([said, word])
    said = np.concatenate([said, silence(0.2, RATE)])
    whisper = np.where(said == 0, random.integers(-1, 2, len(said)), said).astype(np.int16)
    # Without in-band FEC: that takes more or less of the bits, as it was needed before.
    opus = OpusConfig(fec=False)
    behind_silence, behind_whisper = await asyncio.gather(
        packets_of(engine, said, opus), packets_of(engine, whisper, opus)
    )
    step, window = DECODED // RATE, DECODED // 50
    levels = []
    for packets in (behind_silence, behind_whisper):
        heard = decoded(packets)
        first, alike = find(np.repeat(said[begins[0] : begins[2]], step), heard)  # two words and the pauses behind them
        assert alike > 0.9
        places = [first + step * (begin - begins[0]) for begin in begins]
        levels.append([20 * np.log10(rms(heard[place : place + window])) for place in places])
        assert max(rms(heard[place - 2 * window : place - window]) for place in places) < 100, "a click before it"
    assert levels[0] == pytest.approx(levels[1], abs=2)
    assert np.mean(levels[0]) == pytest.approx(np.mean(levels[1]), abs=0.5)


async def test_a_remote_that_wants_stereo_hears_the_same(engine: MediaEngine) -> None:
    """An encoder of two channels has twice the samples in a tick; speech begins within a packet."""
    caller, callee = (engine.create_peer(LOOPBACK, AudioConfig(48_000, capture_buffer=10)) for _ in range(2))
    word = read_audio(PROMPT, 48_000)[:24_000]
    try:
        await caller.create_offer()
        await callee.create_answer(await caller.gathered())
        answer = await callee.gathered()
        await caller.set_answer(re.sub(r"(a=fmtp:\d+ minptime=\d+)", r"\1;stereo=1", answer))
        await caller.wait_connected(LIMIT)
        await callee.wait_connected(LIMIT)
        odd = silence(0.51, 48_000)
        await caller.audio.write(np.concatenate([odd, word, odd, word, odd, word, silence(0.5, 48_000)]))
        heard = pcm(await callee.audio.read(3 * 48_000))
        with callee.audio.tap_packets() as packets:
            payload = (await anext(aiter(packets))).payload
    finally:
        await caller.close()
        await callee.close()
    assert payload[0] & 0b100, "the flag of stereo (RFC 6716, 3.1)"
    assert likeness(word, heard) > 0.8
