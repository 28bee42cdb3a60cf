"""States, reasons and verdicts: of calls, of the connection, of the SIP registration, of checks before a call.

Names follow the Telnyx Android SDK.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

__all__ = [
    "CallDirection",
    "CallNetworkChangeReason",
    "CallState",
    "CallTerminationReason",
    "ConnectionStatus",
    "ConsultationState",
    "GatewayState",
    "HangupCause",
    "TransferOutcome",
    "Verdict",
]


class HangupCause(Enum):
    """Why a call ends: name, Q.850 code and the SIP status that goes with it.

    The subset of FreeSWITCH's table (`switch_types.h`, and `hangup_cause_to_sip` of mod_sofia) that voice
    calls meet; `sip_code` is `None` where FreeSWITCH maps to no failure.
    """

    UNALLOCATED_NUMBER = (1, 404)
    NO_ROUTE_DESTINATION = (3, 404)
    NORMAL_CLEARING = (16, None)
    USER_BUSY = (17, 486)
    NO_USER_RESPONSE = (18, 408)
    NO_ANSWER = (19, 480)
    SUBSCRIBER_ABSENT = (20, 480)
    CALL_REJECTED = (21, 603)
    NUMBER_CHANGED = (22, 410)
    DESTINATION_OUT_OF_ORDER = (27, 502)
    INVALID_NUMBER_FORMAT = (28, 484)
    FACILITY_REJECTED = (29, 501)
    NORMAL_UNSPECIFIED = (31, 480)
    NORMAL_CIRCUIT_CONGESTION = (34, 503)
    NETWORK_OUT_OF_ORDER = (38, 502)
    NORMAL_TEMPORARY_FAILURE = (41, 503)
    SWITCH_CONGESTION = (42, 503)
    REQUESTED_CHAN_UNAVAIL = (44, 503)
    OUTGOING_CALL_BARRED = (52, 403)
    INCOMING_CALL_BARRED = (54, 403)
    SERVICE_NOT_IMPLEMENTED = (79, 501)
    INCOMPATIBLE_DESTINATION = (88, 488)
    MANDATORY_IE_MISSING = (96, None)
    RECOVERY_ON_TIMER_EXPIRE = (102, 504)
    ORIGINATOR_CANCEL = (487, 487)
    LOSE_RACE = (502, None)
    BLIND_TRANSFER = (600, None)
    ATTENDED_TRANSFER = (601, None)
    ALLOTTED_TIMEOUT = (602, None)
    MEDIA_TIMEOUT = (604, None)
    USER_NOT_REGISTERED = (606, 480)

    def __init__(self, code: int, sip_code: int | None) -> None:
        self.code = code
        self.sip_code = sip_code


@dataclass(frozen=True)
class CallTerminationReason:
    """Why a call is over.

    Attributes:
        cause: The name of the cause, such as `"NORMAL_CLEARING"`.
        cause_code: Its Q.850 number, such as 16.
        sip_code: The SIP status, such as 486, when SIP had a say.
        sip_reason: The SIP reason phrase, such as `"Busy Here"`, or what went wrong here.
        sip_call_id: The `Call-ID` of the SIP leg, when the server names it; it does not count in comparisons.
    """

    cause: str | None = None
    cause_code: int | None = None
    sip_code: int | None = None
    sip_reason: str | None = None
    sip_call_id: str | None = field(default=None, compare=False)

    @classmethod
    def of(cls, cause: HangupCause, sip_reason: str | None = None) -> CallTerminationReason:
        """The reason that belongs to a cause of the table."""
        return cls(cause.name, cause.code, cause.sip_code, sip_reason)

    @property
    def channel_limit_exceeded(self) -> bool:
        """Whether the account has no channel left for an outbound call: Telnyx says SIP 403, and that it is the limit.

        It can be placed when another one has ended.
        """
        return self.sip_code == 403 and "channel limit" in (self.sip_reason or "").lower()

    def __str__(self) -> str:
        cause = " ".join(str(part) for part in (self.cause, self.cause_code) if part is not None)
        sip = " ".join(part for part in (self.sip_code and f"SIP {self.sip_code}", self.sip_reason) if part)
        return ", ".join(part for part in (cause, sip) if part) or "no reason given"


class CallNetworkChangeReason(Enum):
    """What happened to the network under a call."""

    NETWORK_LOST = "Network lost"
    NETWORK_SWITCH = "Network switched"
    SERVER_ERROR = "Server error"

    @property
    def description(self) -> str:
        """The reason in words."""
        return self.value


@dataclass(frozen=True)
class CallState:
    """The state of a call.

    The plain states are constants (`state == CallState.ACTIVE`); those with a reason are classes
    (`isinstance(state, CallState.DONE)`, `case CallState.DONE(reason)`).
    """

    name: str

    NEW: ClassVar[CallState]
    """Made here, nothing sent yet."""
    CONNECTING: ClassVar[CallState]
    """Outbound: the invitation is on its way. Inbound: accepted, the audio is being connected."""
    RINGING: ClassVar[CallState]
    """The called side is being alerted."""
    ACTIVE: ClassVar[CallState]
    """Answered, and audio flows."""
    RENEGOTIATING: ClassVar[CallState]
    """The audio path is being replaced."""
    TRANSFERRING: ClassVar[CallState]
    """Somebody else is being called for the remote party, or talks with the application (`Call.held`: it waits)."""
    HELD: ClassVar[CallState]
    """On hold."""
    ERROR: ClassVar[CallState]
    """The call failed here."""

    DONE: ClassVar[type[Done]]
    """Over, with its reason."""
    DROPPED: ClassVar[type[Dropped]]
    """The network under the call is gone."""
    RECONNECTING: ClassVar[type[Reconnecting]]
    """The network under the call is gone, and the call is being brought back."""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Done(CallState):
    """The call is over."""

    name: str = field(default="DONE", init=False)
    reason: CallTerminationReason | None = None

    def __str__(self) -> str:
        return f"DONE({self.reason})" if self.reason else "DONE"


@dataclass(frozen=True)
class Dropped(CallState):
    """The network under the call is gone."""

    name: str = field(default="DROPPED", init=False)
    reason: CallNetworkChangeReason

    def __str__(self) -> str:
        return f"DROPPED({self.reason.name})"


@dataclass(frozen=True)
class Reconnecting(CallState):
    """The call is being brought back after its network went away."""

    name: str = field(default="RECONNECTING", init=False)
    reason: CallNetworkChangeReason

    def __str__(self) -> str:
        return f"RECONNECTING({self.reason.name})"


CallState.NEW = CallState("NEW")
CallState.CONNECTING = CallState("CONNECTING")
CallState.RINGING = CallState("RINGING")
CallState.ACTIVE = CallState("ACTIVE")
CallState.RENEGOTIATING = CallState("RENEGOTIATING")
CallState.TRANSFERRING = CallState("TRANSFERRING")
CallState.HELD = CallState("HELD")
CallState.ERROR = CallState("ERROR")
CallState.DONE = Done
CallState.DROPPED = Dropped
CallState.RECONNECTING = Reconnecting


class TransferOutcome(Enum):
    """What became of a transfer. After all but the first, the call is as it was."""

    BRIDGED = "answered: they talk with each other now"
    BUSY = "busy"
    NO_ANSWER = "nobody answered in time"
    REJECTED = "the call was refused"
    WRONG_NUMBER = "there is no such number or user"
    UNREACHABLE = "not reached: not logged in, or for another reason"


class ConsultationState(Enum):
    """How far a consultation is. In the first two states it goes on."""

    BRIEFING = "the remote party waits, and the application talks with the colleague"
    MERGED = "all three talk"
    COMPLETED = "the remote party and the colleague are connected"
    CANCELLED = "the application cancelled it, and the remote party is back"
    COLLEAGUE_LEFT = "the colleague hung up, and the remote party is back"
    PARTY_LEFT = "the remote party hung up"


class CallDirection(Enum):
    """Who placed the call, seen from here."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class ConnectionStatus(Enum):
    """How far the client is with its server."""

    DISCONNECTED = "disconnected"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    CLIENT_READY = "client_ready"


class GatewayState(Enum):
    """The state of the SIP registration that the platform keeps for a login; values as on the wire."""

    REGED = "REGED"
    REGISTER = "REGISTER"
    UNREGED = "UNREGED"
    UNREGISTER = "UNREGISTER"
    NOREG = "NOREG"
    TRYING = "TRYING"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"
    FAIL_WAIT = "FAIL_WAIT"
    DOWN = "DOWN"
    TIMEOUT = "TIMEOUT"
    ATTACHED = "ATTACHED"
    UNKNOWN = "UNKNOWN"
    """Anything this version does not know."""

    @classmethod
    def _missing_(cls, value: object) -> GatewayState:  # noqa: ARG003 - whatever it is, it is unknown
        return cls.UNKNOWN


class Verdict(enum.Enum):
    """What came out."""

    READY = "ready"
    DEGRADED = "degraded"
    """Calls work, but not well."""
    BLOCKED = "blocked"
    """Calls do not work, or nobody would want to talk like that."""
    INCONCLUSIVE = "inconclusive"
    """Nothing was learnt; for example, the remote side did not take the call."""
