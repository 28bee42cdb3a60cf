from __future__ import annotations

import asyncio

import pytest

from support.fake_media import FakePeer, FoundCandidate
from telnyx_native.call import gathering
from telnyx_native.call.gathering import watch_gathering
from telnyx_native.codes import WarningCode

HOST = FoundCandidate("candidate:1 1 udp 2122260223 192.0.2.1 9 typ host generation 0")
RELAY = FoundCandidate("candidate:2 1 udp 41885439 192.0.2.9 9 typ relay raddr 192.0.2.1 rport 9")


async def warnings_of(peer: FakePeer, *found: FoundCandidate, asks_servers: bool = True) -> list[WarningCode]:
    given: list[WarningCode] = []
    for candidate in found:
        peer.candidates.emit(candidate)
    peer.candidates.close()
    await watch_gathering(peer, lambda code, _: given.append(code), asks_servers=asks_servers)  # type: ignore[arg-type]
    return given


@pytest.fixture
async def peer() -> FakePeer:
    return FakePeer()


async def test_nothing_odd(peer: FakePeer) -> None:
    assert await warnings_of(peer, HOST, RELAY) == []


async def test_no_server_answered(peer: FakePeer) -> None:
    assert await warnings_of(peer, HOST, HOST) == [WarningCode.ONLY_HOST_ICE_CANDIDATES]


async def test_without_servers_nothing_else_is_due(peer: FakePeer) -> None:
    assert await warnings_of(peer, HOST, asks_servers=False) == []


async def test_nothing_found(peer: FakePeer) -> None:
    assert await warnings_of(peer) == [WarningCode.ICE_GATHERING_EMPTY]


async def test_call_that_ends_first_is_no_reason_to_warn(peer: FakePeer) -> None:
    await peer.close()
    assert await warnings_of(peer) == []


async def test_search_that_takes_long(peer: FakePeer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "PATIENCE", 0.01)
    warned = asyncio.Event()
    watching = asyncio.create_task(watch_gathering(peer, lambda *_: warned.set(), asks_servers=False))  # type: ignore[arg-type]
    await asyncio.wait_for(warned.wait(), 1)
    assert not watching.done()
    peer.candidates.emit(HOST)
    peer.candidates.close()
    await watching
