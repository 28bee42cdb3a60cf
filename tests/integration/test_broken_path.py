"""The network under the audio goes away while the connection to the server stays."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from support.forwarder import Network
from support.limit import LIMIT
from support.signals import pcm, rms
from telnyx_native import CallState, CredentialConfig, TelnyxClient, TxServerConfiguration
from telnyx_native.config import Timeouts
from telnyx_native.gateway import Gateway, User

if TYPE_CHECKING:
    import pytest

RATE = 16_000
UNNOTICED = 15.0
"""Seconds within which libwebrtc notices that nothing arrives any more."""


async def test_a_new_path_is_found_when_the_old_one_is_cut(network: Network) -> None:
    async with (
        Gateway([User("alice", "s3cret")]) as gateway,
        TelnyxClient(timeouts=Timeouts(path_lost=0.5)) as client,
    ):
        await client.connect(TxServerConfiguration.parse(gateway.url), CredentialConfig("alice", "s3cret"))
        call = await client.new_invite("tone:440")
        await call.wait_active(LIMIT)
        states = call.call_state_flow.collect()
        await call.audio.read(RATE)
        network.paths[0].cut()
        await call.call_state_flow.wait_for(CallState.RENEGOTIATING, timeout=UNNOTICED)
        await call.call_state_flow.wait_for(CallState.ACTIVE, timeout=LIMIT)
        assert len(network.paths) == 2
        scrap = bytearray(2 * RATE)
        while call.audio.readinto(scrap):
            pass
        await call.audio.read(RATE)
        assert rms(pcm(await call.audio.read(RATE // 2))) > 3000
        await call.end()
        assert [state.name async for state in states] == ["ACTIVE", "RENEGOTIATING", "ACTIVE", "DONE"]


async def test_without_a_new_path_the_call_is_given_up(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        Gateway([User("alice", "s3cret")]) as gateway,
        TelnyxClient(timeouts=Timeouts(path_lost=0.2, ice_restart=1.0)) as client,
    ):
        await client.connect(TxServerConfiguration.parse(gateway.url), CredentialConfig("alice", "s3cret"))
        call = await client.new_invite("echo")
        await call.wait_active(LIMIT)
        lead_through = Network.lead_through

        async def into_nothing(between: Network, description: str) -> str:
            led = await lead_through(between, description)
            between.paths[-1].cut()
            return led

        monkeypatch.setattr(Network, "lead_through", into_nothing)
        network.paths[0].cut()
        reason = await asyncio.wait_for(call.wait_done(), UNNOTICED + LIMIT)
        assert reason.cause == "MEDIA_TIMEOUT"
        assert len(network.paths) == 4
