"""What a check finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Cause", "Finding", "Status"]


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
