"""Descriptions as the field writes them lead to audio, in offers and in answers."""

from __future__ import annotations

import re

import pytest

from support.field_descriptions import DATA, FAX, SECOND_AUDIO, SHAPES, VIDEO
from support.hearing import hear_tone, saying_tone
from support.limit import LIMIT
from support.peers import LOOPBACK
from telnyx_native.config import AudioConfig
from telnyx_native.media.engine import MediaEngine
from telnyx_native.media.peer import Peer

RATE = 16_000


async def hears(listener: Peer, speaker: Peer, hertz: int) -> None:
    async with saying_tone(speaker.audio, hertz):
        await hear_tone(listener.audio, hertz)


def media_lines(sdp: str) -> list[str]:
    return [line.split()[0] for line in sdp.splitlines() if line.startswith("m=")]


@pytest.mark.parametrize("shape", SHAPES)
async def test_audio_flows_both_ways_after_an_offer_of_this_shape(engine: MediaEngine, shape: str) -> None:
    caller, callee = (engine.create_peer(LOOPBACK, AudioConfig()) for _ in range(2))
    await caller.create_offer()
    offer = SHAPES[shape](await caller.gathered())
    await callee.create_answer(offer)
    answer = await callee.gathered()
    assert media_lines(answer) == media_lines(offer)
    await caller.set_answer(answer)
    await caller.wait_connected(LIMIT)
    await hears(callee, caller, 620)
    await hears(caller, callee, 900)
    await caller.close()
    await callee.close()


@pytest.mark.parametrize("shape", SHAPES)
async def test_audio_flows_both_ways_after_an_answer_of_this_shape(engine: MediaEngine, shape: str) -> None:
    caller, callee = (engine.create_peer(LOOPBACK, AudioConfig()) for _ in range(2))
    await caller.create_offer()
    await callee.create_answer(await caller.gathered())
    await caller.set_answer(SHAPES[shape](await callee.gathered()))
    await caller.wait_connected(LIMIT)
    await hears(callee, caller, 620)
    await hears(caller, callee, 900)
    await caller.close()
    await callee.close()


async def test_later_offers_keep_the_sections_of_the_first(engine: MediaEngine) -> None:
    """RFC 3264, 8: the number of sections never gets less, and each keeps its place."""
    caller, callee = (engine.create_peer(LOOPBACK, AudioConfig()) for _ in range(2))
    await caller.create_offer()
    offer = SHAPES["several sections"](await caller.gathered())
    await callee.create_answer(offer)
    await caller.set_answer(await callee.gathered())
    await caller.wait_connected(LIMIT)

    again = await callee.create_offer(ice_restart=True)
    again = await callee.gathered()
    assert media_lines(again) == media_lines(offer) == ["m=video", "m=audio", "m=application", "m=image", "m=audio"]
    assert re.findall(r"m=\w+ 0", again) == ["m=video 0", "m=application 0", "m=image 0", "m=audio 0"]
    await caller.create_answer(again)
    await callee.set_answer(await caller.gathered())
    await hears(callee, caller, 620)
    await caller.close()
    await callee.close()


async def test_trickled_candidates_name_the_place_of_the_audio(engine: MediaEngine) -> None:
    caller, callee = (engine.create_peer(LOOPBACK, AudioConfig()) for _ in range(2))
    offer = (await caller.create_offer()).replace("m=audio", VIDEO + FAX + "m=audio") + DATA + SECOND_AUDIO
    await caller.set_answer(await callee.create_answer(offer))
    found = [candidate async for candidate in callee.candidates]
    assert {(candidate.sdp_mid, candidate.sdp_mline_index) for candidate in found} == {("0", 2)}
    async for candidate in caller.candidates:
        await callee.add_candidate(candidate.candidate, "", 2)
    await callee.wait_connected(LIMIT)
    await hears(callee, caller, 620)
    await caller.close()
    await callee.close()
