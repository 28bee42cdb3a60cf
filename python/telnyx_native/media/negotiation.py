"""The session descriptions of one call, as its options ask for, and the candidates of the remote as they trickle in."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from telnyx_native.config import AudioConfig
from telnyx_native.errors import ErrorCode, MediaError
from telnyx_native.media.sdp import MAX_CANDIDATE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from telnyx_native.config import AudioCodec
    from telnyx_native.logs import Log
    from telnyx_native.media.peer import Peer

__all__ = ["MediaOptions", "Negotiation", "RemoteCandidates"]


@dataclass(frozen=True)
class MediaOptions:
    """What an application can ask of the audio of a call.

    Attributes:
        audio: How it is written and read.
        muted: Whether the call begins muted.
        use_trickle_ice: Whether descriptions leave at once, and candidates follow as they are found.
    """

    audio: AudioConfig = field(default_factory=AudioConfig)
    muted: bool = False
    use_trickle_ice: bool = False

    @classmethod
    def of(
        cls, audio: AudioConfig | None, muted: bool, use_trickle_ice: bool, preferred_codecs: Sequence[AudioCodec]
    ) -> MediaOptions:
        """Return the options of a call, by the arguments that place or accept one.

        Raises:
            ConfigurationError: A codec is none.
        """
        audio = audio or AudioConfig()
        if preferred_codecs:
            audio = replace(audio, preferred_codecs=tuple(preferred_codecs))
        return cls(audio, muted, use_trickle_ice)


class Negotiation:
    """Makes and takes the descriptions of one peer.

    Args:
        peer: The peer.
        options: How they shall be.
        candidates: The remote's; they wait while its description is awaited.
        gather_limit: Seconds to look for candidates before a description leaves.

    Attributes:
        peer: The peer.
        begun: Whether a description was made or taken.
    """

    def __init__(self, peer: Peer, options: MediaOptions, candidates: RemoteCandidates, *, gather_limit: float) -> None:
        self.peer = peer
        self.begun = False
        self._options = options
        self._candidates = candidates
        self._gather_limit = gather_limit

    async def offer(self) -> str:
        """Return our first offer."""
        self.begun = True
        with _failing_as(ErrorCode.SDP_CREATE_OFFER_FAILED):
            return await self._with_candidates(await self.peer.create_offer())

    async def answer(self, offer: str, *, gather_limit: float | None = None) -> str:
        """Take the remote's offer; return our answer.

        Args:
            offer: The offer.
            gather_limit: Seconds to look for candidates, if not as long as usual.

        Raises:
            SdpError: The offer cannot be used.
        """
        self.begun = True
        with _failing_as(ErrorCode.SDP_CREATE_ANSWER_FAILED):
            answer = await self.peer.create_answer(offer)
            self._candidates.described.set()
            return await self._with_candidates(answer, gather_limit)

    async def take_provisional_answer(self, answer: str) -> None:
        """Take an answer of the remote that another one may follow: that of early media.

        Raises:
            SdpError: The answer cannot be used.
        """
        await self.peer.set_provisional_answer(answer)
        self._candidates.described.set()

    async def take_answer(self, answer: str) -> None:
        """Take the remote's answer.

        Raises:
            SdpError: The answer cannot be used.
        """
        await self.peer.set_answer(answer)
        self._candidates.described.set()

    async def restart(self, exchange: Callable[[str], Awaitable[str]]) -> None:
        """Look for a new path.

        Args:
            exchange: Brings our offer, with all its candidates, to the remote and returns its answer.

        Raises:
            SdpError: The answer cannot be used.
        """
        self._candidates.described.clear()
        try:
            await self.peer.create_offer(ice_restart=True)
            offer = await self.peer.gathered(limit=self._gather_limit)
            await self.peer.set_answer(await exchange(offer))
        finally:
            self._candidates.described.set()

    def renewed(self, peer: Peer) -> Negotiation:
        """The same for a peer that takes the place of this one; its descriptions carry their candidates."""
        options = replace(self._options, use_trickle_ice=False)
        return Negotiation(peer, options, self._candidates, gather_limit=self._gather_limit)

    async def _with_candidates(self, description: str, limit: float | None = None) -> str:
        if self._options.use_trickle_ice:
            return description
        return await self.peer.gathered(limit=limit or self._gather_limit)


@contextmanager
def _failing_as(kind: ErrorCode) -> Iterator[None]:
    """Let errors that have no entry in the table of structured errors have this one."""
    try:
        yield
    except MediaError as error:
        error.kind = error.kind or kind
        raise


class RemoteCandidates:
    """Candidates wait here for the description they belong to, and then go to the peer.

    Args:
        limit: How many may wait.
        log: Where those of no use are noted.
        on_dropped: Called for each that was of no use.

    Attributes:
        described: Set while the peer knows the description of the remote.
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
        self._log.warning(f"a candidate of the remote was dropped: {why}")
