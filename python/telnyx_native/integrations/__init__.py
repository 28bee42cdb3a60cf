"""Calls in the systems of others: what bots are written in, and what watches them; each behind an extra of its own."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from telnyx_native import _audio
from telnyx_native.errors import ConfigurationError
from telnyx_native.media.sources import require_source_rate

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from typing_extensions import Buffer

    from telnyx_native.call import Call
    from telnyx_native.client import TelnyxClient

__all__ = ["MonoFrames", "watch", "watch_calls"]

logger = logging.getLogger(__name__)


class MonoFrames:
    """Makes mono samples at one rate of 16-bit frames of any rate and number of channels."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._from = sample_rate
        self._converter: _audio.Converter | None = None

    def convert(self, pcm: Buffer, sample_rate: int, channels: int) -> memoryview:
        """Return what is ready of the samples, as 16-bit integers; a call takes those whatever its encoding is.

        Args:
            pcm: 16-bit samples, interleaved if there are several channels, which are averaged.
            sample_rate: Their rate, in Hz.
            channels: Their channels.

        Raises:
            ConfigurationError: There is no such rate or number of channels.
        """
        samples = memoryview(pcm).cast("B")
        if not 1 <= channels <= 32:
            raise ConfigurationError(f"a frame has 1 to 32 channels, not {channels}")
        whole = samples[: len(samples) // (2 * channels) * 2 * channels].cast("h")
        if channels > 1:
            import numpy as np

            mixed = np.frombuffer(whole, np.int16).reshape(-1, channels).mean(axis=1)
            whole = memoryview(mixed.round().astype(np.int16))
        if sample_rate == self._rate:
            return whole
        if self._converter is None or sample_rate != self._from:
            self._from = sample_rate
            self._converter = _audio.Converter(require_source_rate(sample_rate), self._rate)
        self._converter.feed(whole)
        return memoryview(self._converter.take()).cast("h")


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
