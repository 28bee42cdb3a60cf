from __future__ import annotations

import asyncio
from typing import Any

import pytest

from support.fake_media import FakePeer
from telnyx_native.errors import ErrorCode, MediaError, SdpError
from telnyx_native.logs import Log
from telnyx_native.media.negotiation import MediaOptions, Negotiation, RemoteCandidates


class BrokenPeer(FakePeer):
    async def create_offer(self, *, ice_restart: bool = False) -> str:
        raise MediaError("no codec")

    async def gathered(self, *, limit: float) -> str:
        raise MediaError("no network")


def negotiation(peer: Any) -> Negotiation:
    return Negotiation(peer, MediaOptions(), RemoteCandidates(8, Log("call")), gather_limit=0.1)


async def test_offer_that_cannot_be_made_has_its_number() -> None:
    with pytest.raises(MediaError, match="no codec") as failure:
        await negotiation(BrokenPeer()).offer()
    assert failure.value.kind is ErrorCode.SDP_CREATE_OFFER_FAILED


async def test_answer_that_cannot_be_made_has_its_number() -> None:
    with pytest.raises(MediaError, match="no network") as failure:
        await negotiation(BrokenPeer()).answer("v=0")
    assert failure.value.kind is ErrorCode.SDP_CREATE_ANSWER_FAILED


async def test_offer_that_cannot_be_used_has_another() -> None:
    peer = FakePeer()
    peer.refuses = SdpError("no audio")
    with pytest.raises(SdpError) as failure:
        await negotiation(peer).answer("v=0")
    assert failure.value.kind is ErrorCode.SDP_SET_REMOTE_DESCRIPTION_FAILED


async def test_candidates_are_sought_as_long_as_it_is_said() -> None:
    peer = FakePeer()
    await negotiation(peer).offer()
    assert peer.gather_limit == 0.1
    await negotiation(peer).answer("v=0", gather_limit=5)
    assert peer.gather_limit == 5


async def fed(candidates: RemoteCandidates, peer: FakePeer) -> None:
    feeding = asyncio.create_task(candidates.feed(peer))
    for _ in range(20):
        await asyncio.sleep(0)
    feeding.cancel()


async def test_candidates_wait_for_the_description():
    candidates, peer = RemoteCandidates(8, Log("test")), FakePeer()
    candidates.add("candidate:1", "0", 0)
    await fed(candidates, peer)
    assert peer.added == []


async def test_candidates_keep_their_order():
    candidates, peer = RemoteCandidates(8, Log("test")), FakePeer()
    candidates.described.set()
    for n in range(3):
        candidates.add(f"candidate:{n}", "0", 0)
    await fed(candidates, peer)
    assert peer.added == ["candidate:0", "candidate:1", "candidate:2"]


async def test_what_is_of_no_use_is_counted():
    candidates, peer = RemoteCandidates(2, Log("test")), FakePeer()
    candidates.described.set()
    for text in ("junk", "candidate:1", "candidate:2"):
        candidates.add(text, "0", 0)
    assert candidates.dropped == 1
    await fed(candidates, peer)
    assert (peer.added, candidates.dropped) == (["candidate:1"], 2)


async def test_what_is_too_long_does_not_wait():
    dropped = []
    candidates = RemoteCandidates(8, Log("test"), on_dropped=lambda: dropped.append(1))
    candidates.add("candidate:1" + "0" * 2000, "0", 0)
    candidates.add("candidate:1", "0" * 2000, 0)
    assert (candidates.dropped, len(dropped)) == (2, 2)


async def test_what_still_waits_goes_to_the_next_peer():
    candidates, first, second = RemoteCandidates(8, Log("test")), FakePeer(), FakePeer()
    candidates.add("candidate:1", "0", 0)
    await fed(candidates, first)
    candidates.described.set()
    await fed(candidates, second)
    assert (first.added, second.added) == ([], ["candidate:1"])


async def test_candidates_of_a_new_description_wait_for_it():
    candidates, peer = RemoteCandidates(8, Log("test")), FakePeer()
    candidates.described.set()
    feeding = asyncio.create_task(candidates.feed(peer))
    await asyncio.sleep(0)
    candidates.described.clear()
    candidates.add("candidate:1", "0", 0)
    for _ in range(20):
        await asyncio.sleep(0)
    assert peer.added == []
    candidates.described.set()
    await fed(candidates, peer)
    feeding.cancel()
    assert peer.added == ["candidate:1"]
