"""Packets of a stranger who knows the addresses of a call, and sends as if he were its remote side."""

from __future__ import annotations

import asyncio
import random
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest

from support.hearing import hear_tone, saying_tone
from support.limit import LIMIT
from support.signals import pcm, rms
from support.users import log_in
from telnyx_native import CallState, TelnyxClient
from telnyx_native.gateway import Gateway, User

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.forwarder import Forwarder, Network

pytestmark = pytest.mark.sound

RATE = 16_000
HZ = 440
DTLS = range(20, 64)
"""First bytes of packets that libwebrtc hands to DTLS (RFC 7983)."""

VERSIONS = (0xFEFD, 0xFEFF)
"""DTLS 1.2 and 1.0."""

PACE = 50
"""Packets between two pauses of 10 ms, so that no socket's buffer overflows."""

LONGEST_GAP = 0.06
"""Seconds."""


def records(content_types: Iterator[int] | range, epochs: range, lengths: range) -> Iterator[bytes]:
    """DTLS records (RFC 6347, 4.1) that nobody has keys for."""
    dice = random.Random(13)
    for content_type in content_types:
        for epoch in epochs:
            for length in lengths:
                header = struct.pack("!BHH", content_type, VERSIONS[length % 2 if epoch == 0 else 0], epoch)
                sequence = (1_000_000 + length).to_bytes(6)
                yield header + sequence + struct.pack("!H", length) + dice.randbytes(length)


def everything() -> Iterator[bytes]:
    """The record that ended calls (CVE-2026-75806), and its neighbours."""
    yield from records(range(20, 27), range(4), range(65))
    yield from records(range(27, 64), range(4), range(0, 65, 4))
    yield from records(iter([*range(20), *range(64, 256)]), range(1, 2), range(1, 65, 7))
    for alert in (b"\1\0", b"\2\x28"):  # close_notify, handshake_failure
        for epoch in range(4):
            yield struct.pack("!BHHHIH", 21, 0xFEFD, epoch, 0, 7, len(alert)) + alert


async def send_all(path: Forwarder, *, into_target: bool) -> int:
    count = 0
    for packet in everything():
        path.inject(packet, into_target=into_target)
        count += 1
        if count % PACE == 0:
            await asyncio.sleep(0.01)
    return count


@pytest.mark.parametrize("into_gateway", [False, True], ids=["client", "gateway"])
async def test_records_without_keys_leave_no_gap_in_the_audio(network: Network, *, into_gateway: bool) -> None:
    async with Gateway([User("alice", "s3cret")]) as gateway, TelnyxClient() as client:
        await log_in(client, gateway, "alice")
        call = await client.new_invite("echo")
        await call.wait_active(LIMIT)
        async with saying_tone(call.audio, HZ):
            await hear_tone(call.audio, HZ)
            heard: list[bytes] = []
            listening = asyncio.create_task(listen(call, heard))
            sent = await send_all(network.paths[0], into_target=into_gateway)
            await asyncio.sleep(0.5)  # what is on its way
            listening.cancel()
        assert sent > 6_000
        samples = pcm(b"".join(heard))
        assert len(samples) > RATE
        assert longest_gap(samples) <= LONGEST_GAP
        assert call.call_state_flow.value == CallState.ACTIVE
        assert len(network.paths) == 1


async def listen(call, heard: list[bytes]) -> None:
    while True:
        heard.append(await call.audio.read(RATE // 50))


def longest_gap(samples: np.ndarray) -> float:
    """The longest silence in a steady tone, in seconds."""
    frame = RATE // 100
    quiet = longest = 0
    for at in range(0, len(samples) - frame + 1, frame):
        quiet = quiet + 1 if rms(samples[at : at + frame]) < 300 else 0
        longest = max(longest, quiet)
    return longest / 100
