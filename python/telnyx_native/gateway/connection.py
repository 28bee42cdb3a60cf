"""Connections of clients: frames in and out, the user that is logged in, and the table of all that are open."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from websockets.exceptions import ConnectionClosed

from telnyx_native.errors import AUTHENTICATION_FAILED, AUTHENTICATION_REQUIRED, INVALID_REQUEST, MalformedFrameError
from telnyx_native.event_loop import Tasks
from telnyx_native.gateway.accounts.push import PushIntent
from telnyx_native.gateway.accounts.users import User
from telnyx_native.gateway.limits import RateLimit, has_too_many_values, memory_size
from telnyx_native.logs import redact
from telnyx_native.signaling.envelope import Error, Frame, Request, Result, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telnyx_native.gateway.accounts.users import Account, Guest
    from telnyx_native.gateway.calls.leg import Leg
    from telnyx_native.gateway.context import GatewayContext
    from telnyx_native.gateway.limits import GatewayLimits
    from telnyx_native.gateway.web.port import ClientSocket

__all__ = ["INTERNAL_ERROR", "Connection", "Connections", "Handler", "LoginRefused", "RequestRefused"]

logger = logging.getLogger(__name__)


SPEED_TEST = "#SP"
"""What its frames begin with."""


METHOD_NOT_FOUND = -32601
"""JSON-RPC code: the method is not known."""

INTERNAL_ERROR = -32603
"""JSON-RPC code: the request was good, but the server failed."""

POLICY_VIOLATION = 1008
"""WebSocket close code (RFC 6455)."""

LONGEST_LOGGED = 16_384
"""Characters of a frame in the log."""

LOGIN_MESSAGES_PER_SECOND = 20.0
"""Frames of a connection that has not logged in."""

TIME_TO_LOG_IN = 2.0
"""Seconds after which a connection that has not logged in makes room for others when the gateway is full."""

KIB = 1024

LARGE = 16 * KIB
"""Bytes of a message that is larger than what calls need; those of guests have a rate limit in common."""

OPEN_METHODS = frozenset({"login", "anonymous_login"})
"""What a client may ask for before it has logged in (FreeSWITCH mod_verto)."""


class RequestRefused(Exception):  # noqa: N818 - a refusal is an answer, not a failure
    """The request is answered with an error; one without a code is a fault on purpose."""

    def __init__(self, code: int | None, message: str) -> None:
        super().__init__(message)
        self.code = code


class LoginRefused(RequestRefused):
    """The login is answered with an error; after several the connection is closed.

    The code is never "authentication required": the Telnyx JS SDK answers that with another login, at once,
    without end.
    """

    def __init__(self, message: str = "Login Incorrect") -> None:
        super().__init__(AUTHENTICATION_FAILED, message)


class Connection:
    """One WebSocket and the client at its other end.

    Frames are handled one after the other, so answers leave in the order of the requests.

    Attributes:
        socket: The WebSocket.
        sessid: The id under which the client knows the session.
        user: Who is logged in; `None` before that.
        guest: What a guest may reach; `None` for users.
        intent: What the client wants with the calls that are parked for it.
        early_description: Whether the client wants the audio of its calls described while they ring.
        legs: The calls of the connection, by call id in lower case.
        tasks: What runs beside the frames, until the connection is gone.
    """

    def __init__(self, socket: ClientSocket, context: GatewayContext, handlers: Mapping[str, Handler]) -> None:
        self.socket = socket
        self.sessid = str(uuid4())
        self.user: User | None = None
        self.guest: Guest | None = None
        self.intent = PushIntent.NONE
        self.early_description = False
        self.legs: dict[str, Leg] = {}
        self._context = context
        self._handlers = handlers
        self._voice_sdk_id = f"VSDK1{secrets.token_urlsafe(24)}"
        self._last_id = 0
        self._last_ping: int | None = None
        self.tasks = Tasks()
        self._speed_test = SpeedTest(self._write, lambda: self._large_rate.wait())
        self._failed_logins = 0
        self._begun = time.monotonic()
        self._rate = RateLimit(min(LOGIN_MESSAGES_PER_SECOND, context.limits.messages_per_second))
        self._large_rate = self._rate

    def __repr__(self) -> str:
        return f"<Connection {self.sessid} of {self.user_name or 'nobody'}, {len(self.legs)} calls>"

    @property
    def user_name(self) -> str:
        """Who is logged in; empty before that."""
        return self.user.name if self.user else ""

    @property
    def account(self) -> Account | None:
        """On whose behalf the client is connected; `None` before the login."""
        return self.guest.assistant if self.guest else self.user

    @property
    def is_overdue(self) -> bool:
        """Whether the client has not logged in, although it had the time: it makes room for others then."""
        return self.user is None and time.monotonic() - self._begun > TIME_TO_LOG_IN

    @property
    def address(self) -> str:
        """Where the client is."""
        remote = self.socket.remote_address
        return str(remote[0]) if remote else ""

    @property
    def wanted_instance(self) -> str | None:
        """The server instance that the client asks for; push notifications name one."""
        request = self.socket.request
        query = parse_qs(urlsplit(request.path).query) if request is not None else {}
        return query.get("voice_sdk_id", [None])[0]

    def log_in(self, user: User, guest: Guest | None = None) -> None:
        """Take the client for a user, or a guest, from now on; it may send longer messages, and more of them."""
        limits = self._context.limits
        self.user, self.guest = user, guest
        self._large_rate = self._context.frame_rates.of(self.account)
        self._rate = RateLimit(limits.guest_messages_per_second) if guest else self._large_rate
        self.socket.take_messages_up_to(limits.frame_size)

    async def serve(self) -> None:
        """Serve the client until its socket closes."""
        for work in (self._keep_alive(), self._expect_pongs(), self._expect_login()):
            self.tasks.start(work)
        try:
            async for frame in self.socket:
                rate = self._large_rate if len(frame) > LARGE else self._rate
                self._context.counters.slowed_messages += await rate.wait(1 + len(frame) // KIB)
                await self._receive(frame)
        except ConnectionClosed as closed:
            logger.debug("the socket of %s broke: %s", self.user_name or "nobody", closed)
        finally:
            await self.tasks.close()

    def punt(self) -> None:
        """Send the client away, because it has come back on another connection; does not wait for it."""
        self.tasks.start(self._punt())

    async def _punt(self) -> None:
        await self.notify("telnyx_rtc.punt", {})
        await self.socket.close()

    # Calls

    def add_leg(self, leg: Leg) -> None:
        """Let a leg be one of this connection."""
        self.legs[leg.call_id.lower()] = leg

    def forget_leg(self, leg: Leg) -> None:
        """Let a leg be no longer one of this connection."""
        self.legs.pop(leg.call_id.lower(), None)

    # Answers, and requests of our own

    async def reply(self, request: Request, result: Mapping[str, Any]) -> None:
        """Answer a request well; a notification gets no answer."""
        if request.id is not None:
            await self._send(Result(request.id, dict(result), self._voice_sdk_id))

    def is_ping_echo(self, request: Request) -> bool:
        """Whether the request is our own ping coming back, as the Telnyx Android SDK returns it."""
        return request.id is not None and request.id == self._last_ping

    async def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Send a request whose acknowledgement nobody waits for: most clients never acknowledge."""
        await self._send(Request(method, dict(params), self._next_id(), self._voice_sdk_id))

    async def send_raw(self, text: str | bytes) -> None:
        """Send something that is no frame."""
        self._context.monitor.frame_passed(self.user_name, self.sessid, text, sent=True)
        await self._write(text)

    def may_pass_on(self, message: Mapping[str, Any], most: int) -> bool:
        """Whether a message that others are to get takes no more than `most` bytes; if not, it is counted."""
        fits = memory_size(message) <= most
        self._context.counters.refused_messages += not fits
        return fits

    # Frames

    async def _receive(self, text: str | bytes) -> None:
        logger.debug("%s > %s", self.user_name, Redacted(text))
        self._context.monitor.frame_passed(self.user_name, self.sessid, text, sent=False)
        if isinstance(text, str) and text.startswith(SPEED_TEST):
            if self.user is not None:
                await self._speed_test.take(text)
            return
        try:
            if has_too_many_values(text, self._context.limits.frame_values):
                raise MalformedFrameError("too many values")
            frame = parse(text)
        except MalformedFrameError as error:
            self._context.counters.malformed_frames += 1
            logger.warning("a frame of %s was not understood: %s", self.user_name or "nobody", error)
            await self._send(Error(error.id, INVALID_REQUEST, "Invalid Request", self._voice_sdk_id))
            return
        if isinstance(frame, Request):
            await self._handle(frame)
        # Anything else is an acknowledgement: some clients send them, nobody waits for them.

    async def _handle(self, request: Request) -> None:
        try:
            result = await self._handler_of(request)(self, request)
        except LoginRefused as refusal:
            self._context.failed_logins.failed(request.params.get("login"), self.address)
            await self._refuse(request, refusal.code, str(refusal))
            await self._count_failed_login()
        except RequestRefused as refusal:
            await self._refuse(request, refusal.code, str(refusal))
        except Exception:
            # Whatever a client sends, the others are served on.
            self._context.counters.handler_failures += 1
            logger.exception("the request %.64s of %s failed", request.method, self.user_name or "nobody")
            await self._refuse(request, INTERNAL_ERROR, "Internal error")
        else:
            if result is not None:
                await self.reply(request, result)

    def _handler_of(self, request: Request) -> Handler:
        if self.user is None and request.method not in OPEN_METHODS:
            raise RequestRefused(AUTHENTICATION_REQUIRED, "Authentication Required")
        handler = self._handlers.get(request.method)
        if handler is None:
            self._context.counters.unknown_methods += 1
            raise RequestRefused(METHOD_NOT_FOUND, "Invalid Method, Missing Method or Permission Denied")
        return handler

    async def _count_failed_login(self) -> None:
        self._context.counters.failed_logins += 1
        self._failed_logins += 1
        if self._failed_logins >= self._context.limits.failed_logins:
            await self.socket.close(POLICY_VIOLATION, "too many failed logins")

    async def _refuse(self, request: Request, code: int | None, message: str) -> None:
        logger.debug("refused %.64s of %s: %s", request.method, self.user_name or "nobody", message)
        if request.id is not None and code is None:
            await self.send_raw(json.dumps({"jsonrpc": "2.0", "id": request.id, "error": {"message": message}}))
        elif request.id is not None and code is not None:
            await self._send(Error(request.id, code, message, self._voice_sdk_id))

    async def _send(self, frame: Frame) -> None:
        text = frame.encode()
        logger.debug("%s < %s", self.user_name, Redacted(text))
        self._context.monitor.frame_passed(self.user_name, self.sessid, text, sent=True)
        copies = await self._context.faults.delay(self.user_name)
        for _ in range(0 if self.socket.frozen else copies):
            await self._write(text)

    async def _write(self, text: str | bytes) -> None:
        try:
            async with asyncio.timeout(self._context.limits.send_time):
                await self.socket.send(text)
        except TimeoutError:
            logger.warning("the client of %s takes no data: its socket is aborted", self.user_name or "nobody")
            self.socket.abort()
        except ConnectionClosed:
            pass  # `serve` notices too, and ends the calls

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    # What runs beside the frames

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(self._context.limits.ping_interval)
            if self.user is not None:
                self._last_ping = self._next_id()
                params = {"serno": int(time.time())}
                await self._send(Request("telnyx_rtc.ping", params, self._last_ping, self._voice_sdk_id))

    async def _expect_pongs(self) -> None:
        """Abort a socket whose client has gone without closing it."""
        limits = self._context.limits
        try:
            while True:
                await asyncio.sleep(limits.ping_interval)
                if self.socket.frozen:
                    continue
                with suppress(TimeoutError):
                    async with asyncio.timeout(limits.pong_time):
                        await (await self.socket.ping())
                        continue
                if not self.socket.frozen:
                    logger.warning("the client of %s is silent: its socket is aborted", self.user_name or "nobody")
                    self.socket.abort()
        except ConnectionClosed:
            pass  # `serve` notices too

    async def _expect_login(self) -> None:
        await asyncio.sleep(self._context.limits.login_time)
        if self.user is None:
            await self.socket.close(POLICY_VIOLATION, "no login")


Handler = Callable[[Connection, Request], Awaitable[Mapping[str, Any] | None]]
"""Answers a request: returns the result, or `None` when it has replied itself. Raises RequestRefused."""


class Connections:
    """The open connections of a gateway: in the order of their coming, and then of their logins."""

    def __init__(self, limits: GatewayLimits) -> None:
        self._limits = limits
        self._open: dict[Connection, None] = {}

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._open)

    @property
    def logged_in(self) -> list[Connection]:
        """Those on which somebody is logged in."""
        return [connection for connection in self._open if connection.user is not None]

    @property
    def phones(self) -> list[Connection]:
        """Those at which calls ring, the last to log in last; not those that only came to decline a call."""
        return [connection for connection in self.logged_in if connection.intent is not PushIntent.DECLINE]

    def add(self, connection: Connection) -> None:
        """Take in a connection, or move one that has logged in to the end."""
        self._open.pop(connection, None)
        self._open[connection] = None

    def remove(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        self._open.pop(connection, None)

    @property
    def full(self) -> bool:
        """Whether there are as many as there may be."""
        return len(self._open) >= self._limits.connections

    def make_room(self) -> bool:
        """Abort one that is overdue to log in; return whether there was one."""
        overdue = next((connection for connection in self._open if connection.is_overdue), None)
        if overdue is not None:
            self.remove(overdue)
            overdue.socket.abort()
        return overdue is not None

    def has_room_for(self, account: Account, connection: Connection, wanted_id: object) -> bool:
        """Whether an account may have one more connection; one of the same session makes room for it."""
        most = self._limits.connections_per_user if isinstance(account, User) else self._limits.guests
        others = (other for other in self.logged_in if other is not connection and other.account == account)
        return sum(other.sessid != wanted_id for other in others) < most

    def of_session(self, sessid: str, *, but: Connection) -> list[Connection]:
        """Return the other connections under a session id."""
        return [other for other in self._open if other is not but and other.sessid == sessid]


@dataclass(frozen=True)
class Redacted:
    """A frame for the log; it is redacted when, and only if, it is logged."""

    frame: str | bytes

    def __str__(self) -> str:
        return redact(self.frame[:LONGEST_LOGGED])


_BLOCK = "#SPB " + "." * 1024

MOST_BYTES = 10_000_000
"""Bytes sent in one test at most."""


class SpeedTest:
    """The speed test of Telnyx's JavaScript SDK: text frames that are no JSON (FreeSWITCH mod_verto).

    The client says `#SPU bytes`, sends that much in `#SPB` frames, then `#SPE`. It gets `#SPUms`, as much again, and
    `#SPDms`.

    Args:
        send: Sends a text to the client.
        pause: Waits as long as the client's rate limit asks for; what is sent to it counts as what it sends.
    """

    def __init__(self, send: Callable[[str], Awaitable[None]], pause: Callable[[], Awaitable[object]]) -> None:
        self._send = send
        self._pause = pause
        self._size = 0
        self._begun: float | None = None

    async def take(self, text: str) -> None:
        """Take a frame of the client; those that make no sense are ignored."""
        kind, size = text[3:4], text[4:20].strip()
        if kind == "U" and size.isascii() and size.isdigit():
            self._size, self._begun = min(int(size), MOST_BYTES), time.monotonic()
        elif kind == "E" and self._begun is not None:
            begun, self._begun = self._begun, None
            await self._send(f"#SPU{_milliseconds_since(begun)}")
            begun = time.monotonic()
            for _ in range(0, self._size, 1024):
                await self._pause()
                await self._send(_BLOCK)
            await self._send(f"#SPD{_milliseconds_since(begun)}")


def _milliseconds_since(begun: float) -> int:
    return max(1, round((time.monotonic() - begun) * 1000))
