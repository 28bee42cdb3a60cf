"""Keys from one leg to another: what is pressed at one end is pressed at the other, as telephone-events."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from telnyx_native.errors import MediaError

if TYPE_CHECKING:
    from telnyx_native.gateway.leg import Leg

__all__ = ["relay_keys"]

KEY_SECONDS = 0.1
"""How long a key that was only signalled is held."""

SHORTEST, LONGEST = 0.04, 6.0
"""Seconds a key can be held."""

GAP_SECONDS = 0.05


async def relay_keys(source: Leg, target: Leg) -> None:
    """Press at `target` what is pressed at `source`, by message or in its audio, until the legs are over.

    While one of them is on hold, keys are lost as speech is.
    """
    pressing = asyncio.Lock()  # a key that comes while another is held would take its place

    async def press(key: str, seconds: float) -> None:
        async with pressing:
            if source.held.value or target.held.value:
                return
            with suppress(MediaError):  # who takes no telephone-events gets no keys
                await target.peer.insert_dtmf(key, duration=seconds, gap=GAP_SECONDS)
                await asyncio.sleep(seconds + GAP_SECONDS)

    async def signalled() -> None:
        async for key in source.keys:
            await press(key, KEY_SECONDS)

    async def heard() -> None:
        async for received in source.audio.dtmf_flow:
            await press(received.key, min(max(received.duration, SHORTEST), LONGEST))

    await asyncio.gather(signalled(), heard())
