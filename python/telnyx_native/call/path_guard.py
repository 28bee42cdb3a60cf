"""A broken audio path is replaced while the call goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_native.codes import WarningCode
from telnyx_native.errors import MediaError, TelnyxError, WaitTimeoutError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from telnyx_native.logs import Log
    from telnyx_native.media.peer import Peer, PeerConnectionState

__all__ = ["guard_path"]

_WARNINGS = {
    "DISCONNECTED": (WarningCode.ICE_CONNECTIVITY_LOST, "nothing arrives any more"),
    "FAILED": (WarningCode.PEER_CONNECTION_FAILED, "it will not come back by itself"),
}


async def guard_path(
    peer: Peer,
    restart: Callable[[], Awaitable[None]],
    *,
    grace: float,
    attempts: int,
    warn: Callable[[WarningCode, str], None],
    log: Log,
) -> None:
    """Call `restart` whenever the path is gone, until the peer is closed.

    A path that is interrupted gets `grace` seconds to come back by itself, one that failed does not; between two
    attempts there are always as many.

    Args:
        peer: Whose path.
        restart: Finds a new path; a `TelnyxError` means that it did not.
        grace: Seconds.
        attempts: How often in a row that may fail.
        warn: Takes what happens to the path.
        log: Where failures are noted.

    Raises:
        MediaError: No new path was found.
    """
    failures = 0
    while (state := await peer.connection_state.wait_for(_is_down)).name != "CLOSED":
        if not failures:
            warn(*_WARNINGS[state.name])
        if (state.name != "FAILED" or failures) and await _comes_back(peer, grace):
            continue
        warn(WarningCode.MEDIA_RECOVERY_REQUIRED, f"attempt {failures + 1} of {attempts}")
        try:
            await restart()
            failures = 0
        except TelnyxError as error:
            failures += 1
            log.warning(f"no new audio path, attempt {failures} of {attempts}: {error}")
            if failures == attempts:
                raise MediaError("the audio path is broken, and no new one was found") from error


async def _comes_back(peer: Peer, grace: float) -> bool:
    try:
        await peer.connection_state.wait_for(lambda state: state.name in {"CONNECTED", "CLOSED"}, timeout=grace)
    except WaitTimeoutError:
        return False
    return True


def _is_down(state: PeerConnectionState) -> bool:
    return state.name in {"DISCONNECTED", "FAILED", "CLOSED"}
