"""When a call reached which step of its life."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import Literal, get_args

__all__ = ["CallTimings", "Milestone"]

Milestone = Literal[
    "invite_sent", "gathered", "ringing", "answered", "media_connected", "first_audio", "active", "ended"
]


@dataclass
class CallTimings:
    """Milestones of a call in seconds of `time.monotonic`; `None` for those not reached.

    Attributes:
        created: The call came to be: it was placed here, or its invitation arrived.
        invite_sent: The invitation left (outbound).
        gathered: All network candidates of this side were known.
        ringing: The called side was being alerted.
        answered: The answer arrived (outbound), or the server took ours (inbound).
        media_connected: The audio path stood; with early media that is before the answer.
        first_audio: The first packet of the other side's audio arrived.
        active: Answered and connected.
        ended: The call was over.
    """

    created: float = field(default_factory=monotonic)
    invite_sent: float | None = None
    gathered: float | None = None
    ringing: float | None = None
    answered: float | None = None
    media_connected: float | None = None
    first_audio: float | None = None
    active: float | None = None
    ended: float | None = None

    def mark(self, milestone: Milestone) -> None:
        """Note that `milestone` is reached now; only the first time counts."""
        if getattr(self, milestone) is None:
            setattr(self, milestone, monotonic())

    def since_created(self, milestone: Milestone) -> float | None:
        """Seconds from the creation of the call to `milestone`, if it was reached."""
        reached: float | None = getattr(self, milestone)
        return None if reached is None else reached - self.created

    def as_dict(self) -> dict[str, float]:
        """The milestones that were reached, in seconds since the creation of the call."""
        reached = {name: self.since_created(name) for name in get_args(Milestone)}
        return {name: seconds for name, seconds in reached.items() if seconds is not None}
