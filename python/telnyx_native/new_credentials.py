"""Telephony credentials that this process has just created: servers know them a moment later."""

from __future__ import annotations

from time import monotonic

__all__ = ["is_new", "note_new"]

SETTLING = 10.0
"""Seconds after which a credential is not new any more; its first login works after some 5 s."""

MOST = 1000
"""Credentials remembered; of more, the oldest are forgotten."""

_created: dict[str, float] = {}


def note_new(account: str) -> None:
    """Remember that a credential was created now.

    Args:
        account: Its SIP user, its id, or what `login_token.account_of` tells of a token of it.
    """
    _created.pop(account, None)
    _created[account] = monotonic()
    if len(_created) > MOST:
        del _created[next(iter(_created))]


def is_new(account: str) -> bool:
    """Whether servers may not know the credential yet."""
    return monotonic() - _created.get(account, float("-inf")) < SETTLING
