"""One client's socket: frames in and out, the login, and the legs of its calls."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from websockets.exceptions import ConnectionClosed

from telnyx_native.errors import (
    AUTHENTICATION_REQUIRED,
    INVALID_REQUEST,
    SESSION_ERROR,
    MalformedFrameError,
    MediaError,
)
from telnyx_native.gateway.accounts.push import PushIntent
from telnyx_native.gateway.calls.call_info import call_id_of
from telnyx_native.gateway.calls.callee_leg import CalleeLeg
from telnyx_native.gateway.calls.caller_leg import CallerLeg
from telnyx_native.gateway.calls.leg import LegState
from telnyx_native.gateway.limits import Pace, footprint, looks_convoluted
from telnyx_native.gateway.refusal import INTERNAL_ERROR, METHOD_NOT_FOUND, LoginRefused, RequestRefused
from telnyx_native.gateway.speed_test import SPEED_TEST, SpeedTest
from telnyx_native.logs import redact
from telnyx_native.signaling.envelope import Error, Frame, Request, Result, parse
from telnyx_native.states import HangupCause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telnyx_native.gateway.accounts.failed_logins import Guesses
    from telnyx_native.gateway.accounts.push import PushService
    from telnyx_native.gateway.accounts.users import Directory, Guest, User
    from telnyx_native.gateway.calls.call_info import Dialog
    from telnyx_native.gateway.calls.leg import Leg
    from telnyx_native.gateway.calls.media import LegMedia
    from telnyx_native.gateway.calls.parked_calls import ParkedCalls
    from telnyx_native.gateway.calls.reports import CallReports
    from telnyx_native.gateway.destinations.assistant import Brain
    from telnyx_native.gateway.faults.faults import Faults
    from telnyx_native.gateway.limits import Counters, Limits
    from telnyx_native.gateway.monitor import Monitor
    from telnyx_native.gateway.web.socket import Door

__all__ = ["Handler", "Host", "Session"]

logger = logging.getLogger(__name__)

POLICY_VIOLATION = 1008
"""WebSocket close code (RFC 6455)."""

LONGEST_LOGGED = 16_384
"""Characters of a frame in the log."""

LOGIN_MESSAGES_PER_SECOND = 20.0
"""Frames of a socket that has not logged in."""

TIME_TO_LOG_IN = 2.0
"""Seconds after which a socket that has not logged in makes room for others when the gateway is full."""

KIB = 1024

LARGE = 16 * KIB
"""Bytes of a message that is larger than what calls need; guests send those at a pace that they have in common."""

REGISTRATION_TIME = 2.0
"""Seconds within which a client that has logged in asks for its registration."""

OPEN_METHODS = frozenset({"login", "anonymous_login"})
"""What a client may ask for before it has logged in (FreeSWITCH mod_verto)."""


class Host(Protocol):
    """What a session needs of the gateway it belongs to."""

    @property
    def directory(self) -> Directory:
        """Who may log in."""

    @property
    def guesses(self) -> Guesses:
        """Who remembers the logins that failed."""

    @property
    def assistants(self) -> Mapping[str, Brain]:
        """Whom guests may call."""

    @property
    def calls(self) -> Sequence[Leg]:
        """All legs that are going on, of every session."""

    @property
    def limits(self) -> Limits:
        """What bounds the session."""

    @property
    def counters(self) -> Counters:
        """Where the session counts."""

    @property
    def faults(self) -> Faults:
        """What goes wrong on purpose."""

    @property
    def monitor(self) -> Monitor:
        """Who is told what passes."""

    @property
    def call_reports(self) -> CallReports:
        """Where its client may send reports."""

    @property
    def push(self) -> PushService:
        """Who announces calls to the client's device."""

    @property
    def parked(self) -> ParkedCalls:
        """The calls that were announced."""

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What answers each method."""

    def has_room_for(self, session: Session, account: object, wanted_id: object) -> bool:
        """Whether an account may have one more socket; one of the same session makes room for it."""

    def admit(self, session: Session, wanted_id: object) -> list[Leg]:
        """Take in a session that has logged in, under the session id that it wants if it can have that.

        Return the calls of an earlier socket of the same client, which are to be brought back to this one.
        """

    def pace_of(self, account: object) -> Pace:
        """Return how fast the sockets of an account may send, together."""

    def setups_of(self, account: object) -> Pace:
        """Return how fast an account may ask for audio paths."""

    def new_media(self, user: str) -> LegMedia:
        """Make the audio of a call with a user."""

    def connect(self, leg: CallerLeg) -> None:
        """Lead a call to where it wants to go."""

    async def keep(self, session: Session) -> None:
        """Keep the answered calls of a session whose socket is gone, for when it comes back; end the others."""


class Session:
    """One socket and whoever is logged in on it.

    Frames are handled one after the other, so answers leave in the order of the requests.

    Attributes:
        sessid: The id under which the client knows the session.
        user: Who is logged in; `None` before that.
        guest: What a guest may reach; `None` for users.
        intent: What the client wants with the calls that wait for it.
        legs: The calls of the session, by call id in lower case.
    """

    def __init__(self, socket: Door, host: Host) -> None:
        self.sessid = str(uuid4())
        self.user: User | None = None
        self.guest: Guest | None = None
        self.intent = PushIntent.NONE
        self.legs: dict[str, Leg] = {}
        self.host = host
        self._socket = socket
        self._voice_sdk_id = f"VSDK1{secrets.token_urlsafe(24)}"
        self._last_id = 0
        self._last_ping: int | None = None
        self._returned: list[Leg] = []  # whose audio has not been offered anew yet
        self._chores: set[asyncio.Task[None]] = set()
        self._speed_test = SpeedTest(self._write, lambda: self._bulk.keep())
        self._failed_logins = 0
        self._begun = time.monotonic()
        self._pace = self._bulk = Pace(min(LOGIN_MESSAGES_PER_SECOND, host.limits.messages_per_second))

    def __repr__(self) -> str:
        return f"<Session {self.sessid} of {self.user_name or 'nobody'}, {len(self.legs)} calls>"

    @property
    def user_name(self) -> str:
        """Who is logged in; empty before that."""
        return self.user.name if self.user else ""

    @property
    def account(self) -> object:
        """On whose behalf the client is here: a user, or whoever came for an assistant."""
        return self.guest.assistant if self.guest else self.user

    @property
    def dawdles(self) -> bool:
        """Whether the client has not logged in, although it had the time: it makes room for others then."""
        return self.user is None and time.monotonic() - self._begun > TIME_TO_LOG_IN

    @property
    def address(self) -> str:
        """Where the client is."""
        remote = self._socket.remote_address
        return str(remote[0]) if remote else ""

    @property
    def connection(self) -> Door:
        """The socket itself."""
        return self._socket

    def log_in(self, user: User, guest: Guest | None = None) -> None:
        """Take the client for a user, or a guest, from now on; it may send longer messages, and more of them."""
        self.user, self.guest = user, guest
        self._bulk = self.host.pace_of(self.account)
        self._pace = Pace(self.host.limits.guest_messages_per_second) if guest else self._bulk
        self._socket.take_messages_up_to(self.host.limits.frame_size)

    async def run(self) -> None:
        """Serve the client until its socket closes; afterwards its calls wait for it, as the gateway sees fit."""
        for work in (self._keep_alive(), self._expect_pongs(), self._expect_login()):
            self._run(work)
        try:
            async for frame in self._socket:
                pace = self._bulk if len(frame) > LARGE else self._pace
                self.host.counters.slowed_messages += await pace.keep(1 + len(frame) // KIB)
                await self._receive(frame)
        except ConnectionClosed as closed:
            logger.debug("the socket of %s broke: %s", self.user_name or "nobody", closed)
        finally:
            chores = list(self._chores)
            for chore in chores:
                chore.cancel()
            await asyncio.gather(*chores, return_exceptions=True)
            await self.host.keep(self)

    def _run(self, chore: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the socket, which ends `run`."""
        await self._socket.close(code, reason)

    def displace(self) -> None:
        """Send the client away, because it has come back on another socket; does not wait for it."""
        self._run(self._punt())

    async def _punt(self) -> None:
        await self.notify("telnyx_rtc.punt", {})
        await self.close()

    # The answers to requests

    async def reply(self, request: Request, result: Mapping[str, Any]) -> None:
        """Answer a request well; a notification gets no answer."""
        if request.id is not None:
            await self._send(Result(request.id, dict(result), self._voice_sdk_id))

    def is_ping_echo(self, request: Request) -> bool:
        """Whether the request is our own ping coming back, as the Telnyx Android SDK returns it."""
        return request.id is not None and request.id == self._last_ping

    # Requests of our own

    async def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Send a request whose acknowledgement nobody waits for: most clients never acknowledge."""
        await self._send(Request(method, dict(params), self._next_id(), self._voice_sdk_id))

    async def send_raw(self, text: str | bytes) -> None:
        """Send something that is no frame."""
        self.host.monitor.frame_passed(self, text, sent=True)
        await self._write(text)

    # Legs

    def leg_of(self, params: Mapping[str, Any]) -> Leg:
        """Return the leg that a request is about.

        Raises:
            RequestRefused: There is none.
        """
        leg = self.legs.get(call_id_of(params).lower())
        if leg is None:
            raise RequestRefused(SESSION_ERROR, "CALL DOES NOT EXIST")
        return leg

    def open_caller_leg(self, dialog: Dialog, offer: str) -> CallerLeg:
        """Begin a call that the client places.

        Raises:
            RequestRefused: The session has too many calls, or this one already.
        """
        self.check_room(dialog.call_id, CallerLeg)
        leg = CallerLeg(self, dialog, self.host.new_media(self.user_name), self._forget, offer=offer)
        self._remember(leg)
        return leg

    def open_callee_leg(self, dialog: Dialog) -> CalleeLeg:
        """Begin a call to the client.

        Raises:
            RequestRefused: The session has too many calls.
        """
        self.check_room(dialog.call_id, CalleeLeg)
        leg = CalleeLeg(self, dialog, self.host.new_media(self.user_name), self._forget)
        self._remember(leg)
        return leg

    def take_back(self, legs: Sequence[Leg]) -> None:
        """Go on with calls of an earlier socket of the same client.

        Their audio is offered anew when the client has been told that it is registered: before that, Telnyx's React
        Native SDK does not listen. Who does not ask gets it a little later.
        """
        for leg in legs:
            self.legs[leg.call_id.lower()] = leg
            leg.adopt(self, self._forget)
        if legs:
            self._returned += legs
            self._run(self._expect_registration())

    async def registered(self) -> None:
        """Send what waits for a client that has been told that it is registered."""
        await self._offer_returned()
        if self.intent is PushIntent.TAKE:
            await self.take_parked()

    async def _offer_returned(self) -> None:
        returned, self._returned = self._returned, []
        for leg in returned:
            if leg.reason is not None or leg.call_id.lower() not in self.legs:
                continue
            try:
                await leg.move_media()
            except MediaError as error:
                if self.legs.get(leg.call_id.lower()) is not leg:
                    continue  # meanwhile the client has come back once more: the call is that socket's
                logger.warning("a call of %s cannot be brought back: %s", self.user_name, error)
                await leg.hang_up(HangupCause.RECOVERY_ON_TIMER_EXPIRE)

    async def take_parked(self) -> None:
        """Let the calls ring that were announced to the client's device."""
        for leg in self.host.parked.take(self.user_name, self._wanted_instance()):
            try:
                self.check_room(leg.call_id, CalleeLeg)
                self.legs[leg.call_id.lower()] = leg
                await leg.deliver(self, self._forget)
            except (RequestRefused, MediaError) as error:
                logger.warning("a call to %s does not ring: %s", self.user_name, error)
                await leg.hang_up(HangupCause.NORMAL_TEMPORARY_FAILURE)

    async def decline_parked(self) -> None:
        """End the calls that were announced to the client's device: its user does not want them."""
        for leg in self.host.parked.take(self.user_name, self._wanted_instance()):
            await leg.hang_up(HangupCause.USER_BUSY)

    def _wanted_instance(self) -> str | None:
        """Which server the client has asked for; push notifications name one."""
        request = self._socket.request
        query = parse_qs(urlsplit(request.path).query) if request is not None else {}
        return query.get("voice_sdk_id", [None])[0]

    def give_away_legs(self) -> list[Leg]:
        """Return the answered calls, which are of another socket from now on."""
        given = [leg for leg in self.legs.values() if leg.state.value is LegState.ANSWERED]
        for leg in given:
            self._forget(leg)
        return given

    def check_room(self, call_id: str, kind: type[Leg]) -> None:
        """Raise RequestRefused when the client has this call already, or as many of the kind as it may have.

        Calls that it places and calls that it gets are counted apart: nobody is kept from calling by being called.
        """
        if call_id.lower() in self.legs:
            raise RequestRefused(SESSION_ERROR, "CALL ALREADY EXISTS")
        limits, calls = self.host.limits, self.host.calls
        own = sum(isinstance(leg, kind) and leg.account == self.account for leg in calls)
        here = sum(isinstance(leg, kind) for leg in self.legs.values())
        of_socket, of_account = (
            (limits.calls_per_guest, limits.guest_calls)
            if self.guest
            else (limits.calls_per_session, limits.calls_per_user)
        )
        if here >= of_socket or own >= of_account or len(calls) >= limits.calls:
            self.host.counters.refused_calls += 1
            raise RequestRefused(SESSION_ERROR, "TOO MANY CALLS")

    def _remember(self, leg: Leg) -> None:
        self.legs[leg.call_id.lower()] = leg
        self.host.counters.calls += 1
        self.host.monitor.follow(leg)
        logger.info("%s calls %s", leg.dialog.caller.number, leg.dialog.callee.number)

    def _forget(self, leg: Leg) -> None:
        self.legs.pop(leg.call_id.lower(), None)

    def is_bearable(self, words: Mapping[str, Any], most: int) -> bool:
        """Whether words that others are to get take no more than `most` bytes; if not, it is counted."""
        bearable = footprint(words) <= most
        self.host.counters.refused_messages += not bearable
        return bearable

    # The wire

    async def _receive(self, text: str | bytes) -> None:
        logger.debug("%s > %s", self.user_name, Redacted(text))
        self.host.monitor.frame_passed(self, text, sent=False)
        if isinstance(text, str) and text.startswith(SPEED_TEST):
            if self.user is not None:
                await self._speed_test.take(text)
            return
        try:
            if looks_convoluted(text, self.host.limits.frame_values):
                raise MalformedFrameError("too many values")
            frame = parse(text)
        except MalformedFrameError as error:
            self.host.counters.malformed_frames += 1
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
            self.host.guesses.failed(request.params.get("login"), self.address)
            await self._refuse(request, refusal.code, str(refusal))
            await self._count_failed_login()
        except RequestRefused as refusal:
            await self._refuse(request, refusal.code, str(refusal))
        except Exception:
            # Whatever a client sends, the others are served on.
            self.host.counters.handler_failures += 1
            logger.exception("the request %.64s of %s failed", request.method, self.user_name or "nobody")
            await self._refuse(request, INTERNAL_ERROR, "Internal error")
        else:
            if result is not None:
                await self.reply(request, result)

    async def _count_failed_login(self) -> None:
        self.host.counters.failed_logins += 1
        self._failed_logins += 1
        if self._failed_logins >= self.host.limits.failed_logins:
            await self.close(POLICY_VIOLATION, "too many failed logins")

    def _handler_of(self, request: Request) -> Handler:
        if self.user is None and request.method not in OPEN_METHODS:
            raise RequestRefused(AUTHENTICATION_REQUIRED, "Authentication Required")
        handler = self.host.handlers.get(request.method)
        if handler is None:
            self.host.counters.unknown_methods += 1
            raise RequestRefused(METHOD_NOT_FOUND, "Invalid Method, Missing Method or Permission Denied")
        return handler

    async def _refuse(self, request: Request, code: int | None, message: str) -> None:
        logger.debug("refused %.64s of %s: %s", request.method, self.user_name or "nobody", message)
        if request.id is not None and code is None:
            await self.send_raw(json.dumps({"jsonrpc": "2.0", "id": request.id, "error": {"message": message}}))
        elif request.id is not None and code is not None:
            await self._send(Error(request.id, code, message, self._voice_sdk_id))

    async def _send(self, frame: Frame) -> None:
        text = frame.encode()
        logger.debug("%s < %s", self.user_name, Redacted(text))
        self.host.monitor.frame_passed(self, text, sent=True)
        for _ in range(await self.host.faults.hold_up(self)):
            await self._write(text)

    async def _write(self, text: str | bytes) -> None:
        try:
            async with asyncio.timeout(self.host.limits.send_time):
                await self._socket.send(text)
        except TimeoutError:
            logger.warning("the client of %s takes no data: its socket is cut", self.user_name or "nobody")
            self._socket.abort()
        except ConnectionClosed:
            pass  # `run` notices too, and ends the calls

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    # What runs beside the frames

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(self.host.limits.ping_interval)
            if self.user is not None:
                self._last_ping = self._next_id()
                params = {"serno": int(time.time())}
                await self._send(Request("telnyx_rtc.ping", params, self._last_ping, self._voice_sdk_id))

    async def _expect_pongs(self) -> None:
        """Cut a socket whose other end is gone without a word."""
        limits = self.host.limits
        try:
            while True:
                await asyncio.sleep(limits.ping_interval)
                if self._socket.frozen:
                    continue
                with suppress(TimeoutError):
                    async with asyncio.timeout(limits.pong_time):
                        await (await self._socket.ping())
                        continue
                if not self._socket.frozen:
                    logger.warning("the client of %s is silent: its socket is cut", self.user_name or "nobody")
                    self._socket.abort()
        except ConnectionClosed:
            pass  # `run` notices too

    async def _expect_registration(self) -> None:
        await asyncio.sleep(REGISTRATION_TIME)
        await self._offer_returned()

    async def _expect_login(self) -> None:
        await asyncio.sleep(self.host.limits.login_time)
        if self.user is None:
            await self.close(POLICY_VIOLATION, "no login")


Handler = Callable[[Session, Request], Awaitable[Mapping[str, Any] | None]]
"""Answers a request: returns the result, or `None` when it has replied itself. Raises RequestRefused."""


class Redacted:
    """A frame for the log; it is redacted when, and only if, it is logged."""

    def __init__(self, frame: str | bytes) -> None:
        self._frame = frame

    def __str__(self) -> str:
        return redact(self._frame[:LONGEST_LOGGED])
