"""DTLS fails in the middle of a call, as it did for one packet of a stranger (CVE-2026-75806).

The fault is staged with `Peer.break_dtls`: libwebrtc's own DTLS transport gives up, at one side or at both.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from support.hearing import hear_tone, saying_tone
from support.limit import LIMIT
from support.users import log_in
from telnyx_native import CallState, TelnyxClient
from telnyx_native.gateway import Gateway, User
from telnyx_native.media.peer import DtlsState, Peer, PeerConnectionState

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.sound

HZ = 440
BACK_WITHIN = 2.0
"""Seconds."""


@pytest.mark.parametrize("broken", [("client",), ("gateway",), ("client", "gateway")], ids="-".join)
async def test_audio_is_back_over_another_peer(broken: tuple[str, ...]) -> None:
    async with Gateway([User("alice", "s3cret")]) as gateway, TelnyxClient() as client:
        await log_in(client, gateway, "alice")
        call = await client.new_invite("echo")
        await call.wait_active(LIMIT)
        states = call.call_state_flow.collect()
        async with saying_tone(call.audio, HZ):
            await hear_tone(call.audio, HZ)
            path, (leg,) = call._driver.path, gateway.connections[0].legs.values()
            restarts = count_restarts(path.peer), count_restarts(leg.media.peer)
            sides: dict[str, Callable[[], Peer]] = {"client": lambda: path.peer, "gateway": lambda: leg.media.peer}
            old = {side: peer() for side, peer in sides.items()}
            await asyncio.gather(*(old[side].break_dtls() for side in broken))
            began = asyncio.get_running_loop().time()
            await asyncio.gather(*(peer.connection_state.wait_for(PeerConnectionState.CLOSED) for peer in old.values()))
            call.audio.read_nowait()
            await hear_tone(call.audio, HZ)
            assert asyncio.get_running_loop().time() - began < BACK_WITHIN
            assert all(old[side].dtls_state is DtlsState.FAILED for side in broken)
            assert all(peer().dtls_state is DtlsState.CONNECTED for peer in sides.values())
            await asyncio.sleep(1.0)  # nothing follows: no second path, no restart
            assert restarts == ([], [])
            await hear_tone(call.audio, HZ)
            assert call.call_state_flow.value == CallState.ACTIVE
        await call.end()
        assert [state.name async for state in states][-1] == "DONE"


def count_restarts(peer: Peer) -> list[bool]:
    """What of a peer's offers restart ICE, from now on."""
    restarts: list[bool] = []
    create_offer = peer.create_offer

    async def watched(*, ice_restart: bool = False) -> str:
        if ice_restart:
            restarts.append(ice_restart)
        return await create_offer(ice_restart=ice_restart)

    peer.create_offer = watched  # type: ignore[method-assign]
    return restarts
