"""Users of a gateway under test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

from support.hearing import hear_tone, saying_tone
from support.limit import LIMIT
from telnyx_native import AudioConfig, Call, CredentialConfig, TelnyxClient, TxServerConfiguration
from telnyx_native.gateway import Gateway


async def log_in(client: TelnyxClient, gateway: Gateway, user: str, password: str = "s3cret") -> None:
    await client.connect(TxServerConfiguration.parse(gateway.url), CredentialConfig(user, password))


async def answered_call(
    caller: TelnyxClient, callee: TelnyxClient, to: str, *, audio: AudioConfig | None = None
) -> tuple[Call, Call]:
    """Both ends of a call between two users; `audio` is how the called one wants it."""
    incoming = callee.incoming_calls.collect()
    outbound = await caller.new_invite(to)
    inbound = await asyncio.wait_for(anext(incoming), LIMIT)
    await inbound.accept(audio=audio)
    await asyncio.gather(outbound.wait_active(LIMIT), inbound.wait_active(LIMIT))
    return outbound, inbound


async def talking(client: TelnyxClient, destination: str = "echo") -> Call:
    """A call that is active."""
    call = await client.new_invite(destination)
    await call.wait_active(LIMIT)
    return call


@asynccontextmanager
async def client_of(gateway: Gateway, user: str, **options: Any) -> AsyncIterator[TelnyxClient]:
    """A client that is logged in; `options` are its own."""
    async with TelnyxClient(**options) as client:
        await log_in(client, gateway, user)
        yield client


async def rings_at(client: TelnyxClient, work: Awaitable[Any]) -> tuple[Call, asyncio.Future[Any]]:
    """The call that rings at a client because of some work, and that work, which goes on."""
    incoming = client.incoming_calls.collect()
    going_on = asyncio.ensure_future(work)
    return await asyncio.wait_for(anext(incoming), LIMIT), going_on


async def hear_each_other(one: Call, other: Call) -> None:
    """Wait until two calls hear each other."""
    async with saying_tone(one.audio, 440), saying_tone(other.audio, 1000):
        await asyncio.gather(hear_tone(one.audio, 1000), hear_tone(other.audio, 440))
