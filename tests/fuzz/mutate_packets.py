"""A remote that has keys, and sends what no honest one would. A program of its own: see test_packets.py.

The remote is aiortc, which encrypts whatever it is given. It stands in a call with a peer of ours; beside that, in the
same process and on the same network thread, an honest call goes on.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import struct
import sys
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiortc
import pylibsrtp

from support.peers import LOOPBACK
from support.signals import pcm, rms, tone
from telnyx_native.config import AudioConfig
from telnyx_native.media.engine import MediaEngine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telnyx_native.media.peer import Peer

SEED = globals().get("SEED", 0)
PACKETS = globals().get("PACKETS", 2500)
RANDOM = random.Random(SEED)
RATE = 16_000
HZ = 440
AT_ONCE = 25
"""Packets between two pauses of 5 ms."""


def rtp() -> bytes:
    """A packet that an honest remote could have sent (RFC 3550, 5.1)."""
    payload_type = RANDOM.choice([111, 96, 0, 8, 9, 13, 126, 110, 63])
    marker = RANDOM.choice([0, 0x80])
    header = struct.pack("!BBHII", 0x80, marker | payload_type, RANDOM.getrandbits(16), RANDOM.getrandbits(32), SSRC)
    return header + RANDOM.randbytes(RANDOM.choice([0, 1, 4, 20, 80, 160, 640, 1200]))


def odd_rtp() -> bytes:
    """Sources, extensions and padding, with lengths that may be lies."""
    sources = RANDOM.choice([0, 1, 15])
    extended, padded = RANDOM.random() < 0.5, RANDOM.random() < 0.5
    first = 0x80 | (0x20 if padded else 0) | (0x10 if extended else 0) | sources
    packet = struct.pack("!BBHII", first, RANDOM.getrandbits(7), RANDOM.getrandbits(16), RANDOM.getrandbits(32), ssrc())
    packet += RANDOM.randbytes(4 * sources)
    if extended:
        words = RANDOM.choice([0, 1, 3, 40])
        profile = RANDOM.choice([0xBEDE, 0x1000, RANDOM.getrandbits(16)])
        packet += struct.pack("!HH", profile, words) + RANDOM.randbytes(4 * words)
    packet += RANDOM.randbytes(RANDOM.choice([0, 2, 20, 300]))
    return packet + (bytes([RANDOM.getrandbits(8)]) if padded else b"")


def rtcp() -> bytes:
    """A compound of reports and feedback, whose counts and lengths may be lies (RFC 3550, 6; RFC 4585; RFC 3611)."""
    packet = b""
    for _ in range(RANDOM.randrange(1, 5)):
        kind = RANDOM.choice([200, 200, 201, 201, 202, 203, 204, 205, 206, 207, RANDOM.randrange(192, 224)])
        count = RANDOM.choice([0, 1, 2, 4, 5, 15, 31])
        body = struct.pack("!I", ssrc()) + RANDOM.randbytes(4 * RANDOM.choice([0, 1, 5, 6, 11, 60]))
        length = RANDOM.choice([len(body) // 4, len(body) // 4, RANDOM.getrandbits(4), RANDOM.getrandbits(16)])
        packet += struct.pack("!BBH", 0x80 | count, kind, length) + body
    return packet


def ssrc() -> int:
    return SSRC if RANDOM.random() < 0.7 else RANDOM.getrandbits(32)


def mutate(packet: bytes) -> bytes:
    """Change bits of a packet, or its length; the first two bits stay, or it would be no RTP."""
    changed = bytearray(packet)
    for _ in range(RANDOM.choice([0, 0, 1, 1, 3, 20])):
        at = RANDOM.randrange(len(changed))
        changed[at] = changed[at] & 0xC0 | RANDOM.getrandbits(6) if at == 0 else RANDOM.getrandbits(8)
    if RANDOM.random() < 0.2:
        del changed[RANDOM.randrange(8, max(9, len(changed))) :]
    return bytes(changed)


SSRC = RANDOM.getrandbits(32)


def mutants() -> Iterator[bytes]:
    while True:
        yield mutate(RANDOM.choice([rtp, rtp, odd_rtp, rtcp])())


def new_sources() -> Iterator[bytes]:
    """A valid packet of a source of its own, again and again."""
    for number in count():
        yield struct.pack("!BBHII", 0x80, 111, number & 0xFFFF, 160 * number, RANDOM.getrandbits(32)) + bytes(40)


async def attack(far: Any, packets: Iterator[bytes]) -> None:
    """Encrypt and send; what aiortc's libSRTP itself will not encrypt does not count."""
    transport = far.getTransceivers()[0].sender.transport
    sent = 0
    for packet in packets:
        if sent == PACKETS:
            return
        try:
            await transport._send_rtp(packet)
            sent += 1
        except (pylibsrtp.Error, IndexError):
            continue
        if sent % AT_ONCE == 0:
            await asyncio.sleep(0.005)


async def connect(engine: MediaEngine) -> tuple[Peer, Any]:
    """A peer of ours in a call with aiortc."""
    ours, far = engine.create_peer(LOOPBACK, AudioConfig()), aiortc.RTCPeerConnection()
    await ours.create_offer()
    await far.setRemoteDescription(aiortc.RTCSessionDescription(await ours.gathered(), "offer"))
    await far.setLocalDescription(await far.createAnswer())
    await ours.set_answer(far.localDescription.sdp)
    await ours.wait_connected(10)
    return ours, far


async def honest_call(engine: MediaEngine) -> tuple[Peer, Peer]:
    caller, callee = (engine.create_peer(LOOPBACK, AudioConfig(playback_buffer=10)) for _ in range(2))
    await caller.create_offer()
    await callee.create_answer(await caller.gathered())
    await caller.set_answer(await callee.gathered())
    await caller.wait_connected(10)
    return caller, callee


async def talk(peer: Peer) -> None:
    while True:
        await peer.audio.write(tone(HZ, 1, RATE))


async def listen(peer: Peer, heard: bytearray) -> None:
    while True:
        heard += await peer.audio.read(RATE // 10)


def longest_gap(heard: bytearray) -> float:
    """Seconds of silence in a steady tone, from where it begins."""
    samples, frame = pcm(bytes(heard)), RATE // 100
    loud = [rms(samples[at : at + frame]) > 300 for at in range(0, len(samples) - frame + 1, frame)]
    longest = quiet = 0
    for is_loud in loud[loud.index(True) :]:
        quiet = 0 if is_loud else quiet + 1
        longest = max(longest, quiet)
    return longest / 100


async def main() -> None:
    engine = MediaEngine.acquire()
    attacked, far = await connect(engine)
    caller, callee = await honest_call(engine)
    heard = bytearray()
    tasks = [asyncio.create_task(talk(caller)), asyncio.create_task(listen(callee, heard))]
    await asyncio.sleep(0.5)
    await attack(far, mutants())
    memory, began, spent = resident(), time.monotonic(), time.process_time()
    await attack(far, new_sources())
    figures = {
        "refused": engine.counters["refused_sources"],
        "kilobytes": resident() - memory,
        "seconds": time.monotonic() - began,
        "cpu": time.process_time() - spent,
        "state": attacked.connection_state.value,
    }
    await asyncio.sleep(0.5)
    for task in tasks:
        task.cancel()
    figures |= {"gap": longest_gap(heard), "heard": len(heard) / 2 / RATE}
    await far.close()
    for peer in (attacked, caller, callee):
        await peer.close()
    await engine.release()
    sys.stdout.write(json.dumps(figures))


def resident() -> int:
    """Kilobytes of memory that the process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 1024


asyncio.run(main())
