"""Following every call of a client, for those who count and trace them."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from telnyx_native.call import Call
    from telnyx_native.client import TelnyxClient

__all__ = ["watch", "watch_calls"]

logger = logging.getLogger(__name__)

_watching: set[asyncio.Task[None]] = set()
"""An event loop does not keep its tasks alive."""


def watch(work: Coroutine[Any, Any, None]) -> None:
    """Follow something that ends by itself. What goes wrong there is logged, no more."""
    task = asyncio.create_task(work, name="telnyx-watching")
    _watching.add(task)
    task.add_done_callback(_on_done)


def watch_calls(client: TelnyxClient, follow: Callable[[Call], Coroutine[Any, Any, None]]) -> None:
    """Follow each call that begins from now on, until the client is closed."""
    begun = client.new_calls.collect()

    async def follow_each() -> None:
        async for call in begun:
            watch(follow(call))

    watch(follow_each())


def _on_done(task: asyncio.Task[None]) -> None:
    _watching.discard(task)
    if not task.cancelled() and (error := task.exception()):
        logger.error("watching calls failed", exc_info=error)
