"""The network candidates of the far end, as they trickle in."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from telnyx_native.errors import MediaError
from telnyx_native.media.sdp import MAX_CANDIDATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_native.logs import Log
    from telnyx_native.media.peer import Peer

__all__ = ["RemoteCandidates"]


class RemoteCandidates:
    """Candidates wait here for the description they belong to, and then go to the peer.

    Args:
        limit: How many may wait.
        log: Where those of no use are noted.
        on_dropped: Called for each that was of no use.

    Attributes:
        described: Set while the peer knows the description of the far end.
        dropped: Candidates that were of no use so far.
    """

    def __init__(self, limit: int, log: Log, *, on_dropped: Callable[[], None] = lambda: None) -> None:
        self.described = asyncio.Event()
        self.dropped = 0
        self._limit = limit
        self._log = log
        self._on_dropped = on_dropped
        self._waiting: deque[tuple[str, str, int]] = deque()
        self._arrived = asyncio.Event()

    def add(self, candidate: str, sdp_mid: str, sdp_mline_index: int) -> None:
        """Take a candidate, and to which media section it belongs; see `Peer.add_candidate`."""
        if len(candidate) > MAX_CANDIDATE or len(sdp_mid) > MAX_CANDIDATE:
            self._drop("it is too long")
        elif len(self._waiting) >= self._limit:
            self._drop("too many wait for a session description")
        else:
            self._waiting.append((candidate, sdp_mid, sdp_mline_index))
            self._arrived.set()

    async def feed(self, peer: Peer) -> None:
        """Hand the candidates to `peer`, for ever. Those that still wait when this is cancelled are another peer's."""
        while True:
            await self._arrived.wait()
            await self.described.wait()
            while self._waiting and self.described.is_set():
                try:
                    await peer.add_candidate(*self._waiting.popleft())
                except MediaError as error:
                    self._drop(str(error))
            if not self._waiting:
                self._arrived.clear()

    def _drop(self, why: str) -> None:
        self.dropped += 1
        self._on_dropped()
        self._log.warning(f"a candidate of the far end was dropped: {why}")
