"""From what a user sees to what is behind it: the troubleshooting table of Telnyx's SDKs, answered for this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from telnyx_native.doctor.finding import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telnyx_native.doctor.finding import Finding

__all__ = ["Symptom", "explain"]


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


REACHING = ("dns", "tcp", "tls", "clock", "login")
HEARING = ("media engine", "audio path", "call", "sound", "microphone")

TABLE = (
    (
        "No audio",
        HEARING,
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
        REACHING,
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
