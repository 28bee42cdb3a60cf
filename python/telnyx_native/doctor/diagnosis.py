"""What the checks find, and what it says about the troubles that a user may see."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from telnyx_native.states import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "Cause",
    "Diagnosis",
    "Finding",
    "Status",
    "Symptom",
    "explain",
    "has_failed",
]


class Status(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARNING = "warning"
    """Calls work, but not as well as they could."""
    FAILED = "failed"
    """Something does not work."""
    SKIPPED = "skipped"
    """Not looked at, or of no concern here."""


class Cause(StrEnum):
    """What is wrong."""

    BROKEN_INSTALLATION = "broken_installation"
    NAME_NOT_RESOLVED = "name_not_resolved"
    PORT_CLOSED = "port_closed"
    NO_ANSWER = "no_answer"
    NO_ROUTE = "no_route"
    TLS_NOT_TRUSTED = "tls_not_trusted"
    TLS_WRONG_NAME = "tls_wrong_name"
    TLS_NOT_VALID_NOW = "tls_not_valid_now"
    TLS_NOT_SPOKEN = "tls_not_spoken"
    TLS_WANTED = "tls_wanted"
    TLS_FAILED = "tls_failed"
    NO_TELNYX_SERVER = "no_telnyx_server"
    CLOCK_WRONG = "clock_wrong"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - no secret
    NOT_REGISTERED = "not_registered"
    UDP_BLOCKED = "udp_blocked"
    NO_RELAY = "no_relay"
    NO_AUDIO_PATH = "no_audio_path"
    CALL_FAILED = "call_failed"
    POOR_NETWORK = "poor_network"
    SOUND_SYSTEM_MISSING = "sound_system_missing"
    NO_DEVICE = "no_device"
    NO_PERMISSION = "no_permission"
    MICROPHONE_SILENT = "microphone_silent"


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        check: What was looked at, such as `"tcp"`.
        status: How it came out.
        detail: What was seen.
        cause: What is wrong; `None` if nothing is.
        advice: What to do about it; empty if there is nothing to do.
    """

    check: str
    status: Status
    detail: str
    cause: Cause | None = None
    advice: str = ""


@dataclass(frozen=True)
class Symptom:
    """Something that a user may see.

    Attributes:
        name: What is seen.
        status: Whether a reason for it was found here.
        next_step: What to do.
    """

    name: str
    status: Status
    next_step: str


SERVER_CHECKS = ("dns", "tcp", "tls", "clock", "login")
AUDIO_CHECKS = ("media engine", "audio path", "call", "sound", "microphone")

TABLE = (
    (
        "No audio",
        AUDIO_CHECKS,
        "Nothing here explains it: place a test call (--call echo), have the microphone listened to (--sound), and see "
        "whether the call is muted, on hold, or nobody reads call.audio.",
    ),
    (
        "Push not received",
        (),
        "It is not to be seen from here: give PushConfig with the device's token at login, and look whether the SIP "
        "connection has push credentials in the Telnyx portal.",
    ),
    (
        "Login fails",
        SERVER_CHECKS,
        "Nothing here explains it: check user and password in the Telnyx portal (--user, --password try them).",
    ),
    (
        "Call drops",
        ("dns", "tcp", "audio path", "call", "clock"),
        "Nothing here explains it: leave auto_reconnect on, so that calls outlive a lost connection, and look at "
        "termination_reason and the report of the call.",
    ),
    (
        "sender_id_mismatch (push)",
        (),
        "It is not to be seen from here: the device's token must come from the Firebase project whose key is in the "
        "push credential of the Telnyx portal.",
    ),
)
"""What is seen, which checks may explain it, and what to do if they do not."""


def explain(findings: Sequence[Finding]) -> list[Symptom]:
    """Return each symptom of the table, with what was found about it."""
    return [_explained(name, checks, otherwise, findings) for name, checks, otherwise in TABLE]


def _explained(name: str, checks: Sequence[str], otherwise: str, findings: Sequence[Finding]) -> Symptom:
    for status in (Status.FAILED, Status.WARNING):
        for finding in findings:
            if finding.check in checks and finding.status is status:
                step = f"{finding.detail}: {finding.advice}" if finding.advice else finding.detail
                return Symptom(name, status, step)
    return Symptom(name, Status.OK if checks else Status.SKIPPED, otherwise)


@dataclass(frozen=True)
class Diagnosis:
    """What came out.

    Attributes:
        findings: What each check found, in the order of the checks.
        symptoms: What a user may see, and what to do then.
    """

    findings: tuple[Finding, ...]
    symptoms: tuple[Symptom, ...]

    @property
    def verdict(self) -> Verdict:
        """READY, DEGRADED if there is a warning with a cause, BLOCKED if something failed."""
        if has_failed(self.findings):
            return Verdict.BLOCKED
        if any(finding.status is Status.WARNING and finding.cause for finding in self.findings):
            return Verdict.DEGRADED
        return Verdict.READY

    def as_dict(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {"verdict": self.verdict.value, **asdict(self)}


def has_failed(findings: Iterable[Finding]) -> bool:
    """Whether something does not work."""
    return any(finding.status is Status.FAILED for finding in findings)
