"""What can go wrong, by number: the part of the Telnyx JS SDK's tables that a client without a browser meets.

Errors are attached to the exceptions of this package (`TelnyxError.kind`); warnings go to
`TelnyxClient.warning_flow`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["ErrorCode", "TelnyxWarning", "WarningCode"]


class ErrorCode(Enum):
    """An error: its number, what it means, and whether whatever it hit is beyond repair.

    Names, numbers and texts are those of `constants/errors.ts` in the Telnyx JS SDK.
    """

    SDP_CREATE_OFFER_FAILED = (40001, "Failed to create call offer", True)
    SDP_CREATE_ANSWER_FAILED = (40002, "Failed to answer the call", True)
    SDP_SET_REMOTE_DESCRIPTION_FAILED = (40004, "Failed to apply remote call settings", True)
    SDP_SEND_FAILED = (40005, "Failed to send call data to server", True)
    MEDIA_DEVICE_NOT_FOUND = (42002, "No microphone found", True)
    MEDIA_GET_USER_MEDIA_FAILED = (42003, "Failed to access microphone", True)
    HOLD_FAILED = (44001, "Failed to hold the call", False)
    INVALID_CALL_PARAMETERS = (44002, "Invalid call parameters", True)
    BYE_SEND_FAILED = (44003, "Failed to hang up cleanly", False)
    PEER_CLOSED_DURING_INIT = (44005, "Call was closed during setup", True)
    WEBSOCKET_CONNECTION_FAILED = (45001, "Unable to connect to server", True)
    WEBSOCKET_ERROR = (45002, "Connection to server lost", False)
    RECONNECTION_EXHAUSTED = (45003, "Unable to reconnect to server", True)
    GATEWAY_FAILED = (45004, "Gateway connection failed", False)
    LOGIN_FAILED = (46001, "Authentication failed", True)
    INVALID_CREDENTIALS = (46002, "Invalid credential parameters", True)
    AUTHENTICATION_REQUIRED = (46003, "Authentication required", False)
    ICE_RESTART_FAILED = (47001, "ICE restart failed", False)
    NETWORK_OFFLINE = (48001, "Device is offline", False)
    SESSION_NOT_REATTACHED = (48501, "Active call lost after reconnect", True)

    def __init__(self, code: int, message: str, fatal: bool) -> None:
        self.code = code
        self.message = message
        self.fatal = fatal


class WarningCode(Enum):
    """A warning: its number, and what it means.

    Names and numbers are those of `constants/warnings.ts` in the Telnyx JS SDK.
    """

    HIGH_RTT = (31001, "High network latency")
    HIGH_JITTER = (31002, "High jitter")
    HIGH_PACKET_LOSS = (31003, "High packet loss")
    LOW_MOS = (31004, "Low call quality")
    LOW_LOCAL_AUDIO = (31005, "Hardly any audio is being sent")
    LOW_INBOUND_AUDIO = (31006, "Hardly any audio is being received")
    LOW_BYTES_RECEIVED = (32001, "No media is being received")
    LOW_BYTES_SENT = (32002, "No media is being sent")
    ICE_CONNECTIVITY_LOST = (33001, "The audio path was interrupted")
    ICE_GATHERING_TIMEOUT = (33002, "Network candidates are slow to be found")
    ICE_GATHERING_EMPTY = (33003, "No network candidate was found")
    PEER_CONNECTION_FAILED = (33004, "The audio path failed")
    ONLY_HOST_ICE_CANDIDATES = (33005, "Only local network candidates were found")
    ICE_CANDIDATE_PAIR_CHANGED = (33008, "The audio path changed")
    TOKEN_EXPIRING_SOON = (34001, "The login token expires soon")
    UNKNOWN_REATTACHED_SESSION = (35002, "The server brought back a call that is not known here")
    SIGNALING_RECOVERY_REQUIRED = (36003, "The connection to the server has to be made again")
    MEDIA_RECOVERY_REQUIRED = (36004, "The audio path has to be made again")
    RECONNECTION_FAILED_WITH_NO_AUTO_RECONNECT = (36005, "The connection was lost and is not made again by itself")

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        self.message = message


@dataclass(frozen=True)
class TelnyxWarning:
    """Something that is not wrong yet.

    Attributes:
        code: Its number.
        name: Its name, such as `"TOKEN_EXPIRING_SOON"`.
        message: What it means here.
    """

    code: int
    name: str
    message: str

    @classmethod
    def of(cls, warning: WarningCode, detail: str = "") -> TelnyxWarning:
        """The warning of the table, with what is known about this case."""
        return cls(warning.code, warning.name, f"{warning.message}: {detail}" if detail else warning.message)
