"""When a connection reached which step on its way to a registration."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import Literal

__all__ = ["LoginMilestone", "LoginTimings"]

LoginMilestone = Literal["socket_open", "logged_in", "registered"]


@dataclass
class LoginTimings:
    """Milestones of a connection in seconds of `time.monotonic`; `None` for those not reached.

    Attributes:
        begun: The connection began to be made.
        socket_open: The WebSocket stood.
        logged_in: The server took the login.
        registered: The SIP registration stood: calls can be placed and received.
    """

    begun: float = field(default_factory=monotonic)
    socket_open: float | None = None
    logged_in: float | None = None
    registered: float | None = None

    def mark(self, milestone: LoginMilestone) -> None:
        """Note that `milestone` is reached now."""
        setattr(self, milestone, monotonic())

    def since_begun(self, milestone: LoginMilestone) -> float | None:
        """Seconds from the beginning to `milestone`, if it was reached."""
        reached: float | None = getattr(self, milestone)
        return None if reached is None else reached - self.begun
