"""Peers that hear each other, natively: what one receives, the others send, in the same 10 ms.

Who joins is faded in, and who leaves is faded out, each within 10 ms. A peer is in one join at a time. One that is on
hold stays in it, but neither hears nor is heard. Rates may differ: those of the same rate hear each other bit by bit,
for others the sum is resampled (1 to 2 ms late).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_native.errors import MediaError
from telnyx_native.media.peer import Join, Peer

if TYPE_CHECKING:
    from telnyx_native import _webrtc
    from telnyx_native.media.native_engine import NativeEngine
    from telnyx_native.media.stream import AudioStream

__all__ = ["Bridge", "PeerConference", "bridge"]


class Bridge(Join):
    """Two peers; when one leaves, it is over."""

    def forget(self, peer: Peer) -> None:
        """A peer left: the other one does, too."""
        super().forget(peer)
        for other in self.members:
            other.leave()


def bridge(one: Peer, other: Peer) -> None:
    """Let two peers hear each other, natively, until one leaves or is closed.

    Raises:
        MediaError: One of them is closed, they are of different engines, or both are the same; that would be an `echo`.
    """
    if one is other:
        raise MediaError("a call cannot be joined to itself: use echo")
    for peer in (one, other):
        peer.require_open()
    if one.joined is not None and one.joined is other.joined and isinstance(one.joined, Bridge):
        return
    both = Bridge(one.engine, one.engine.open_conference())
    both.check(other)
    for peer in (one, other):
        peer.enter(both)


class PeerConference(Join):
    """Any number of peers, and the application. Made by `MediaEngine.create_conference`.

    Attributes:
        audio: What the application says to all, and what it hears of all.
    """

    def __init__(self, engine: NativeEngine, native: _webrtc.Conference, audio: AudioStream) -> None:
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
