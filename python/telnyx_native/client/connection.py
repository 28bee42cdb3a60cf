"""A client's connection to its server: executes what the state machine decides (`signaling.machine`)."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from telnyx_native.client.context import Context
from telnyx_native.client.network_watch import NetworkWatch, source_address
from telnyx_native.config import CredentialConfig, TokenConfig, TxServerConfiguration, route
from telnyx_native.credentials import TokenWatch, is_new
from telnyx_native.errors import (
    ConfigurationError,
    ErrorCode,
    NetworkChangedError,
    RequestTimeoutError,
    SocketConnectionError,
    TelnyxError,
)
from telnyx_native.event_loop import OwnerLoop
from telnyx_native.events import (
    ClientReadyResponse,
    GatewayStateResponse,
    LoginResponse,
    ReceivedResult,
    SocketMethod,
    SocketStatus,
)
from telnyx_native.flow import StateFlow
from telnyx_native.push import PushedCall
from telnyx_native.signaling import machine_terms as terms
from telnyx_native.signaling.incoming import parse_request
from telnyx_native.signaling.logins import Purpose, login_of
from telnyx_native.signaling.machine import TABLE, Machine, Rules, State, step
from telnyx_native.signaling.messages import AttachCalls
from telnyx_native.signaling.session import Session
from telnyx_native.snapshot import SessionSnapshot
from telnyx_native.states import ConnectionStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from telnyx_native.call import Call
    from telnyx_native.config import TelnyxConfig, Timeouts
    from telnyx_native.push import PushMetaData
    from telnyx_native.signaling.envelope import Request
    from telnyx_native.signaling.socket import TxSocket
    from telnyx_native.states import CallNetworkChangeReason

__all__ = ["Connection", "ConnectionListener", "decline"]


class ConnectionListener:
    """Notified of what concerns calls. The base class has no calls, and does nothing."""

    @property
    def has_calls(self) -> bool:
        """Whether there are calls."""
        return False

    def on_message(self, method: str, result: ReceivedResult | None) -> bool:  # noqa: ARG002 - for those with calls
        """Handle a message of the server; return whether it concerns a known call."""
        return False

    def suspend(self, reason: CallNetworkChangeReason) -> None:
        """The connection is lost, and the client reconnects."""

    def drop(self, reason: CallNetworkChangeReason) -> None:
        """The connection is lost, and the client does not reconnect."""

    def restore(self) -> None:
        """The client is logged in again."""


class Connection:
    """Connects, logs in and reconnects: feeds events to the machine, and carries out its actions.

    Args:
        context: Timeouts, limits and the publisher.

    Attributes:
        session: The session with the server.
        status: The state, as applications see it.
        listener: Notified of what concerns calls.
        server: The server.
        config: The login; `None` before the first one succeeded.
        pushed: The call that a push notification announced, if there is one.
    """

    def __init__(self, context: Context) -> None:
        timeouts, limits = context.timeouts, context.limits
        self.session = Session(timeouts)
        self.status: StateFlow[ConnectionStatus] = StateFlow(ConnectionStatus.DISCONNECTED)
        self.listener = ConnectionListener()
        self.server = TxServerConfiguration()
        self.config: TelnyxConfig | None = None
        self.pushed: PushedCall[Call] | None = None
        self._publisher = context.publisher
        self._home = OwnerLoop("the client")
        seed = random.getrandbits(32)
        self._machine = Machine(
            Rules(timeouts.login, timeouts.gateway_poll, limits.gateway_polls, limits.registrations, seed)
        )
        self._login: TelnyxConfig | None = None  # the login in progress, or the one that stands
        self._waiter: asyncio.Future[None] | None = None
        self._work: asyncio.Task[None] | None = None
        self._works: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._detached: TxSocket | None = None
        self._network = NetworkWatch(self._on_network_change)
        self._token = TokenWatch(self._publisher.warn)

    # For the application.

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, or one is being opened."""
        waits = self._machine.state is State.RETRYING and self._machine.recovers
        return self._machine.state is not State.DISCONNECTED and not waits

    @property
    def is_leaving(self) -> bool:
        """Whether the connection is being closed, so that no new call is taken."""
        return self._machine.state is State.LEAVING

    @property
    def login(self) -> TelnyxConfig | None:
        """The login that stands, or the one in progress."""
        return self.config or self._login

    @property
    def snapshot(self) -> SessionSnapshot | None:
        """The session without its calls; `None` if it cannot be resumed, because it is over or goes on elsewhere."""
        account, session_id = self.session.account, self.session.session_id
        if self._machine.state in (State.DISCONNECTED, State.LEAVING) or account is None or not session_id:
            return None
        return SessionSnapshot(session_id, account, self.session.voice_sdk_id)

    def resume(self, snapshot: SessionSnapshot, server: TxServerConfiguration, config: TelnyxConfig) -> None:
        """Let the next login be of the session that another process began; `connect` is next.

        Raises:
            SocketConnectionError: There is a connection.
            ConfigurationError: The snapshot is of another user.
        """
        self.require_disconnected()
        login = login_of(config)
        if isinstance(config, CredentialConfig) and login.account != snapshot.account:
            raise ConfigurationError(f"the snapshot is not of {login.who}: resume it with the login it was taken of")
        self.server, self._login = server, config
        self.session.resume(snapshot.session_id, login.account, snapshot.server_instance)

    def require_disconnected(self) -> None:
        """Raise `SocketConnectionError` unless a connection can be made."""
        if self._machine.state is not State.DISCONNECTED:
            raise SocketConnectionError("the client is connected already, or about to be again; disconnect first")

    def require_ready(self) -> None:
        """Raise `SocketConnectionError` unless calls can be placed."""
        if not self._machine.takes_calls:
            message = "the client is not logged in; connect first"
            if self._machine.recovers and self._machine.state not in (State.DISCONNECTED, State.LEAVING):
                message = "the connection is being made again; wait for CLIENT_READY in connection_status_flow"
            raise SocketConnectionError(message, kind=ErrorCode.AUTHENTICATION_REQUIRED)

    async def connect(
        self,
        server: TxServerConfiguration,
        config: TelnyxConfig | None,
        *,
        pushed: PushedCall[Call] | None = None,
        log_in: bool = True,
    ) -> None:
        """Connect and log in.

        Args:
            server: The server.
            config: The login, with its region and log level.
            pushed: The call that a push notification announced; it selects the server instance.
            log_in: Whether to log in at once.

        Raises:
            SocketConnectionError: The server cannot be reached, or the connection ended.
            AuthenticationError: The server refused the login.
            GatewayRegistrationError: The SIP registration did not come up.
            RequestTimeoutError: The server did not answer.
        """
        self.require_disconnected()
        self._home.enter()
        self.server, self.config, self.pushed, self._login = server, None, pushed, config
        self._publisher.name_session(None)
        if config is not None:
            self._publisher.log_as(config)
            if config.region.value and server.in_region(config.region) == server:
                self._publisher.log.warning(f"{server.host} is an address, so it has no region {config.region.name}")
        reconnects = config is not None and config.auto_reconnect
        await self._outcome(terms.Connect(login=config is not None and log_in, reconnects=reconnects))

    async def log_in(self, config: TelnyxConfig) -> None:
        """Log in on an open connection; raises as `connect` does."""
        if (self._machine.state, terms.Login) not in TABLE:
            busy = self._machine.logs_in
            message = "a login is going on already; wait for it" if busy else "not connected, so login cannot be sent"
            raise SocketConnectionError(message if busy else f"{message}; connect first")
        self._home.enter()
        self._login = config
        await self._outcome(terms.Login(reconnects=config.auto_reconnect))

    def stand_down(self) -> None:
        """Do not make the connection again when it is lost."""
        self._feed(terms.StandDown())

    def leave(self) -> None:
        """Take no new calls, and stop all attempts. An open connection can be used until `close`."""
        self._stop_waiting()
        self._feed(terms.Leave())

    async def close(self) -> None:
        """Close the connection, after `leave`."""
        self._feed(terms.Close())
        socket, self._detached = self._detached, None
        cancelled = set(self._works)
        try:
            if socket is not None:
                await socket.close()
        finally:
            if cancelled:
                await asyncio.wait(cancelled)

    # From the socket.

    def on_frame(self, frame: str | bytes) -> None:
        """A frame was received."""
        self.session.publish(frame)

    def on_ping(self) -> bool:
        """The server sent a ping; return whether to answer it."""
        self.session.pings.note()
        return self._machine.answers_pings

    def on_login_required(self) -> None:
        """The server answered a request with "authentication required"."""
        self._feed(terms.LoginRequired())

    def on_lost(self, error: SocketConnectionError) -> None:
        """The connection was lost, or is dead."""
        self._feed(terms.Lost(error))

    def on_request(self, request: Request) -> bool:
        """Handle a request of the server, or hand it to the listener; return whether it concerns something known."""
        result = parse_request(request)
        if request.method == SocketMethod.PUNT.value:
            self._feed(terms.Punted())
            return True
        event = self._event_of(result)
        if event is not None and self._machine.logs_in:
            self._feed(event)
            return True
        self._publisher.publish(request.method, result)
        if event is not None:
            self._feed(event)
            return False
        return self.listener.on_message(request.method, result)

    def _event_of(self, result: ReceivedResult | None) -> terms.Event | None:
        """The event that a message of the server is for the machine, if it is one."""
        match result:
            case ClientReadyResponse():
                self.session.kept_calls = result.reattached_sessions
                return terms.ServerReady()
            case GatewayStateResponse():
                self.session.note_registration(result)
                return terms.gateway_event(result.state)
        return None

    # The machine.

    def _feed(self, event: terms.Event) -> None:
        """Feed an event to the machine, and carry out its actions."""
        before = self._machine
        self._machine, actions = step(before, replace(event, calls=self.listener.has_calls), monotonic())
        if self._machine is before:
            return
        self._publisher.log.debug(f"{type(event).__name__}: {before.state.name} to {self._machine.state.name}")
        for action in actions:
            try:
                self._carry_out(action)
            except Exception as error:  # noqa: BLE001 - the other actions must be carried out nevertheless
                self._publisher.log.error(f"{type(action).__name__} failed", error)
        if self._machine.status is not None:
            self.status.set(self._machine.status)
        if self._machine.state in (State.DISCONNECTED, State.LEAVING):
            self._network.stop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._machine.deadline is not None:
            delay = self._machine.deadline - monotonic()
            self._timer = asyncio.get_running_loop().call_later(delay, self._feed, terms.TimeUp())

    def _carry_out(self, action: terms.Action) -> None:
        match action:
            case terms.OpenSocket():
                self._begin(partial(self._open, action))
            case terms.SendLogin():
                self._begin(self._log_in)
            case terms.QueryGateway():
                self._begin(self._query)
            case terms.CancelLogin():
                self._stop_work()
                self._login = self.config or self._login
            case terms.AbortSocket(error=error):
                self._stop_work()
                self.session.abort(error)
            case terms.CloseSocket():
                self._stop_work()
                self._detached = self.session.detach()
            case terms.ForgetInstance():
                self.session.forget_instance()
            case terms.ForgetSession():
                self.session.forget()
            case terms.Establish():
                self._establish()
            case terms.SuspendCalls(reason=reason):
                self.listener.suspend(reason)
            case terms.DropCalls(reason=reason):
                self.listener.drop(reason)
            case terms.RestoreCalls():
                self.listener.restore()
            case terms.Resolve():
                if self._waiter is not None and not self._waiter.done():
                    self._waiter.set_result(None)
            case terms.Reject(error=error):
                self._login = self.config or self._login
                if self._waiter is not None and not self._waiter.done():
                    self._waiter.set_exception(error)
            case terms.Report(error=error):
                self._publisher.report(error)
            case terms.Warn(warning=warning):
                self._publisher.warn(warning)
            case terms.AnnounceLoss():
                self._stop_waiting()
                self._publisher.announce(SocketStatus.DISCONNECT)

    async def _outcome(self, event: terms.Event) -> None:
        """Feed `event`, and wait until the machine resolves or rejects it."""
        self._waiter = waiter = asyncio.get_running_loop().create_future()
        self._feed(event)
        try:
            await waiter
        finally:
            if self._waiter is waiter:
                self._waiter = None
            if waiter.cancelled():
                self._feed(terms.LoginCancelled())

    # Work that takes time: one task at a time, which ends with an event.

    def _begin(self, work: Callable[[], Coroutine[None, None, terms.Event | None]]) -> None:
        self._stop_work()
        self._work = asyncio.create_task(self._run(work), name="telnyx-connection")
        self._works.add(self._work)
        self._work.add_done_callback(self._works.discard)

    def _stop_work(self) -> None:
        work, self._work = self._work, None
        if work is not None:
            work.cancel()

    async def _run(self, work: Callable[[], Coroutine[None, None, terms.Event | None]]) -> None:
        event = await work()
        if event is not None and self._work is asyncio.current_task():
            self._work = None
            self._feed(event)

    async def _open(self, action: terms.OpenSocket) -> terms.Event:
        first, fallback = route(self._login, self.server) if self._login else (self.server, None)
        server = fallback if action.second and fallback else first
        log = self._publisher.log
        if not action.second:
            self._publisher.announce(SocketStatus.LOADING)
        instance = self.pushed.meta.query() if self.pushed is not None and self.config is None else None
        try:
            await self.session.open(server, self, log.child("socket"), instance=instance, limit=action.limit)
        except Exception as error:  # noqa: BLE001 - a bug costs one attempt, not all
            if not isinstance(error, TelnyxError):
                log.error("connecting failed", error)
            elif fallback is not None and not action.second:
                log.warning(f"{error}; trying {fallback.url} instead")
            else:
                log.info(f"not connected: {error}")
            return terms.OpenFailed(error, fallback=fallback is not None)
        log.info(f"connected to {server.url}")
        self._publisher.announce(SocketStatus.ESTABLISHED)
        return terms.Opened()

    async def _log_in(self) -> terms.Event:
        new = False
        try:
            assert self._login is not None  # noqa: S101 - the machine logs in only if there is a login
            self._publisher.log_as(self._login)
            login = login_of(self._login, self._purpose)
            new = is_new(login.account)
            if isinstance(self._login, TokenConfig):
                self._token.check(self._login.expires_at)
            await self.session.log_in(login)
        except Exception as error:  # noqa: BLE001 - a bug costs one attempt, not all
            if new:
                self._publisher.log.debug(f"the credential was created just now: {error}")
            return terms.LoginFailed(error, new_credential=new)
        return terms.LoginAccepted()

    async def _query(self) -> terms.Event:
        try:
            state = await self.session.query_gateway()
        except RequestTimeoutError:
            return terms.QueryTimedOut()
        except Exception as error:  # noqa: BLE001 - a bug costs one attempt, not all
            return terms.QueryFailed(error)
        self.session.note_registration(state)
        return terms.gateway_event(state.state)

    async def _ask_for_pushed_call(self, pushed: PushedCall[Call], message: AttachCalls) -> None:
        pushed.expect()
        try:
            await self.session.tell(message)
        except TelnyxError as error:
            self._publisher.log.warning(f"the announced call was not asked for: {error}")

    def _establish(self) -> None:
        """Announce the login, and start watching token, network and server."""
        config = self.config = self._login
        assert config is not None  # noqa: S101 - it was just used
        self.session.timings.mark("registered")
        self._publisher.name_session(self.session.session_id)
        self.session.watch(self.on_lost)
        if not self.server.is_local:
            self._network.start()
        self._token.stop()
        if isinstance(config, TokenConfig):
            self._token.start(config.expires_at)
        self._publisher.log.info(f"logged in as {login_of(config).who}")
        self._publisher.publish(SocketMethod.LOGIN.value, LoginResponse(self.session.session_id))
        self._publisher.publish(SocketMethod.CLIENT_READY.value, ClientReadyResponse())
        if self.pushed is not None and self._purpose is Purpose.ANSWER_PUSH:
            self._begin(partial(self._ask_for_pushed_call, self.pushed, AttachCalls(config.push)))

    @property
    def _purpose(self) -> Purpose:
        """The purpose of the next login."""
        if self.pushed is None or self.pushed.call is not None:
            return Purpose.CALLS
        return Purpose.DECLINE_PUSH if self.pushed.declined else Purpose.ANSWER_PUSH

    def _stop_waiting(self) -> None:
        """The connection is lost or about to be closed: stop waiting for what it would bring."""
        self._token.stop()
        if self.pushed is not None:
            self.pushed.abort()

    def _on_network_change(self) -> None:
        """Check the connection, replace it if its local address is not in use any more, or retry at once."""
        if self.session.addresses is None:
            self._feed(terms.NetworkChanged())
            return
        local, remote = self.session.addresses
        source = source_address(remote)
        if source is None:
            message = f"there is no route to {remote[0]} any more"
            self._publisher.report(SocketConnectionError(message, kind=ErrorCode.NETWORK_OFFLINE))
        if source in (None, local):
            self.session.probe()
        else:
            self._feed(
                terms.Lost(NetworkChangedError(f"the network changed: {remote[0]} is reached from another address now"))
            )


async def decline(meta: PushMetaData, config: TelnyxConfig, server: TxServerConfiguration, timeouts: Timeouts) -> None:
    """Decline a call that a push notification announced, over a connection of its own.

    Raises:
        SocketConnectionError: The server cannot be reached, or the connection ended too early.
        AuthenticationError: The server refused the login.
        GatewayRegistrationError: The SIP registration did not come up.
        RequestTimeoutError: The server did not answer.
    """
    context = Context(timeouts)
    connection = Connection(context)
    pushed: PushedCall[Call] = PushedCall(meta, timeouts.push_invite, declined=True)
    try:
        await connection.connect(server, replace(config, auto_reconnect=False), pushed=pushed)
        context.publisher.log.info(f"declined call {meta.call_id}")
    finally:
        connection.leave()
        await connection.close()
