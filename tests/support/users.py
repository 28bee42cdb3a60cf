"""Users of a gateway under test."""

from __future__ import annotations

import asyncio

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
