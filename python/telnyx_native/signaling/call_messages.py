"""The messages that a client sends during a call: hold, DTMF, candidates, a new offer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from telnyx_native.errors import ConfigurationError, ErrorCode
from telnyx_native.events import SocketMethod

if TYPE_CHECKING:
    from telnyx_native.signaling.messages import Dialog

__all__ = ["Candidate", "Dtmf", "EndOfCandidates", "Hold", "HoldAction", "UpdateMedia"]

LONGEST_KEYS = 64
"""DTMF keys in one request."""

_KEYS = re.compile(rf"[0-9*#A-DwW]{{1,{LONGEST_KEYS}}}")

HoldAction = Literal["hold", "unhold", "toggleHold"]
"""The actions on the wire."""


@dataclass(frozen=True)
class _AboutCall:
    """A request about a call.

    Attributes:
        session_id: The session of the login.
        dialog: The call.
    """

    sticky: ClassVar[bool] = False

    session_id: str
    dialog: Dialog

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        return {"sessid": self.session_id, "dialogParams": self.dialog.params()}


@dataclass(frozen=True)
class Hold(_AboutCall):
    """Put a call on hold, or take it off.

    Attributes:
        action: The action; `toggleHold` reverses the current state.
    """

    method: ClassVar[SocketMethod] = SocketMethod.MODIFY

    action: HoldAction

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        return super().params() | {"action": self.action}


@dataclass(frozen=True)
class UpdateMedia(_AboutCall):
    """Send a new offer for a call.

    Attributes:
        sdp: The offer.
    """

    method: ClassVar[SocketMethod] = SocketMethod.MODIFY

    sdp: str = field(repr=False)

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        return super().params() | {"action": "updateMedia", "callID": self.dialog.call_id, "sdp": self.sdp}


@dataclass(frozen=True)
class Dtmf(_AboutCall):
    """Send DTMF.

    Attributes:
        keys: 0-9, *, #, A-D, and the pauses of FreeSWITCH: `w` (half a second) and `W` (a second).
    """

    method: ClassVar[SocketMethod] = SocketMethod.INFO

    keys: str

    def __post_init__(self) -> None:
        if not _KEYS.fullmatch(self.keys):
            # What was given is not repeated: it may be most of a PIN.
            message = f"these are no keys: use 0-9, *, # and A-D, w and W for pauses, 1 to {LONGEST_KEYS} of them"
            raise ConfigurationError(message, kind=ErrorCode.INVALID_CALL_PARAMETERS)

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        return super().params() | {"dtmf": self.keys}


@dataclass(frozen=True)
class Candidate(_AboutCall):
    """Send an ICE candidate.

    Attributes:
        candidate: The candidate, `"candidate:..."`.
        sdp_mid: The media section it belongs to, by name.
        sdp_mline_index: The media section it belongs to, by position.
    """

    method: ClassVar[SocketMethod] = SocketMethod.CANDIDATE

    candidate: str
    sdp_mid: str
    sdp_mline_index: int

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        return super().params() | {
            "candidate": self.candidate,
            "sdpMid": self.sdp_mid,
            "sdpMLineIndex": self.sdp_mline_index,
        }


@dataclass(frozen=True)
class EndOfCandidates(_AboutCall):
    """Signal the end of candidates."""

    method: ClassVar[SocketMethod] = SocketMethod.END_OF_CANDIDATES

    def params(self) -> dict[str, Any]:
        """The parameters of the request."""
        return super().params() | {"endOfCandidates": True}
