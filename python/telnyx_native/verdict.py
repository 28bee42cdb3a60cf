"""What comes out of a check before the first call."""

from __future__ import annotations

import enum

__all__ = ["Verdict"]


class Verdict(enum.Enum):
    """What came out."""

    READY = "ready"
    DEGRADED = "degraded"
    """Calls work, but not well."""
    BLOCKED = "blocked"
    """Calls do not work, or nobody would want to talk like that."""
    INCONCLUSIVE = "inconclusive"
    """Nothing was learnt; for example, the remote side did not take the call."""
