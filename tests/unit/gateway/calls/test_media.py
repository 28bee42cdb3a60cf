"""The audio of a leg, as it moves from one peer to another."""

from __future__ import annotations

import pytest

from telnyx_native.errors import MediaError
from telnyx_native.gateway import Counters, GatewayLimits
from telnyx_native.gateway.calls.media import EngineLease, LegMedia

CANDIDATE = ("candidate:1 1 udp 2130706431 127.0.0.1 5000 typ host", "0", 0)


@pytest.fixture
async def media(peers):
    media = LegMedia(EngineLease(), GatewayLimits(queued_candidates=2), Counters())
    await media.answer("v=0")
    yield media
    await media.close()


@pytest.fixture
def no_way(monkeypatch, fake_peer):
    """New paths that never come up."""

    async def fail(peer, timeout):
        raise MediaError("no path")

    monkeypatch.setattr(fake_peer, "wait_connected", fail)


async def test_a_path_that_does_not_come_up_is_closed(media, peers, no_way, until):
    await media.restart("v=0 another")
    await until(lambda: peers[1].closed)
    assert media.peer is peers[0]
    assert not peers[0].closed


async def test_an_offered_path_that_does_not_come_up_is_closed(media, peers, no_way, until):
    await media.offer_new_path()
    await media.accept_new_path("v=0")
    await until(lambda: peers[1].closed)
    assert media.peer is peers[0]


async def test_another_path_is_found_after_one_that_failed(media, peers, monkeypatch, fake_peer, until):
    async def fail_at_first(peer, timeout):
        if peer is peers[1]:
            raise MediaError("no path")

    monkeypatch.setattr(fake_peer, "wait_connected", fail_at_first)
    await media.restart("v=0 another")
    await until(lambda: peers[1].closed)
    await media.restart("v=0 another")
    await until(lambda: media.peer is peers[2])
    assert peers[0].closed


async def test_an_answer_that_is_no_good_closes_the_offered_path(media, peers):
    await media.offer_new_path()
    with pytest.raises(MediaError):
        await media.accept_new_path("bad")
    assert peers[1].closed
    assert not peers[0].closed


async def test_an_offer_that_cannot_be_made_leaves_no_peer(media, peers, monkeypatch, fake_peer):
    async def fail(peer, *, limit=1.0):
        raise MediaError("no socket")

    monkeypatch.setattr(fake_peer, "gathered", fail)
    with pytest.raises(MediaError):
        await media.offer_new_path()
    assert peers[1].closed


async def test_candidates_follow_the_latest_description(media, peers, until):
    media.add_candidate(*CANDIDATE)
    await until(lambda: ("add_candidate", *CANDIDATE) in peers[0].done)
    await media.restart("v=0 another")
    media.add_candidate(*CANDIDATE)
    await until(lambda: ("add_candidate", *CANDIDATE) in peers[1].done)


async def test_candidates_go_the_old_way_after_a_move_that_failed(media, peers, no_way, until):
    await media.restart("v=0 another")
    await until(lambda: peers[1].closed)
    media.add_candidate(*CANDIDATE)
    await until(lambda: ("add_candidate", *CANDIDATE) in peers[0].done)
