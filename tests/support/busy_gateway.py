"""Many users, calls between them, and floods, for as long as one likes."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from support.gateway_process import GatewayProcess
from support.signals import dominant_frequency, pcm, tone
from telnyx_native import (
    AudioConfig,
    Call,
    CallState,
    CredentialConfig,
    OpusConfig,
    TelnyxClient,
    TxServerConfiguration,
)
from telnyx_native.media.quality import CallQualityMetrics

RATE = 16_000
LIMIT = 60.0
AT_ONCE = 20
"""Clients that log in at the same time."""

CHEAP = AudioConfig(opus=OpusConfig(complexity=0))
"""The clients share the machine with the gateway; their encoders shall not be what it is busy with."""


@dataclass
class End:
    """One end of a call, and the tones that are heard there and said there."""

    call: Call
    said: int
    heard: int

    async def talk(self) -> None:
        """Say the tone until the call ends."""
        piece = tone(self.said, 5, RATE).tobytes()
        while True:
            await self.call.audio.write(piece)

    async def wrong(self) -> str:
        """What is wrong with the call, if it does not stand, or does not bring the tone of the other end.

        On a machine that is busy the jitter buffer stretches a tone now and then: it is listened to again.
        """
        scrap = bytearray(2 * RATE)
        frequency = 0.0
        for _ in range(3):
            if self.call.state is not CallState.ACTIVE:
                return f"{self.call}"
            while self.call.audio.readinto(scrap):
                pass
            async with asyncio.timeout(LIMIT):
                frequency = dominant_frequency(pcm(await self.call.audio.read(RATE // 2)), RATE)
            if abs(frequency - self.heard) < 24:
                return ""
        return f"{self.call} brings {frequency} Hz instead of {self.heard}"


@asynccontextmanager
async def logged_in(gateway: GatewayProcess, users: int) -> AsyncIterator[list[TelnyxClient]]:
    """Clients of `user0`, `user1`, ..."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def log_in(number: int, client: TelnyxClient) -> None:
        async with turn:
            credentials = CredentialConfig(f"user{number}", f"user{number}")
            await client.connect(TxServerConfiguration.parse(gateway.url), credentials)

    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(TelnyxClient()) for _ in range(users)]
        await asyncio.gather(*(log_in(*each) for each in enumerate(clients)))
        yield clients


async def bridged(clients: Sequence[TelnyxClient], calls: int) -> list[End]:
    """Calls between users: the first of `clients` call those after them."""
    ends = []
    for number in range(calls):
        callee = clients[calls + number]
        incoming = callee.incoming_calls.collect()
        placed = await clients[number].new_invite(f"user{calls + number}", audio=CHEAP)
        taken = await asyncio.wait_for(anext(incoming), LIMIT)
        await taken.accept(audio=CHEAP)
        await asyncio.gather(placed.wait_active(LIMIT), taken.wait_active(LIMIT))
        one, other = 400 + 100 * (number % 20), 450 + 100 * (number % 20)
        ends += [End(placed, one, other), End(taken, other, one)]
    return ends


async def hold_calls(gateway: GatewayProcess, *, users: int, calls: int, seconds: float) -> list[CallQualityMetrics]:
    """Keep users logged in and calls up, and see that nothing is lost; return how the calls were."""
    async with logged_in(gateway, users) as clients:
        statuses = [client.connection_status_flow.collect() for client in clients]
        ends = await bridged(clients, calls)
        talking = [asyncio.create_task(end.talk()) for end in ends]
        try:
            await asyncio.sleep(2)
            until = time.monotonic() + seconds
            while True:
                wrong = await asyncio.gather(*(end.wrong() for end in ends))
                assert not any(wrong), list(filter(None, wrong))
                present = await gateway.get("users")
                assert [user["name"] for user in present if user["connections"] != 1] == []
                assert len(await gateway.get("calls")) == 2 * calls
                if time.monotonic() > until:
                    break
                await asyncio.sleep(5)
            metrics = [CallQualityMetrics.from_stats(await end.call.stats()) for end in ends]
        finally:
            for task in talking:
                task.cancel()
            await asyncio.gather(*talking, return_exceptions=True)
        for status in statuses:  # nobody had to connect again
            await anext(status)
            with suppress(TimeoutError):
                raise AssertionError(await asyncio.wait_for(anext(status), 0.001))
        await asyncio.gather(*(end.call.end() for end in ends[::2]))
    return metrics


async def flood(gateway: GatewayProcess, connections: int, *, seed: int = 0) -> None:
    """Open connections of every kind, many at once, most of which do not know how to behave."""
    chance = random.Random(seed)
    address = urlsplit(gateway.url)
    upgrade = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    complete = upgrade + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    openings = (
        b"",
        b"\x00" * 200,
        b"GET / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"POST /api/calls HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n{",
        upgrade,
        complete,
        complete + b"\x81\xff" * 40,
        b"x" * 40_000,
    )

    async def one() -> None:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(5):
                reader, writer = await asyncio.open_connection(address.hostname, address.port)
                try:
                    writer.write(chance.choice(openings))
                    await asyncio.wait_for(reader.read(100), chance.random())
                    await asyncio.sleep(chance.random() / 2)
                finally:
                    writer.transport.abort()

    waiting = asyncio.Semaphore(400)

    async def in_turn() -> None:
        async with waiting:
            await one()

    await asyncio.gather(*(in_turn() for _ in range(connections)))
    async with asyncio.timeout(LIMIT):  # the gateway has room again as soon as it has noticed who is gone
        while True:
            with suppress(aiohttp.ClientError):
                await gateway.get("status")
                return
            await asyncio.sleep(0.1)
