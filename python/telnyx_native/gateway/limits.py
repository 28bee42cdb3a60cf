"""What bounds a gateway, how that is measured, and what it counts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from sys import getsizeof

from telnyx_native.errors import ConfigurationError

__all__ = ["Counters", "GatewayLimits", "RateLimit", "RateLimits", "has_too_many_values", "memory_size"]


@dataclass(frozen=True)
class GatewayLimits:
    """How much a gateway takes on. What goes beyond is refused or slowed down, and counted; it is never queued.

    Attributes:
        users: Users that the gateway may have.
        connections: Sockets at a time. For one more, one is cut that has taken its time to log in; if there is none, it
            gets HTTP status 503.
        connections_per_user: Sockets of one user at a time; one more is not logged in.
        guests: Sockets of all guests of an assistant at a time; one more is not logged in.
        calls: Call legs at a time; one more is refused with an error. A call between two users has two.
        calls_per_user: Calls that one user places at a time, on all sockets, and as many that it gets; those that wait
            for their client to come back count, too. One more is refused with an error.
        calls_per_connection: Calls that one socket places at a time, and as many that it gets; one more is refused with
            an error.
        guest_calls: Calls of all guests of an assistant at a time; one more is refused with an error.
        calls_per_guest: Calls of one guest at a time; one more is refused with an error.
        setups_per_second: Audio paths that one user, or all guests of an assistant, may ask for in a second, and as
            many at once: calls, restarts of ICE, calls brought back. What comes faster waits.
        messages_per_second: Frames of one user, and as many at once; a frame counts once more for each KiB. A client
            that sends faster is read more slowly. So are the large frames of all guests of an assistant together.
        guest_messages_per_second: The same for the small frames of one guest.
        frame_size: Bytes of a frame; a bigger one closes its socket (WebSocket code 1009).
        login_frame_size: The same, before the login.
        frame_values: Values in a frame, roughly; one with more is not read.
        kept_size: Bytes of memory of what a client says about itself or about a call, and is kept: headers, names,
            variables. A login or a call with more is refused.
        queued_candidates: Network candidates of a call that wait for its description, or to be used; more are dropped.
        http_connections: Connections at a time that speak HTTP; one more is closed.
        call_reports: Call reports kept; beyond it the oldest of the account that has most go.
        call_report_size: Bytes of one call report; a bigger one gets HTTP status 413.
        call_report_values: Values in one call report, roughly; one with more gets HTTP status 413.
        call_reports_size: Bytes of all call reports kept; beyond it the oldest of the account that has most go.
        open_time: Seconds from a connection to its first request.
        login_time: Seconds a socket may stay open without being logged in.
        failed_logins: Wrong passwords on one socket before it is closed.
        guess_delay: Seconds that a login waits at most when others for the same account, or from the same address,
            have failed before.
        send_time: Seconds a client may take no data before its socket is closed.
        conference_members: Calls in one conference; one more is refused with NORMAL_CIRCUIT_CONGESTION.
        ringing_phones: Phones that ring for one call; of more, the last to log in ring.
        ring_time: Seconds a call rings before it ends with NO_ANSWER.
        connect_time: Seconds from the answer of a call to connected audio.
        detach_time: Seconds an answered call is kept after its socket was lost (FreeSWITCH mod_verto: 120).
        close_time: Seconds that closing the gateway may take for each of its steps.
        ping_interval: Seconds between two pings to a client.
        pong_time: Seconds a client has for its answer to a ping of the WebSocket; its socket is cut then.
    """

    users: int = 10_000
    connections: int = 500
    connections_per_user: int = 250
    guests: int = 50
    calls: int = 1000
    calls_per_user: int = 250
    calls_per_connection: int = 50
    guest_calls: int = 50
    calls_per_guest: int = 2
    setups_per_second: float = 20.0
    messages_per_second: float = 1000.0
    guest_messages_per_second: float = 100.0
    frame_size: int = 1 << 20
    login_frame_size: int = 1 << 16
    frame_values: int = 20_000
    kept_size: int = 1 << 16
    queued_candidates: int = 64
    http_connections: int = 100
    call_reports: int = 100
    call_report_size: int = 4 << 20
    call_report_values: int = 400_000
    call_reports_size: int = 32 << 20
    open_time: float = 10.0
    login_time: float = 30.0
    failed_logins: int = 5
    guess_delay: float = 4.0
    send_time: float = 10.0
    conference_members: int = 100
    ringing_phones: int = 50
    ring_time: float = 60.0
    connect_time: float = 15.0
    detach_time: float = 120.0
    close_time: float = 5.0
    ping_interval: float = 30.0
    pong_time: float = 20.0

    def __post_init__(self) -> None:
        for name in ("messages_per_second", "guest_messages_per_second", "setups_per_second"):
            if getattr(self, name) < 1:
                raise ConfigurationError(f"{name} must be at least 1: nobody could log in and call")


@dataclass
class Counters:
    """What has happened since the gateway was made.

    Attributes:
        connections: Sockets accepted.
        refused_connections: Connections refused, or cut before their login, because the gateway was full.
        refused_origins: Requests of web pages of foreign origins, or for a name that is not the gateway's.
        logins: Good logins.
        failed_logins: Logins with wrong credentials.
        refused_logins: Logins turned away unchecked: too many waited, or the user or assistant had too many sockets.
        calls: Call legs begun.
        refused_calls: Calls refused because the session, the user or the gateway had too many, or for their size.
        slowed_messages: Frames that had to wait because their socket sent too many.
        malformed_frames: Frames that were not understood.
        refused_messages: Texts, and messages to assistants, that were too big.
        unknown_methods: Requests with a method the gateway does not know.
        dropped_candidates: Network candidates that were unusable or too many.
        call_reports: Call reports taken.
        refused_call_reports: Call reports that were not understood, or not asked for.
        handler_failures: Requests that failed for a reason that is the gateway's own.
        webhooks: Webhooks that an application has taken.
        failed_webhooks: Webhooks that no attempt has delivered.
        dropped_webhooks: Webhooks that were not sent because too many waited, or the gateway closed.
    """

    connections: int = 0
    refused_connections: int = 0
    refused_origins: int = 0
    logins: int = 0
    failed_logins: int = 0
    refused_logins: int = 0
    calls: int = 0
    refused_calls: int = 0
    slowed_messages: int = 0
    malformed_frames: int = 0
    refused_messages: int = 0
    unknown_methods: int = 0
    dropped_candidates: int = 0
    call_reports: int = 0
    refused_call_reports: int = 0
    handler_failures: int = 0
    webhooks: int = 0
    failed_webhooks: int = 0
    dropped_webhooks: int = 0

    def count_dropped(self) -> None:
        """Count a network candidate of no use."""
        self.dropped_candidates += 1


class RateLimit:
    """Lets a number of things a second pass, and as many at once; what comes faster waits (a token bucket)."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._allowance = per_second
        self._since = asyncio.get_running_loop().time()

    async def wait(self, weight: float = 1.0) -> bool:
        """Return when one more thing may pass, which counts as `weight`; whether it had to wait."""
        now = asyncio.get_running_loop().time()
        self._allowance = min(self._per_second, self._allowance + (now - self._since) * self._per_second) - weight
        self._since = now
        if self._allowance >= 0:
            return False
        await asyncio.sleep(-self._allowance / self._per_second)
        return True


class RateLimits:
    """A rate limit for each account."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._by_account: dict[object, RateLimit] = {}

    def of(self, account: object) -> RateLimit:
        """Return the limit of an account."""
        return self._by_account.setdefault(account, RateLimit(self._per_second))


def memory_size(value: object) -> int:
    """Return the bytes that a value of JSON takes in memory, with all that is in it."""
    total, waiting = 0, [value]
    while waiting:
        each = waiting.pop()
        total += getsizeof(each)
        if isinstance(each, dict):
            waiting += each.keys()
            waiting += each.values()
        elif isinstance(each, list | tuple):
            waiting += each
    return total


def has_too_many_values(text: str | bytes, most: int) -> bool:
    """Return whether a JSON text may hold more than `most` values, without parsing it.

    What is counted begins a value or stands between two. In texts it counts too, which no honest message has that
    many of: a megabyte of base64 has none.
    """
    if len(text) <= most:
        return False
    if isinstance(text, bytes):
        return sum(map(text.count, (b",", b"[", b"{"))) > most
    return sum(map(text.count, (",", "[", "{"))) > most
