"""The session descriptions of one call, as its options ask for."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from telnyx_native.codes import ErrorCode
from telnyx_native.config import AudioCodec, AudioConfig
from telnyx_native.errors import ConfigurationError, MediaError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from telnyx_native.media.peer import Peer
    from telnyx_native.media.remote_candidates import RemoteCandidates

__all__ = ["MediaOptions", "Negotiation"]


@dataclass(frozen=True)
class MediaOptions:
    """What an application can ask of the audio of a call.

    Attributes:
        audio: How it is written and read.
        muted: Whether the call begins muted.
        use_trickle_ice: Whether descriptions leave at once, and candidates follow as they are found.
        preferred_codecs: The codecs to choose from first.
    """

    audio: AudioConfig = field(default_factory=AudioConfig)
    muted: bool = False
    use_trickle_ice: bool = False
    preferred_codecs: Sequence[AudioCodec] = ()

    def __post_init__(self) -> None:
        if not all(isinstance(codec, AudioCodec) for codec in self.preferred_codecs):
            message = f"preferred_codecs are of AudioCodec, such as [AudioCodec.PCMU]: {self.preferred_codecs!r}"
            raise ConfigurationError(message, kind=ErrorCode.INVALID_CALL_PARAMETERS)


class Negotiation:
    """Makes and takes the descriptions of one peer.

    Args:
        peer: The peer.
        options: How they shall be.
        candidates: The far end's; they wait while its description is awaited.
        gather_limit: Seconds to look for candidates before a description leaves.

    Attributes:
        peer: The peer.
    """

    def __init__(self, peer: Peer, options: MediaOptions, candidates: RemoteCandidates, *, gather_limit: float) -> None:
        self.peer = peer
        peer.preferred_codecs = options.preferred_codecs
        self._options = options
        self._candidates = candidates
        self._gather_limit = gather_limit

    async def offer(self) -> str:
        """Return our first offer."""
        with _failing_as(ErrorCode.SDP_CREATE_OFFER_FAILED):
            return await self._with_candidates(await self.peer.create_offer())

    async def answer(self, offer: str, *, gather_limit: float | None = None) -> str:
        """Take the far end's offer; return our answer.

        Args:
            offer: The offer.
            gather_limit: Seconds to look for candidates, if not as long as usual.

        Raises:
            SdpError: The offer cannot be used.
        """
        with _failing_as(ErrorCode.SDP_CREATE_ANSWER_FAILED):
            answer = await self.peer.create_answer(offer)
            self._candidates.described.set()
            return await self._with_candidates(answer, gather_limit)

    async def take_provisional_answer(self, answer: str) -> None:
        """Take an answer of the far end that another one may follow: that of early media.

        Raises:
            SdpError: The answer cannot be used.
        """
        await self.peer.set_provisional_answer(answer)
        self._candidates.described.set()

    async def take_answer(self, answer: str) -> None:
        """Take the far end's answer.

        Raises:
            SdpError: The answer cannot be used.
        """
        await self.peer.set_answer(answer)
        self._candidates.described.set()

    async def restart(self, exchange: Callable[[str], Awaitable[str]]) -> None:
        """Look for a new path.

        Args:
            exchange: Brings our offer, with all its candidates, to the far end and returns its answer.

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
