"""The network candidates of the far end, as they trickle in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from telnyx_native.errors import MediaError

if TYPE_CHECKING:
    from telnyx_native.logs import Log
    from telnyx_native.media.peer import Peer

__all__ = ["RemoteCandidates"]


class RemoteCandidates:
    """Candidates wait here for the description they belong to, and then go to the peer.

    Args:
        limit: How many may wait.
        log: Where those of no use are noted.

    Attributes:
        described: Set while the peer knows the description of the far end.
        dropped: Candidates that were of no use so far.
    """

    def __init__(self, limit: int, log: Log) -> None:
        self.described = asyncio.Event()
        self.dropped = 0
        self._waiting: asyncio.Queue[tuple[str, str, int]] = asyncio.Queue(limit)
        self._log = log

    def add(self, candidate: str, sdp_mid: str, sdp_mline_index: int) -> None:
        """Take a candidate, and to which media section it belongs; see `Peer.add_candidate`."""
        try:
            self._waiting.put_nowait((candidate, sdp_mid, sdp_mline_index))
        except asyncio.QueueFull:
            self._drop("too many wait for a session description")

    async def feed(self, peer: Peer) -> None:
        """Hand the candidates to `peer`, for ever."""
        while True:
            candidate, sdp_mid, sdp_mline_index = await self._waiting.get()
            await self.described.wait()
            try:
                await peer.add_candidate(candidate, sdp_mid, sdp_mline_index)
            except MediaError as error:
                self._drop(str(error))

    def _drop(self, why: str) -> None:
        self.dropped += 1
        self._log.warning(f"a candidate of the far end was dropped: {why}")
