"""What all parts of one gateway have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from telnyx_native.gateway.accounts.failed_logins import FailedLogins
    from telnyx_native.gateway.accounts.push import PushService
    from telnyx_native.gateway.accounts.users import Directory
    from telnyx_native.gateway.calls.reports import CallReports
    from telnyx_native.gateway.faults import LastingFaults
    from telnyx_native.gateway.limits import Counters, GatewayLimits, RateLimits
    from telnyx_native.gateway.monitor import Monitor

__all__ = ["GatewayContext"]


@dataclass(frozen=True)
class GatewayContext:
    """What connections, requests and calls of one gateway share.

    Attributes:
        directory: Who may log in.
        push: The devices that calls are announced to.
        frame_rates: How fast the connections of an account may send, together.
        setup_rates: How fast an account may ask for audio paths.
    """

    limits: GatewayLimits
    counters: Counters
    directory: Directory
    failed_logins: FailedLogins
    faults: LastingFaults
    monitor: Monitor
    push: PushService
    call_reports: CallReports
    frame_rates: RateLimits
    setup_rates: RateLimits
