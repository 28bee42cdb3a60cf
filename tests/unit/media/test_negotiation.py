from __future__ import annotations

from typing import Any

import pytest

from support.fake_media import FakePeer
from telnyx_native.codes import ErrorCode
from telnyx_native.errors import MediaError, SdpError
from telnyx_native.logs import Log
from telnyx_native.media.negotiation import MediaOptions, Negotiation
from telnyx_native.media.remote_candidates import RemoteCandidates


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
