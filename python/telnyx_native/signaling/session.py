"""A client's session with its server: one socket at a time, and what is kept from one socket to the next."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from telnyx_native.errors import (
    AUTHENTICATION_FAILED,
    AUTHENTICATION_REQUIRED,
    AuthenticationError,
    ErrorCode,
    RequestError,
    RequestTimeoutError,
    ServerUnavailableError,
    SocketConnectionError,
)
from telnyx_native.event_loop import OwnerLoop
from telnyx_native.events import SocketMethod
from telnyx_native.flow import SharedFlow
from telnyx_native.signaling.health import HealthMonitor, PingHistory
from telnyx_native.signaling.incoming import parse_gateway_state, parse_session_id
from telnyx_native.signaling.logins import LoginTimings
from telnyx_native.signaling.messages import GatewayStateQuery, Message
from telnyx_native.signaling.socket import TxSocket
from telnyx_native.states import GatewayState

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from telnyx_native.config import Timeouts, TxServerConfiguration
    from telnyx_native.events import GatewayStateResponse
    from telnyx_native.logs import Log
    from telnyx_native.signaling.logins import Login
    from telnyx_native.signaling.socket import TxSocketListener

__all__ = ["Session"]

SESSION_LIFETIME = 90.0
"""Seconds after a lost connection for which the server knows the session (Telnyx JS SDK)."""

FINAL_CODES = (AUTHENTICATION_REQUIRED, AUTHENTICATION_FAILED)
"""Codes with which a server refuses a login for good. Any other error may be temporary, as while a server starts."""

_FAILURES = {
    SocketMethod.INVITE: ErrorCode.SDP_SEND_FAILED,
    SocketMethod.ANSWER: ErrorCode.SDP_SEND_FAILED,
    SocketMethod.BYE: ErrorCode.BYE_SEND_FAILED,
}
"""The error code for a failed request, by its method."""


class Session:
    """Sends requests to the server, and remembers the session. It makes no decisions: `Connection` opens and ends it.

    Args:
        timeouts: How long each step may take.

    Attributes:
        session_id: The server's id of the latest login.
        timings: When the latest connection reached which step.
        messages: Every frame of the server.
        pings: How regular the server's pings are.
        call_report_id: The id for posting call reports; `None` if the server wants none.
        kept_calls: Ids of the calls that the server kept for the latest login; `None` if it did not say.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._home = OwnerLoop("the client")
        self._socket: TxSocket | None = None
        self._voice_sdk_id: str | None = None
        self._account: str | None = None
        self._lost_at: float | None = None
        self._health: HealthMonitor | None = None
        self._watching: asyncio.Task[None] | None = None
        self.kept_calls: tuple[str, ...] | None = None
        self.call_report_id: str | None = None
        self.timings = LoginTimings()
        self.pings = PingHistory()
        self.messages: SharedFlow[str] = SharedFlow()
        self.session_id = ""

    @property
    def addresses(self) -> tuple[str, tuple[str, int]] | None:
        """The local address, and the remote address and port; `None` without a connection."""
        return (self._socket.local_address, self._socket.remote_address) if self._socket else None

    @property
    def voice_sdk_id(self) -> str | None:
        """The server instance that owns the session, if it is known."""
        return self._socket.voice_sdk_id if self._socket else self._voice_sdk_id

    async def open(
        self,
        server: TxServerConfiguration,
        listener: TxSocketListener,
        log: Log,
        *,
        instance: Mapping[str, str] | None = None,
        limit: float | None = None,
    ) -> None:
        """Open a socket to `server`.

        Args:
            server: The server.
            listener: Receives the server's requests.
            log: Takes the messages, redacted.
            instance: Query parameters that select an instance of the server.
            limit: Seconds that it may take; `Timeouts.connect` by default.

        Raises:
            SocketConnectionError: It cannot be reached.
        """
        self._home.enter()
        self.timings = LoginTimings()
        self._socket = await TxSocket.open(
            server.url,
            listener,
            log=log,
            timeout=min(limit or self._timeouts.connect, self._timeouts.connect),
            close_timeout=self._timeouts.close,
            proxy=not server.is_local,
            ssl_context=server.ssl_context,
            voice_sdk_id=self._voice_sdk_id,
            instance=instance,
        )
        self.timings.mark("socket_open")
        self.pings.begin()

    async def log_in(self, login: Login) -> None:
        """Send a login. The same account resumes its session, on the same connection or soon after it was lost.

        Raises:
            AuthenticationError: The server refused the login.
            ServerUnavailableError: The server cannot take a login now.
            RequestTimeoutError: The server did not answer.
            SocketConnectionError: The connection ended first.
        """
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

    async def query_gateway(self) -> GatewayStateResponse:
        """Ask for the state of the SIP registration; raises as `request` does."""
        result = await self.request(GatewayStateQuery(), timeout=self._timeouts.gateway_poll)
        params = result.get("params")
        return parse_gateway_state(params if isinstance(params, dict) else {}, parse_session_id(result))

    def note_registration(self, state: GatewayStateResponse) -> None:
        """Remember the ids that come with a registration."""
        if state.state is GatewayState.REGED:
            self.session_id = state.sessid or self.session_id
            self.call_report_id = state.call_report_id or self.call_report_id

    async def request(self, message: Message, *, timeout: float | None = None) -> dict[str, Any]:
        """Send a request and return its result; see `TxSocket.request`."""
        socket = self._require_socket(message)
        try:
            return await socket.request(message, timeout=timeout or self._timeouts.request)
        except (RequestError, RequestTimeoutError) as error:
            if isinstance(error, RequestTimeoutError):
                self.probe()
            error.kind = error.kind or _FAILURES.get(message.method)
            raise

    async def tell(self, message: Message) -> None:
        """Send a request, and ignore its response; see `TxSocket.tell`."""
        await self._sent(message, self._require_socket(message).tell(message))

    async def notify(self, message: Message) -> None:
        """Send a notification; see `TxSocket.notify`."""
        await self._sent(message, self._require_socket(message).notify(message))

    def watch(self, on_dead: Callable[[SocketConnectionError], None]) -> None:
        """Call `on_dead` when the connection is open but dead. A client must be logged in."""
        if self._socket is not None and self._health is None:
            self._health = HealthMonitor(self._socket, self._timeouts, on_dead)
            self._watching = asyncio.create_task(self._health.run(), name="telnyx-health")

    def probe(self) -> None:
        """Check now whether the connection is alive."""
        if self._health is not None:
            self._health.probe()

    def abort(self, error: Exception) -> None:
        """Cut the connection at once; pending requests fail with `error`."""
        socket = self.detach()
        if socket is not None:
            self._lost_at = self._lost_at or monotonic()
            given_up = SocketConnectionError(f"the connection was given up: {error}")
            socket.abort(error if isinstance(error, SocketConnectionError) else given_up)

    def detach(self) -> TxSocket | None:
        """Continue without the socket, and return it so that it can be closed."""
        socket, self._socket = self._socket, None
        self.pings.end()
        if socket is not None:
            self._voice_sdk_id = socket.voice_sdk_id
        if self._watching is not None:
            self._watching.cancel()
            self._health = self._watching = None
        return socket

    def resume(self, session_id: str, account: str, voice_sdk_id: str | None) -> None:
        """Let the next login be of a session that another process began."""
        self.session_id, self._account, self._voice_sdk_id = session_id, account, voice_sdk_id
        self._lost_at = monotonic()

    @property
    def account(self) -> str | None:
        """The account of the session; `None` if there is none, or it is not to be resumed."""
        return self._account

    def forget(self) -> None:
        """The next login begins a new session."""
        self._account = None

    def forget_instance(self) -> None:
        """Let the next connection reach another instance of the server, which may be healthier."""
        self._voice_sdk_id = None
        if self._socket is not None:
            self._socket.voice_sdk_id = None

    def publish(self, frame: str | bytes) -> None:
        """Emit a frame in `messages`, if anybody collects them."""
        if self.messages.collected:
            self.messages.emit(frame if isinstance(frame, str) else frame.decode(errors="replace"))

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

    def _session_of(self, account: str) -> str | None:
        """The session that a login of `account` can resume."""
        kept = self._lost_at is None or monotonic() - self._lost_at < SESSION_LIFETIME
        return self.session_id if kept and self._account == account else None
