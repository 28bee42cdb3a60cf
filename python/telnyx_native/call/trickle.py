"""The network candidates of this side, sent as they are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_native.errors import SocketConnectionError
from telnyx_native.signaling.call_messages import Candidate, EndOfCandidates

if TYPE_CHECKING:
    from telnyx_native.logs import Log
    from telnyx_native.media.peer import Peer
    from telnyx_native.signaling.messages import Dialog, Signaling

__all__ = ["send_candidates"]


async def send_candidates(peer: Peer, dialog: Dialog, signaling: Signaling, log: Log) -> None:
    """Send the candidates of the latest description, and that there are no more; give up when the server is gone."""
    session_id = signaling.session_id
    try:
        async for found in peer.candidates:
            await signaling.tell(Candidate(session_id, dialog, found.candidate, found.sdp_mid, found.sdp_mline_index))
        await signaling.tell(EndOfCandidates(session_id, dialog))
    except SocketConnectionError as error:
        log.debug(f"candidates were not sent: {error}")
