"""A client's standing with its server, across connections: connected, logged in, registered."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from telnyx_native.codes import ErrorCode
from telnyx_native.errors import (
    AUTHENTICATION_FAILED,
    AUTHENTICATION_REQUIRED,
    AuthenticationError,
    GatewayRegistrationError,
    RequestError,
    RequestTimeoutError,
    ServerUnavailableError,
    SocketConnectionError,
)
from telnyx_native.events import ClientReadyResponse, GatewayStateResponse, ReceivedResult, SocketMethod
from telnyx_native.flow import SharedFlow, StateFlow
from telnyx_native.home_loop import HomeLoop
from telnyx_native.signaling.health import HealthMonitor
from telnyx_native.signaling.incoming import parse_gateway_state, parse_request, parse_session_id
from telnyx_native.signaling.login_timings import LoginTimings
from telnyx_native.signaling.messages import GatewayStateQuery, Message
from telnyx_native.signaling.ping_metrics import PingHistory
from telnyx_native.signaling.registration import Registration
from telnyx_native.signaling.socket import TxSocket
from telnyx_native.states import ConnectionStatus

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from telnyx_native.config import Limits, Timeouts, TxServerConfiguration
    from telnyx_native.logs import Log
    from telnyx_native.signaling.envelope import Request
    from telnyx_native.signaling.logins import Login

__all__ = ["Session", "SessionListener"]

SESSION_LIFETIME = 90.0
"""Seconds after a lost connection for which the server knows the session (Telnyx JS SDK)."""

FINAL_CODES = (AUTHENTICATION_REQUIRED, AUTHENTICATION_FAILED)
"""With these a server refuses a login for good; any other error may pass, as that of a server that starts."""

_FAILURES = {
    SocketMethod.INVITE: ErrorCode.SDP_SEND_FAILED,
    SocketMethod.ANSWER: ErrorCode.SDP_SEND_FAILED,
    SocketMethod.BYE: ErrorCode.BYE_SEND_FAILED,
}
"""What it is called in the table of errors that a request of this kind failed."""


class SessionListener(Protocol):
    """Who hears what concerns calls and applications."""

    def on_message(self, method: str, result: ReceivedResult | None) -> bool:
        """Take a message of the server; return whether it concerns something known here."""

    def on_lost(self, error: SocketConnectionError) -> bool:
        """The connection ended, and nobody here asked for it; return whether it will be made again."""

    def on_set_back(self) -> None:
        """A connection was cut on the way to a registration; another one will be made."""

    def on_punt(self) -> None:
        """The server gave the session to another connection; this one is over."""

    def on_login_lost(self) -> None:
        """The connection stands, but the server does not know any more who is logged in."""


class Session:
    """The connection to a server and what is remembered between connections.

    Args:
        timeouts: How long each step may take.
        limits: How often it is tried.
        listener: Who hears of it.

    Attributes:
        status: How far the client is with its server.
        session_id: The server's id of the latest login.
        timings: When the latest connection reached which step.
        messages: What the server sends, as it comes.
        pings: How regularly the server's pings come.
        call_report_id: Under which reports of calls may be posted, if they may.
        kept_calls: The calls that the server kept for the latest login, by call id; `None` if it did not say.
    """

    def __init__(self, timeouts: Timeouts, limits: Limits, listener: SessionListener) -> None:
        self._timeouts = timeouts
        self._limits = limits
        self._listener = listener
        self._home = HomeLoop("the client")
        self._socket: TxSocket | None = None
        self._voice_sdk_id: str | None = None
        self._registration: Registration | None = None
        self._attempt: asyncio.Event | None = None  # set when it is given up
        self._account: str | None = None
        self._lost_at: float | None = None
        self._health: HealthMonitor | None = None
        self._watching: asyncio.Task[None] | None = None
        self.kept_calls: tuple[str, ...] | None = None
        self.call_report_id: str | None = None
        self.timings = LoginTimings()
        self.pings = PingHistory()
        self.messages: SharedFlow[str] = SharedFlow()
        self.status: StateFlow[ConnectionStatus] = StateFlow(ConnectionStatus.DISCONNECTED)
        self.session_id = ""

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, or one is being made."""
        return self._socket is not None or self._attempt is not None

    @property
    def ends(self) -> tuple[str, tuple[str, int]] | None:
        """The address here, and address and port there, of the connection; `None` without one."""
        return (self._socket.local_address, self._socket.remote_address) if self._socket else None

    async def open(
        self,
        server: TxServerConfiguration,
        log: Log,
        *,
        fallback: TxServerConfiguration | None = None,
        instance: Mapping[str, str] | None = None,
        patience: float | None = None,
    ) -> TxServerConfiguration:
        """Connect to `server`; return the one that was reached.

        Args:
            server: Where to.
            log: Where the messages are logged, redacted.
            fallback: Where to if `server` cannot be reached.
            instance: What leads to a certain instance of the server, as parameters of the address.
            patience: Seconds that it may take, if not as long as usual.

        Raises:
            SocketConnectionError: It cannot be reached.
        """
        self._home.enter()
        self._attempt = attempt = asyncio.Event()
        self.timings = LoginTimings()
        try:
            try:
                socket = await self._reach(server, log, instance, patience)
            except SocketConnectionError as error:
                if fallback is None or attempt.is_set():
                    raise
                log.warning(f"{error}; trying {fallback.url} instead")
                server = fallback
                socket = await self._reach(server, log, instance, patience)
            if attempt.is_set():
                await socket.close()
                raise SocketConnectionError(f"the connection to {server.url} was given up while it was being made")
            self._socket = socket
        finally:
            self._end_attempt(attempt)
        self.timings.mark("socket_open")
        self.pings.begin()
        self.status.set(ConnectionStatus.CONNECTED)
        return server

    async def login(self, login: Login) -> GatewayStateResponse:
        """Log in and wait until the SIP registration stands.

        Who logs in again, be it on the same connection or soon after one was lost, gets the same session.

        Raises:
            AuthenticationError: The server refused the login.
            ServerUnavailableError: The server cannot take a login now.
            GatewayRegistrationError: The registration failed or took too long.
            RequestTimeoutError: The server did not answer.
            SocketConnectionError: The connection ended first.
        """
        if self._registration is not None:
            raise SocketConnectionError("a login is going on already; wait for it")
        self._registration = Registration(
            self._query_gateway,
            ready_timeout=self._timeouts.login,
            interval=self._timeouts.gateway_poll,
            polls=self._limits.gateway_polls,
        )
        try:
            await self._authenticate(login)
            state = await self._registration.complete()
        except GatewayRegistrationError:
            self.forget_instance()
            raise
        finally:
            self._registration = None
        self.timings.mark("registered")
        self.session_id = state.sessid or self.session_id
        self.call_report_id = state.call_report_id or self.call_report_id
        self._watch_health()
        self.status.set(ConnectionStatus.CLIENT_READY)
        return state

    async def pause(self, seconds: float) -> None:
        """Wait between two attempts to connect.

        Raises:
            SocketConnectionError: They were given up meanwhile.
        """
        self._attempt = attempt = asyncio.Event()
        try:
            async with asyncio.timeout(seconds):
                await attempt.wait()
        except TimeoutError:
            return
        finally:
            self._end_attempt(attempt)
        raise SocketConnectionError("the connection was given up before another attempt")

    async def request(self, message: Message, *, timeout: float | None = None) -> dict[str, Any]:
        """Send a request and return its result; see `TxSocket.request`."""
        socket = self._require_socket(message)
        try:
            return await socket.request(message, timeout=timeout or self._timeouts.request)
        except (RequestError, RequestTimeoutError) as error:
            if isinstance(error, RequestTimeoutError):
                self.suspect()
            error.kind = error.kind or _FAILURES.get(message.method)
            raise

    async def tell(self, message: Message) -> None:
        """Send a request whose answer nobody waits for; see `TxSocket.tell`."""
        await self._sent(message, self._require_socket(message).tell(message))

    async def notify(self, message: Message) -> None:
        """Send a notification; see `TxSocket.notify`."""
        await self._sent(message, self._require_socket(message).notify(message))

    async def close(self) -> None:
        """Close the connection, or give up making it; whoever waits on it is told."""
        if self._attempt is not None:
            self._attempt.set()
            self._attempt = None
        self._account = None  # who leaves on purpose ends the session
        self._fail_registration(SocketConnectionError("the connection was closed here"))
        socket = self._leave_socket()
        self.status.set(ConnectionStatus.DISCONNECTED)
        if socket is not None:
            await socket.close()

    def suspect(self) -> None:
        """Find out whether the connection is still alive: something happened that its death would explain."""
        if self._health is not None:
            self._health.suspect()

    def break_off(self, error: SocketConnectionError) -> None:
        """Cut the connection, which is of no use any more; the listener hears of it as of any loss."""
        if self._socket is not None:
            self._socket.break_off(error)

    def set_back(self) -> None:
        """Cut a connection on which the session could not be taken up again; the next attempt makes another."""
        socket = self._leave_socket()
        if socket is not None:
            socket.discard()
            self._listener.on_set_back()
        self.status.set(ConnectionStatus.RECONNECTING)

    def forget_instance(self) -> None:
        """Let the next attempt land on another server instance, which may be healthier."""
        self._voice_sdk_id = None
        if self._socket is not None:
            self._socket.voice_sdk_id = None

    def give_up(self) -> None:
        """Make no more attempts: the session is over."""
        self._account = None
        socket = self._leave_socket()
        if socket is not None:
            socket.discard()
        self.status.set(ConnectionStatus.DISCONNECTED)

    @property
    def voice_sdk_id(self) -> str | None:
        """The server instance that owns the session, if it is known."""
        return self._socket.voice_sdk_id if self._socket else self._voice_sdk_id

    def on_frame(self, frame: str | bytes) -> None:
        """Hand on a frame, if anybody collects them."""
        if self.messages.collected:
            self.messages.emit(frame if isinstance(frame, str) else frame.decode(errors="replace"))

    def on_ping(self) -> bool:
        """Note that the server is there. Before the login it would take no answer."""
        self.pings.note()
        return self.timings.logged_in is not None

    def on_login_required(self) -> None:
        """Tell the listener, unless somebody is logging in just now."""
        if self._registration is None and self.status.value is ConnectionStatus.CLIENT_READY:
            self._listener.on_login_lost()

    def on_request(self, request: Request) -> bool:
        """Sort a request of the server: registration stays here, the rest goes to the listener."""
        result = parse_request(request)
        if isinstance(result, ClientReadyResponse):
            self.kept_calls = result.reattached_sessions
        if isinstance(result, ClientReadyResponse | GatewayStateResponse) and self._registration:
            self._registration.hear(result)
            return True
        if request.method == SocketMethod.PUNT.value:
            self._fail_registration(SocketConnectionError("the server gave the session to another connection"))
            self.give_up()
            self._listener.on_punt()
            return True
        return self._listener.on_message(request.method, result)

    def on_lost(self, error: SocketConnectionError) -> None:
        """Give up the connection, whoever waits on it, and tell the listener."""
        if self._lost_at is None:
            self._lost_at = monotonic()
        self._fail_registration(error)
        self._leave_socket()
        recovering = self._listener.on_lost(error)
        self.status.set(ConnectionStatus.RECONNECTING if recovering else ConnectionStatus.DISCONNECTED)

    async def _reach(
        self, server: TxServerConfiguration, log: Log, instance: Mapping[str, str] | None, patience: float | None
    ) -> TxSocket:
        return await TxSocket.open(
            server.url,
            self,
            log=log,
            timeout=min(patience or self._timeouts.connect, self._timeouts.connect),
            close_timeout=self._timeouts.close,
            proxy=not server.is_local,
            ssl_context=server.ssl_context,
            voice_sdk_id=self._voice_sdk_id,
            instance=instance,
        )

    async def _sent(self, message: Message, sending: Coroutine[Any, Any, None]) -> None:
        limit = self._timeouts.request
        try:
            async with asyncio.timeout(limit):
                await sending
        except TimeoutError:
            raise RequestTimeoutError(f"the server took no {message.method.value} within {limit:g} s") from None

    def _require_socket(self, message: Message) -> TxSocket:
        self._home.enter()
        if self._socket is None:
            raise SocketConnectionError(f"not connected, so {message.method.value} cannot be sent; connect first")
        return self._socket

    def _end_attempt(self, attempt: asyncio.Event) -> None:
        if self._attempt is attempt:
            self._attempt = None

    def _fail_registration(self, error: SocketConnectionError) -> None:
        if self._registration is not None:
            self._registration.hear(SocketConnectionError(f"{error}, during registration"))

    def _leave_socket(self) -> TxSocket | None:
        socket, self._socket = self._socket, None
        self.pings.end()
        if socket is not None:
            self._voice_sdk_id = socket.voice_sdk_id
        if self._watching is not None:
            self._watching.cancel()
            self._health = self._watching = None
        return socket

    def _watch_health(self) -> None:
        if self._socket is not None and self._health is None:
            self._health = HealthMonitor(self._socket, self._timeouts)
            self._watching = asyncio.create_task(self._health.run(), name="telnyx-health")

    async def _authenticate(self, login: Login) -> None:
        sessid = self._session_of(login.account)
        known = sessid is not None or self._voice_sdk_id is not None
        login = replace(login, reconnection=known, sessid=sessid)
        try:
            result = await self.request(login, timeout=self._timeouts.login)
        except RequestError as error:
            if error.code not in FINAL_CODES:
                message = f"the server cannot take the login of {login.who} now: {error}; try again later"
                raise ServerUnavailableError(message, code=error.code) from None
            message = f"the server refused the login of {login.who}: {error}; {login.hint}"
            raise AuthenticationError(message, code=error.code) from None
        self.timings.mark("logged_in")
        self.session_id = parse_session_id(result) or ""
        self._account, self._lost_at = login.account, None

    def _session_of(self, account: str) -> str | None:
        """The session that a new login of `account` can take up again."""
        kept = self._lost_at is None or monotonic() - self._lost_at < SESSION_LIFETIME
        return self.session_id if kept and self._account == account else None

    async def _query_gateway(self) -> GatewayStateResponse:
        result = await self.request(GatewayStateQuery(), timeout=self._timeouts.gateway_poll)
        params = result.get("params")
        return parse_gateway_state(params if isinstance(params, dict) else {}, parse_session_id(result))
