"""Peers that hear each other, natively: what one receives, the others send, in the same 10 ms.

Who joins is faded in, and who leaves is faded out, each within 10 ms. A peer is in one join at a time. One that is on
hold stays in it, but neither hears nor is heard. Rates may differ: those of the same rate hear each other bit by bit,
for others the sum is resampled (1 to 2 ms late).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_native import _webrtc
from telnyx_native.errors import MediaError

if TYPE_CHECKING:
    from telnyx_native.media.engine import MediaEngine
    from telnyx_native.media.peer import Peer
    from telnyx_native.media.stream import AudioStream

__all__ = ["Bridge", "Join", "PeerConference"]

MAX_MEMBERS = _webrtc.MAX_CONFERENCE_SEATS - 1
"""Peers that a conference holds, beside the application; the mix is exact up to that many."""


class Join:
    """Peers each of which hears all others.

    Args:
        engine: That of the peers.
        native: Its native half; it ends when nothing holds it any more.
    """

    def __init__(self, engine: MediaEngine, native: _webrtc.Conference) -> None:
        self._engine = engine
        self._native = native
        self._members: dict[Peer, None] = {}

    @property
    def members(self) -> tuple[Peer, ...]:
        """Who is in it, in the order in which they came."""
        return tuple(self._members)

    def check(self, engine: MediaEngine) -> None:
        """Raise `MediaError` if peers of `engine` cannot take part: its clock is another one."""
        if engine is not self._engine:
            raise MediaError("calls of different event loops cannot hear each other")

    def admit(self, peer: Peer, native: _webrtc.Peer, *, muted: bool) -> None:
        """Take a peer in, or change whether it is heard."""
        if peer not in self._members and len(self._members) >= MAX_MEMBERS:
            raise MediaError(f"a conference has {MAX_MEMBERS} members at most")
        native.join(0, self._native, not muted)
        self._members[peer] = None

    def forget(self, peer: Peer) -> None:
        """A peer left."""
        self._members.pop(peer, None)

    def replace(self, peer: Peer, successor: Peer) -> None:
        """A peer goes on as another."""
        self._members = {successor if member is peer else member: None for member in self._members}


class Bridge(Join):
    """Two peers; when one leaves, it is over."""

    def forget(self, peer: Peer) -> None:
        """A peer left: the other one does, too."""
        super().forget(peer)
        for other in self.members:
            other.leave()


class PeerConference(Join):
    """Any number of peers, and the application. Made by `MediaEngine.create_conference`.

    Attributes:
        audio: What the application says to all, and what it hears of all.
    """

    def __init__(self, engine: MediaEngine, native: _webrtc.Conference, audio: AudioStream) -> None:
        super().__init__(engine, native)
        self.audio = audio
        self._closed = False

    def __repr__(self) -> str:
        return f"<PeerConference of {len(self._members)}>"

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def add(self, peer: Peer, *, muted: bool = False) -> None:
        """Let a peer take part; it leaves the join that it is in. One that takes part already is muted or unmuted.

        Args:
            peer: Of the same engine.
            muted: Whether it only listens.

        Raises:
            MediaError: The conference is closed or full, or the peer is closed, or of another engine.
        """
        if self._closed:
            raise MediaError("the conference is over")
        peer.enter(self, muted=muted)

    def remove(self, peer: Peer) -> None:
        """Let a peer leave; one that does not take part is left alone."""
        if peer in self._members:
            peer.leave()

    def close(self) -> None:
        """Let all leave, and end its audio; what was received can still be read. Idempotent."""
        self._closed = True
        for peer in self.members:
            peer.leave()
        self._native.close()
        self.audio._close()  # noqa: SLF001 - it is its own
