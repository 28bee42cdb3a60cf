"""The network candidates of this side: the search for them, and sending them as they are found (trickle ICE)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from telnyx_native.codes import WarningCode
from telnyx_native.errors import SocketConnectionError
from telnyx_native.signaling.call_messages import Candidate, EndOfCandidates

if TYPE_CHECKING:
    from collections.abc import Callable

    from telnyx_native.logs import Log
    from telnyx_native.media.peer import Peer
    from telnyx_native.signaling.messages import Dialog, Signaling

__all__ = ["send_candidates", "watch_gathering"]

PATIENCE = 15.0
"""Seconds after which the search is taking too long (Telnyx JS SDK)."""


async def watch_gathering(peer: Peer, warn: Callable[[WarningCode, str], None], *, asks_servers: bool) -> None:
    """Return when all candidates are known, or the peer is closed.

    Args:
        peer: Whose candidates.
        warn: Takes what is odd.
        asks_servers: Whether STUN or TURN servers are asked for addresses beyond this machine's.
    """
    late = asyncio.get_running_loop().call_later(
        PATIENCE, warn, WarningCode.ICE_GATHERING_TIMEOUT, f"the search goes on after {PATIENCE:g} s"
    )
    try:
        kinds = {_kind_of(found.candidate) async for found in peer.candidates}
    finally:
        late.cancel()
    if peer.connection_state.value.name == "CLOSED":
        return
    if not kinds:
        warn(WarningCode.ICE_GATHERING_EMPTY, "check that this machine has a network")
    elif asks_servers and kinds == {"host"}:
        warn(WarningCode.ONLY_HOST_ICE_CANDIDATES, "no STUN or TURN server answered: check that UDP may pass")


def _kind_of(candidate: str) -> str:
    """The type of a candidate: `host`, `srflx`, `prflx` or `relay` (RFC 8839, 5.1)."""
    return candidate.partition(" typ ")[2].partition(" ")[0]


async def send_candidates(peer: Peer, dialog: Dialog, signaling: Signaling, log: Log) -> None:
    """Send the candidates of the latest description, and that there are no more; give up when the server is gone."""
    session_id = signaling.session_id
    try:
        async for found in peer.candidates:
            await signaling.tell(Candidate(session_id, dialog, found.candidate, found.sdp_mid, found.sdp_mline_index))
        await signaling.tell(EndOfCandidates(session_id, dialog))
    except SocketConnectionError as error:
        log.debug(f"candidates were not sent: {error}")
